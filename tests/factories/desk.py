"""A desk at a station: somebody who writes down what is heard of one person."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from models.interview import InterviewMethod
from models.job import Job
from tracing import clues, interviews
from tracing.access import Viewer
from tracing.cases import load_case
from tracing.clues import ClueText
from tracing.facts import Facts
from tracing.interviews import Talk
from tracing.platform.db import read_only, unit_of_work
from tracing.profiles import current_facts
from tracing.services import Services


@dataclass
class Desk:
    """A submitted case and somebody who writes down what is heard."""

    services: Services
    staff: Viewer
    case_id: uuid.UUID
    now: datetime

    def add(self, *given: ClueText, interview_id: uuid.UUID | None = None) -> list[uuid.UUID]:
        """Clues of today."""
        with unit_of_work(self.services.db) as session:
            rows = clues.add_clues(
                session, self.services, self.staff, self.case_id, given,
                interview_id=interview_id, heard_at=self.now, now=self.now,
            )  # fmt: skip
            return [one.id for one in rows]

    def correct(self, clue_id: uuid.UUID, given: ClueText) -> uuid.UUID:
        """A new row for an old one."""
        with unit_of_work(self.services.db) as session:
            return clues.correct_clue(session, self.services, self.staff, clue_id, given, now=self.now).id

    def withdraw(self, clue_id: uuid.UUID, reason: str = "听错") -> None:
        """Take one back."""
        with unit_of_work(self.services.db) as session:
            clues.withdraw_clue(session, self.services, self.staff, clue_id, reason=reason, now=self.now)

    def talk(self, *given: ClueText, **more: str) -> uuid.UUID:
        """An interview of today."""
        with unit_of_work(self.services.db) as session:
            talk = Talk(self.now, InterviewMethod.TALK, **more)
            return interviews.record_interview(
                session, self.services, self.staff, self.case_id, talk, given, now=self.now
            ).id

    def facts(self) -> Facts:
        """What the profile says now."""
        with read_only(self.services.db) as session:
            return current_facts(load_case(session, self.staff, self.case_id).profile)

    def heard(self) -> list[str]:
        """Names that came of clues."""
        return sorted(one.text for one in self.facts().names if (one.source or "").startswith(("clue", "interview")))

    def passes(self) -> int:
        """How many matching passes were asked for."""
        with read_only(self.services.db) as session:
            return session.scalar(select(func.count()).select_from(Job).where(Job.kind == "match")) or 0
