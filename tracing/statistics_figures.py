"""Figures (统计指标): which rows each figure counts. Its sum, its parts and the list of its cases are one selection.

`FIGURES` is the register: a figure is added by an entry here and its words in `tracing/policies/statistics-1.json`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Float, Select, and_, cast, exists, literal, null, or_, select, union
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import aliased
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement

from models.admission import HospitalHandover
from models.case import Case, CaseState, CaseTransition
from models.confirmation import Confirmation
from models.contact import ContactRelease
from models.deadline import ClockNature, Deadline
from models.followup import WanderingLink
from models.outcome import HOME, Outcome, OutcomeKind
from models.patrol import Patrol
from models.referral import READABLE, Referral, ReferralKind


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `first` to `last`, both included, in a time zone; `now` is when it is asked."""

    first: date
    last: date
    zone: ZoneInfo
    now: datetime

    @property
    def begin(self) -> datetime:
        """The first moment."""
        return datetime.combine(self.first, datetime.min.time(), self.zone)

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        return datetime.combine(self.last + timedelta(days=1), datetime.min.time(), self.zone)

    def holds(self, column: Any) -> ColumnElement[bool]:
        """Condition on a moment."""
        return and_(column >= self.begin, column < self.end)

    def has(self, column: Any) -> ColumnElement[bool]:
        """Condition on a day."""
        return and_(column >= self.first, column <= self.last)


class days_since(FunctionElement[float]):  # noqa: N801 a function of SQL
    """Days from the beginning of a day in UTC to a moment, with fractions."""

    type = Float()
    inherit_cache = True


@compiles(days_since, "sqlite")
def _sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    day, moment = (compiler.process(one, **kw) for one in element.clauses)
    return f"(julianday({moment}) - julianday({day}))"


@compiles(days_since, "postgresql")
def _postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    day, moment = (compiler.process(one, **kw) for one in element.clauses)
    return f"(extract(epoch FROM ({moment} - ({day})::timestamp AT TIME ZONE 'UTC'))::double precision / 86400)"


def _rows(item: Any, case: Any, *, part: Any = None, days: Any = None, on: Any = None) -> Select[Any]:
    return select(
        item.label("item_id"),
        case.label("case_id"),
        Case.organisation_id.label("organisation_id"),
        (null() if part is None else part).label("part"),
        (cast(null(), Float) if days is None else days).label("days"),
        (null() if on is None else on).label("on"),
    ).where(Case.state != CaseState.DRAFT)


def _people_helped(period: Period) -> Select[Any]:
    # Taken into care: the identity is known, nothing is handed in. A draft that was thrown away is nobody helped.
    in_care = Case.id.in_(select(CaseTransition.case_id).where(CaseTransition.to_state == CaseState.IN_CARE))
    return _rows(Case.id, Case.id, part=Case.admission_kind, on=Case.admitted_on).where(
        or_(Case.submitted_by_id.is_not(None), in_care), period.has(Case.admitted_on)
    )


def _patrols(period: Period) -> Select[Any]:
    return select(
        Patrol.id.label("item_id"),
        cast(null(), Patrol.id.type).label("case_id"),
        Patrol.organisation_id.label("organisation_id"),
        null().label("part"),
        cast(null(), Float).label("days"),
        Patrol.started_at.label("on"),
    ).where(Patrol.withdrawn_at.is_(None), period.holds(Patrol.started_at))


def _moved_to(state: CaseState) -> Callable[[Period], Select[Any]]:
    def rows(period: Period) -> Select[Any]:
        move = CaseTransition
        return _rows(Case.id, Case.id).where(
            exists().where(move.case_id == Case.id, move.to_state == state, period.holds(move.at))
        )

    return rows


def _settled(period: Period) -> Select[Any]:
    """Moved there in the period, unless every settlement that was recorded was taken back."""
    recorded = exists().where(Outcome.case_id == Case.id, Outcome.kind == OutcomeKind.SETTLED)
    return _moved_to(CaseState.SETTLED)(period).where(or_(~recorded, recorded.where(Outcome.withdrawn_at.is_(None))))


def _medical(period: Period) -> Select[Any]:
    stay = select(Outcome.case_id).where(
        Outcome.kind == OutcomeKind.HOSPITAL,
        Outcome.withdrawn_at.is_(None),
        period.has(Outcome.occurred_on),
    )
    handed_over = select(HospitalHandover.case_id).where(
        HospitalHandover.withdrawn_at.is_(None),
        period.holds(HospitalHandover.handed_at),
    )
    referred = select(Referral.case_id).where(
        Referral.kind == ReferralKind.MEDICAL,
        Referral.state.in_(READABLE),
        period.holds(Referral.sent_at),
    )
    return _rows(Case.id, Case.id).where(Case.id.in_(union(stay, handed_over, referred)))


def _wandered_again(period: Period) -> Select[Any]:
    link = exists().where(WanderingLink.case_id == Case.id, WanderingLink.withdrawn_at.is_(None))
    return _rows(Case.id, Case.id).where(link, period.has(Case.admitted_on))


def _identified(period: Period) -> Select[Any]:
    # The day begins in the zone of the service, not in UTC.
    offset = period.begin.utcoffset() or timedelta()
    days = days_since(Case.admitted_on, Confirmation.confirmed_at) + literal(offset / timedelta(days=1), Float())
    return (
        _rows(Confirmation.id, Case.id, part=Confirmation.method, days=days, on=Confirmation.confirmed_at)
        .join_from(Confirmation, Case, Case.id == Confirmation.case_id)
        .where(Confirmation.recalled_at.is_(None), period.holds(Confirmation.confirmed_at))
    )


def _reunited(period: Period) -> Select[Any]:
    earlier = aliased(Outcome)
    stands = exists().where(
        Confirmation.case_id == Outcome.case_id,
        Confirmation.recalled_at.is_(None),
        Confirmation.confirmed_at <= Outcome.recorded_at,
    )
    # A return entered twice is one; one taken back, or under a confirmation that was recalled, is none.
    again = (
        exists()
        .where(
            earlier.case_id == Outcome.case_id,
            earlier.kind.in_(HOME),
            earlier.withdrawn_at.is_(None),
            or_(
                earlier.recorded_at < Outcome.recorded_at,
                and_(earlier.recorded_at == Outcome.recorded_at, earlier.id < Outcome.id),
            ),
            exists().where(
                Confirmation.case_id == earlier.case_id,
                Confirmation.recalled_at.is_(None),
                Confirmation.confirmed_at <= earlier.recorded_at,
            ),
        )
        .correlate(Outcome)
    )
    return (
        _rows(Outcome.id, Case.id, part=Outcome.route, on=Outcome.occurred_on)
        .join_from(Outcome, Case, Case.id == Outcome.case_id)
        .where(Outcome.kind.in_(HOME), Outcome.withdrawn_at.is_(None), period.has(Outcome.occurred_on), stands, ~again)
    )


def _clocks(*, met: bool) -> Callable[[Period], Select[Any]]:
    def rows(period: Period) -> Select[Any]:
        found = (
            _rows(Deadline.id, Case.id, part=Deadline.kind)
            .join_from(Deadline, Case, Case.id == Deadline.case_id)
            .where(
                Deadline.nature == ClockNature.ACT_BY,
                Deadline.cancelled_at.is_(None),
                Deadline.paused_since.is_(None),
                period.holds(Deadline.due_at),
                Deadline.due_at < period.now,
            )
        )
        return found.where(Deadline.met_at <= Deadline.due_at) if met else found

    return rows


def _false_contacts(period: Period) -> Select[Any]:
    released = exists().where(ContactRelease.confirmation_id == Confirmation.id)
    return (
        _rows(Confirmation.id, Case.id)
        .join_from(Confirmation, Case, Case.id == Confirmation.case_id)
        .where(period.holds(Confirmation.recalled_at), released)
    )


Rows = Callable[[Period], Select[Any]]
"""Columns item_id (what is counted, one row each), case_id, organisation_id (whose figure it is), part, days, on (the
day or moment that puts it into the period; NULL where no single one does).
"""

FIGURES: Mapping[str, Rows] = MappingProxyType(
    {
        "people_helped": _people_helped,
        "patrols": _patrols,
        "tracing_services": _moved_to(CaseState.SUBMITTED),
        "medical": _medical,
        "identified": _identified,
        "reunited": _reunited,
        "settled": _settled,
        "wandered_again": _wandered_again,
        "days_to_identity": _identified,
        "clocks_due": _clocks(met=False),
        "clocks_met": _clocks(met=True),
        "false_contacts": _false_contacts,
    }
)
"""Every figure by its key. A figure that counts no cases (patrols) selects NULL as case_id and has no list of cases."""
