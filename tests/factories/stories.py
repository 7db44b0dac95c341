"""A case walked along the way home, through the use cases and the worker alone."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.candidate import Candidate
from models.case import Case, CaseState
from models.confirmation import ConfirmationMethod
from models.contact import ContactChannel, ContactResult, DangerScreen, PersonWish
from models.job import Job, JobState
from models.kin import KinDocument
from models.outcome import OutcomeKind, OutcomeRoute, Transport
from models.review import Opinion, Review
from models.user import Role
from tests.factories.records import make_case, make_report
from tests.factories.world import World
from tracing import access
from tracing.access import Permission, Viewer
from tracing.cases import move_case
from tracing.confirmation import confirm, recall
from tracing.contact import record_attempt, release_contact
from tracing.dossier import missing_papers, tick_paper
from tracing.features import are_noted, basis_wanted, note_features
from tracing.kin import KinEvidence, Question, SeenDocument, verify_kin
from tracing.outcome_papers import Papers, Receiver, Transfer, Trip
from tracing.outcome_rules import RULES, Need
from tracing.outcomes import record_outcome
from tracing.platform.db import read_only, unit_of_work
from tracing.platform.worker import run_one
from tracing.review import commit_review
from tracing.review_policy import feature_lists
from tracing.services import Services
from tracing.tasks import REGISTRY


@dataclass(frozen=True)
class Story:
    """A case, and (once it has been searched) the report and candidate of the man it is about."""

    case_id: uuid.UUID
    report_id: uuid.UUID | None = None
    candidate_id: uuid.UUID | None = None

    @property
    def candidate(self) -> uuid.UUID:
        """The candidate's id; ValueError before there is one."""
        if self.candidate_id is None:
            raise ValueError("this story has no candidate yet")
        return self.candidate_id


def run_jobs(services: Services, now: datetime) -> int:
    """Run every job that is due, as the worker does; how many. AssertionError when one failed."""
    ran = 0
    while run_one(services.db, services.settings, REGISTRY, services, "tests", lambda: now):
        ran += 1
    with read_only(services.db) as session:
        failed = [
            f"{job.kind} {job.state}: {job.last_error}"
            for job in session.scalars(select(Job).where(Job.state != JobState.DONE, Job.attempts > 0))
        ]
    assert not failed, failed
    return ran


def candidate_of(services: Services, case_id: uuid.UUID, report_id: uuid.UUID | None = None) -> Candidate:
    """The case's one candidate, or the one that this report is."""
    wanted = select(Candidate).where(Candidate.case_id == case_id)
    with read_only(services.db) as session:
        return session.scalars(wanted.where(Candidate.report_id == report_id) if report_id else wanted).one()


def state_of(services: Services, case_id: uuid.UUID) -> CaseState:
    """Where the case stands."""
    with read_only(services.db) as session:
        return session.get_one(Case, case_id).state


def judged_case(services: Services, world: World, until: CaseState, *, now: datetime) -> Story:
    """A case of province a that has come as far as `until`; the report it belongs to is province b's.

    Each state is reached by the shortest way that the use cases offer.
    """
    staff = world.viewer(world.a.users[Role.STATION_STAFF])
    with unit_of_work(services.db) as session:
        case = make_case(session, services, staff, submitted=until is not CaseState.DRAFT, now=now)
    story = Story(case.id)
    if until in (CaseState.DRAFT, CaseState.SUBMITTED):
        return story
    if until in _WITHOUT_REPORT:
        run_jobs(services, now)
        for step in _WITHOUT_REPORT[until]:
            step(services, world, story, now)
        return story
    reporter = world.viewer(world.b.users[Role.STATION_STAFF])
    with unit_of_work(services.db) as session:
        report = make_report(session, services, reporter, now=now)
    run_jobs(services, now)
    story = Story(case.id, report.id, candidate_of(services, case.id, report.id).id)
    for step, reached in _WAY_HOME:
        if until is CaseState.RECALLED and reached is CaseState.CONTACT_RELEASED:
            step = _recall
        if state_of(services, case.id) is until:
            return story
        step(services, world, story, now + timedelta(minutes=1))
    return story


def examiners(world: World) -> tuple[Viewer, Viewer]:
    """Province a's two examiners."""
    first, second = world.a.examiners
    return world.viewer(first), world.viewer(second)


def describe(session: Session, services: Services, viewer: Viewer, case_id: uuid.UUID, *, now: datetime) -> None:
    """The features of the case's person noted by this examiner, unless they are."""
    case = session.scalars(select(Case).where(Case.id == case_id, access.case_scope(viewer))).one_or_none()
    if case is None or are_noted(session, viewer, case):
        return
    basis = basis_wanted(session, case)[0]
    noted = {one.key: "中等" for one in feature_lists()[basis].features[:3]}
    note_features(session, services, viewer, case.id, basis, noted, now=now)


def commit_opinion(
    session: Session,
    services: Services,
    viewer: Viewer,
    candidate_id: uuid.UUID,
    opinion: Opinion,
    remarks: str | None = None,
    *,
    now: datetime,
) -> Review:
    """An opinion by the book: features first."""
    case_id = session.scalar(select(Candidate.case_id).where(Candidate.id == candidate_id))
    if case_id is not None and viewer.may(Permission.REVIEW):
        describe(session, services, viewer, case_id, now=now)
    return commit_review(session, services, viewer, candidate_id, opinion, remarks, now=now)


def two_reviews(services: Services, world: World, candidate_id: uuid.UUID, *, now: datetime) -> None:
    """Both examiners of province a support the candidate, each alone."""
    for viewer in examiners(world):
        with unit_of_work(services.db) as session:
            commit_opinion(session, services, viewer, candidate_id, Opinion.SUPPORTS, "眉弓与耳廓一致", now=now)


def _identify(services: Services, world: World, story: Story, now: datetime) -> None:
    two_reviews(services, world, story.candidate, now=now)
    supervisor = world.viewer(world.a.users[Role.POLICE_SUPERVISOR])
    with unit_of_work(services.db) as session:
        confirm(
            session, supervisor, story.case_id, story.candidate, ConfirmationMethod.AGREEING_REVIEWS,
            reference=None, grounds="两名比对员意见一致", now=now,
        )  # fmt: skip


def _release(services: Services, world: World, story: Story, now: datetime) -> None:
    with unit_of_work(services.db) as session:
        release_contact(
            session, examiners(world)[0], story.case_id, PersonWish.WANTS_CONTACT, DangerScreen.NO_SIGN, now=now
        )


def _recall(services: Services, world: World, story: Story, now: datetime) -> None:
    supervisor = world.viewer(world.a.users[Role.POLICE_SUPERVISOR])
    with unit_of_work(services.db) as session:
        recall(session, services, supervisor, story.case_id, reason="DNA 结果不符", now=now)


def _reach(services: Services, world: World, story: Story, now: datetime) -> None:
    caseworker = world.viewer(world.a.users[Role.CASEWORKER])
    with unit_of_work(services.db) as session:
        record_attempt(
            session, services, caseworker, story.case_id, ContactChannel.LOCAL_POLICE, ContactResult.REACHED,
            note_text="姐姐说明天坐火车来", attempted_at=now, now=now,
        )  # fmt: skip


KIN = KinEvidence(
    relative="韦桂英",
    relation="姐姐",
    questions=(
        Question("您家里有没有人走失？", "弟弟，去年冬天走的", agrees=True),
        Question("家里人平时怎么称呼他？", "阿国", agrees=True),
    ),
    documents=(SeenDocument(KinDocument.HOUSEHOLD_BOOKLET, "450702-0001"),),
    verified=True,
)
"""A verification that the packaged policy takes for a grown-up who can speak."""
SIGNED = Receiver("韦桂英", relation="姐姐", reference="JJ-2026-1")


def papers_for(services: Services, kind: OutcomeKind, now: datetime) -> Papers:
    """What an outcome of this kind has to come with."""
    needs = RULES[kind].needs
    trip = Trip("李站员、王站员", Transport.TRAIN, "450702", "350203", now - timedelta(hours=9), now)
    transfer = Transfer("移字2026-1", receiver="厦门市救助管理站")
    return Papers(
        handover=SIGNED if Need.HANDOVER in needs else None,
        trip=trip if Need.TRIP in needs else None,
        transfer=transfer if Need.NOTICE in needs else None,
    )


def kin_verified(services: Services, world: World, case_id: uuid.UUID, *, now: datetime) -> None:
    """Province a's caseworker verifies the sister."""
    caseworker = world.viewer(world.a.users[Role.CASEWORKER])
    with unit_of_work(services.db) as session:
        verify_kin(session, services, caseworker, case_id, KIN, now=now)


def dossier_complete(services: Services, world: World, case_id: uuid.UUID, *, now: datetime) -> None:
    """Province a's caseworker enters every required paper of the settlement."""
    caseworker = world.viewer(world.a.users[Role.CASEWORKER])
    with unit_of_work(services.db) as session:
        for item in missing_papers(session, services, case_id):
            tick_paper(
                session, services, caseworker, case_id, item,
                done_on=services.local_day(now), reference=None, now=now,
            )  # fmt: skip


def end_story(
    services: Services,
    world: World,
    case_id: uuid.UUID,
    kind: OutcomeKind,
    route: OutcomeRoute | None = None,
    *,
    now: datetime,
) -> None:
    """Province a's caseworker records an outcome, with all that it needs."""
    caseworker = world.viewer(world.a.users[Role.CASEWORKER])
    if Need.KIN in RULES[kind].needs:
        kin_verified(services, world, case_id, now=now)
    if Need.DOSSIER in RULES[kind].needs:
        dossier_complete(services, world, case_id, now=now)
    with unit_of_work(services.db) as session:
        record_outcome(
            session, services, caseworker, case_id, kind, route, occurred_on=services.local_day(now),
            note_text="由姐姐接回", papers=papers_for(services, kind, now), now=now,
        )  # fmt: skip


def _outcome(
    kind: OutcomeKind, route: OutcomeRoute | None = None
) -> Callable[[Services, World, Story, datetime], None]:
    def step(services: Services, world: World, story: Story, now: datetime) -> None:
        end_story(services, world, story.case_id, kind, route, now=now)

    return step


def _by_name(wanted: CaseState, role: Role) -> Callable[[Services, World, Story, datetime], None]:
    def step(services: Services, world: World, story: Story, now: datetime) -> None:
        with unit_of_work(services.db) as session:
            move_case(
                session, services, world.viewer(world.a.users[role]), story.case_id, wanted, reason="测试", now=now
            )

    return step


_WAY_HOME = (
    (_identify, CaseState.IDENTIFIED),
    (_release, CaseState.CONTACT_RELEASED),
    (_reach, CaseState.FAMILY_CONTACTED),
    (_outcome(OutcomeKind.REUNITED, OutcomeRoute.FACE), CaseState.REUNIFIED),
    (_by_name(CaseState.CLOSED, Role.CASEWORKER), CaseState.CLOSED),
)
_WITHOUT_REPORT = {
    CaseState.UNRESOLVED: (),
    CaseState.SEARCHING: (_by_name(CaseState.SEARCHING, Role.STATION_STAFF),),
    CaseState.SETTLED: (_outcome(OutcomeKind.SETTLED),),
    CaseState.LEFT: (_outcome(OutcomeKind.LEFT),),
    CaseState.TRANSFERRED: (_outcome(OutcomeKind.TRANSFERRED),),
    CaseState.DECEASED: (_outcome(OutcomeKind.DECEASED),),
}
