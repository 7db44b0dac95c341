"""The workflow as a machine that Hypothesis drives: everybody does anything to any case, in any order."""

import uuid
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from models.case import CaseState
from models.claim import ClaimMethod
from models.clue import ClueConfidence, ClueKind
from models.confirmation import ConfirmationMethod
from models.contact import ContactResult, DangerScreen, PersonWish
from models.exclusion import ExclusionEvidence
from models.outcome import OutcomeKind
from models.review import Opinion
from tests.factories import workflow_oracle as oracle
from tests.factories.records import make_case
from tests.factories.rivals import Copies
from tests.factories.stories import commit_opinion, run_jobs
from tests.factories.workflow_ground import CASES, POLICE, REPORTS
from tests.factories.workflow_homeward import HomewardRules
from tests.factories.workflow_network import NetworkRules
from tests.factories.workflow_review import ReviewRules
from tracing import cases, claims, clues, confirmation, exclusions
from tracing.claims import ClaimResult
from tracing.clues import ClueText
from tracing.platform.db import read_only

STRANGERS_NUMBER = "11010519491231002X"  # the example of GB 11643
MOVES = (CaseState.SEARCHING,) * 8 + tuple(CaseState)
METHODS = (ConfirmationMethod.AGREEING_REVIEWS, ConfirmationMethod.DNA)


class WorkflowMachine(ReviewRules, HomewardRules, NetworkRules):
    """Everybody's rules, and those of the identity itself: results, confirmation, recall, exclusion."""

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

    @rule(case=CASES, wanted=st.sampled_from(MOVES))
    def move(self, case: int, wanted: CaseState) -> None:
        """A move by name."""
        case_id = self.case(case)
        self.attempt(
            lambda s: cases.move_case(
                s, self.services, self.staff, case_id, wanted, reason="随机", now=self.now
            )
        )  # fmt: skip

    @rule(police=POLICE, case=CASES, late=st.booleans())
    def undo(self, police: int, case: int, *, late: bool) -> None:
        """A recall, now and then of a case that has ended."""
        case_id = self.ended_case(case) if late else self.case(case)
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

    def call(self: WorkflowMachine, *values: object, **named: object) -> None:
        getattr(WorkflowMachine, name)(self, *values, **named)

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
