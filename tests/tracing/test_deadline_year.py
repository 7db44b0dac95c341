"""A year of one case, day by day: every deadline that begins, moves, is paused, met, overdue, escalated, ended.

The list is held against `golden/deadlines-2026.txt`. It goes over the Spring Festival of 2026 with its make-up days,
Tomb-Sweeping, Dragon Boat and National Days, and into 2027, whose calendar the test brings along.
"""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from models.candidate import Candidate, CandidateState
from models.case import Case, CaseState
from models.confirmation import ConfirmationMethod
from models.contact import ContactChannel, ContactResult, DangerScreen, PersonWish
from models.deadline import ClockKind, Deadline, PauseReason
from models.milestone import MilestoneKind
from models.outcome import OutcomeKind, OutcomeRoute
from models.user import Role
from tests.factories.records import make_case, make_report
from tests.factories.stories import KIN, SIGNED
from tests.factories.world import World
from tracing.access import Viewer
from tracing.clock_policy import load_clocks
from tracing.confirmation import confirm
from tracing.contact import record_attempt, release_contact
from tracing.deadline_watch import watch
from tracing.deadlines import pause_deadline, resume_deadline
from tracing.kin import verify_kin
from tracing.milestones import record_milestone
from tracing.outcome_papers import Papers
from tracing.outcomes import record_outcome
from tracing.platform.db import read_only, unit_of_work
from tracing.services import Services
from tracing.transitions import move

ZONE = ZoneInfo("Asia/Shanghai")
GOLDEN = Path(__file__).parent / "golden" / "deadlines-2026.txt"
FIRST, LAST = date(2026, 2, 9), date(2027, 2, 9)
M = MilestoneKind
DONE: dict[str, tuple[MilestoneKind, ...]] = {
    "2026-02-09": (M.POLICE_REPORTED, M.POLICE_QUERIED, M.HOTLINE_RECORDED),
    "2026-02-13": (M.NOTICE_PUBLISHED,),
    "2026-02-24": (M.CARE_PLANNED,),
    "2026-03-06": (M.DNA_REQUESTED,),
    "2026-03-09": (M.NOTICE_REFRESHED,),
    "2026-04-20": (M.DNA_REPORTED,),
    "2026-06-01": (M.SETTLEMENT_APPLIED,),
    "2026-06-29": (M.HOUSEHOLD_REGISTERED,),
    "2026-07-25": (M.FOLLOWED_UP,),
    "2026-08-25": (M.FOLLOWED_UP,),
    "2026-10-15": (M.FOLLOWED_UP,),
}


@dataclass(frozen=True)
class Year:
    """The case and who works on it."""

    services: Services
    world: World
    case_id: uuid.UUID

    def viewer(self, role: Role) -> Viewer:
        """The user of province a with this role."""
        return self.world.viewer(self.world.a.users[role])

    def deadline(self, kind: ClockKind) -> uuid.UUID:
        """The case's one deadline of this kind."""
        with read_only(self.services.db) as session:
            query = select(Deadline.id).where(Deadline.case_id == self.case_id, Deadline.kind == kind)
            return session.scalars(query).one()


def with_policies(services: Services) -> Services:
    """The services of a province that has household registration within 20 working days, and knows 2027."""
    folder = services.settings.data_dir / "policies"
    folder.mkdir(parents=True)
    row = {"kind": "household_registration", "enabled": True, "source": "自治区文件", "mark": "M"}
    policy = {"jurisdiction": "45", "version": "45-1", "clocks": [row]}
    year = {"source": "tests", "days_off": ["2027-01-01", "2027-02-05", "2027-02-08", "2027-02-09"], "worked": []}
    (folder / "deadlines-45.json").write_text(json.dumps(policy), "utf-8")
    (folder / "calendar-CN.json").write_text(json.dumps({"version": "t", "years": {"2027": year}}), "utf-8")
    return replace(services, clocks=load_clocks(folder, "Asia/Shanghai"))


def pause(year: Year, now: datetime) -> None:
    """The person is in hospital: no sample can be taken."""
    with unit_of_work(year.services.db) as session:
        pause_deadline(
            session, year.services, year.viewer(Role.STATION_STAFF), year.deadline(ClockKind.DNA_REQUEST),
            PauseReason.HOSPITAL, note_text="住院", now=now,
        )  # fmt: skip


def resume(year: Year, now: datetime) -> None:
    """Back from hospital."""
    with unit_of_work(year.services.db) as session:
        resume_deadline(
            session, year.services, year.viewer(Role.STATION_STAFF), year.deadline(ClockKind.DNA_REQUEST),
            note_text="出院", now=now,
        )  # fmt: skip


def identify(year: Year, now: datetime) -> None:
    """The police confirm by DNA and release contact."""
    reporter = year.world.viewer(year.world.b.users[Role.STATION_STAFF])
    with unit_of_work(year.services.db) as session:
        report = make_report(session, year.services, reporter, now=now)
        case = session.get_one(Case, year.case_id)
        for state in (CaseState.SEARCHING, CaseState.IN_REVIEW):
            move(session, case, state, None, now=now)
        candidate = Candidate(
            id=uuid.uuid4(), pair=f"{year.case_id}:{report.id}", case_id=year.case_id, report_id=report.id,
            state=CandidateState.OPEN, log10_lr=3.0, posterior=0.9, terms=[], model_version="m", index_version="i",
            parameters_version="p", proposed_at=now, updated_at=now, listed=True,
        )  # fmt: skip
        session.add(candidate)
    with unit_of_work(year.services.db) as session:
        confirm(
            session, year.viewer(Role.POLICE_SUPERVISOR), year.case_id, candidate.id, ConfirmationMethod.DNA,
            reference="DNA-7", grounds="DNA 比中", now=now,
        )  # fmt: skip
    with unit_of_work(year.services.db) as session:
        release_contact(
            session, year.viewer(Role.POLICE_EXAMINER), year.case_id, PersonWish.WANTS_CONTACT, DangerScreen.NO_SIGN,
            now=now + timedelta(minutes=1),
        )  # fmt: skip


def go_home(year: Year, now: datetime) -> None:
    """The family is reached and comes."""
    caseworker = year.viewer(Role.CASEWORKER)
    with unit_of_work(year.services.db) as session:
        record_attempt(
            session, year.services, caseworker, year.case_id, ContactChannel.LOCAL_POLICE, ContactResult.REACHED,
            note_text=None, attempted_at=now, now=now,
        )  # fmt: skip
    with unit_of_work(year.services.db) as session:
        verify_kin(session, year.services, caseworker, year.case_id, KIN, now=now)
        record_outcome(
            session, year.services, caseworker, year.case_id, OutcomeKind.REUNITED, OutcomeRoute.DNA,
            occurred_on=now.astimezone(ZONE).date(), note_text=None, papers=Papers(SIGNED),
            now=now + timedelta(minutes=1),
        )  # fmt: skip


ACTS: dict[str, Callable[[Year, datetime], None]] = {
    "2026-02-11": pause,
    "2026-03-02": resume,
    "2026-07-15": identify,
    "2026-07-20": go_home,
}


def snapshot(year: Year, now: datetime) -> dict[tuple[str, int], str]:
    """How every deadline of the case stands."""
    with read_only(year.services.db) as session:
        rows = session.scalars(
            select(Deadline).where(Deadline.case_id == year.case_id).options(selectinload(Deadline.escalations))
        ).all()
        return {
            (row.kind.value, row.step): f"{row.status(now).value}, due {row.due_at.astimezone(ZONE):%Y-%m-%d %H:%M}"
            + (f", level {row.escalation_level}" if row.escalation_level else "")
            for row in rows
        }


def play(year: Year) -> list[str]:
    """Every day at nine in the morning: what was done, the watch, and what is different from the day before."""
    lines: list[str] = []
    before: dict[tuple[str, int], str] = {}
    day = FIRST
    while day <= LAST:
        now = datetime.combine(day, time(10 if day == FIRST else 9, 30), ZONE)
        for kind in DONE.get(day.isoformat(), ()):
            with unit_of_work(year.services.db) as session:
                record_milestone(
                    session, year.services, year.viewer(Role.STATION_STAFF), year.case_id, kind,
                    occurred_at=now - timedelta(minutes=10), now=now,
                )  # fmt: skip
        if day.isoformat() in ACTS:
            ACTS[day.isoformat()](year, now)
        watch(year.services, now + timedelta(minutes=2))
        present = snapshot(year, now + timedelta(minutes=2))
        lines += [f"{day} {kind} {step}: {text}" for (kind, step), text in sorted(present.items())
                  if before.get((kind, step)) != text]  # fmt: skip
        before = present
        day += timedelta(days=1)
    return lines


def test_a_year(services: Services, world: World) -> None:
    services = with_policies(services)
    admitted = datetime(2026, 2, 9, 10, 0, tzinfo=ZONE)
    with unit_of_work(services.db) as session:
        case = make_case(session, services, world.viewer(world.a.users[Role.STATION_STAFF]), now=admitted)
    lines = play(Year(services, world, case.id))
    assert lines == GOLDEN.read_text("utf-8").splitlines()
