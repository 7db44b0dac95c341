"""The rules of deadlines, without a database: periods, pauses, states, steps, and policies that cannot be right."""

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.case import CaseState
from models.deadline import ClockKind, ClockNature
from models.milestone import MilestoneKind
from tracing.clock_policy import ClockRule, Clocks, Unit, load_clocks
from tracing.deadline_rules import (
    Fact,
    Interval,
    Planned,
    Timeline,
    add_months,
    admission_moment,
    due_at,
    plan,
    union,
)
from tracing.platform.settings import SettingsError

ZONE = ZoneInfo("Asia/Shanghai")
CLOCKS = load_clocks(Path("no-such-folder"), "Asia/Shanghai")
POLICY = CLOCKS.policy_for("450702")
CASE = uuid.UUID(int=1)
T0 = datetime(2026, 2, 9, 10, 0, tzinfo=ZONE)
FROM, UNTIL = datetime(2024, 1, 1, tzinfo=ZONE), datetime(2026, 11, 1, tzinfo=ZONE)
MOMENTS = st.integers(0, int((UNTIL - FROM).total_seconds())).map(lambda seconds: FROM + timedelta(seconds=seconds))
RULES = st.sampled_from([rule for rule in POLICY.rules.values() if len(rule.within.counts) == 1])


def day(text: str) -> datetime:
    """The last second of a day of 2026 ("02-25")."""
    return datetime.fromisoformat(f"2026-{text}T23:59:59").replace(tzinfo=ZONE)


def timeline(
    *facts: tuple[MilestoneKind, datetime],
    states: tuple[tuple[CaseState, Interval], ...] = ((CaseState.SEARCHING, Interval(T0, None)),),
    **more: Any,
) -> Timeline:
    rows = tuple(Fact(uuid.UUID(int=10 + place), kind, at) for place, (kind, at) in enumerate(facts))
    return Timeline(CASE, T0, states, facts=rows, **more)


def planned(of: Timeline, clocks: Clocks = CLOCKS) -> dict[tuple[ClockKind, int], Planned]:
    return {(one.kind, one.step): one for one in plan(clocks.policy_for("450702"), of, clocks.calendar, ZONE)}


def test_the_clocks_of_an_admission_over_the_spring_festival() -> None:
    found = {kind: one.due_at for (kind, _step), one in planned(timeline()).items()}
    assert found == {
        ClockKind.POLICE_REPORT: T0 + timedelta(hours=1),
        ClockKind.POLICE_QUERY: T0 + timedelta(hours=2),
        ClockKind.TRACING_NOTICE: T0 + timedelta(hours=24),
        ClockKind.DNA_REQUEST: day("02-25"),  # nine days off, and the Saturday worked for them
        ClockKind.LONG_STAY: day("02-19"),
        ClockKind.NOTICE_REFRESH: day("03-09"),
        ClockKind.SETTLEMENT: day("05-09"),
    }


def test_a_month_ends_on_its_last_day_when_it_has_no_such_day() -> None:
    assert add_months(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert add_months(date(2024, 1, 31), 1) == date(2024, 2, 29)
    assert add_months(date(2026, 12, 15), 3) == date(2027, 3, 15)


def test_an_admission_entered_later_counts_from_the_beginning_of_its_day() -> None:
    entered = datetime(2026, 2, 9, 2, 0, tzinfo=UTC)
    assert admission_moment(date(2026, 2, 9), entered, ZONE) == entered
    assert admission_moment(date(2026, 2, 10), entered, ZONE) == entered
    assert admission_moment(date(2026, 2, 7), entered, ZONE) == datetime(2026, 2, 7, tzinfo=ZONE)


def test_a_fact_starts_one_clock_and_meets_another() -> None:
    asked, told = T0 + timedelta(days=3), T0 + timedelta(days=30)
    found = planned(timeline((MilestoneKind.DNA_REQUESTED, asked), (MilestoneKind.DNA_REPORTED, told)))
    assert found[ClockKind.DNA_REQUEST, 1].met_at == asked
    result = found[ClockKind.DNA_RESULT, 1]
    assert (result.started_at, result.met_at, result.due_at) == (asked, told, day("03-12"))


def test_what_was_done_before_the_admission_counts() -> None:
    before = T0 - timedelta(hours=3)
    assert planned(timeline((MilestoneKind.POLICE_REPORTED, before)))[ClockKind.POLICE_REPORT, 1].met_at == before


@pytest.mark.parametrize(
    ("visits", "met"),
    [
        ((5,), (5, None, None, None)),
        ((5, 6, 28), (5, 28, None, None)),
        ((10, 28, 88, 180), (10, 28, 88, 180)),
        ((100,), (100, 100, 100, None)),
        ((), (None, None, None, None)),
    ],
)
def test_each_follow_up_takes_its_own_visit(visits: tuple[int, ...], met: tuple[int | None, ...]) -> None:
    home = datetime(2026, 3, 2, tzinfo=ZONE)
    facts = [(MilestoneKind.FOLLOWED_UP, home + timedelta(days=one, hours=9)) for one in visits]
    states = ((CaseState.REUNIFIED, Interval(home, None)),)
    found = planned(timeline(*facts, states=states, returns=((uuid.UUID(int=5), home),)))
    times = [found[ClockKind.FOLLOW_UP, step].met_at for step in (1, 2, 3, 4)]
    assert tuple(None if one is None else (one - home).days for one in times) == met


def test_a_state_that_needs_no_clock_ends_it_and_leaving_the_state_gives_the_rest_back() -> None:
    found_at, recalled_at = T0 + timedelta(hours=1), T0 + timedelta(days=20, hours=1)
    known = ((CaseState.SEARCHING, Interval(T0, found_at)), (CaseState.IDENTIFIED, Interval(found_at, None)))
    assert planned(timeline(states=known))[ClockKind.TRACING_NOTICE, 1].stopped_at == found_at
    recalled = (
        known[0],
        (CaseState.IDENTIFIED, Interval(found_at, recalled_at)),
        (CaseState.RECALLED, Interval(recalled_at, None)),
    )
    notice = planned(timeline(states=recalled))[ClockKind.TRACING_NOTICE, 1]
    assert notice.stopped_at is None
    assert notice.due_at == recalled_at + timedelta(hours=23)


def test_a_pause_gives_back_the_working_days_that_were_left() -> None:
    rule = POLICY.rules[ClockKind.DNA_REQUEST]
    # Paused on 11 February (five of seven left: 12, 13, 14, 24, 25) until 2 March: 3, 4, 5, 6 and 9 March.
    pause = [Interval(datetime(2026, 2, 11, 9, tzinfo=ZONE), datetime(2026, 3, 2, 9, tzinfo=ZONE))]
    assert due_at(rule, 1, T0, pause, CLOCKS.calendar, ZONE) == day("03-09")


def test_an_open_pause_moves_nothing_yet_and_is_told() -> None:
    key = (ClockKind.LONG_STAY, CASE, 1)
    since = T0 + timedelta(days=2)
    found = planned(timeline(pauses={key: (Interval(since, None),)}))[ClockKind.LONG_STAY, 1]
    assert (found.paused_since, found.due_at) == (since, day("02-19"))


@given(RULES, MOMENTS)
def test_nothing_is_due_before_it_starts(rule: ClockRule, start: datetime) -> None:
    assert due_at(rule, 1, start, [], CLOCKS.calendar, ZONE) >= start


@given(RULES, MOMENTS, st.integers(0, 400))
def test_a_later_start_is_never_due_earlier(rule: ClockRule, start: datetime, hours: int) -> None:
    later = start + timedelta(hours=hours)
    first, second = (due_at(rule, 1, one, [], CLOCKS.calendar, ZONE) for one in (start, later))
    assert second >= first


@given(RULES, MOMENTS, st.floats(-50, 800), st.floats(0, 900))
def test_a_pause_never_brings_a_deadline_forward(rule: ClockRule, start: datetime, after: float, hours: float) -> None:
    begin = start + timedelta(hours=after)
    pause = Interval(begin, begin + timedelta(hours=hours))
    plain = due_at(rule, 1, start, [], CLOCKS.calendar, ZONE)
    paused = due_at(rule, 1, start, [pause], CLOCKS.calendar, ZONE)
    assert paused >= plain
    if begin > plain:
        assert paused == plain, "what was due before the pause is not moved by it"
    if rule.within.unit is Unit.HOURS and begin >= start and begin <= plain:
        assert paused == plain + timedelta(hours=hours)


@given(st.lists(st.tuples(MOMENTS, st.one_of(st.none(), st.integers(0, 500))), max_size=6))
def test_a_union_is_in_order_apart_and_covers_the_same(pairs: list[tuple[datetime, int | None]]) -> None:
    intervals = [Interval(begin, None if hours is None else begin + timedelta(hours=hours)) for begin, hours in pairs]
    merged = union(intervals)
    assert all(one.end is not None and one.end < two.begin for one, two in pairwise(merged))

    def within(moment: datetime, among: list[Interval]) -> bool:
        return any(one.begin <= moment and (one.end is None or moment <= one.end) for one in among)

    for one in intervals:
        for moment in (one.begin, one.end or one.begin + timedelta(days=999)):
            assert within(moment, merged)
    assert {one.begin for one in merged} <= {one.begin for one in intervals}


def own(folder: Path, content: Mapping[str, Any], name: str = "deadlines-45.json") -> Clocks:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(content), "utf-8")
    return load_clocks(folder, "Asia/Shanghai")


ROW = {"kind": "household_registration", "enabled": True, "source": "自治区文件", "mark": "M"}


def test_a_province_changes_one_clock_and_keeps_the_others(tmp_path: Path) -> None:
    clocks = own(tmp_path, {"jurisdiction": "450000", "version": "45-1", "clocks": [ROW]})
    here, there = clocks.policy_for("450702"), clocks.policy_for("350203")
    assert here.rules[ClockKind.HOUSEHOLD_REGISTRATION].enabled
    assert here.rules[ClockKind.HOUSEHOLD_REGISTRATION].source == "自治区文件"
    assert not there.rules[ClockKind.HOUSEHOLD_REGISTRATION].enabled
    assert here.rules[ClockKind.DNA_REQUEST] == there.rules[ClockKind.DNA_REQUEST]
    assert (here.version, there.version) == ("CN-1/45-1", "CN-1")
    assert clocks.fingerprint != CLOCKS.fingerprint


def test_a_city_goes_over_its_province(tmp_path: Path) -> None:
    own(tmp_path, {"jurisdiction": "45", "version": "45-1", "clocks": [ROW]})
    city = {**ROW, "within": {"unit": "working_days", "counts": [10]}}
    clocks = own(tmp_path, {"jurisdiction": "4507", "version": "4507-1", "clocks": [city]}, "deadlines-4507.json")
    found = clocks.policy_for("450702")
    assert found.rules[ClockKind.HOUSEHOLD_REGISTRATION].within.counts == (10,)
    assert found.version == "CN-1/45-1/4507-1"
    assert clocks.policy_for("450102").rules[ClockKind.HOUSEHOLD_REGISTRATION].within.counts == (20,)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"jurisdiction": "45", "version": "1"}, "a list `clocks`"),
        ({"jurisdiction": "99", "version": "1", "clocks": []}, "division's code"),
        ({"jurisdiction": "45", "version": "1", "clocks": [{"kind": "dna_request"}]}, "its own `source`"),
        ({"jurisdiction": "45", "version": "1", "clocks": [{**ROW, "kind": "no_such"}]}, "no_such"),
        ({"jurisdiction": "45", "version": "1", "clocks": [{**ROW, "mark": "X"}]}, "mark"),
        ({"jurisdiction": "45", "version": "1", "clocks": [{**ROW, "colour": "red"}]}, "colour"),
        (
            {"jurisdiction": "45", "version": "1", "clocks": [{**ROW, "within": {"unit": "days", "counts": [9, 3]}}]},
            "rise",
        ),
        ({"jurisdiction": "45", "version": "1", "clocks": [{**ROW, "met_by": []}]}, "met by something"),
    ],
)
def test_a_policy_that_cannot_be_right_is_refused_with_file_and_field(
    tmp_path: Path, content: Mapping[str, Any], message: str
) -> None:
    with pytest.raises(SettingsError, match=message) as refused:
        own(tmp_path, content)
    assert "deadlines-45.json" in str(refused.value)


def test_every_clock_of_the_country_names_its_source_and_what_meets_it() -> None:
    assert set(POLICY.rules) == set(ClockKind)
    met = {kind for rule in POLICY.rules.values() for kind in rule.met_by}
    started = {rule.starts for rule in POLICY.rules.values() if isinstance(rule.starts, MilestoneKind)}
    assert met | started == set(MilestoneKind)
    assert [kind for kind, rule in POLICY.rules.items() if not rule.enabled] == [ClockKind.HOUSEHOLD_REGISTRATION]
    assert POLICY.rules[ClockKind.HOTLINE_RECORDING].nature is ClockNature.KEEP_UNTIL
