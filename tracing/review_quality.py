"""How well examiners judge (复核质量): false alarms on known non-matches, opinions against what was confirmed later.

For the police supervisor alone, and of the examiners of the own jurisdiction alone.
"""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session, aliased, joinedload

from models.candidate import Candidate
from models.confirmation import Confirmation
from models.review import AGREEING_GRADE, Review
from models.review_protocol import AssignmentEnd, ReviewAssignment, ReviewSeed, SeedReview
from models.user import User
from tracing import access
from tracing.access import Permission, Viewer
from tracing.paging import Page, page_of
from tracing.services import Services
from tracing.trail import note

Counts = Mapping[uuid.UUID, int]


@dataclass(frozen=True, slots=True)
class Measure:
    """`wrong` of `of` answers; `few`: so few that the share says little."""

    wrong: int
    of: int
    few: bool


@dataclass(frozen=True)
class Quality:
    """One examiner's results.

    Attributes:
        opinions: standing opinions on candidates.
        seeds: known non-matches answered, the first answers; wrong: supported as the same person (grade +2 or more).
        misses: opinions on whoever was confirmed later; wrong: opposed (grade -2 or less).
        rivals: opinions on others in cases where somebody was confirmed; wrong: supported.
        seconds: median time from opening to opinion, None when none was measured.
        expired: assignments that ran out of time.
    """

    examiner: User
    opinions: int
    seeds: Measure
    misses: Measure
    rivals: Measure
    seconds: int | None
    expired: int


def list_quality(
    session: Session,
    services: Services,
    viewer: Viewer,
    *,
    since: datetime,
    cursor: str | None = None,
    limit: int = 50,
    now: datetime,
) -> Page[Quality]:
    """The results of each examiner, of opinions committed from `since` on. Raises Forbidden."""
    access.require(viewer, Permission.REVIEW_MANAGE)
    page = page_of(
        session,
        select(User).where(access.examiner_scope(viewer)).options(joinedload(User.organisation)),
        User.created_at,
        User.id,
        cursor=cursor,
        limit=limit,
        oldest_first=True,
    )
    found = _Figures(session, [one.id for one in page.items], since)
    few = services.review_rules.small_number
    note(session, viewer, "review.quality", "organisation", viewer.organisation_id, at=now, count=len(page.items))
    return Page(tuple(found.of(one, few) for one in page.items), page.next_cursor)


class _Figures:
    """The counts of some examiners, each by one statement."""

    def __init__(self, session: Session, examiners: Sequence[uuid.UUID], since: datetime) -> None:
        self._session, self._examiners, self._since = session, examiners, since
        confirmed = Review.candidate_id == Confirmation.candidate_id
        known = self._seeds()
        self._opinions = self._count(self._reviews())
        self._seeds_of, self._seeds_wrong = (
            self._count(known),
            self._count(known.where(SeedReview.grade >= AGREEING_GRADE)),
        )
        later, rivals = self._later().where(confirmed), self._later().where(~confirmed)
        self._misses_of = self._count(later)
        self._misses_wrong = self._count(later.where(Review.grade <= -AGREEING_GRADE))
        self._rivals_of, self._rivals_wrong = (
            self._count(rivals),
            self._count(rivals.where(Review.grade >= AGREEING_GRADE)),
        )
        self._times = self._seconds()
        self._expired = self._count(
            select(ReviewAssignment.examiner_id, func.count())
            .where(ReviewAssignment.examiner_id.in_(examiners), ReviewAssignment.assigned_at >= since)
            .where(ReviewAssignment.ended_because == AssignmentEnd.EXPIRED)
            .group_by(ReviewAssignment.examiner_id)
        )

    def of(self, examiner: User, few: int) -> Quality:
        """One examiner's figures."""
        one = examiner.id
        times = self._times.get(one)

        def measure(wrong: Counts, total: Counts) -> Measure:
            return Measure(wrong.get(one, 0), total.get(one, 0), total.get(one, 0) < few)

        return Quality(
            examiner=examiner,
            opinions=self._opinions.get(one, 0),
            seeds=measure(self._seeds_wrong, self._seeds_of),
            misses=measure(self._misses_wrong, self._misses_of),
            rivals=measure(self._rivals_wrong, self._rivals_of),
            seconds=int(median(times)) if times else None,
            expired=self._expired.get(one, 0),
        )

    def _count(self, statement: Select[uuid.UUID, int]) -> Counts:
        return dict(self._session.execute(statement).all())

    def _reviews(self) -> Select[uuid.UUID, int]:
        return (
            select(Review.examiner_id, func.count())
            .where(Review.examiner_id.in_(self._examiners), Review.withdrawn_at.is_(None))
            .where(Review.committed_at >= self._since)
            .group_by(Review.examiner_id)
        )

    def _later(self) -> Select[uuid.UUID, int]:
        """Opinions on the scale, in cases where somebody has been confirmed."""
        return (
            self._reviews()
            .join(Candidate, Candidate.id == Review.candidate_id)
            .join(Confirmation, Confirmation.case_id == Candidate.case_id)
            .where(Confirmation.recalled_at.is_(None), Review.committed_at <= Confirmation.confirmed_at)
            .where(Review.grade.is_not(None))
        )

    def _seeds(self) -> Select[uuid.UUID, int]:
        """Each examiner's first answer to a seed that is still known to be somebody else, withdrawn since or not."""
        earlier = aliased(SeedReview)
        repeated = exists().where(
            earlier.seed_id == SeedReview.seed_id,
            earlier.examiner_id == SeedReview.examiner_id,
            earlier.committed_at < SeedReview.committed_at,
        )
        return (
            select(SeedReview.examiner_id, func.count())
            .join(ReviewSeed, ReviewSeed.id == SeedReview.seed_id)
            .join(Confirmation, Confirmation.id == ReviewSeed.confirmation_id)
            .where(SeedReview.examiner_id.in_(self._examiners), ~repeated)
            .where(SeedReview.committed_at >= self._since, Confirmation.recalled_at.is_(None))
            .group_by(SeedReview.examiner_id)
        )

    def _seconds(self) -> dict[uuid.UUID, list[float]]:
        found: dict[uuid.UUID, list[float]] = defaultdict(list)
        for kind in (Review, SeedReview):
            rows = self._session.execute(
                select(kind.examiner_id, kind.opened_at, kind.committed_at)
                .where(kind.examiner_id.in_(self._examiners), kind.committed_at >= self._since)
                .where(kind.opened_at.is_not(None))
            )
            for examiner_id, opened_at, committed_at in rows:
                if opened_at is not None:
                    found[examiner_id].append((committed_at - opened_at).total_seconds())
        return found
