"""Rules of the workflow machine: describing, judging, looking; who has which case to judge."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule

from api.schemas.review import candidate_out
from models.review import Opinion
from models.review_protocol import RequestKind
from tests.factories import workflow_oracle as oracle
from tests.factories.stories import commit_opinion
from tests.factories.workflow_ground import CASES, POLICE, REPORTS, Ground
from tracing import access, candidates, review
from tracing.platform.db import read_only
from tracing.review_queue import take_case
from tracing.review_requests import ask_for
from tracing.review_watch import assign_all

OPINIONS = (
    Opinion.SUPPORTS, Opinion.STRONGLY_SUPPORTS, Opinion.SLIGHTLY_SUPPORTS, Opinion.OPPOSES, Opinion.CANNOT_TELL,
)  # fmt: skip


class ReviewRules(Ground):
    """What examiners do."""

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
        made = self.attempt(
            lambda s: review.commit_review(s, self.services, viewer, wanted, Opinion.OPPOSES, None, now=self.now)
        )
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
