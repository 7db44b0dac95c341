"""One man known twice: two cases and two reports, what links them, and what undoes it."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from matcher.vocabulary import Sex
from models.candidate import Candidate
from models.confirmation import Confirmation, ConfirmationMethod
from models.duplicate import DuplicatePair, DuplicateVerdict
from tests.factories.records import facts
from tracing import duplicates
from tracing.access import Viewer
from tracing.confirmation import confirm, recall
from tracing.platform.db import read_only, unit_of_work
from tracing.services import Services

OTHERS = facts(sex=Sex.FEMALE, age=19, height=155, name="欧阳海燕", native="230100")
SAME, DIFFERENT = DuplicateVerdict.SAME, DuplicateVerdict.DIFFERENT


@dataclass(frozen=True)
class Two:
    """Two cases and two reports of one man, in one province each; the reports are not linked."""

    first: uuid.UUID
    second: uuid.UUID
    sister: uuid.UUID
    uncle: uuid.UUID


def pair_id(services: Services, first: uuid.UUID, second: uuid.UUID) -> uuid.UUID:
    """The pair of two records."""
    wanted = ":".join(sorted((str(first), str(second))))
    with read_only(services.db) as session:
        return session.scalars(select(DuplicatePair.id).where(DuplicatePair.pair == wanted)).one()


def decide(
    services: Services,
    viewer: Viewer,
    pair: uuid.UUID,
    now: datetime,
    verdict: DuplicateVerdict = SAME,
    why: str = "同一人",
) -> None:
    """Judge a pair."""
    with unit_of_work(services.db) as session:
        duplicates.decide(session, viewer, pair, verdict, reason=why, now=now)


def unlink(services: Services, viewer: Viewer, pair: uuid.UUID, now: datetime, why: str = "不是一家") -> None:
    """Take back the judgement of a pair."""
    with unit_of_work(services.db) as session:
        duplicates.withdraw_decision(session, viewer, pair, reason=why, now=now)


def candidate(services: Services, case_id: uuid.UUID, report_id: uuid.UUID) -> Candidate:
    """The candidate of a case and a report."""
    with read_only(services.db) as session:
        return session.scalars(
            select(Candidate).where(Candidate.case_id == case_id, Candidate.report_id == report_id)
        ).one()


def identify(
    services: Services, viewer: Viewer, case_id: uuid.UUID, report_id: uuid.UUID, now: datetime
) -> Confirmation:
    """Confirm that a case is a report's person."""
    one = candidate(services, case_id, report_id)
    with unit_of_work(services.db) as session:
        return confirm(
            session, viewer, case_id, one.id, ConfirmationMethod.DNA, reference="D-1", grounds="亲缘关系成立", now=now
        )


def undo(services: Services, viewer: Viewer, case_id: uuid.UUID, now: datetime) -> None:
    """Recall the confirmation of a case."""
    with unit_of_work(services.db) as session:
        recall(session, services, viewer, case_id, reason="样本弄混", now=now)
