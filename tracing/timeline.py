"""The course of a case (个案经过): everything that happened, in one list by its time; nothing that is sealed."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from sqlalchemy import Select, String, cast, literal, null, select, union_all
from sqlalchemy.orm import Session

from models.case import Case, CaseTransition
from models.claim import IdentityClaim
from models.clue import Clue
from models.confirmation import Confirmation
from models.contact import ContactAttempt, ContactPlan, ContactRelease, ContactScreening
from models.exclusion import Exclusion
from models.followup import FollowUpEnd, FollowUpVisit
from models.interview import Interview
from models.kin import KinVerification
from models.milestone import Milestone
from models.organisation import Organisation
from models.outcome import Outcome
from models.photo import Photo
from models.profile import ProfileAttribute, ProfileKin, ProfileMark, ProfileName, ProfilePhone, ProfilePlace
from models.referral import Referral, ReferralMove, ReferralState
from models.user import User
from tracing.access import Permission, Viewer
from tracing.cases import load_case
from tracing.paging import Page, page_of_rows
from tracing.trail import note


class EventKind(StrEnum):
    """What happened (事项)."""

    MOVE = "move"  # 个案状态变更
    ATTRIBUTE = "attribute"  # 登记要素
    NAME = "name"  # 登记姓名
    PLACE = "place"  # 登记地点
    MARK = "mark"  # 登记体貌特征
    RELATIVE = "relative"  # 登记亲属姓名
    PHONE = "phone"  # 登记电话号码
    PHOTO = "photo"  # 添加照片
    INTERVIEW = "interview"  # 询问
    CLUE = "clue"  # 线索
    CLAIM = "claim"  # 外部系统结果
    CONFIRMATION = "confirmation"  # 身份确认
    RECALL = "recall"  # 撤回确认
    EXCLUSION = "exclusion"  # 排除候选
    RELEASE = "release"  # 解封联系方式
    SCREENING = "screening"  # 意愿与安全询问
    PLAN = "plan"  # 联系方案
    ATTEMPT = "attempt"  # 联系家属
    KIN = "kin"  # 亲属核实
    MILESTONE = "milestone"  # 办理节点
    OUTCOME = "outcome"  # 救助结果
    REFERRAL = "referral"  # 转介
    VISIT = "visit"  # 回访
    FOLLOW_UP_END = "follow_up_end"  # 结束回访


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `part` is a value of the enum that belongs to the kind; `value` of a recorded fact.

    `ended_at`: when it was withdrawn, or replaced by another value. `actor` None: the service itself, or somebody whose
    name is not the viewer's to know; then `organisation` says whose.
    """

    kind: EventKind
    at: datetime
    part: str | None
    value: str | None
    ended_at: datetime | None
    actor_id: uuid.UUID | None
    actor: str | None
    organisation: Organisation | None


@dataclass(frozen=True, slots=True)
class _Source:
    """Where events of a kind are: `owner` is the column that names the case (or its profile)."""

    owner: Any
    at: Any
    actor: Any
    part: Any = None
    value: Any = None
    ended: Any = None
    permission: Permission = Permission.CASE_READ


def _fact(model: Any, part: Any, value: Any) -> _Source:
    return _Source(model.profile_id, model.recorded_at, model.recorded_by_id, part, value, model.superseded_at)


_K = EventKind
SOURCES: Mapping[EventKind, _Source] = MappingProxyType(
    {
        _K.MOVE: _Source(CaseTransition.case_id, CaseTransition.at, CaseTransition.actor_id, CaseTransition.to_state),
        _K.ATTRIBUTE: _fact(ProfileAttribute, ProfileAttribute.kind, ProfileAttribute.value),
        _K.NAME: _fact(ProfileName, ProfileName.kind, ProfileName.text),
        _K.PLACE: _fact(ProfilePlace, ProfilePlace.kind, ProfilePlace.division),
        _K.MARK: _fact(ProfileMark, ProfileMark.kind, ProfileMark.detail),
        _K.RELATIVE: _fact(ProfileKin, ProfileKin.relation, ProfileKin.text),
        _K.PHONE: _fact(ProfilePhone, None, ProfilePhone.digits),
        _K.PHOTO: _Source(
            Photo.profile_id, Photo.uploaded_at, Photo.uploaded_by_id, Photo.view, ended=Photo.removed_at
        ),
        _K.INTERVIEW: _Source(
            Interview.case_id, Interview.held_at, Interview.recorded_by_id, Interview.method,
            ended=Interview.withdrawn_at,
        ),
        _K.CLUE: _Source(Clue.case_id, Clue.heard_at, Clue.recorded_by_id, Clue.kind, ended=Clue.withdrawn_at),
        _K.CLAIM: _Source(
            IdentityClaim.case_id, IdentityClaim.recorded_at, IdentityClaim.recorded_by_id, IdentityClaim.method,
            ended=IdentityClaim.withdrawn_at,
        ),
        _K.CONFIRMATION: _Source(
            Confirmation.case_id, Confirmation.confirmed_at, Confirmation.confirmed_by_id, Confirmation.method,
            ended=Confirmation.recalled_at,
        ),
        _K.RECALL: _Source(Confirmation.case_id, Confirmation.recalled_at, Confirmation.recalled_by_id),
        _K.EXCLUSION: _Source(
            Exclusion.case_id, Exclusion.excluded_at, Exclusion.excluded_by_id, Exclusion.evidence,
            ended=Exclusion.reopened_at, permission=Permission.CANDIDATE_READ,
        ),
        _K.RELEASE: _Source(ContactRelease.case_id, ContactRelease.released_at, ContactRelease.released_by_id),
        _K.SCREENING: _Source(
            ContactScreening.case_id, ContactScreening.recorded_at, ContactScreening.recorded_by_id,
            ContactScreening.wish, permission=Permission.SCREEN,
        ),
        _K.PLAN: _Source(
            ContactPlan.case_id, ContactPlan.made_at, ContactPlan.made_by_id, ContactPlan.channel,
            permission=Permission.CONTACT,
        ),
        _K.ATTEMPT: _Source(
            ContactAttempt.case_id, ContactAttempt.attempted_at, ContactAttempt.recorded_by_id, ContactAttempt.result,
            permission=Permission.CONTACT,
        ),
        _K.KIN: _Source(
            KinVerification.case_id, KinVerification.verified_at, KinVerification.verified_by_id,
            KinVerification.result, ended=KinVerification.withdrawn_at, permission=Permission.CONTACT,
        ),
        _K.MILESTONE: _Source(
            Milestone.case_id, Milestone.occurred_at, Milestone.recorded_by_id, Milestone.kind,
            ended=Milestone.withdrawn_at,
        ),
        _K.OUTCOME: _Source(
            Outcome.case_id, Outcome.recorded_at, Outcome.recorded_by_id, Outcome.kind, ended=Outcome.withdrawn_at
        ),
        _K.REFERRAL: _Source(Referral.case_id, ReferralMove.at, ReferralMove.actor_id, ReferralMove.to_state),
        _K.VISIT: _Source(
            FollowUpVisit.case_id, FollowUpVisit.visited_at, FollowUpVisit.recorded_by_id, FollowUpVisit.result,
            ended=FollowUpVisit.withdrawn_at,
        ),
        _K.FOLLOW_UP_END: _Source(
            FollowUpEnd.case_id, FollowUpEnd.decided_at, FollowUpEnd.decided_by_id, FollowUpEnd.reason,
            ended=FollowUpEnd.withdrawn_at,
        ),
    }
)  # fmt: skip
"""A new kind of thing that happens to a case is one more row. Opinions of examiners are none: they are given blind."""


def list_events(
    session: Session, viewer: Viewer, case_id: uuid.UUID, *, cursor: str | None = None, limit: int = 50, now: datetime
) -> Page[Event]:
    """What happened, newest first, as far as the viewer's role may know it. Logged. Raises NotFound, BadCursor."""
    case = load_case(session, viewer, case_id)
    parts = [_rows(kind, one, case) for kind, one in SOURCES.items() if viewer.may(one.permission)]
    found = page_of_rows(session, union_all(*parts).subquery(), cursor=cursor, limit=limit)
    people = _people(session, {row.actor_id for row in found.items if row.actor_id})
    note(session, viewer, "case.timeline", "case", case.id, at=now, count=len(found.items))
    return Page(tuple(_event(viewer, row, people) for row in found.items), found.next_cursor)


def _rows(kind: EventKind, one: _Source, case: Case) -> Select[Any]:
    model = one.at.class_
    ended = cast(null(), CaseTransition.at.type) if one.ended is None else one.ended
    statement = select(
        one.at.label("at"), model.id.label("id"), literal(kind.value).label("kind"), one.actor.label("actor_id"),
        _text(one.part).label("part"), _text(one.value).label("value"), ended.label("ended_at"),
    ).where(one.at.is_not(None))  # fmt: skip
    if kind is EventKind.REFERRAL:  # a draft is its writers' own business
        statement = statement.join(Referral, Referral.id == ReferralMove.referral_id).where(
            Referral.sent_at.is_not(None), ReferralMove.to_state != ReferralState.DRAFT
        )
    owner = case.profile_id if one.owner.key == "profile_id" else case.id
    return statement.where(one.owner == owner)


def _text(column: Any) -> Any:
    return cast(null() if column is None else column, String)


def _people(session: Session, wanted: set[uuid.UUID]) -> dict[uuid.UUID, tuple[User, Organisation]]:
    rows = session.execute(
        select(User, Organisation)
        .join(Organisation, Organisation.id == User.organisation_id)
        .where(User.id.in_(wanted))
    )
    return {user.id: (user, organisation) for user, organisation in rows}


def _event(viewer: Viewer, row: Any, people: Mapping[uuid.UUID, tuple[User, Organisation]]) -> Event:
    """Names of colleagues inside the viewer's reach; of others their organisation alone."""
    user, organisation = people.get(row.actor_id, (None, None))
    inside = organisation is not None and organisation.path.startswith(viewer.jurisdiction)
    return Event(
        EventKind(row.kind), row.at, row.part, row.value, row.ended_at, row.actor_id,
        user.display_name if user is not None and inside else None, organisation,
    )  # fmt: skip
