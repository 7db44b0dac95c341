"""Deadlines through the use cases, on both databases."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, func, select

from models.audit import AuditEvent
from models.case import CaseState
from models.deadline import (
    CancelReason,
    ClockKind,
    Deadline,
    DeadlineEscalation,
    DeadlinePlan,
    DeadlineStatus,
    PauseReason,
)
from models.job import Job
from models.milestone import Milestone, MilestoneKind
from models.user import Role
from tests.factories.records import make_case
from tests.factories.stories import judged_case, run_jobs
from tests.factories.world import World
from tracing import deadlines, milestones
from tracing.access import Viewer
from tracing.cases import ReasonMissing, move_case
from tracing.clock_policy import load_clocks
from tracing.deadline_plan import refresh
from tracing.deadline_watch import watch
from tracing.deadlines import DueFilter, DueQuery
from tracing.fact_errors import DateInFuture
from tracing.periodic import EVERY, ask
from tracing.platform import errors
from tracing.platform.db import read_only, unit_of_work
from tracing.services import Services

K, M, S = ClockKind, MilestoneKind, DeadlineStatus
HOUR = timedelta(hours=1)


class Bench:
    """A case of province a, and short names for what is done to it."""

    def __init__(
        self, services: Services, world: World, staff: Viewer, now: datetime, *, submitted: bool = True
    ) -> None:
        self.services, self.world, self.staff, self.now = services, world, staff, now
        with unit_of_work(services.db) as session:
            self.case_id = make_case(session, services, staff, submitted=submitted, now=now).id

    def rows(self, at: datetime | None = None) -> dict[ClockKind, Deadline]:
        """The case's deadlines by kind."""
        with unit_of_work(self.services.db) as session:
            found = deadlines.case_deadlines(session, self.services, self.case_id, now=at or self.now)
        return {one.kind: one for one in found}

    def done(self, kind: MilestoneKind, at: datetime, viewer: Viewer | None = None) -> Milestone:
        """Record a milestone."""
        with unit_of_work(self.services.db) as session:
            return milestones.record_milestone(
                session, self.services, viewer or self.staff, self.case_id, kind, occurred_at=at, now=at
            )

    def due(self, viewer: Viewer, query: DueQuery, at: datetime) -> list[ClockKind]:
        """Kinds of a due list."""
        with unit_of_work(self.services.db) as session:
            return [one.kind for one in deadlines.list_due(session, viewer, query, now=at).items]


@pytest.fixture
def bench(any_services: Services, world: World, staff: Viewer, now: datetime) -> Bench:
    """A submitted case."""
    return Bench(any_services, world, staff, now)


def test_an_admission_starts_its_clocks_and_a_milestone_meets_one(bench: Bench) -> None:
    rows = bench.rows()
    assert set(rows) == {
        K.POLICE_REPORT, K.POLICE_QUERY, K.TRACING_NOTICE, K.DNA_REQUEST, K.LONG_STAY, K.NOTICE_REFRESH, K.SETTLEMENT,
    }  # fmt: skip
    assert rows[K.POLICE_QUERY].due_at == bench.now + 2 * HOUR
    milestone = bench.done(M.POLICE_QUERIED, bench.now + HOUR)
    row = bench.rows()[K.POLICE_QUERY]
    assert (row.met_at, row.milestone_id, row.status(bench.now)) == (bench.now + HOUR, milestone.id, S.MET)
    with unit_of_work(bench.services.db) as session:
        milestones.withdraw_milestone(
            session, bench.services, bench.staff, milestone.id, reason="弄错了个案", now=bench.now + 3 * HOUR
        )
    row = bench.rows()[K.POLICE_QUERY]
    assert row.met_at is None
    assert row.status(bench.now + 3 * HOUR) is S.OVERDUE


def test_what_a_withdrawn_milestone_started_ends(bench: Bench) -> None:
    asked = bench.done(M.DNA_REQUESTED, bench.now)
    assert bench.rows()[K.DNA_RESULT].cancelled_at is None
    with unit_of_work(bench.services.db) as session:
        milestones.withdraw_milestone(session, bench.services, bench.staff, asked.id, reason="误", now=bench.now + HOUR)
    assert bench.rows()[K.DNA_RESULT].cancel_reason is CancelReason.TRIGGER_WITHDRAWN


def test_computing_again_changes_nothing(bench: Bench) -> None:
    bench.done(M.DNA_REQUESTED, bench.now)
    before = {kind: (row.id, row.due_at, row.updated_at) for kind, row in bench.rows().items()}
    for hours in (1, 2):
        with unit_of_work(bench.services.db) as session:
            refresh(session, bench.services, bench.case_id, now=bench.now + hours * HOUR)
    assert {kind: (row.id, row.due_at, row.updated_at) for kind, row in bench.rows().items()} == before


def test_a_tick_needs_its_note_and_records_the_milestone(bench: Bench) -> None:
    row = bench.rows()[K.LONG_STAY]
    with pytest.raises(deadlines.NoteMissing), unit_of_work(bench.services.db) as session:
        deadlines.meet_deadline(
            session, bench.services, bench.staff, row.id, occurred_at=bench.now, note_text=" ", now=bench.now
        )
    with unit_of_work(bench.services.db) as session:
        met, milestone = deadlines.meet_deadline(
            session,
            bench.services,
            bench.staff,
            row.id,
            occurred_at=bench.now,
            note_text="照料方案 3 号",
            now=bench.now,
        )
    assert (milestone.kind, milestone.note, met.milestone_id) == (M.CARE_PLANNED, "照料方案 3 号", milestone.id)
    with pytest.raises(deadlines.DeadlineNotRunning), unit_of_work(bench.services.db) as session:
        deadlines.meet_deadline(
            session, bench.services, bench.staff, row.id, occurred_at=bench.now, note_text="又一次", now=bench.now
        )


def test_a_tick_of_what_is_only_kept_and_one_in_the_future_are_refused(bench: Bench) -> None:
    bench.done(M.HOTLINE_RECORDED, bench.now)
    rows = bench.rows()
    for kind, at, refused in (
        (K.HOTLINE_RECORDING, bench.now, deadlines.NothingToDo),
        (K.LONG_STAY, bench.now + 2 * HOUR, DateInFuture),
    ):
        with pytest.raises(refused), unit_of_work(bench.services.db) as session:
            deadlines.meet_deadline(
                session, bench.services, bench.staff, rows[kind].id, occurred_at=at, note_text="x", now=bench.now
            )


def test_a_pause_and_its_end(bench: Bench) -> None:
    row = bench.rows()[K.TRACING_NOTICE]

    def pause(at: datetime, since: datetime | None = None, reason: PauseReason = PauseReason.HOSPITAL) -> Deadline:
        with unit_of_work(bench.services.db) as session:
            return deadlines.pause_deadline(session, bench.services, bench.staff, row.id, reason, from_at=since, now=at)

    def resume(at: datetime, text: str = "出院") -> Deadline:
        with unit_of_work(bench.services.db) as session:
            return deadlines.resume_deadline(session, bench.services, bench.staff, row.id, note_text=text, now=at)

    with pytest.raises(deadlines.DeadlineNotPaused):
        resume(bench.now)
    with pytest.raises(deadlines.NoteMissing):
        pause(bench.now, reason=PauseReason.OTHER)
    with pytest.raises(deadlines.PauseBeforeStart):
        pause(bench.now, bench.now - HOUR)
    with pytest.raises(deadlines.PauseTooLate):
        pause(bench.now + 25 * HOUR)
    # Found out a day late, dated back to when it was so.
    paused = pause(bench.now + 30 * HOUR, bench.now + 4 * HOUR)
    assert paused.status(bench.now + 99 * HOUR) is S.PAUSED
    assert (paused.next_escalation_at, [one.reason for one in paused.pauses]) == (None, [PauseReason.HOSPITAL])
    with pytest.raises(deadlines.DeadlinePaused):
        pause(bench.now + 31 * HOUR)
    assert bench.due(bench.staff, DueQuery(DueFilter.PAUSED), bench.now) == [K.TRACING_NOTICE]
    with pytest.raises(deadlines.NoteMissing):
        resume(bench.now + 40 * HOUR, "")
    resumed = resume(bench.now + 40 * HOUR)
    assert resumed.due_at == bench.now + 60 * HOUR
    with pytest.raises(deadlines.PauseBeforeStart):
        pause(bench.now + 41 * HOUR, bench.now + 39 * HOUR)


def test_the_overdue_go_up_level_by_level_once_each(bench: Bench) -> None:
    centre, bureau = bench.world.a.centre.id, bench.world.a.bureau.id
    bench.done(M.POLICE_REPORTED, bench.now)
    bench.done(M.NOTICE_PUBLISHED, bench.now)
    supervisor = bench.world.viewer(bench.world.a.users[Role.BUREAU_SUPERVISOR])

    def levels() -> list[object]:
        with read_only(bench.services.db) as session:
            query = select(DeadlineEscalation.organisation_id).order_by(DeadlineEscalation.level)
            return list(session.scalars(query))

    watch(bench.services, bench.now + 3 * HOUR)
    assert levels() == []
    for _ in range(2):
        watch(bench.services, bench.now + 4 * HOUR)
        assert levels() == [centre]
    assert bench.due(supervisor, DueQuery(escalated=True), bench.now + 4 * HOUR) == []
    watch(bench.services, bench.now + 26 * HOUR)
    assert levels() == [centre, bureau]
    assert bench.due(supervisor, DueQuery(escalated=True), bench.now + 26 * HOUR) == [K.POLICE_QUERY]
    watch(bench.services, bench.now + 999 * HOUR)
    with read_only(bench.services.db) as session:
        noted = session.scalars(select(AuditEvent).where(AuditEvent.action == "deadline.escalate")).all()
        of_query = [one.detail["level"] for one in noted if one.detail["clock"] == "police_query"]
    assert of_query == [1, 2]
    assert {one.actor_id for one in noted} == {None}


def test_a_draft_goes_up_only_once_it_is_handed_in(
    any_services: Services, world: World, staff: Viewer, now: datetime
) -> None:
    bench = Bench(any_services, world, staff, now, submitted=False)
    watch(any_services, now + 50 * HOUR)
    with read_only(any_services.db) as session:
        assert session.scalar(select(func.count()).select_from(DeadlineEscalation)) == 0
    supervisor = world.viewer(world.a.users[Role.BUREAU_SUPERVISOR])
    assert bench.due(supervisor, DueQuery(), now) == []
    assert K.POLICE_REPORT in bench.due(staff, DueQuery(), now)


def test_the_due_list_is_the_longest_overdue_first_by_pages_and_within_the_scope(bench: Bench) -> None:
    at = bench.now + 30 * HOUR
    with unit_of_work(bench.services.db) as session:
        whole = deadlines.list_due(session, bench.staff, DueQuery(), now=at).items
        pages, cursor = [], None
        while True:
            page = deadlines.list_due(session, bench.staff, DueQuery(), cursor=cursor, limit=2, now=at)
            pages += [one.id for one in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        counts = deadlines.count_due(session, bench.staff, DueQuery(), now=at)
        beside = DueQuery(organisation_id=bench.world.a.sister.id)
        assert deadlines.list_due(session, bench.staff, beside, now=at).items == ()
    assert [one.due_at for one in whole] == sorted(one.due_at for one in whole)
    assert pages == [one.id for one in whole]
    assert (counts.overdue, counts.soon) == (3, 0)
    assert len(bench.due(bench.staff, DueQuery(DueFilter.OVERDUE), at)) == 3
    elsewhere = bench.world.viewer(bench.world.b.users[Role.STATION_STAFF])
    assert bench.due(elsewhere, DueQuery(), at) == []
    with pytest.raises(errors.Forbidden):
        bench.due(bench.world.viewer(bench.world.a.users[Role.AUDITOR]), DueQuery(), at)


def test_a_case_that_is_known_needs_no_tracing_until_the_confirmation_is_recalled(
    any_services: Services, world: World, now: datetime
) -> None:
    for until, ended in ((CaseState.IDENTIFIED, True), (CaseState.RECALLED, False)):
        story = judged_case(any_services, world, until, now=now)
        watch(any_services, now + HOUR)
        with read_only(any_services.db) as session:
            query = select(Deadline).where(Deadline.case_id == story.case_id, Deadline.kind == K.DNA_REQUEST)
            row = session.scalars(query).one()
        assert (row.cancel_reason is CancelReason.STATE) == ended


def test_a_home_coming_begins_the_follow_up(any_services: Services, world: World, now: datetime) -> None:
    story = judged_case(any_services, world, CaseState.REUNIFIED, now=now)
    with unit_of_work(any_services.db) as session:
        rows = deadlines.case_deadlines(session, any_services, story.case_id, now=now)
    running = [(row.kind, row.step) for row in rows if row.cancelled_at is None and row.met_at is None]
    assert running == [(K.FOLLOW_UP, step) for step in (1, 2, 3, 4)]


def test_cases_from_before_there_were_deadlines_and_changed_policies_are_noticed(bench: Bench) -> None:
    with unit_of_work(bench.services.db) as session:
        move_case(
            session, bench.services, bench.staff, bench.case_id, CaseState.LEFT, reason="自行离站", now=bench.now + HOUR
        )
        session.delete(session.get_one(DeadlinePlan, bench.case_id))
    assert watch(bench.services, bench.now + HOUR)[0] == 1
    assert watch(bench.services, bench.now + HOUR)[0] == 0
    folder = bench.services.settings.data_dir / "policies"
    folder.mkdir(parents=True)
    off = {"kind": "settlement", "enabled": False, "source": "tests", "mark": "ours"}
    policy = {"jurisdiction": "45", "version": "45-9", "clocks": [off]}
    (folder / "deadlines-45.json").write_text(json.dumps(policy), "utf-8")
    newer = replace(bench.services, clocks=load_clocks(folder, "Asia/Shanghai"))
    assert watch(newer, bench.now + 2 * HOUR)[0] == 1
    assert bench.rows()[K.POLICE_QUERY].policy_version == "CN-1"


def test_periodic_work_is_asked_for_once_an_interval_and_runs(bench: Bench) -> None:
    def keys() -> list[str]:
        with read_only(bench.services.db) as session:
            return list(session.scalars(select(Job.key).where(Job.kind == "deadlines.watch")))

    assert ask(bench.services, bench.now) == len(EVERY)
    assert ask(bench.services, bench.now) == 0
    assert keys() == ["periodic:deadlines.watch"]
    run_jobs(bench.services, bench.now)
    assert ask(bench.services, bench.now + timedelta(seconds=30)) == 0
    again = [kind for kind, interval in EVERY.items() if interval <= timedelta(seconds=90)]
    assert "deadlines.watch" in again
    assert ask(bench.services, bench.now + timedelta(seconds=90)) == len(again)
    assert keys() == ["periodic:deadlines.watch"]


def test_a_milestone_is_withdrawn_once_and_with_a_reason(bench: Bench) -> None:
    milestone = bench.done(M.NOTICE_PUBLISHED, bench.now)

    def withdraw(reason: str) -> None:
        with unit_of_work(bench.services.db) as session:
            milestones.withdraw_milestone(
                session, bench.services, bench.staff, milestone.id, reason=reason, now=bench.now
            )

    with pytest.raises(ReasonMissing):
        withdraw(" ")
    withdraw("误登")
    with pytest.raises(milestones.MilestoneWithdrawn):
        withdraw("误登")


@pytest.mark.parametrize("role", [Role.BUREAU_SUPERVISOR, Role.HEALTH_LIAISON, Role.AUDITOR, Role.ADMINISTRATOR])
def test_who_may_not_record(role: Role, services: Services, world: World, staff: Viewer, now: datetime) -> None:
    bench = Bench(services, world, staff, now)
    refused: Callable[[], object] = lambda: bench.done(M.POLICE_QUERIED, now, world.viewer(world.a.users[role]))  # noqa: E731
    with pytest.raises(errors.Forbidden):
        refused()


@pytest.mark.postgres
@pytest.mark.parametrize("services", ["postgres"], indirect=True)
def test_several_watchers_at_once_escalate_each_level_once(
    services: Services, postgres_services: Services, world: World, staff: Viewer, now: datetime
) -> None:
    cases = 12
    with unit_of_work(services.db) as session:
        for _ in range(cases):
            make_case(session, services, staff, now=now)
        session.execute(delete(DeadlinePlan))
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _number: watch(services, now + 26 * HOUR), range(4)))
    with read_only(services.db) as session:
        rows = session.scalar(select(func.count()).select_from(Deadline))
        levels = select(Deadline.kind, DeadlineEscalation.level, func.count()).join(
            DeadlineEscalation, DeadlineEscalation.deadline_id == Deadline.id
        )
        found = session.execute(levels.group_by(Deadline.kind, DeadlineEscalation.level)).all()
    assert rows == 7 * cases
    assert {(kind, level): count for kind, level, count in found} == {
        (kind, level): cases for kind in (K.POLICE_REPORT, K.POLICE_QUERY) for level in (1, 2)
    }
