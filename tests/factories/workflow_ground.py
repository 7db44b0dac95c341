"""The ground of the workflow machine: a fresh database, who acts, and one attempt with every invariant after it.

A use case may refuse (a TracingError); whatever else it raises fails the run, among it a gate of the database that
closed because the code in front of it let something through.
"""

import uuid
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine
from sqlalchemy.orm import Session

from models.user import Role
from tests.conftest import NOW
from tests.factories import workflow_oracle as oracle
from tests.factories.rivals import Copies
from tracing.platform import errors
from tracing.platform.db import read_only, unit_of_work
from tracing.services import Services

T = TypeVar("T")
CASES = REPORTS = st.sampled_from((0, 1))
POLICE = st.sampled_from((0, 1, 2, 3))
AUDIT_EVERY = 25


class Ground(RuleBasedStateMachine):
    """One run on a fresh database. `copies` and `steps` belong to the sub-class that `workflow_test` makes."""

    copies: ClassVar[Copies]
    steps: ClassVar[int] = 0

    def __init__(self) -> None:
        """On a copy of the ground."""
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
        self.liaison = viewer(a.users[Role.COMMUNITY_LIAISON])
        self.reporter = viewer(ground.world.b.users[Role.STATION_STAFF])
        self.claims: list[uuid.UUID] = []
        self.sightings: list[uuid.UUID] = []
        self.lookouts: list[uuid.UUID] = []
        self.known: list[uuid.UUID] = []
        self.pairs: list[uuid.UUID] = []
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

    def ended_case(self, back: int) -> uuid.UUID:
        """The last case that has ended, or one before it; an open one when there is none."""
        with read_only(self.services.db) as session:
            found = oracle.open_cases(session, self.cases)
        ended = [one for one in self.cases if one not in found] or self.cases
        return ended[-1 - back % len(ended)]

    def candidate(self, case_id: uuid.UUID, report: int) -> uuid.UUID:
        """The candidate of the pair, or an id that nothing has."""
        with read_only(self.services.db) as session:
            return oracle.candidate_of(session, case_id, self.reports[report]) or uuid.UUID(int=0)
