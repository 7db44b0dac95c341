"""Wandering again (再次走失): a case and the earlier ones of the same person, linked by the service or by staff.

The service links when a confirmed report tells that an earlier confirmed one was of the same person: the same report,
one that a human has linked with it, or one with the same identity number. Such links end with the confirmation that
they rest on.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from models.case import Case, CaseState
from models.confirmation import Confirmation
from models.followup import FollowUpEnd, FollowUpEndReason, FollowUpVisit, VisitResult, WanderingBasis, WanderingLink
from models.notification import NotificationKind
from models.outcome import Outcome, OutcomeKind
from models.user import Role
from tracing import access
from tracing.access import Permission, Viewer
from tracing.cases import check_reason, load_case
from tracing.duplicate_links import linked_reports
from tracing.identity_digests import same_number
from tracing.notifications import notify, users_of
from tracing.platform import errors
from tracing.trail import note

TOLD = frozenset({Role.STATION_STAFF, Role.CASEWORKER})
DEPTH_MAX = 20


class NotEarlier(errors.Invalid):
    """A link to a case that did not come before, is a draft, or is the same."""

    slug = "not_earlier"
    message = "The earlier case must have been handed in before this one. Check which of the two came first."


class AlreadyLinked(errors.Conflict):
    """A second link of the same two cases."""

    slug = "already_linked"
    message = "These two cases are linked already. Reload the page."


class LinkWithdrawn(errors.Conflict):
    """A withdrawal of a link that does not stand."""

    slug = "link_withdrawn"
    message = "This link has been withdrawn already. Reload the page."


@dataclass(frozen=True, slots=True)
class EarlierVisit:
    """A visit after an earlier return home, without its texts."""

    visited_at: datetime
    result: VisitResult
    assessment: dict[str, str] | None
    danger: bool


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier case as the readers of the new one may know it: how it ended, and how it went on at home."""

    link: WanderingLink
    case: Case
    outcomes: tuple[tuple[OutcomeKind, date], ...]
    visits: tuple[EarlierVisit, ...]
    ended: FollowUpEndReason | None


@dataclass(frozen=True, slots=True)
class History:
    """Earlier cases of a person, newest first, and the later ones that exist for the viewer."""

    earlier: tuple[Earlier, ...]
    later: tuple[tuple[WanderingLink, Case], ...]


def link_earlier(
    session: Session, viewer: Viewer, case_id: uuid.UUID, earlier_case_id: uuid.UUID, *, reason: str, now: datetime
) -> WanderingLink:
    """Staff recognise somebody: link the new case with an earlier one, both of the viewer's scope.

    Raises Forbidden, NotFound, NotEarlier, AlreadyLinked, ReasonMissing.
    """
    access.require(viewer, Permission.FOLLOW_UP)
    # In the order of the ids, as passes and everybody else lock several cases.
    cases = {one: load_case(session, viewer, one, lock=True) for one in sorted({case_id, earlier_case_id})}
    case, earlier = cases[case_id], cases[earlier_case_id]
    drafts = CaseState.DRAFT in (case.state, earlier.state)
    if case.id == earlier.id or drafts or earlier.created_at > case.created_at:
        raise NotEarlier(field="earlier_case_id")
    reason = check_reason(reason)
    if _standing(session, case.id, earlier.id) is not None:
        raise AlreadyLinked(field="earlier_case_id")
    link = WanderingLink(
        id=uuid.uuid4(),
        case_id=case.id,
        earlier_case_id=earlier.id,
        basis=WanderingBasis.STAFF,
        reason=reason,
        linked_by_id=viewer.user_id,
        linked_at=now,
    )
    _keep(session, viewer, link, case, earlier, now)
    return link


def withdraw_link(session: Session, viewer: Viewer, link_id: uuid.UUID, *, reason: str, now: datetime) -> WanderingLink:
    """Undo a link, whoever made it. Raises Forbidden, NotFound, ReasonMissing, LinkWithdrawn."""
    access.require(viewer, Permission.FOLLOW_UP)
    case_id = session.scalar(select(WanderingLink.case_id).where(WanderingLink.id == link_id))
    if case_id is None:
        raise errors.NotFound()
    load_case(session, viewer, case_id, lock=True)
    link = session.get_one(WanderingLink, link_id, populate_existing=True)
    reason = check_reason(reason)
    if link.withdrawn_at is not None:
        raise LinkWithdrawn()
    link.withdrawal_reason = reason
    link.withdrawn_at, link.withdrawn_by_id = now, viewer.user_id
    session.flush()
    note(session, viewer, "wandering.withdraw", "case", link.case_id, at=now, link=link.id)
    return link


def on_confirmed(session: Session, confirmation: Confirmation, *, now: datetime) -> list[WanderingLink]:
    """Link the case with earlier ones whose confirmed report is of the same person, and later ones with it.

    Called in the transaction that confirms, and when two reports are linked.
    """
    links = []
    for other, basis in _of_the_same(session, confirmation):
        cases = session.scalars(
            select(Case)
            .where(Case.id.in_((confirmation.case_id, other.case_id)))
            .options(joinedload(Case.organisation))
        ).all()
        if len(cases) < 2:
            continue
        earlier, case = sorted(cases, key=lambda one: (one.created_at, one.id))
        if _ever(session, case.id, earlier.id) is not None:
            continue  # it stands, or a human has said that it is not so
        later = confirmation if case.id == confirmation.case_id else other
        link = WanderingLink(
            id=uuid.uuid4(), case_id=case.id, earlier_case_id=earlier.id, basis=basis, confirmation_id=later.id,
            linked_at=now,
        )  # fmt: skip
        _keep(session, None, link, case, earlier, now)
        links.append(link)
    return links


def on_recalled(session: Session, confirmation: Confirmation, *, now: datetime) -> None:
    """Take back the links that the service made because of this confirmation, or of the earlier case's."""
    resting = select(WanderingLink).where(
        WanderingLink.withdrawn_at.is_(None),
        WanderingLink.basis != WanderingBasis.STAFF,
        or_(
            WanderingLink.confirmation_id == confirmation.id,
            WanderingLink.earlier_case_id == confirmation.case_id,
            WanderingLink.case_id == confirmation.case_id,
        ),
    )
    for link in session.scalars(resting).all():
        _take_back(session, link, "confirmation recalled", now)


def on_unlinked(session: Session, reports: Iterable[uuid.UUID], *, now: datetime) -> None:
    """Take back the links that rested on two reports being linked."""
    cases = select(Confirmation.case_id).where(Confirmation.report_id.in_(list(reports)))
    resting = select(WanderingLink).where(
        WanderingLink.withdrawn_at.is_(None),
        WanderingLink.basis == WanderingBasis.LINKED_REPORT,
        WanderingLink.case_id.in_(cases),
        WanderingLink.earlier_case_id.in_(cases),
    )
    for link in session.scalars(resting).all():
        _take_back(session, link, "reports unlinked", now)


def _take_back(session: Session, link: WanderingLink, reason: str, now: datetime) -> None:
    link.withdrawn_at, link.withdrawal_reason = now, reason
    session.flush()
    note(session, None, "wandering.withdraw", "case", link.case_id, at=now, link=link.id)


def _of_the_same(session: Session, confirmation: Confirmation) -> list[tuple[Confirmation, WanderingBasis]]:
    """Standing confirmations of other cases whose report is known to be of the same person."""
    known = {
        **dict.fromkeys(same_number(session, confirmation.report_id), WanderingBasis.SAME_IDENTITY),
        **dict.fromkeys(linked_reports(session, confirmation.report_id), WanderingBasis.LINKED_REPORT),
        confirmation.report_id: WanderingBasis.SAME_REPORT,
    }
    rows = session.scalars(
        select(Confirmation)
        .where(
            Confirmation.report_id.in_(known),
            Confirmation.case_id != confirmation.case_id,
            Confirmation.recalled_at.is_(None),
        )
        .order_by(Confirmation.confirmed_at, Confirmation.id)
    )
    return [(one, known[one.report_id]) for one in rows]


def _standing(session: Session, case_id: uuid.UUID, earlier_case_id: uuid.UUID) -> WanderingLink | None:
    return session.scalars(
        select(WanderingLink).where(
            WanderingLink.case_id == case_id,
            WanderingLink.earlier_case_id == earlier_case_id,
            WanderingLink.withdrawn_at.is_(None),
        )
    ).one_or_none()


def _ever(session: Session, case_id: uuid.UUID, earlier_case_id: uuid.UUID) -> uuid.UUID | None:
    """A link of the two that stands, or that a human has taken back."""
    return session.scalar(
        select(WanderingLink.id)
        .where(
            WanderingLink.case_id == case_id,
            WanderingLink.earlier_case_id == earlier_case_id,
            or_(WanderingLink.withdrawn_at.is_(None), WanderingLink.withdrawn_by_id.is_not(None)),
        )
        .limit(1)
    )


def _keep(
    session: Session, viewer: Viewer | None, link: WanderingLink, case: Case, earlier: Case, now: datetime
) -> None:
    session.add(link)
    session.flush()
    note(
        session, viewer, "wandering.link", "case", case.id, at=now,
        link=link.id, earlier=earlier.id, basis=link.basis.value,
    )  # fmt: skip
    for one in (earlier, case):  # each is told of the case that it may see
        recipients = users_of(session, one.organisation_id, TOLD)
        notify(session, recipients, NotificationKind.WANDERED_AGAIN, "case", one.id, now=now)


def get_history(session: Session, viewer: Viewer, case_id: uuid.UUID, *, now: datetime) -> History:
    """What went before, for whoever may see the new case: also of other provinces, and over several times. Logged."""
    case = load_case(session, viewer, case_id)
    found: list[Earlier] = []
    waiting, seen = [case.id], {case.id}
    while waiting and len(found) < DEPTH_MAX:
        links = session.scalars(
            select(WanderingLink)
            .where(WanderingLink.case_id.in_(waiting), WanderingLink.withdrawn_at.is_(None))
            .order_by(WanderingLink.linked_at, WanderingLink.id)
        ).all()
        fresh = {one.earlier_case_id: one for one in links if one.earlier_case_id not in seen}
        found += [_earlier(session, link) for link in fresh.values()]
        waiting, seen = list(fresh), seen | fresh.keys()
    found.sort(key=lambda one: one.case.created_at, reverse=True)
    later = session.execute(
        select(WanderingLink, Case)
        .join(Case, Case.id == WanderingLink.case_id)
        .where(
            WanderingLink.earlier_case_id == case.id, WanderingLink.withdrawn_at.is_(None), access.case_scope(viewer)
        )
        .order_by(Case.created_at, Case.id)
    ).all()
    note(session, viewer, "wandering.view", "case", case.id, at=now, earlier=len(found), later=len(later))
    return History(tuple(found), tuple((link, one) for link, one in later))


def _earlier(session: Session, link: WanderingLink) -> Earlier:
    case = session.scalars(
        select(Case).where(Case.id == link.earlier_case_id).options(joinedload(Case.organisation))
    ).one()
    outcomes = session.scalars(
        select(Outcome)
        .where(Outcome.case_id == case.id, Outcome.withdrawn_at.is_(None))
        .order_by(Outcome.recorded_at, Outcome.id)
    ).all()
    visits = session.scalars(
        select(FollowUpVisit)
        .where(FollowUpVisit.case_id == case.id, FollowUpVisit.withdrawn_at.is_(None))
        .order_by(FollowUpVisit.visited_at, FollowUpVisit.id)
    ).all()
    ended = session.scalars(
        select(FollowUpEnd.reason)
        .where(FollowUpEnd.case_id == case.id, FollowUpEnd.withdrawn_at.is_(None))
        .order_by(FollowUpEnd.decided_at.desc())
        .limit(1)
    ).one_or_none()
    return Earlier(
        link,
        case,
        tuple((one.kind, one.occurred_on) for one in outcomes),
        tuple(EarlierVisit(one.visited_at, one.result, one.assessment, one.danger) for one in visits),
        ended,
    )
