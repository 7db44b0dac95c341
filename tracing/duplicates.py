"""Duplicates (疑似重复): looking at proposed pairs, linking two records, saying that they differ, taking it back.

Nothing is merged: a link shows two records beside each other, and unlinking leaves both as they were.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, exists, false, or_, select
from sqlalchemy.orm import Session, joinedload

from matcher.vocabulary import GalleryKind
from models.candidate import Candidate
from models.case import Case
from models.confirmation import Confirmation
from models.duplicate import DuplicateBasis, DuplicateDecision, DuplicatePair, DuplicateVerdict
from models.organisation import Organisation
from models.report import Report
from models.review import Review
from tracing import access, wandering
from tracing.access import Permission, Viewer
from tracing.cases import check_reason, load_case
from tracing.duplicate_links import OPEN, close_found, hold_links, lift_of_confirmation, lift_of_link
from tracing.duplicate_links import close_linked as _close_linked
from tracing.duplicate_pairs import ends_of, pair_key
from tracing.paging import Page, page_of
from tracing.platform import errors
from tracing.platform.db import dialect_insert
from tracing.reports import load_report
from tracing.services import Services
from tracing.trail import note


class SameRecord(errors.Invalid):
    """A record linked with itself."""

    slug = "same_record"
    message = "These are one and the same record. Choose two different ones."


class PairDecided(errors.Conflict):
    """A decision on a pair on which one stands."""

    slug = "pair_decided"
    message = "Somebody has decided on these two already. Reload the page; the decision can be withdrawn with a reason."


class DecisionWithdrawn(errors.Conflict):
    """A withdrawal of a decision that does not stand."""

    slug = "decision_withdrawn"
    message = "This decision has been withdrawn already. Reload the page."


class PairStatus(StrEnum):
    """Which pairs a list shows."""

    PROPOSED = "proposed"
    SAME = "same"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Side:
    """One record of a pair. Outside the viewer's scope only the organisation is told, so that it can be called."""

    id: uuid.UUID | None
    number: str | None
    state: str | None
    organisation: Organisation


@dataclass(frozen=True, slots=True)
class PairView:
    """A pair, both its records as this viewer may see them, and its decisions, newest first."""

    pair: DuplicatePair
    sides: tuple[Side, Side]
    decisions: tuple[DuplicateDecision, ...]

    @property
    def open(self) -> bool:
        """Whether the viewer sees both records, and so what of them agrees."""
        return all(one.id is not None for one in self.sides)

    @property
    def standing(self) -> DuplicateDecision | None:
        """The decision that stands."""
        return next((one for one in self.decisions if one.withdrawn_at is None), None)


def list_duplicates(
    session: Session,
    viewer: Viewer,
    *,
    status: PairStatus = PairStatus.PROPOSED,
    kind: GalleryKind | None = None,
    record_id: uuid.UUID | None = None,
    cursor: str | None = None,
    limit: int = 50,
    now: datetime,
) -> Page[PairView]:
    """Pairs of which the viewer sees at least one record, newest first; of one record, if it is given. Logged.

    An examiner does not learn of a pair of cases that is a candidate on which the own opinion is still to give.
    """
    access.require(viewer, Permission.CASE_READ)
    statement = select(DuplicatePair).where(access.duplicate_scope(viewer), ~_sealed(viewer), _has(status))
    if kind is not None:
        statement = statement.where(DuplicatePair.kind == kind)
    if record_id is not None:
        ends = (
            DuplicatePair.first_case_id, DuplicatePair.second_case_id, DuplicatePair.first_report_id,
            DuplicatePair.second_report_id,
        )  # fmt: skip
        statement = statement.where(or_(*(one == record_id for one in ends)))
    page = page_of(session, statement, DuplicatePair.proposed_at, DuplicatePair.id, cursor=cursor, limit=limit)
    note(session, viewer, "duplicate.list", "duplicate", None, at=now, count=len(page.items), status=status.value)
    return Page(tuple(_views(session, viewer, page.items)), page.next_cursor)


def get_duplicate(session: Session, viewer: Viewer, pair_id: uuid.UUID, *, now: datetime) -> PairView:
    """One pair. Raises NotFound when the viewer sees neither record; logged."""
    access.require(viewer, Permission.CASE_READ)
    pair = _load(session, viewer, pair_id)
    note(session, viewer, "duplicate.view", "duplicate", pair.id, at=now)
    return _views(session, viewer, [pair])[0]


def link_records(
    session: Session,
    services: Services,
    viewer: Viewer,
    kind: GalleryKind,
    first: uuid.UUID,
    second: uuid.UUID,
    *,
    reason: str,
    now: datetime,
) -> DuplicatePair:
    """Link two records of the viewer's scope that nobody proposed. Raises as `decide`, and SameRecord."""
    access.require(viewer, Permission.DUPLICATE)
    if first == second:
        raise SameRecord(field="second_id")
    for one in sorted((first, second)):
        if kind is GalleryKind.CASE:
            load_case(session, viewer, one, lock=True)
        else:
            load_report(session, viewer, one, lock=True)
    session.execute(
        dialect_insert(session)(DuplicatePair)
        .values(
            id=uuid.uuid4(), basis=DuplicateBasis.STAFF, proposed_by_id=viewer.user_id, proposed_at=now,
            policy_version=services.care.duplicates.version, **ends_of(kind, first, second),
        )
        .on_conflict_do_nothing(index_elements=[DuplicatePair.pair])
    )  # fmt: skip
    pair_id = session.scalars(select(DuplicatePair.id).where(DuplicatePair.pair == pair_key(first, second))).one()
    return decide(session, viewer, pair_id, DuplicateVerdict.SAME, reason=reason, now=now)


def decide(
    session: Session, viewer: Viewer, pair_id: uuid.UUID, verdict: DuplicateVerdict, *, reason: str, now: datetime
) -> DuplicatePair:
    """Say that two records are one person, or two. One decision stands; of two at once the second is told so.

    Raises Forbidden, NotFound, ReasonMissing, PairDecided.
    """
    access.require(viewer, Permission.DUPLICATE)
    reason = check_reason(reason)
    pair = _held(session, viewer, pair_id)
    if _standing(session, pair.id) is not None:
        raise PairDecided()
    decision = DuplicateDecision(
        id=uuid.uuid4(),
        pair_id=pair.id,
        verdict=verdict,
        reason=reason,
        decided_by_id=viewer.user_id,
        decided_at=now,
    )
    session.add(decision)
    session.flush()
    note(
        session, viewer, "duplicate.decide", "duplicate", pair.id, at=now,
        decision=decision.id, verdict=verdict.value, kind=pair.kind.value,
    )  # fmt: skip
    if verdict is DuplicateVerdict.SAME and pair.kind is GalleryKind.REPORT:
        reports = (pair.first_id, pair.second_id)
        close_found(session, reports, now=now)
        for confirmation in _confirmations(session, reports):
            wandering.on_confirmed(session, confirmation, now=now)
    return pair


def withdraw_decision(
    session: Session, viewer: Viewer, pair_id: uuid.UUID, *, reason: str, now: datetime
) -> DuplicatePair:
    """Take the standing decision back: unlinking opens again whatever the link had closed. Both rows stay on record.

    Raises Forbidden, NotFound, ReasonMissing, DecisionWithdrawn.
    """
    access.require(viewer, Permission.DUPLICATE)
    reason = check_reason(reason)
    pair = _held(session, viewer, pair_id)
    decision = _standing(session, pair.id)
    if decision is None:
        raise DecisionWithdrawn()
    decision.withdrawal_reason = reason
    decision.withdrawn_at, decision.withdrawn_by_id = now, viewer.user_id
    session.flush()
    note(session, viewer, "duplicate.withdraw", "duplicate", pair.id, at=now, decision=decision.id)
    if decision.verdict is DuplicateVerdict.SAME and pair.kind is GalleryKind.REPORT:
        lift_of_link(session, decision, now=now)
        wandering.on_unlinked(session, (pair.first_id, pair.second_id), now=now)
    return pair


def on_confirmed(session: Session, confirmation: Confirmation, *, now: datetime) -> None:
    """What a confirmation means for linked reports and for earlier cases; in the transaction that confirms."""
    _close_linked(session, confirmation, now=now)
    wandering.on_confirmed(session, confirmation, now=now)


def on_recalled(session: Session, confirmation: Confirmation, *, now: datetime) -> None:
    """The reverse, in the transaction that recalls, after the rivals were restored."""
    lift_of_confirmation(session, confirmation, now=now)
    wandering.on_recalled(session, confirmation, now=now)


def _confirmations(session: Session, reports: Sequence[uuid.UUID]) -> Sequence[Confirmation]:
    return session.scalars(
        select(Confirmation)
        .where(Confirmation.report_id.in_(reports), Confirmation.recalled_at.is_(None))
        .order_by(Confirmation.confirmed_at, Confirmation.id)
    ).all()


def _load(session: Session, viewer: Viewer, pair_id: uuid.UUID) -> DuplicatePair:
    return access.find(
        session,
        select(DuplicatePair).where(DuplicatePair.id == pair_id, access.duplicate_scope(viewer), ~_sealed(viewer)),
    )


def _held(session: Session, viewer: Viewer, pair_id: uuid.UUID) -> DuplicatePair:
    """The pair for a decision: its reports first, then the links, as a confirmation holds them."""
    pair = _load(session, viewer, pair_id)
    if pair.kind is GalleryKind.REPORT:
        ids = sorted((pair.first_id, pair.second_id))
        session.scalars(select(Report.id).where(Report.id.in_(ids)).order_by(Report.id).with_for_update()).all()
        for one in ids:
            hold_links(session, one)
    else:
        session.scalars(select(DuplicatePair.id).where(DuplicatePair.id == pair.id).with_for_update()).all()
    return pair


def _standing(session: Session, pair_id: uuid.UUID) -> DuplicateDecision | None:
    return session.scalars(
        select(DuplicateDecision)
        .where(DuplicateDecision.pair_id == pair_id, DuplicateDecision.withdrawn_at.is_(None))
        .execution_options(populate_existing=True)
    ).one_or_none()


def _has(status: PairStatus) -> ColumnElement[bool]:
    standing = exists().where(DuplicateDecision.pair_id == DuplicatePair.id, DuplicateDecision.withdrawn_at.is_(None))
    if status is PairStatus.PROPOSED:
        return ~standing
    return standing.where(DuplicateDecision.verdict == DuplicateVerdict(status.value))


def _sealed(viewer: Viewer) -> ColumnElement[bool]:
    """Whether the pair is a candidate that the viewer still has to judge."""
    if not viewer.may(Permission.REVIEW):
        return false()
    judged = exists().where(
        Review.candidate_id == Candidate.id, Review.examiner_id == viewer.user_id, Review.withdrawn_at.is_(None)
    )
    return exists().where(Candidate.pair == DuplicatePair.pair, Candidate.state.in_(OPEN), ~judged)


def _views(session: Session, viewer: Viewer, pairs: Sequence[DuplicatePair]) -> list[PairView]:
    ids = [one for pair in pairs for one in (pair.first_id, pair.second_id)]
    cases = session.execute(
        select(Case, access.case_scope(viewer)).where(Case.id.in_(ids)).options(joinedload(Case.organisation))
    ).all()
    reports = session.execute(
        select(Report, access.report_scope(viewer)).where(Report.id.in_(ids)).options(joinedload(Report.organisation))
    ).all()
    records: list[tuple[Case | Report, bool]] = [
        *((one, seen) for one, seen in cases),
        *((one, seen) for one, seen in reports),
    ]
    sides = {
        one.id: Side(one.id, one.number, one.state.value, one.organisation)
        if seen
        else Side(None, None, None, one.organisation)
        for one, seen in records
    }
    found: dict[uuid.UUID, list[DuplicateDecision]] = {pair.id: [] for pair in pairs}
    decisions = session.scalars(
        select(DuplicateDecision)
        .where(DuplicateDecision.pair_id.in_(found))
        .order_by(DuplicateDecision.decided_at.desc(), DuplicateDecision.id)
        .execution_options(populate_existing=True)
    )
    for decision in decisions:
        found[decision.pair_id].append(decision)
    return [PairView(pair, (sides[pair.first_id], sides[pair.second_id]), tuple(found[pair.id])) for pair in pairs]
