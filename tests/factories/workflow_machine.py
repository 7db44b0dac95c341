"""The workflow as a machine that Hypothesis drives: everybody does anything to any case, in any order.

A use case may refuse (a TracingError); whatever else it raises fails the run, among it a gate of the database that
closed because the code in front of it let something through.
"""

import uuid
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from sqlalchemy.orm import Session

from api.schemas.review import candidate_out
from models.case import CaseState
from models.claim import ClaimMethod
from models.clue import ClueConfidence, ClueKind
from models.confirmation import ConfirmationMethod
from models.contact import ContactChannel, ContactResult, DangerScreen, PersonWish
from models.exclusion import ExclusionEvidence
from models.outcome import OutcomeKind, OutcomeRoute
from models.review import Opinion
from models.review_protocol import RequestKind
from models.user import Role
from tests.conftest import NOW
from tests.factories import workflow_oracle as oracle
from tests.factories.records import make_case
from tests.factories.rivals import Copies
from tests.factories.stories import KIN, commit_opinion, papers_for, run_jobs
from tracing import (
    access,
    candidates,
    cases,
    claims,
    clues,
    confirmation,
    contact,
    dossier,
    exclusions,
    kin,
    outcomes,
    review,
    screenings,
)
from tracing.claims import ClaimResult
from tracing.clues import ClueText
from tracing.platform import errors
from tracing.platform.db import read_only, unit_of_work
from tracing.review_queue import take_case
from tracing.review_requests import ask_for
from tracing.review_watch import assign_all
from tracing.services import Services

T = TypeVar("T")
CASES = REPORTS = st.sampled_from((0, 1))
POLICE = st.sampled_from((0, 1, 2, 3))
AUDIT_EVERY = 25
STRANGERS_NUMBER = "11010519491231002X"  # the example of GB 11643
OPINIONS = (
    Opinion.SUPPORTS, Opinion.STRONGLY_SUPPORTS, Opinion.SLIGHTLY_SUPPORTS, Opinion.OPPOSES, Opinion.CANNOT_TELL,
)  # fmt: skip
# Weighed: endings come rarely, or few runs get as far as a family.
ENDS = (OutcomeKind.HOSPITAL, OutcomeKind.REUNITED) * 6 + tuple(OutcomeKind)
WISHES = (PersonWish.WANTS_CONTACT,) * 4 + tuple(PersonWish)
DANGERS = (DangerScreen.NO_SIGN,) * 4 + tuple(DangerScreen)
MOVES = (CaseState.SEARCHING,) * 8 + tuple(CaseState)
METHODS = (ConfirmationMethod.AGREEING_REVIEWS, ConfirmationMethod.DNA)


class WorkflowMachine(RuleBasedStateMachine):
    """One run on a fresh database. `copies` and `steps` belong to the sub-class that `workflow_test` makes."""

    copies: ClassVar[Copies]
    steps: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.services: Services = self.stack.enter_context(self.copies.fresh())
        ground = self.copies.rivals
        self.cases, self.reports = list(ground.cases), list(ground.reports)
        a = ground.world.a
        viewer = ground.world.viewer
        self.staff, self.caseworker = viewer(a.users[Role.STATION_STAFF]), viewer(a.users[Role.CASEWORKER])
        self.police = [viewer(a.examiners[0]), viewer(a.examiners[1]), viewer(a.users[Role.POLICE_SUPERVISOR]),
                       viewer(ground.world.b.examiners[0])]  # fmt: skip
        self.claims: list[uuid.UUID] = []
        self.now: datetime = NOW
        self.done = 0
        self.kept: dict[uuid.UUID, tuple[Any, ...]] = {}

    def teardown(self) -> None:
        """The audit chain once more, and the database away."""
        try:
            with read_only(self.services.db) as session:
                oracle.check_audit(session)
        finally:
            self.stack.close()

    def attempt(self, call: Callable[[Session], T]) -> T | None:
        """What the use case answers, None when it refuses; afterwards every invariant is asked for."""
        type(self).steps += 1
        self.done += 1
        self.now += timedelta(minutes=1)
        made = None
        try:
            with unit_of_work(self.services.db) as session:
                made = call(session)
        except errors.TracingError:
            pass
        with read_only(self.services.db) as session:
            self.kept = oracle.check(session, self.kept)
            if self.done % AUDIT_EVERY == 0:
                oracle.check_audit(session)
        return made

    def case(self, position: int) -> uuid.UUID:
        """The first or second case that is open; a closed one when there is no other."""
        with read_only(self.services.db) as session:
            found = oracle.open_cases(session, self.cases) or self.cases
        return found[position % len(found)]

    def candidate(self, case_id: uuid.UUID, report: int) -> uuid.UUID:
        """The candidate of the pair, or an id that nothing has."""
        with read_only(self.services.db) as session:
            return oracle.candidate_of(session, case_id, self.reports[report]) or uuid.UUID(int=0)

    @rule()
    def admit(self) -> None:
        """A new case, while fewer than two are open; its search runs."""
        with read_only(self.services.db) as session:
            waiting = len(oracle.open_cases(session, self.cases))
        if waiting < 2:
            made = self.attempt(lambda s: make_case(s, self.services, self.staff, now=self.now))
            if made is not None:
                self.cases.append(made.id)
        run_jobs(self.services, self.now)

    @rule(police=POLICE, case=CASES, report=REPORTS, opinion=st.sampled_from(OPINIONS))
    def judge(self, police: int, case: int, report: int, opinion: Opinion) -> None:
        """An opinion."""
        wanted = self.candidate(self.case(case), report)
        viewer = self.police[police]
        self.attempt(lambda s: commit_opinion(s, self.services, viewer, wanted, opinion, now=self.now))

    @rule(police=POLICE, case=CASES, report=REPORTS)
    def judge_unprepared(self, police: int, case: int, report: int) -> None:
        """An opinion, features noted or not."""
        case_id, viewer = self.case(case), self.police[police]
        wanted = self.candidate(case_id, report)
        made = self.attempt(lambda s: review.commit_review(s, viewer, wanted, Opinion.OPPOSES, None, now=self.now))
        if made is not None:
            with read_only(self.services.db) as session:
                assert oracle.described(session, case_id, viewer.user_id), "judged before the features were noted"

    @rule()
    def assign(self) -> None:
        """A round of assignments, at once and when their time has run out."""
        for days in (0, 4):
            self.now += timedelta(days=days)
            assign_all(self.services, self.now)
            with read_only(self.services.db) as session:
                oracle.check_assignments(session)

    @rule(police=POLICE, case=CASES)
    def take(self, police: int, case: int) -> None:
        """A case taken from the queue."""
        case_id = self.case(case)
        self.attempt(lambda s: take_case(s, self.services, self.police[police], case_id, now=self.now))
        with read_only(self.services.db) as session:
            oracle.check_assignments(session)

    @rule(police=POLICE, case=CASES, report=REPORTS, kind=st.sampled_from(RequestKind))
    def ask(self, police: int, case: int, report: int, kind: RequestKind) -> None:
        """A better photograph, or DNA."""
        wanted = self.candidate(self.case(case), report)
        self.attempt(lambda s: ask_for(s, self.police[police], wanted, kind, now=self.now))

    @rule(police=POLICE, case=CASES, report=REPORTS)
    def take_back(self, police: int, case: int, report: int) -> None:
        """An opinion withdrawn."""
        wanted = self.candidate(self.case(case), report)
        self.attempt(lambda s: review.withdraw_review(s, self.police[police], wanted, now=self.now))

    @rule(police=POLICE, case=CASES, report=REPORTS, method=st.sampled_from(METHODS))
    def confirm(self, police: int, case: int, report: int, method: ConfirmationMethod) -> None:
        """Confirm: by the opinions, or by DNA with a reference when a result is recorded or the police has one."""
        case_id = self.case(case)
        wanted = self.candidate(case_id, report)
        reference = "D-1" if method is ConfirmationMethod.DNA and police == 2 else None
        made = self.attempt(
            lambda s: confirmation.confirm(
                s, self.police[police], case_id, wanted, method, reference=reference, grounds="一致", now=self.now
            )
        )
        if made is not None:
            with read_only(self.services.db) as session:
                assert not oracle.contradicted(session, made), "confirmed against a result"

    @rule(police=POLICE, case=CASES, wish=st.sampled_from(PersonWish), danger=st.sampled_from(DangerScreen))
    def release(self, police: int, case: int, wish: PersonWish, danger: DangerScreen) -> None:
        """Release of contact."""
        case_id = self.case(case)
        made = self.attempt(
            lambda s: contact.release_contact(s, self.police[police], case_id, wish, danger, now=self.now)
        )
        assert made is None or (wish is not PersonWish.OBJECTS and danger is not DangerScreen.SUSPECTED)

    @rule(case=CASES)
    def read_contact(self, case: int) -> None:
        """The family's details."""
        case_id = self.case(case)
        made = self.attempt(
            lambda s: contact.read_family_contact(s, self.services, self.caseworker, case_id, now=self.now)
        )
        if made is not None:
            with read_only(self.services.db) as session:
                assert oracle.contact_is_released(session, case_id), "the family's details were read before release"
                assert not oracle.contact_is_stopped(session, case_id), "they were read against the person's wish"

    @rule(case=CASES, result=st.sampled_from((ContactResult.REACHED, ContactResult.NO_ANSWER)))
    def call(self, case: int, result: ContactResult) -> None:
        """A call to the family."""
        case_id = self.case(case)
        made = self.attempt(
            lambda s: contact.record_attempt(
                s, self.services, self.caseworker, case_id, ContactChannel.LOCAL_POLICE, result,
                note_text=None, attempted_at=self.now, now=self.now,
            )
        )  # fmt: skip
        if made is not None:
            with read_only(self.services.db) as session:
                assert oracle.contact_is_released(session, case_id), "the family was called before release"
                assert not oracle.contact_is_stopped(session, case_id), (
                    "the family was called against the person's wish"
                )

    @rule(case=CASES, kind=st.sampled_from(ENDS))
    def end(self, case: int, kind: OutcomeKind) -> None:
        """An outcome."""
        case_id, day = self.case(case), self.services.local_day(self.now)
        self.attempt(
            lambda s: outcomes.record_outcome(
                s, self.services, self.caseworker, case_id, kind, OutcomeRoute.DNA,
                occurred_on=day, note_text=None, papers=papers_for(self.services, kind, self.now), now=self.now,
            )
        )  # fmt: skip

    @rule(case=CASES, verified=st.booleans(), doubtful=st.booleans())
    def verify(self, case: int, verified: bool, doubtful: bool) -> None:
        """A verification of kin, with or without a doubt that only DNA settles."""
        case_id, given = self.case(case), replace(KIN, verified=verified, doubtful=doubtful)
        self.attempt(lambda s: kin.verify_kin(s, self.services, self.caseworker, case_id, given, now=self.now))

    @rule(case=CASES)
    def unverify(self, case: int) -> None:
        """Every verification of the case withdrawn."""
        case_id = self.case(case)
        page = self.attempt(lambda s: kin.list_kin(s, self.services, self.caseworker, case_id, now=self.now))
        for one, _ in page.items if page else ():
            self.attempt(
                lambda s, which=one.id: kin.withdraw_kin(  # type: ignore[misc]
                    s, self.caseworker, which, reason="随机", now=self.now
                )
            )

    @rule(case=CASES, police=st.booleans(), wish=st.sampled_from(WISHES), danger=st.sampled_from(DANGERS))
    def screen(self, case: int, police: bool, wish: PersonWish, danger: DangerScreen) -> None:
        """The wish and the danger, asked again."""
        case_id, viewer = self.case(case), self.police[0] if police else self.caseworker
        self.attempt(
            lambda s: screenings.record_screening(
                s, self.services, viewer, case_id, wish, danger,
                asked_on=self.services.local_day(self.now), note_text=None, now=self.now,
            )
        )  # fmt: skip

    @rule(police=POLICE, case=CASES, report=REPORTS, evidence=st.sampled_from(ExclusionEvidence))
    def exclude(self, police: int, case: int, report: int, evidence: ExclusionEvidence) -> None:
        """An exclusion; it is reopened by the supervisor now and then."""
        wanted = self.candidate(self.case(case), report)
        made = self.attempt(
            lambda s: exclusions.exclude(
                s, self.police[police], wanted, evidence, reference="D-3", reason="随机", now=self.now
            )
        )
        if made is not None and police != 1:
            self.attempt(
                lambda s: exclusions.reopen(
                    s, self.police[2], made.id, ExclusionEvidence.NEW_PHOTO,
                    reference=None, reason="随机", now=self.now,
                )
            )  # fmt: skip

    @rule(case=CASES)
    def paper(self, case: int) -> None:
        """The next paper of the dossier."""
        case_id = self.case(case)

        def tick(session: Session) -> None:
            for item in dossier.missing_papers(session, self.services, case_id)[:4]:
                dossier.tick_paper(
                    session, self.services, self.staff, case_id, item,
                    done_on=self.services.local_day(self.now), reference=None, now=self.now,
                )  # fmt: skip

        self.attempt(tick)

    @rule(case=CASES, wanted=st.sampled_from(MOVES))
    def move(self, case: int, wanted: CaseState) -> None:
        """A move by name."""
        case_id = self.case(case)
        self.attempt(
            lambda s: cases.move_case(
                s, self.services, self.staff, case_id, wanted, reason="随机", now=self.now
            )
        )  # fmt: skip

    @rule(police=POLICE, case=CASES)
    def undo(self, police: int, case: int) -> None:
        """A recall."""
        case_id = self.case(case)
        self.attempt(
            lambda s: confirmation.recall(
                s, self.services, self.police[police], case_id, reason="随机", now=self.now
            )
        )  # fmt: skip

    @rule(police=POLICE, case=CASES, report=st.sampled_from((0, None, 1)), method=st.sampled_from(ClaimMethod))
    def claim(self, police: int, case: int, report: int | None, method: ClaimMethod) -> None:
        """A result of a system outside, on a candidate or on a stranger."""
        case_id = self.case(case)
        whom: dict[str, Any] = (
            {"name": "李某", "identity_number": STRANGERS_NUMBER}
            if report is None
            else {"candidate_id": self.candidate(case_id, report)}
        )
        given = ClaimResult(
            method, self.services.local_day(self.now), "王警官", reference="D-2", custody="封存送检", **whom
        )
        made = self.attempt(
            lambda s: claims.record_claim(s, self.services, self.police[police], case_id, given, now=self.now)
        )
        if made is not None:
            self.claims.append(made.id)

    @rule(police=POLICE, settle=st.booleans())
    def end_claim(self, police: int, settle: bool) -> None:
        """The oldest claim that was not tried yet, withdrawn or set aside."""
        claim_id = self.claims.pop(0) if self.claims else uuid.UUID(int=0)
        use = claims.settle_claim if settle else claims.withdraw_claim
        self.attempt(lambda s: use(s, self.police[police], claim_id, reason="随机", now=self.now))

    @rule(case=CASES)
    def hear(self, case: int) -> None:
        """A clue."""
        case_id, scrap = self.case(case), ClueText(ClueKind.FOOD, "沙茶面", ClueConfidence.SURE)
        self.attempt(
            lambda s: clues.add_clues(
                s, self.services, self.staff, case_id, [scrap], heard_at=self.now, now=self.now
            )
        )  # fmt: skip

    @rule(police=POLICE, case=CASES)
    def look(self, police: int, case: int) -> None:
        """Before the own opinion: no score, no rank, nobody's opinion, not whom a result names."""
        viewer, case_id = self.police[police], self.case(case)
        seen = self.attempt(lambda s: candidates.list_candidates(s, viewer, case_id, now=self.now)) or []
        if any(view.sealed for view in seen) and access.examines(viewer):
            with read_only(self.services.db) as session:
                assert oracle.described(session, case_id, viewer.user_id), "candidates before the features were noted"
        for view in seen:
            if view.own_review is None and view.candidate.state.value in ("open", "judged"):
                assert view.sealed, "an examiner saw a score before the own opinion"
                assert (view.rank, view.reviews) == (None, ())
                wire = candidate_out(view, self.services.parameters).model_dump()
                assert not {"log10_lr", "rank", "reviews", "terms"} & wire.keys()

    @rule(case=CASES)
    def contradict(self, case: int) -> None:
        """A fingerprint of a stranger, and somebody who goes on as if nothing were known."""
        self.claim(0, case, None, ClaimMethod.FINGERPRINT)
        self.step_home(case, 0)

    @rule(case=CASES, report=REPORTS)
    def step_home(self, case: int, report: int) -> None:
        """Whatever comes next on the way home, by the book, and a caseworker who reads at once.

        Without this, few random runs get far.
        """
        case_id = self.case(case)
        wanted = self.candidate(case_id, report)
        with read_only(self.services.db) as session:
            state = cases.load_case(session, self.staff, case_id).state
        if state is CaseState.IN_REVIEW:
            for examiner in self.police[:2]:
                self.attempt(
                    lambda s, who=examiner: commit_opinion(  # type: ignore[misc]
                        s, self.services, who, wanted, Opinion.SUPPORTS, now=self.now
                    )
                )
            self.confirm(2, case, report, ConfirmationMethod.AGREEING_REVIEWS)
        elif state is CaseState.IDENTIFIED:
            self.release(0, case, PersonWish.WANTS_CONTACT, DangerScreen.NO_SIGN)
        elif state is CaseState.CONTACT_RELEASED:
            self.call(case, ContactResult.REACHED)
        elif state is CaseState.FAMILY_CONTACTED:
            self.verify(case, verified=True, doubtful=False)
            self.end(case, OutcomeKind.REUNITED)
        else:
            self.move(case, CaseState.SEARCHING)
            run_jobs(self.services, self.now)
        self.read_contact(case)


def _by_hand(name: str) -> Callable[..., None]:
    """The rule as a plain method: still there for the other rules, no longer chosen by Hypothesis."""

    def call(self: WorkflowMachine, *values: object) -> None:
        getattr(WorkflowMachine, name)(self, *values)

    return call


def workflow_test(
    copies: Copies, *, seed_of_run: int, examples: int, steps: int, only: frozenset[str] = frozenset()
) -> int:
    """Drive the machine, with all its rules or `only` some; how many steps were tried.

    Raises what a violated invariant, or the code, raises.
    """
    others = {one.function.__name__ for one in WorkflowMachine.setup_state().rules} - only if only else set()
    members = {"copies": copies, "steps": 0, **{name: _by_hand(name) for name in others}}
    machine: type[WorkflowMachine] = type("Workflow", (WorkflowMachine,), members)
    run_state_machine_as_test(
        seed(seed_of_run)(machine),
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, database=None,
            phases=(Phase.generate,), suppress_health_check=list(HealthCheck), print_blob=False,
        ),
    )  # fmt: skip
    return machine.steps
