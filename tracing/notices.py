"""Notices (寻亲公告): drafting, letting through or sending back, withdrawing, reading, by the station and above."""

import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, contains_eager, selectinload

from matcher.faces.intake import decode, encode, resize_to_fit
from models.case import Case
from models.contact import DangerScreen, PersonWish
from models.milestone import Milestone, MilestoneKind
from models.notice import PUBLIC_STATES, Notice, NoticeFact, NoticeState, NoticeVersion
from models.notification import NotificationKind
from models.photo import Photo
from models.user import Role
from tracing import access
from tracing.access import Permission, Viewer
from tracing.cases import check_reason, load_case
from tracing.faces import intake_limits, photo_purpose
from tracing.facts import check_optional_text
from tracing.milestones import add_milestone
from tracing.notice_approvers import approvers_of
from tracing.notice_content import (
    STATEMENT_LIMIT,
    NoticeContent,
    NoticeFactWithheld,
    allowed_facts,
    compose,
    content_purpose,
    notice_photo_purpose,
    refuse_private,
)
from tracing.notice_errors import (
    CaseNotPublic,
    NoticeEmpty,
    NoticeEnded,
    NoticePhotoUnclear,
    NoticePhotoUnknown,
    NoticeUnsafe,
    NoticeUnwanted,
    NoticeWaiting,
    OwnDraft,
)
from tracing.notice_shown import photo_stands, shown_now
from tracing.notifications import notify, users_of
from tracing.paging import Page, page_of
from tracing.photos import around_face
from tracing.platform import errors
from tracing.profiles import current_facts
from tracing.services import Services
from tracing.trail import note

TOKEN_BYTES = 24


@dataclass(frozen=True, slots=True)
class NoticeDraft:
    """A version as it is given. `facts` None: all that the policy allows. The wish and the danger screen are asked."""

    telephone: str
    wish: PersonWish
    danger: DangerScreen
    facts: frozenset[NoticeFact] | None = None
    photo_id: uuid.UUID | None = None
    statement: str | None = None


@dataclass(frozen=True, slots=True)
class NoticeView:
    """A version opened for whoever may see its case. `public`: everybody sees it at this moment, and as it is here."""

    version: NoticeVersion
    content: NoticeContent
    case: Case
    public: bool
    has_photo: bool


def draft_notice(
    session: Session, services: Services, viewer: Viewer, case_id: uuid.UUID, given: NoticeDraft, *, now: datetime
) -> NoticeVersion:
    """Propose a version; whoever may approve it is told. The first one of a case makes its page's address.

    Raises Forbidden, NotFound, CaseNotPublic, NoticeUnwanted, NoticeUnsafe, NoticeWaiting, NoticeEmpty, and what is
    wrong with the content or the photograph.
    """
    access.require(viewer, Permission.NOTICE)
    case = load_case(session, viewer, case_id, lock=True)
    _refuse_unpublishable(case, given)
    notice = _notice_of(session, case, now)
    if _standing(session, notice, NoticeState.PROPOSED) is not None:
        raise NoticeWaiting()
    policy, today = services.notices.policy_for(case.organisation.division), services.local_day(now)
    allowed = allowed_facts(policy, case, today)
    content = compose(
        case, case.organisation, allowed, given.facts, telephone=given.telephone,
        statement=check_optional_text(given.statement, field="statement", limit=STATEMENT_LIMIT),
    )  # fmt: skip
    if given.photo_id is not None and NoticeFact.PHOTO not in allowed:
        raise NoticeFactWithheld(field="photo_id", facts=[NoticeFact.PHOTO])
    circumstances = {NoticeFact.FOUND_ON, NoticeFact.FOUND_DIVISION, NoticeFact.FOUND_PLACE}
    if given.photo_id is None and not any(one.fact not in circumstances for one in content.values):
        raise NoticeEmpty()
    identity, subject_id = uuid.uuid4(), case.profile.subject_id
    if given.photo_id is not None:
        data = _photograph(session, services, case, given.photo_id, policy.photo_side)
        services.store.put(
            str(identity), services.vault.seal(session, subject_id, notice_photo_purpose(identity), data)
        )
    version = NoticeVersion(
        id=identity,
        notice_id=notice.id,
        number=_next_number(session, notice),
        policy_version=policy.version,
        content_sealed=services.vault.seal_json(
            session, subject_id, content_purpose(identity), content.model_dump(mode="json")
        ),
        photo_id=given.photo_id,
        wish=given.wish,
        danger=given.danger,
        drafted_by_id=viewer.user_id,
        drafted_at=now,
    )
    session.add(version)
    session.flush()
    note(session, viewer, "notice.draft", "case", case.id, at=now, version=version.id, number=version.number)
    approvers = [one for one in approvers_of(session, case.organisation) if one != viewer.user_id]
    notify(session, approvers, NotificationKind.NOTICE_TO_APPROVE, "notice", version.id, now=now)
    return version


def _refuse_unpublishable(case: Case, given: NoticeDraft) -> None:
    if case.state not in PUBLIC_STATES:
        raise CaseNotPublic(state=case.state)
    if given.wish is PersonWish.OBJECTS:
        raise NoticeUnwanted(field="wish")
    if given.danger is DangerScreen.SUSPECTED:
        raise NoticeUnsafe(field="danger")


def _notice_of(session: Session, case: Case, now: datetime) -> Notice:
    notice = session.scalars(select(Notice).where(Notice.case_id == case.id)).one_or_none()
    if notice is None:
        notice = Notice(id=uuid.uuid4(), case_id=case.id, token=secrets.token_urlsafe(TOKEN_BYTES), created_at=now)
        session.add(notice)
        session.flush()
    return notice


def _standing(session: Session, notice: Notice, state: NoticeState) -> NoticeVersion | None:
    return session.scalars(
        select(NoticeVersion)
        .where(NoticeVersion.notice_id == notice.id, NoticeVersion.state == state)
        .execution_options(populate_existing=True)
    ).one_or_none()


def _next_number(session: Session, notice: Notice) -> int:
    last = session.scalar(select(func.max(NoticeVersion.number)).where(NoticeVersion.notice_id == notice.id))
    return (last or 0) + 1


def _photograph(session: Session, services: Services, case: Case, photo_id: uuid.UUID, side: int) -> bytes:
    """The photograph for the public: re-encoded, small, without metadata, of this one person."""
    photo = session.scalars(
        select(Photo)
        .where(Photo.id == photo_id, Photo.profile_id == case.profile_id, Photo.removed_at.is_(None))
        .options(selectinload(Photo.faces))
        .execution_options(populate_existing=True)
    ).one_or_none()
    if photo is None:
        raise NoticePhotoUnknown(field="photo_id")
    sealed = services.store.get(str(photo.id))
    data = services.vault.open(session, case.profile.subject_id, photo_purpose(photo.id), sealed)
    pixels = decode(data, intake_limits(services.settings.photos)).pixels
    if len(photo.shown_faces) > 1:
        chosen = next((face for face in photo.shown_faces if face.chosen), None)
        if chosen is None:
            raise NoticePhotoUnclear(field="photo_id")
        pixels = around_face(pixels, chosen)
    return encode(resize_to_fit(pixels, side), None)


def _load(session: Session, viewer: Viewer, version_id: uuid.UUID, *, lock: bool = False) -> tuple[NoticeVersion, Case]:
    case_id = session.scalar(
        select(Notice.case_id).join(NoticeVersion, NoticeVersion.notice_id == Notice.id).where(
            NoticeVersion.id == version_id
        )
    )  # fmt: skip
    if case_id is None:
        raise errors.NotFound()
    case = load_case(session, viewer, case_id, lock=lock)
    version = session.scalars(
        select(NoticeVersion)
        .where(NoticeVersion.id == version_id)
        .join(NoticeVersion.notice)
        .options(contains_eager(NoticeVersion.notice))
        .execution_options(populate_existing=True)
    ).one()
    return version, case


def approve_notice(
    session: Session, services: Services, viewer: Viewer, version_id: uuid.UUID, *, now: datetime
) -> NoticeVersion:
    """Let a proposed version through: it is public from this moment, the one before is replaced, the clocks are met.

    A first publication is the milestone NOTICE_PUBLISHED; a later one NOTICE_REFRESHED, if its photograph is another
    (or there is none). Raises Forbidden, NotFound, NoticeEnded, OwnDraft, CaseNotPublic, and what is wrong with the
    content or the photograph by now.
    """
    access.require(viewer, Permission.NOTICE_APPROVE)
    version, case = _decidable(session, viewer, version_id)
    if case.state not in PUBLIC_STATES:
        raise CaseNotPublic(state=case.state)
    _refuse_outgrown(session, services, case, version, now)
    before = _standing(session, version.notice, NoticeState.PUBLISHED)
    if before is not None:
        before.state, before.replaced_at = NoticeState.REPLACED, now
        session.flush()
    version.state, version.decided_by_id, version.decided_at = NoticeState.PUBLISHED, viewer.user_id, now
    session.flush()
    note(session, viewer, "notice.approve", "case", case.id, at=now, version=version.id, number=version.number)
    kind = _milestone(session, case, version)
    if kind is not None:
        add_milestone(session, services, viewer, case, kind, occurred_at=now, now=now)
    _tell(session, version, NotificationKind.NOTICE_DECIDED, now)
    return version


def _refuse_outgrown(session: Session, services: Services, case: Case, version: NoticeVersion, now: datetime) -> None:
    """What was learned since the draft (an age, a name) may withhold what it tells; its photograph may be gone."""
    policy = services.notices.policy_for(case.organisation.division)
    allowed = allowed_facts(policy, case, services.local_day(now))
    content = open_content(session, services, case, version)
    told = {one.fact for one in content.values}
    withheld = (told | ({NoticeFact.PHOTO} if version.photo_id else set())) - allowed
    if withheld:
        raise NoticeFactWithheld(facts=sorted(withheld))
    if version.photo_id is not None and not photo_stands(session, version):
        raise NoticePhotoUnknown()
    refuse_private(content, current_facts(case.profile))


def _milestone(session: Session, case: Case, version: NoticeVersion) -> MilestoneKind | None:
    published = select(Milestone.id).where(
        Milestone.case_id == case.id,
        Milestone.kind == MilestoneKind.NOTICE_PUBLISHED,
        Milestone.withdrawn_at.is_(None),
    )
    if session.scalars(published.limit(1)).first() is None:
        return MilestoneKind.NOTICE_PUBLISHED
    earlier = session.scalars(
        select(NoticeVersion.photo_id)
        .where(
            NoticeVersion.notice_id == version.notice_id,
            NoticeVersion.number < version.number,
            NoticeVersion.decided_at.is_not(None),
            NoticeVersion.state != NoticeState.REJECTED,
        )
        .order_by(NoticeVersion.number.desc())
    ).all()
    seen = version.photo_id is not None and version.photo_id in earlier
    return None if seen else MilestoneKind.NOTICE_REFRESHED


def _decidable(session: Session, viewer: Viewer, version_id: uuid.UUID) -> tuple[NoticeVersion, Case]:
    version, case = _load(session, viewer, version_id, lock=True)
    if version.state is not NoticeState.PROPOSED:
        raise NoticeEnded()
    if version.drafted_by_id == viewer.user_id:
        raise OwnDraft()
    return version, case


def _tell(session: Session, version: NoticeVersion, kind: NotificationKind, now: datetime) -> None:
    notify(session, [version.drafted_by_id], kind, "notice", version.id, now=now)


def reject_notice(
    session: Session, viewer: Viewer, version_id: uuid.UUID, *, reason: str, now: datetime
) -> NoticeVersion:
    """Send a proposed version back, with the reason; the station drafts another one.

    Raises Forbidden, NotFound, NoticeEnded, OwnDraft, ReasonMissing.
    """
    access.require(viewer, Permission.NOTICE_APPROVE)
    version, case = _decidable(session, viewer, version_id)
    version.rejection_reason = check_reason(reason)
    version.state, version.decided_by_id, version.decided_at = NoticeState.REJECTED, viewer.user_id, now
    session.flush()
    note(session, viewer, "notice.reject", "case", case.id, at=now, version=version.id)
    _tell(session, version, NotificationKind.NOTICE_DECIDED, now)
    return version


def withdraw_notice(
    session: Session, viewer: Viewer, version_id: uuid.UUID, *, reason: str, now: datetime
) -> NoticeVersion:
    """Take a proposed or public version back; nobody sees it from this moment. By the station or a supervisor.

    Raises Forbidden, NotFound, NoticeEnded, ReasonMissing.
    """
    if not viewer.may(Permission.NOTICE_APPROVE):
        access.require(viewer, Permission.NOTICE)
    version, case = _load(session, viewer, version_id, lock=True)
    if version.state not in (NoticeState.PROPOSED, NoticeState.PUBLISHED):
        raise NoticeEnded()
    reason = check_reason(reason)
    was_public = version.state is NoticeState.PUBLISHED
    version.withdrawal_reason = reason
    version.state, version.withdrawn_at, version.withdrawn_by_id = NoticeState.WITHDRAWN, now, viewer.user_id
    session.flush()
    note(session, viewer, "notice.withdraw", "case", case.id, at=now, version=version.id)
    if was_public:
        told = [version.drafted_by_id, *users_of(session, case.organisation_id, (Role.STATION_STAFF,))]
        others = [one for one in told if one != viewer.user_id]
        notify(session, others, NotificationKind.NOTICE_WITHDRAWN, "notice", version.id, now=now)
    return version


def list_notices(
    session: Session,
    viewer: Viewer,
    *,
    case_id: uuid.UUID | None = None,
    states: frozenset[NoticeState] = frozenset(),
    cursor: str | None = None,
    limit: int = 50,
    now: datetime,
) -> Page[NoticeVersion]:
    """Versions of the viewer's cases (or of one), newest first, with their notice and case; what waits is `PROPOSED`.

    Raises Forbidden, NotFound for a case outside the scope.
    """
    access.require(viewer, Permission.CASE_READ)
    statement = (
        select(NoticeVersion)
        .join(NoticeVersion.notice)
        .join(Notice.case)
        .where(access.case_scope(viewer))
        .options(contains_eager(NoticeVersion.notice).contains_eager(Notice.case))
        .execution_options(populate_existing=True)
    )
    if case_id is not None:
        load_case(session, viewer, case_id)
        statement = statement.where(Notice.case_id == case_id)
    if states:
        statement = statement.where(NoticeVersion.state.in_(states))
    page = page_of(session, statement, NoticeVersion.drafted_at, NoticeVersion.id, cursor=cursor, limit=limit)
    note(session, viewer, "notice.list", "notice", None, at=now, count=len(page.items))
    return page


def open_content(session: Session, services: Services, case: Case, version: NoticeVersion) -> NoticeContent:
    """A version's content, for a caller that has asked who may."""
    subject_id = case.profile.subject_id
    opened = services.vault.open_json(session, subject_id, content_purpose(version.id), version.content_sealed)
    return NoticeContent.model_validate(opened)


def read_notice(
    session: Session, services: Services, viewer: Viewer, version_id: uuid.UUID, *, now: datetime
) -> NoticeView:
    """A version opened, for whoever may see its case; logged. Raises NotFound."""
    version, case = _load(session, viewer, version_id)
    note(session, viewer, "notice.view", "case", case.id, at=now, version=version.id)
    return _view(session, services, case, version, now)


def _view(session: Session, services: Services, case: Case, version: NoticeVersion, now: datetime) -> NoticeView:
    content, has_photo = open_content(session, services, case, version), version.photo_id is not None
    public = version.state is NoticeState.PUBLISHED and case.state in PUBLIC_STATES
    if public:
        content, has_photo = shown_now(session, services, case, version, content, now=now)
    return NoticeView(version, content, case, public, has_photo)


def read_notice_photo(
    session: Session, services: Services, viewer: Viewer, version_id: uuid.UUID, *, now: datetime
) -> bytes:
    """A version's photograph as a JPEG file, for whoever may see its case; logged. Raises NotFound when it has none."""
    version, case = _load(session, viewer, version_id)
    if not _view(session, services, case, version, now).has_photo:
        raise errors.NotFound()
    note(session, viewer, "notice.photo", "case", case.id, at=now, version=version.id)
    return open_notice_photo(session, services, case, version)


def open_notice_photo(session: Session, services: Services, case: Case, version: NoticeVersion) -> bytes:
    """A version's photograph, for a caller that has asked who may."""
    sealed = services.store.get(str(version.id))
    return services.vault.open(session, case.profile.subject_id, notice_photo_purpose(version.id), sealed)
