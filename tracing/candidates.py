"""Candidates (候选) as each viewer may see them.

Until an examiner has committed an opinion, scores, ranks and colleagues' opinions stay sealed for that examiner, and
the order is shuffled, differently for each: seeing a verdict first shifts the judgement by a full step (PLOS ONE
study cited in the domain notes). Before that, an examiner sees no candidate at all: the unknown person's features are
noted first (`tracing.features`). Seeds pass for candidates here (`tracing.review_seeds`).
"""

import hashlib
import uuid
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, joinedload

from models.candidate import Candidate, CandidateState
from models.case import Case
from models.photo import Photo
from models.profile import Profile
from models.report import Report
from models.review import Review
from models.review_protocol import ReviewLook
from tracing import access
from tracing.access import Permission, Viewer
from tracing.cases import seen_case
from tracing.features import require_noted
from tracing.photos import photos_of
from tracing.profiles import load_facts, with_profile_on_demand
from tracing.review_seeds import answers_of, as_candidate, as_candidates, find_seed, seeds_of
from tracing.trail import note


@dataclass(frozen=True)
class CandidateView:
    """A candidate as one viewer sees it. `sealed`: scores, rank and others' opinions are withheld from this viewer.

    `rank` counts from 1 by strength among the listed candidates of the case; None when sealed. `reviews` are those
    that the viewer may see: all of them unsealed, none while sealed.
    """

    candidate: Candidate
    sealed: bool
    rank: int | None
    own_review: Review | None
    reviews: tuple[Review, ...]

    @property
    def other(self) -> Case | Report:
        """The record that the case's person could be."""
        other = self.candidate.report or self.candidate.other_case
        if other is None:
            raise ValueError("a candidate without its other record")
        return other

    @property
    def other_profile(self) -> Profile:
        """What is known of that record's person."""
        return self.other.profile


def list_candidates(
    session: Session, viewer: Viewer, case: uuid.UUID | Case, *, facts: bool = True, now: datetime
) -> list[CandidateView]:
    """The candidates of a case: strongest first, or shuffled for an examiner who has opinions still to give.

    `facts`: with what is known of the persons. Raises FeaturesMissing for an examiner who has yet to describe the
    case's person.
    """
    access.require(viewer, Permission.CANDIDATE_READ)
    case = seen_case(session, viewer, case)
    stored = session.scalars(
        _loaded(viewer)
        .where(or_(Candidate.case_id == case.id, Candidate.other_case_id == case.id))
        .where(or_(Candidate.listed, Candidate.state != CandidateState.OPEN))
        .where(Candidate.state != CandidateState.EXCLUDED)
    ).all()
    reviews = _reviews(session, [candidate.id for candidate in stored])
    seeds = seeds_of(session, viewer, case.id)
    reviews |= answers_of(session, [seed.id for seed in seeds])
    candidates = sorted((*stored, *as_candidates(session, seeds, reviews)), key=lambda one: (-one.log10_lr, one.id))
    if facts:
        sides = (side for one in candidates for side in (one.case, one.other_case, one.report) if side is not None)
        load_facts(session, (side.profile for side in sides))
    views = [
        _view(candidate, viewer, reviews.get(candidate.id, ()), rank=rank)
        for rank, candidate in enumerate(candidates, start=1)
    ]
    sealed = any(view.sealed for view in views)
    if sealed and access.examines(viewer):
        require_noted(session, viewer, case)
    note(session, viewer, "candidate.list", "case", case.id, at=now, count=len(views))
    if sealed:
        views.sort(key=lambda view: _shuffled(viewer, case.id, view.candidate.id))
    return views


def get_candidate(session: Session, viewer: Viewer, candidate_id: uuid.UUID, *, now: datetime) -> CandidateView:
    """One candidate with both records. Raises NotFound outside the viewer's scope, FeaturesMissing as the list does.

    When somebody who has yet to judge it opens it, the moment is kept: the time spent counts from there.
    """
    access.require(viewer, Permission.CANDIDATE_READ)
    seed = find_seed(session, viewer, candidate_id)
    if seed is None:
        candidate = load_candidate(session, viewer, candidate_id)
        reviews = _reviews(session, [candidate.id]).get(candidate.id, ())
    else:
        reviews = answers_of(session, [seed.id]).get(seed.id, ())
        candidate = as_candidate(session, seed, judged=bool(reviews))
    load_facts(session, (candidate.case.profile, (candidate.report or candidate.other_case or candidate.case).profile))
    view = _view(candidate, viewer, reviews)
    if not view.sealed:
        view = replace(view, rank=_rank(session, viewer, candidate))
    else:
        if access.examines(viewer):
            require_noted(session, viewer, candidate.case, candidate.other_case)
        session.add(
            ReviewLook(
                id=uuid.uuid4(),
                examiner_id=viewer.user_id,
                candidate_id=None if seed else candidate.id,
                seed_id=seed.id if seed else None,
                opened_at=now,
            )
        )
    note(session, viewer, "candidate.view", "candidate", candidate.id, at=now, case=candidate.case_id)
    return view


def _rank(session: Session, viewer: Viewer, candidate: Candidate) -> int:
    """The candidate's place by strength among those that this viewer sees listed; one after the last if it is not."""
    listed = session.execute(
        select(Candidate.log10_lr, Candidate.id).where(Candidate.case_id == candidate.case_id, Candidate.listed)
    )
    sown = ((seed.log10_lr, seed.id) for seed in seeds_of(session, viewer, candidate.case_id))
    order = [one for _, one in sorted((*listed, *sown), key=lambda row: (-row[0], row[1]))]
    return order.index(candidate.id) + 1 if candidate.id in order else len(order) + 1


def load_candidate(session: Session, viewer: Viewer, candidate_id: uuid.UUID, *, lock: bool = False) -> Candidate:
    """A candidate for a use case that logs its own action."""
    statement = _loaded(viewer).where(Candidate.id == candidate_id).execution_options(populate_existing=True)
    if lock:
        statement = statement.with_for_update(of=Candidate)
    candidate: Candidate = access.find(session, statement)
    return candidate


def seen_side(session: Session, viewer: Viewer, candidate: Candidate) -> Case:
    """Of two cases that could be one person, the one that the viewer sees; the candidate's own case first."""
    sides = [one for one in (candidate.case, candidate.other_case) if one is not None]
    seen = set(
        session.scalars(select(Case.id).where(Case.id.in_([one.id for one in sides]), access.case_scope(viewer)))
    )
    return next(one for one in sides if one.id in seen)


def candidate_photos(session: Session, view: CandidateView) -> tuple[list[Photo], list[Photo]]:
    """Photographs of the case's person and of the candidate."""
    ours, theirs = view.candidate.case.profile_id, view.other_profile.id
    found = photos_of(session, (ours, theirs))
    return found[ours], found[theirs]


def _loaded(viewer: Viewer) -> Select[Candidate]:
    profile = with_profile_on_demand
    return (
        select(Candidate)
        .where(access.candidate_scope(viewer))
        .options(
            joinedload(Candidate.case).options(joinedload(Case.organisation), *profile(Case.profile)),
            joinedload(Candidate.other_case).options(joinedload(Case.organisation), *profile(Case.profile)),
            joinedload(Candidate.report).options(joinedload(Report.organisation), *profile(Report.profile)),
        )
    )


def _reviews(session: Session, candidate_ids: list[uuid.UUID]) -> dict[uuid.UUID, tuple[Review, ...]]:
    rows = session.scalars(
        select(Review)
        .where(Review.candidate_id.in_(candidate_ids), Review.withdrawn_at.is_(None))
        .options(joinedload(Review.examiner))
        .order_by(Review.committed_at)
    )
    found: dict[uuid.UUID, tuple[Review, ...]] = {}
    for row in rows:
        found[row.candidate_id] = (*found.get(row.candidate_id, ()), row)
    return found


def _view(
    candidate: Candidate, viewer: Viewer, reviews: tuple[Review, ...], *, rank: int | None = None
) -> CandidateView:
    own = next((review for review in reviews if review.examiner_id == viewer.user_id), None)
    undecided = candidate.state in (CandidateState.OPEN, CandidateState.JUDGED)
    sealed = viewer.may(Permission.REVIEW) and own is None and undecided
    return CandidateView(candidate, sealed, None if sealed else rank, own, () if sealed else reviews)


def _shuffled(viewer: Viewer, case_id: uuid.UUID, candidate_id: uuid.UUID) -> bytes:
    """A key that orders a case's candidates at random, but each time the same for one examiner."""
    return hashlib.sha256(case_id.bytes + viewer.user_id.bytes + candidate_id.bytes).digest()
