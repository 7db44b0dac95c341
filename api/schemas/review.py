"""Candidates and opinions over the wire. What is sealed for an examiner has no field at all."""

import uuid
from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from api.schemas.base import Input, Output, Text
from api.schemas.cases import CaseSummary
from api.schemas.facts import FactsOut, division_name, facts_out
from api.schemas.organisations import OrganisationRef, organisation_ref
from api.schemas.photos import PhotoOut, photo_out
from matcher.vocabulary import EvidenceKind, GalleryKind
from models.candidate import CandidateState
from models.case import Case
from models.photo import Photo
from models.report import Report
from models.review import Opinion, Review
from tracing.candidates import CandidateView


class QueueItemOut(Output):
    """A case with candidates that wait for the examiner's opinion."""

    case: CaseSummary
    waiting: int


class ReviewIn(Input):
    """An opinion, committed once and for all to see."""

    opinion: Opinion
    remarks: Text | None = None

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"opinion": "supports", "remarks": "same ear shape, same scar on the chin"}]}
    )


class ReviewOut(Output):
    """A committed opinion."""

    id: uuid.UUID
    examiner_id: uuid.UUID
    examiner: str
    opinion: Opinion
    grade: int | None
    remarks: str | None
    committed_at: datetime


class RecordOut(Output):
    """One side of a comparison: a case or a report, with what is known of its person."""

    kind: GalleryKind
    id: uuid.UUID
    number: str
    organisation: OrganisationRef
    seen_on: date | None = Field(description="Found (case) or last seen (report) on this day.")
    seen_division: str | None
    seen_division_name: str | None
    seen_place: str | None
    facts: FactsOut


class TermOut(Output):
    """One term of a candidate's score, with the sentence that explains it."""

    kind: EvidenceKind
    log10_lr: float
    probe_value: str
    other_value: str
    sentence_zh: str
    sentence_en: str


class SealedCandidate(Output):
    """A candidate on which this examiner has yet to commit an opinion: no score, no rank, nobody's opinion."""

    id: uuid.UUID
    sealed: Literal[True]
    case_id: uuid.UUID
    other: RecordOut
    proposed_at: datetime


class OpenCandidate(Output):
    """A candidate with its score, term by term, and every opinion."""

    id: uuid.UUID
    sealed: Literal[False]
    case_id: uuid.UUID
    other: RecordOut
    proposed_at: datetime
    updated_at: datetime
    state: CandidateState
    rank: int | None
    log10_lr: float
    posterior: float
    face_similarity: float | None
    terms: tuple[TermOut, ...]
    reviews: tuple[ReviewOut, ...]
    model_version: str
    index_version: str
    parameters_version: str


CandidateOut = Annotated[SealedCandidate | OpenCandidate, Field(discriminator="sealed")]


class CandidatesOut(Output):
    """The candidates of a case."""

    items: tuple[CandidateOut, ...]


class ComparisonOut(Output):
    """A candidate with both persons side by side."""

    candidate: CandidateOut
    case: RecordOut
    case_photos: tuple[PhotoOut, ...]
    other_photos: tuple[PhotoOut, ...]


def review_out(review: Review, examiner: str) -> ReviewOut:
    """An opinion with its examiner's name."""
    return ReviewOut(
        id=review.id,
        examiner_id=review.examiner_id,
        examiner=examiner,
        opinion=review.opinion,
        grade=review.grade,
        remarks=review.remarks,
        committed_at=review.committed_at,
    )


def record_out(record: Case | Report) -> RecordOut:
    """A record that was loaded with its organisation and facts."""
    if isinstance(record, Case):
        kind, seen = GalleryKind.CASE, (record.found_on, record.found_division, record.found_place)
    else:
        kind = GalleryKind.REPORT
        seen = (record.last_seen_on, record.last_seen_division, record.last_seen_place)
    return RecordOut(
        kind=kind,
        id=record.id,
        number=record.number,
        organisation=organisation_ref(record.organisation),
        seen_on=seen[0],
        seen_division=seen[1],
        seen_division_name=division_name(seen[1]),
        seen_place=seen[2],
        facts=facts_out(record.profile),
    )


def candidate_out(view: CandidateView) -> SealedCandidate | OpenCandidate:
    """A candidate as its view allows."""
    candidate = view.candidate
    if view.sealed:
        return SealedCandidate(
            id=candidate.id,
            sealed=True,
            case_id=candidate.case_id,
            other=record_out(view.other),
            proposed_at=candidate.proposed_at,
        )
    return OpenCandidate(
        id=candidate.id,
        sealed=False,
        case_id=candidate.case_id,
        other=record_out(view.other),
        proposed_at=candidate.proposed_at,
        updated_at=candidate.updated_at,
        state=candidate.state,
        rank=view.rank,
        log10_lr=candidate.log10_lr,
        posterior=candidate.posterior,
        face_similarity=candidate.face_similarity,
        terms=tuple(TermOut.model_validate(term) for term in candidate.terms),
        reviews=tuple(review_out(review, review.examiner.display_name) for review in view.reviews),
        model_version=candidate.model_version,
        index_version=candidate.index_version,
        parameters_version=candidate.parameters_version,
    )


def comparison_out(view: CandidateView, photos: tuple[Iterable[Photo], Iterable[Photo]]) -> ComparisonOut:
    """Both persons, their photographs, and what the viewer may see of the score."""
    case_photos, other_photos = photos
    return ComparisonOut(
        candidate=candidate_out(view),
        case=record_out(view.candidate.case),
        case_photos=tuple(photo_out(photo) for photo in case_photos),
        other_photos=tuple(photo_out(photo) for photo in other_photos),
    )
