"""Statistics: a seeded region counted by SQL and, apart from it, by hand in Python; small numbers; scopes; periods."""

import statistics as middle
import uuid
from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.admission import HospitalHandover
from models.case import Case, CaseState, CaseTransition
from models.confirmation import Confirmation
from models.contact import ContactRelease
from models.deadline import ClockNature, Deadline
from models.followup import WanderingLink
from models.outcome import HOME, Outcome, OutcomeKind
from models.patrol import Patrol
from models.referral import Referral, ReferralKind, ReferralState
from models.user import Role
from tests.factories.records import make_case
from tests.factories.region import Region
from tests.factories.world import World
from tracing.access import Permission, Viewer
from tracing.platform import errors
from tracing.platform.db import read_only, unit_of_work
from tracing.services import Services
from tracing.statistics import (
    Cell,
    Grouping,
    PeriodInvalid,
    Query,
    Row,
    Table,
    definitions,
    hidden_with,
    list_figure_cases,
    read_statistics,
)

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 9, 1, 9, 0, tzinfo=ZONE)
PERIODS = [
    (date(2026, 3, 1), date(2026, 3, 31)),
    (date(2026, 3, 20), date(2026, 5, 31)),
    (date(2025, 1, 1), date(2026, 12, 31)),
]


def by_hand(session: Session, first: date, last: date) -> dict[str, list[tuple[uuid.UUID, uuid.UUID, str | None]]]:
    """(case, organisation, part) of everything that each figure counts: rows read whole, judged in Python."""

    def day(moment: datetime) -> date:
        return moment.astimezone(ZONE).date()

    def within(value: date | None) -> bool:
        return value is not None and first <= value <= last

    cases = {one.id: one for one in session.scalars(select(Case)) if one.state is not CaseState.DRAFT}
    moves = list(session.scalars(select(CaseTransition)))
    standing_outcomes = select(Outcome).where(Outcome.withdrawn_at.is_(None))
    outcomes = sorted(session.scalars(standing_outcomes), key=lambda one: (one.recorded_at, str(one.id)))
    confirmations = list(session.scalars(select(Confirmation)))
    released = set(session.scalars(select(ContactRelease.confirmation_id)))
    deadlines = list(session.scalars(select(Deadline)))
    standing = {one.case_id: one for one in confirmations if one.recalled_at is None}
    found: dict[str, list[tuple[uuid.UUID, uuid.UUID, str | None]]] = {key.key: [] for key in definitions().figures}

    settled = {one.case_id for one in outcomes if one.kind is OutcomeKind.SETTLED}
    into_care = {one.case_id for one in moves if one.to_state is CaseState.IN_CARE}

    def count(figure: str, case_id: uuid.UUID, part: str | None = None) -> None:
        if case_id in cases:
            found[figure].append((case_id, cases[case_id].organisation_id, part))

    for case in cases.values():
        if within(case.admitted_on) and (case.submitted_by_id or case.id in into_care):
            count("people_helped", case.id, case.admission_kind)
    for figure, state in (("tracing_services", CaseState.SUBMITTED), ("settled", CaseState.SETTLED)):
        for case_id in {one.case_id for one in moves if one.to_state is state and within(day(one.at))}:
            if figure != "settled" or case_id in settled:
                count(figure, case_id)
    for case_id in _at_hospitals(session, outcomes, day, within):
        count("medical", case_id)
    for link in {one.case_id for one in session.scalars(select(WanderingLink)) if one.withdrawn_at is None}:
        if within(cases[link].admitted_on):
            count("wandered_again", link)
    for patrol in session.scalars(select(Patrol)):
        if patrol.withdrawn_at is None and within(day(patrol.started_at)):
            found["patrols"].append((patrol.id, patrol.organisation_id, None))
    home: set[uuid.UUID] = set()
    for one in outcomes:
        rests_on = standing.get(one.case_id)
        if one.kind in HOME and rests_on and rests_on.confirmed_at <= one.recorded_at and one.case_id not in home:
            home.add(one.case_id)
            if within(one.occurred_on):
                count("reunited", one.case_id, one.route)
    for made in confirmations:
        if made.recalled_at is None and within(day(made.confirmed_at)):
            count("identified", made.case_id, made.method)
        if made.recalled_at is not None and within(day(made.recalled_at)) and made.id in released:
            count("false_contacts", made.case_id)
    for clock in deadlines:
        runs = clock.nature is ClockNature.ACT_BY and clock.cancelled_at is None and clock.paused_since is None
        if runs and within(day(clock.due_at)) and clock.due_at < NOW:
            count("clocks_due", clock.case_id, clock.kind)
            if clock.met_at is not None and clock.met_at <= clock.due_at:
                count("clocks_met", clock.case_id, clock.kind)
    return found


def _at_hospitals(
    session: Session, outcomes: list[Outcome], day: Callable[[datetime], date], within: Callable[[date | None], bool]
) -> set[uuid.UUID]:
    found = {one.case_id for one in outcomes if one.kind is OutcomeKind.HOSPITAL and within(one.occurred_on)}
    for handover in session.scalars(select(HospitalHandover)):
        if handover.withdrawn_at is None and within(day(handover.handed_at)):
            found.add(handover.case_id)
    for referral in session.scalars(select(Referral)):
        refused = referral.state in (ReferralState.DRAFT, ReferralState.REJECTED, ReferralState.WITHDRAWN)
        sent = referral.sent_at is not None and within(day(referral.sent_at))
        if referral.kind is ReferralKind.MEDICAL and sent and not refused:
            found.add(referral.case_id)
    return found


def midnight(day: date) -> datetime:
    """The beginning of a day in China."""
    return datetime.combine(day, datetime.min.time(), ZONE)


def value(table: Table, figure: str, part: str | None = None, group: str | None = None) -> float:
    """A number of the table; 0 for a line that is not there."""
    rows = [row for row in table.rows if row.figure.key == figure and row.part == part]
    if not rows:
        return 0
    keys = [one.key for one in table.groups]
    cell = rows[0].total if group is None else rows[0].cells[keys.index(group)]
    assert not cell.hidden
    return cell.value or 0


@pytest.fixture
def region(any_services: Services, world: World) -> Region:
    made = Region(any_services, world, seed=7)
    made.live(26)
    return made


@pytest.fixture
def bureau(world: World) -> Viewer:
    return world.viewer(world.a.users[Role.BUREAU_SUPERVISOR])


def ask(services: Services, viewer: Viewer, query: Query) -> Table:
    with unit_of_work(services.db) as session:
        return read_statistics(session, services, viewer, query, now=NOW)


def test_every_figure_agrees_with_a_count_by_hand(
    any_services: Services, world: World, bureau: Viewer, region: Region
) -> None:
    stations = (world.a.station.id, world.a.sister.id)
    for first, last in PERIODS:
        with read_only(any_services.db) as session:
            expected = by_hand(session, first, last)
            days = sorted(
                (one.confirmed_at - midnight(session.get_one(Case, one.case_id).admitted_on)) / timedelta(days=1)
                for one in session.scalars(select(Confirmation).where(Confirmation.recalled_at.is_(None)))
                if first <= one.confirmed_at.astimezone(ZONE).date() <= last
            )
        centre = Query(first, last, Grouping.ORGANISATION, world.a.centre.id, exact=True)
        table = ask(any_services, bureau, centre)
        assert sum(map(len, expected.values())) > 15
        if last.year == first.year + 1:
            assert all(expected[one] for one in expected if one != "days_to_identity"), "every figure has its rows"
        for figure, rows in expected.items():
            if figure == "days_to_identity":
                continue
            assert value(table, figure) == len(rows), (figure, first)
            for part in {one[2] for one in rows}:
                assert value(table, figure, part) == sum(one[2] == part for one in rows), (figure, part)
            for station in stations:
                below = {station, world.a.community.id} if station == world.a.station.id else {station}
                own = [one for one in rows if one[1] in below]
                assert value(table, figure, None, str(station)) == len(own), (figure, station)
        assert value(table, "days_to_identity") == pytest.approx(round(middle.median(days), 1), abs=0.051)
        by_division = ask(any_services, bureau, Query(first, last, Grouping.DIVISION, None, exact=True))
        for figure, rows in expected.items():
            if figure != "days_to_identity" and rows:
                of_450703 = sum(one[1] == world.a.sister.id for one in rows)
                groups = [one.key for one in by_division.groups]
                got = value(by_division, figure, None, "450703") if "450703" in groups else 0
                assert got == of_450703, figure


def test_every_figure_leads_to_its_cases(any_services: Services, world: World, bureau: Viewer, region: Region) -> None:
    first, last = PERIODS[2]
    with read_only(any_services.db) as session:
        expected = by_hand(session, first, last)
    query = Query(first, last, Grouping.ORGANISATION, world.a.centre.id)

    def listed(viewer: Viewer, figure: str, **more: str) -> set[uuid.UUID]:
        found: set[uuid.UUID] = set()
        cursor: str | None = None
        with unit_of_work(any_services.db) as session:
            while True:
                page = list_figure_cases(
                    session, any_services, viewer, figure, query, cursor=cursor, limit=7, now=NOW, **more
                )
                found |= {one.id for one in page.items}
                cursor = page.next_cursor
                if cursor is None:
                    return found

    for figure, rows in expected.items():
        if figure in ("days_to_identity", "patrols"):
            continue
        assert listed(bureau, figure) == {one[0] for one in rows}, figure
        for part in {one[2] for one in rows} - {None}:
            assert listed(bureau, figure, part=str(part)) == {one[0] for one in rows if one[2] == part}
        group = str(world.a.sister.id)
        assert listed(bureau, figure, group=group) == {one[0] for one in rows if one[1] == world.a.sister.id}
    assert listed(bureau, "patrols") == set(), "no cases stand behind a patrol"
    with pytest.raises(errors.NotFound):
        listed(bureau, "nothing")


def test_small_numbers_are_hidden_and_cannot_be_worked_out(
    any_services: Services, world: World, bureau: Viewer, region: Region
) -> None:
    said = definitions()
    beside = False
    for first, last in (*PERIODS, (date(2026, 3, 31), date(2026, 5, 30))):
        query = Query(first, last, Grouping.ORGANISATION, world.a.centre.id)
        shown = ask(any_services, bureau, query)
        whole = ask(any_services, bureau, Query(first, last, query.by, query.organisation_id, exact=True))

        def cells(row: Row) -> list[Cell]:
            return [*row.cells, row.total]

        pairs = [
            (a, b)
            for one, other in zip(shown.rows, whole.rows, strict=True)
            for a, b in zip(cells(one), cells(other), strict=True)
            if one.figure.measure == "count" and one.figure.of_people
        ]
        patrols = next(row for row in shown.rows if row.figure.key == "patrols")
        assert not any(cell.hidden for cell in cells(patrols)), "patrols tell of nobody"
        assert any(a.hidden for a, _ in pairs)
        for a, b in pairs:
            assert a.hidden or a.value == b.value
            assert a.hidden or not 0 < (b.value or 0) < said.threshold
            assert not a.hidden or a.value is None
        for row in shown.rows:
            if row.figure.measure == "count":
                assert sum(one.hidden for one in cells(row)) != 1
        counted, middles, numbers = (
            next(cells(row) for row in table.rows if row.figure.key == key and row.part is None)
            for table, key in ((shown, "identified"), (shown, "days_to_identity"), (whole, "identified"))
        )
        for count, median, number in zip(counted, middles, numbers, strict=True):
            assert median.hidden or not count.hidden, "a median of hidden ones"
            beside |= count.hidden and (number.value or 0) >= said.threshold
    assert beside, "a count hidden for the sake of another, whose median would be shown"


def test_a_median_is_hidden_with_the_count_of_what_it_is_of() -> None:
    figures = {one.key: one for one in definitions().figures}
    counted = Row(figures["identified"], None, (Cell(None, hidden=True), Cell(None, hidden=True), Cell(0)), Cell(9))
    middles = Row(figures["days_to_identity"], None, (Cell(6.5), Cell(None, hidden=True), Cell(None)), Cell(7.0))
    shown = hidden_with(middles, counted)
    assert shown.cells == (Cell(None, hidden=True), Cell(None, hidden=True), Cell(None))
    assert shown.total == Cell(7.0)


def test_who_sees_which_figures(services: Services, world: World, staff: Viewer, now: datetime) -> None:
    with unit_of_work(services.db) as session:
        make_case(session, services, staff, now=now)
    query = Query(now.date(), now.date(), exact=True)
    for viewer in world.viewers():
        if not viewer.may(Permission.STATISTICS):
            with pytest.raises(errors.Forbidden):
                ask(services, viewer, query)
            continue
        mine = viewer.jurisdiction in world.a.station.path
        assert value(ask(services, viewer, query), "people_helped") == (1 if mine else 0)
    sister = Query(now.date(), now.date(), organisation_id=world.a.sister.id)
    with pytest.raises(errors.NotFound):
        ask(services, staff, sister)
    for first, last in ((date(2026, 2, 1), date(2026, 1, 1)), (date(1900, 1, 1), date(2026, 1, 1))):
        with pytest.raises(PeriodInvalid):
            ask(services, staff, Query(first, last))


def test_the_days_are_those_of_the_installation(services: Services, staff: Viewer) -> None:
    """Handed in at half past midnight in China: still the day before in UTC."""
    at = datetime(2026, 3, 2, 0, 30, tzinfo=ZONE)
    with unit_of_work(services.db) as session:
        make_case(session, services, staff, now=at)
    days = [date(2026, 3, number) for number in (1, 2, 3)]
    tables = [ask(services, staff, Query(day, day, exact=True)) for day in days]
    assert [value(table, "tracing_services") for table in tables] == [0, 1, 0]
