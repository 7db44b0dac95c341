"""The return-home ledger (返乡台账): who went home from a station in a period, how, and by which papers. No names."""

import csv
import io
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from models.case import Case
from models.home_notice import HomeNotice
from models.organisation import Organisation
from models.outcome import RETURNS, EscortTrip, Handover, Outcome
from tracing import access
from tracing.access import Permission, Viewer
from tracing.home_notices import notices_of
from tracing.paging import LIMIT_MAX, Page, page_of
from tracing.spreadsheets import plain
from tracing.trail import note


@dataclass(frozen=True, slots=True)
class LedgerFilter:
    """Days (both included) on which the outcome occurred; an organisation with everything below it."""

    since: date | None = None
    until: date | None = None
    organisation_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One return: the case, the outcome, the trip and the notice if there are any, and whether somebody signed."""

    outcome: Outcome
    case: Case
    trip: EscortTrip | None
    notice: HomeNotice | None
    signed: bool

    @property
    def days(self) -> int:
        """From the admission to the return."""
        return (self.outcome.occurred_on - self.case.admitted_on).days


def return_ledger(
    session: Session,
    viewer: Viewer,
    wanted: LedgerFilter,
    *,
    cursor: str | None = None,
    limit: int = 50,
    now: datetime,
) -> Page[LedgerRow]:
    """Returns of the viewer's cases, newest entry first; withdrawn ones are left out. Raises Forbidden, BadCursor."""
    access.require(viewer, Permission.CASE_READ)
    page = page_of(session, _statement(viewer, wanted), Outcome.recorded_at, Outcome.id, cursor=cursor, limit=limit)
    note(session, viewer, "ledger.read", "case", None, at=now, count=len(page.items))
    return Page(_rows(session, page.items), page.next_cursor)


def _statement(viewer: Viewer, wanted: LedgerFilter) -> Select[Outcome]:
    cases = select(Case.id).where(access.case_scope(viewer))
    if wanted.organisation_id is not None:
        root = select(Organisation.path).where(Organisation.id == wanted.organisation_id).scalar_subquery()
        below = select(Organisation.id).where(Organisation.path.startswith(root))
        cases = cases.where(Case.organisation_id.in_(below))
    statement = select(Outcome).where(
        Outcome.kind.in_(RETURNS), Outcome.withdrawn_at.is_(None), Outcome.case_id.in_(cases)
    )
    if wanted.since is not None:
        statement = statement.where(Outcome.occurred_on >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(Outcome.occurred_on <= wanted.until)
    return statement


def _rows(session: Session, outcomes: Sequence[Outcome]) -> tuple[LedgerRow, ...]:
    ids = [one.id for one in outcomes]
    cases = {
        one.id: one
        for one in session.scalars(
            select(Case).where(Case.id.in_([one.case_id for one in outcomes])).options(joinedload(Case.organisation))
        )
    }
    trips = {one.outcome_id: one for one in session.scalars(select(EscortTrip).where(EscortTrip.outcome_id.in_(ids)))}
    signed = set(session.scalars(select(Handover.outcome_id).where(Handover.outcome_id.in_(ids))))
    notices = notices_of(session, ids)
    return tuple(
        LedgerRow(one, cases[one.case_id], trips.get(one.id), notices.get(one.id), one.id in signed)
        for one in outcomes
    )  # fmt: skip


HEADER = (
    "case_number", "case_id", "organisation", "outcome", "route", "admitted_on", "returned_on", "days", "from_division",
    "to_division", "transport", "departed_at", "arrived_at", "handover_signed", "notice_number", "receiver",
    "notice_answer",
)  # fmt: skip
"""Columns of the file, named as in the API."""


def ledger_csv(session: Session, viewer: Viewer, wanted: LedgerFilter, *, now: datetime) -> str:
    """The whole ledger as CSV (RFC 4180, with a byte-order mark for spreadsheets); logged. Raises Forbidden."""
    access.require(viewer, Permission.CASE_READ)
    cursor: str | None = None
    parts = ["\ufeff" + _lines([HEADER])]
    while True:
        page = return_ledger(session, viewer, wanted, cursor=cursor, limit=LIMIT_MAX, now=now)
        parts.append(_lines(_cells(row) for row in page.items))
        cursor = page.next_cursor
        if cursor is None:
            return "".join(parts)


def _lines(rows: Iterable[Sequence[object]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue()


def _cells(row: LedgerRow) -> tuple[object, ...]:
    trip, notice, outcome = row.trip, row.notice, row.outcome
    receiver = None
    if notice is not None:
        receiver = notice.organisation.name_zh if notice.organisation else notice.receiver
    return (
        row.case.number, row.case.id, plain(row.case.organisation.name_zh), outcome.kind.value,
        outcome.route.value if outcome.route else "", row.case.admitted_on, outcome.occurred_on, row.days,
        trip.from_division if trip else "", trip.to_division if trip else "", trip.transport.value if trip else "",
        trip.departed_at.isoformat() if trip else "", trip.arrived_at.isoformat() if trip else "",
        "yes" if row.signed else "no", plain(notice.document_number or "") if notice else "", plain(receiver or ""),
        notice.answer.value if notice and notice.answer else "",
    )  # fmt: skip
