"""Review (复核): the opinion that an examiner commits alone, feature by feature, and takes back."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.candidate import Candidate, CandidateState
from models.confirmation import Confirmation
from models.review import FeatureFinding, Opinion, Review
from models.review_protocol import ReviewLook, ReviewSeed, SeedReview
from tracing import access
from tracing.access import Permission, Viewer
from tracing.candidates import load_candidate
from tracing.facts import check_optional_text
from tracing.features import TEXT_LIMIT, FeatureUnknown, require_noted
from tracing.platform import errors
from tracing.review_assignment import settle_own
from tracing.review_pace import check_pace
from tracing.review_policy import features_named
from tracing.review_seeds import as_candidate, as_review, find_seed, standing_answer
from tracing.review_states import REVIEWABLE, ConflictOfInterest, refuse_own_case
from tracing.services import Services
from tracing.trail import note

__all__ = ["REVIEWABLE", "ConflictOfInterest", "refuse_own_case"]


class AlreadyJudged(errors.Conflict):
    """A second opinion of the same examiner."""

    slug = "already_judged"
    message = "Your opinion on this candidate is committed. Withdraw it first if you want to change it."


class NotInReview(errors.Conflict):
    """The case or the candidate no longer takes opinions."""

    slug = "not_in_review"
    message = "This candidate is not under review now. Reload the page to see what has been decided."


class ReviewInUse(errors.Conflict):
    """A confirmation rests on the opinion."""

    slug = "review_in_use"
    message = "A confirmation rests on this opinion. The supervisor has to recall the confirmation first."


class FeatureTwice(errors.Invalid):
    """Two remarks on one feature."""

    slug = "feature_twice"
    message = "There are two remarks on this feature. Put them into one."


@dataclass(frozen=True, slots=True)
class FeatureRemark:
    """What comparing one feature of the list came to."""

    feature: str
    finding: FeatureFinding
    text: str | None = None


@dataclass(frozen=True, slots=True)
class _Judged:
    """What an opinion is about: a candidate, or a seed that passes for one."""

    candidate: Candidate
    seed: ReviewSeed | None


def commit_review(
    session: Session,
    services: Services,
    viewer: Viewer,
    candidate_id: uuid.UUID,
    opinion: Opinion,
    remarks: str | None,
    *,
    features: Sequence[FeatureRemark] = (),
    now: datetime,
) -> Review:
    """Commit the examiner's opinion, with what each feature came to.

    Raises ConflictOfInterest, FeaturesMissing, AlreadyJudged, NotInReview, FeatureUnknown, FeatureTwice,
    LookTooShort, PaceTooFast.
    """
    access.require(viewer, Permission.REVIEW)
    judged = _load(session, viewer, candidate_id)
    candidate = judged.candidate
    refuse_own_case(viewer, candidate.case)
    if candidate.case.state not in REVIEWABLE or candidate.state not in (CandidateState.OPEN, CandidateState.JUDGED):
        raise NotInReview()
    if standing_review(session, viewer, candidate.id) is not None:
        raise AlreadyJudged()
    require_noted(session, viewer, candidate.case, candidate.other_case)
    opened_at = _opened_at(session, viewer, judged)
    check_pace(session, services, viewer, opened_at, now=now)
    given: dict[str, Any] = {
        "id": uuid.uuid4(),
        "examiner_id": viewer.user_id,
        "opinion": opinion,
        "grade": opinion.grade,
        "remarks": check_optional_text(remarks, field="remarks", limit=4000),
        "features": _checked(features),
        "opened_at": opened_at,
        "committed_at": now,
    }
    review = _store(session, judged, given)
    settle_own(session, viewer, candidate.case_id, now=now)
    note(
        session,
        viewer,
        "review.commit",
        "candidate",
        candidate.id,
        at=now,
        case=candidate.case_id,
        opinion=opinion.value,
    )
    return review


def _load(session: Session, viewer: Viewer, candidate_id: uuid.UUID) -> _Judged:
    seed = find_seed(session, viewer, candidate_id, lock=True)
    if seed is None:
        return _Judged(load_candidate(session, viewer, candidate_id, lock=True), None)
    answered = standing_answer(session, viewer.user_id, seed.id) is not None
    return _Judged(as_candidate(session, seed, judged=answered), seed)


def _store(session: Session, judged: _Judged, given: dict[str, Any]) -> Review:
    if judged.seed is None:
        review = Review(candidate_id=judged.candidate.id, **given)
        session.add(review)
        judged.candidate.state = CandidateState.JUDGED
    else:
        answer = SeedReview(seed_id=judged.seed.id, **given)
        session.add(answer)
        review = as_review(answer)
    session.flush()
    return review


def _checked(features: Sequence[FeatureRemark]) -> list[dict[str, Any]] | None:
    """In the order of the list; None when no feature was remarked on."""
    by_key = {one.feature: one for one in features}
    if len(by_key) < len(features):
        raise FeatureTwice(field="features")
    known = features_named()
    if not by_key.keys() <= known.keys():
        raise FeatureUnknown(field="features")
    rows = []
    for key in known:
        if key in by_key:
            text = check_optional_text(by_key[key].text, field=f"features.{key}", limit=TEXT_LIMIT)
            rows.append({"feature": key, "finding": by_key[key].finding.value, "text": text})
    return rows or None


def _opened_at(session: Session, viewer: Viewer, judged: _Judged) -> datetime | None:
    """When the examiner first opened it for this opinion: after withdrawing an earlier one, if there was one."""
    about = judged.candidate.id
    kind = SeedReview if judged.seed else Review
    thing = SeedReview.seed_id if judged.seed else Review.candidate_id
    withdrawn = session.scalar(
        select(func.max(kind.withdrawn_at)).where(thing == about, kind.examiner_id == viewer.user_id)
    )
    looked = ReviewLook.seed_id if judged.seed else ReviewLook.candidate_id
    statement = select(func.min(ReviewLook.opened_at)).where(looked == about, ReviewLook.examiner_id == viewer.user_id)
    if withdrawn is not None:
        statement = statement.where(ReviewLook.opened_at >= withdrawn)
    return session.scalar(statement)


def withdraw_review(session: Session, viewer: Viewer, candidate_id: uuid.UUID, *, now: datetime) -> None:
    """Withdraw the examiner's own opinion; the row stays. Raises ReviewInUse, NotFound."""
    access.require(viewer, Permission.REVIEW)
    judged = _load(session, viewer, candidate_id)
    candidate = judged.candidate
    review: Review | SeedReview | None
    if judged.seed is None:
        review = _own_review(session, viewer, candidate.id)
    else:
        review = standing_answer(session, viewer.user_id, judged.seed.id)
    if review is None:
        raise errors.NotFound()
    in_use = session.scalar(
        select(Confirmation.id).where(Confirmation.candidate_id == candidate.id, Confirmation.recalled_at.is_(None))
    )
    if in_use is not None:
        raise ReviewInUse()
    review.withdrawn_at = now
    session.flush()
    note(session, viewer, "review.withdraw", "candidate", candidate.id, at=now, case=candidate.case_id)


def standing_review(session: Session, viewer: Viewer, candidate_id: uuid.UUID) -> Review | None:
    """The viewer's own committed opinion on a candidate, or on what passes for one."""
    own = _own_review(session, viewer, candidate_id)
    if own is not None:
        return own
    answer = standing_answer(session, viewer.user_id, candidate_id)
    return None if answer is None else as_review(answer)


def _own_review(session: Session, viewer: Viewer, candidate_id: uuid.UUID) -> Review | None:
    return session.scalars(
        select(Review).where(
            Review.candidate_id == candidate_id, Review.examiner_id == viewer.user_id, Review.withdrawn_at.is_(None)
        )
    ).one_or_none()
