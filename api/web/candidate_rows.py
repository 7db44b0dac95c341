"""Candidates as rows of a page: the other record, and the score unless it is sealed for the viewer."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from api.web.brief import Brief, brief_of
from api.web.evidence import Bar, Span, bars, span
from api.web.page import Page
from matcher.evidence.base import Parameters
from matcher.verdict import SENTENCES, list_verdict
from matcher.vocabulary import GalleryKind, Strength
from models.candidate import Candidate
from models.case import Case
from models.organisation import Organisation
from models.photo import Photo
from models.report import Report
from models.review import Review
from models.user import Locale
from tracing.access import Permission
from tracing.candidate_changes import ChangeView, list_changes
from tracing.candidates import CandidateView, list_candidates
from tracing.explanations import Explanation, explanation_of
from tracing.paging import Page as Paged
from tracing.parameter_sets import in_force
from tracing.photos import photos_of


@dataclass(frozen=True)
class Score:
    """What is withheld from an examiner before the opinion."""

    rank: int
    log10_lr: float
    strength: Strength
    bars: list[Bar]
    sum: Span
    told: Explanation
    verdict: str


@dataclass(frozen=True)
class CandidateRow:
    """One candidate. `score` is None, and `reviews` empty, while they are sealed for the viewer."""

    candidate: Candidate
    kind: GalleryKind
    number: str
    organisation: Organisation
    brief: Brief
    photo_id: uuid.UUID | None
    score: Score | None
    own: Review | None
    reviews: tuple[Review, ...]


def score_of(page: Page, view: CandidateView, parameters: Parameters) -> Score | None:
    """The score, for a viewer for whom it is not sealed; the verdict by the parameters in force."""
    if view.sealed or view.rank is None:
        return None
    told = explanation_of(view.candidate, parameters)
    verdict = SENTENCES[told.verdict][0 if page.locale is Locale.ZH else 1]
    return Score(view.rank, told.log10_lr, told.strength, bars(told, page.locale), span(told.log10_lr), told, verdict)


def best_first(photos: list[Photo]) -> list[Photo]:
    """Photographs with a chosen face before those without, clearer faces first."""

    def worth(photo: Photo) -> int:
        return max((face.quality_overall for face in photo.shown_faces if face.chosen), default=-1)

    return sorted(photos, key=worth, reverse=True)


def candidate_rows(page: Page, case: Case) -> list[CandidateRow]:
    """The candidates of a case in the order in which this viewer may see them; none for a role without them."""
    if not page.may(Permission.CANDIDATE_READ):
        return []
    parameters = in_force(page.session, page.services).parameters
    views = list_candidates(page.session, page.viewer, case, now=page.now)
    photos = photos_of(page.session, (_other(view, case).profile_id for view in views))
    return [_row(page, view, case, parameters, photos) for view in views]


def list_sentence(page: Page, rows: list[CandidateRow]) -> str | None:
    """What a list comes to; None while a part of it is sealed for the viewer, or there is no list."""
    scores = [row.score for row in rows]
    if not scores or None in scores:
        return None
    verdict = list_verdict(score.told.verdict for score in scores if score is not None)
    return SENTENCES[verdict][0 if page.locale is Locale.ZH else 1]


def changes_of(
    page: Page, case: Case, limit: int, *, candidate_id: uuid.UUID | None = None, cursor: str | None = None
) -> Paged[ChangeView] | None:
    """What matching changed in a case's list, newest first; None for a role without candidates."""
    if not page.may(Permission.CANDIDATE_READ):
        return None
    return list_changes(
        page.session, page.viewer, case, candidate_id=candidate_id, cursor=cursor, limit=limit, now=page.now
    )


def _other(view: CandidateView, case: Case) -> Case | Report:
    """Of two cases that found each other, the other is whichever is not the one being looked at."""
    return view.candidate.case if view.candidate.other_case_id == case.id else view.other


def _row(
    page: Page,
    view: CandidateView,
    case: Case,
    parameters: Parameters,
    photos_by_profile: Mapping[uuid.UUID, list[Photo]],
) -> CandidateRow:
    other = _other(view, case)
    photos = best_first(photos_by_profile[other.profile_id])
    return CandidateRow(
        candidate=view.candidate,
        kind=GalleryKind.CASE if isinstance(other, Case) else GalleryKind.REPORT,
        number=other.number,
        organisation=other.organisation,
        brief=brief_of(other.profile),
        photo_id=photos[0].id if photos else None,
        score=score_of(page, view, parameters),
        own=view.own_review,
        reviews=view.reviews,
    )
