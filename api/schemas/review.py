"""Candidates and opinions over the wire. What is sealed for an examiner has no field at all."""

import uuid
from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from api.schemas.base import Input, Line, Output, Text
from api.schemas.cases import CaseSummary, case_summary
from api.schemas.facts import FactsOut, division_name, facts_out
from api.schemas.organisations import OrganisationRef, organisation_ref
from api.schemas.photos import PhotoOut, photo_out
from matcher.evidence.base import Parameters
from matcher.vocabulary import EvidenceKind, GalleryKind, Strength, Verdict
from models.candidate import CandidateState, ListChange
from models.case import Case
from models.photo import Photo
from models.report import Report
from models.review import FeatureFinding, Opinion, Review
from tracing.candidate_changes import ChangeView
from tracing.candidates import CandidateView
from tracing.explanations import ExplainedTerm, explanation_of
from tracing.review import FeatureRemark
from tracing.review_queue import ClockBand, Need, QueueItem


class QueueItemOut(Output):
    """A case with candidates that wait for the examiner's opinion."""

    case: CaseSummary
    waiting: int | None = Field(description="How many; null until the examiner has noted the person's features.")
    clock: ClockBand = Field(description="How near the case's next deadline is.")
    needs: tuple[Need, ...] = Field(description="Why the person is in need of haste, by the recorded facts.")
    assigned_until: datetime | None = Field(description="Given to this examiner until then; null: to be taken.")


class FeatureRemarkIn(Input):
    """What comparing one feature of the list came to."""

    feature: Line
    finding: FeatureFinding
    text: str | None = Field(None, max_length=500, pattern=r"^[^\x00]*$")


class ReviewIn(Input):
    """An opinion, committed once and for all to see."""

    opinion: Opinion
    remarks: Text | None = None
    features: tuple[FeatureRemarkIn, ...] = Field((), max_length=40)

    def features_compared(self) -> tuple[FeatureRemark, ...]:
        """As the use case takes them."""
        return tuple(FeatureRemark(one.feature, one.finding, one.text) for one in self.features)

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "opinion": "supports",
                    "remarks": "same ear shape, same scar on the chin",
                    "features": [{"feature": "ears", "finding": "similar", "text": "attached lobe"}],
                }
            ]
        }
    )


class FeatureRemarkOut(Output):
    """What comparing one feature came to."""

    feature: str
    finding: FeatureFinding
    text: str | None


class ReviewOut(Output):
    """A committed opinion."""

    id: uuid.UUID
    examiner_id: uuid.UUID
    examiner: str
    opinion: Opinion
    grade: int | None
    remarks: str | None
    features: tuple[FeatureRemarkOut, ...]
    committed_at: datetime
    seconds: int | None = Field(description="From opening the candidate to the opinion; null where not measured.")


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
    weight: float = Field(description="0 to 1: terms that tell in part of the same fact count less.")
    counted: float = Field(description="Weight times log10_lr: what the term adds to the sum.")
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
    strength: Strength
    verdict: Verdict
    gallery_size: int | None
    prior_log10_odds: float | None
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


class RecordNameOut(Output):
    """A record by its number."""

    kind: GalleryKind
    id: uuid.UUID
    number: str


class ChangedTermOut(Output):
    """A term whose share of the sum changed; null where it said nothing."""

    kind: EvidenceKind
    before: float | None
    after: float | None


class ChangeOut(Output):
    """What one matching pass changed about one candidate, and whose new facts caused it."""

    at: datetime
    candidate_id: uuid.UUID
    change: ListChange
    other: RecordNameOut
    cause: RecordNameOut = Field(description="The record whose pass it was: new facts of it were compared.")
    revision: int = Field(description="The state of that record's facts.")
    log10_lr_before: float | None
    log10_lr_after: float
    rank_before: int | None
    rank_after: int | None
    terms: tuple[ChangedTermOut, ...]


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
        features=tuple(FeatureRemarkOut.model_validate(one) for one in review.features or ()),
        committed_at=review.committed_at,
        seconds=review.seconds,
    )


def queue_item_out(item: QueueItem) -> QueueItemOut:
    """A case of the queue. How strong its candidates are is not told."""
    return QueueItemOut(
        case=case_summary(item.case),
        waiting=item.waiting,
        clock=item.clock,
        needs=item.needs,
        assigned_until=item.assigned_until,
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


def candidate_out(view: CandidateView, parameters: Parameters) -> SealedCandidate | OpenCandidate:
    """A candidate as its view allows; the verdict by the parameters in force."""
    candidate = view.candidate
    if view.sealed:
        return SealedCandidate(
            id=candidate.id,
            sealed=True,
            case_id=candidate.case_id,
            other=record_out(view.other),
            proposed_at=candidate.proposed_at,
        )
    told = explanation_of(candidate, parameters)
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
        strength=told.strength,
        verdict=told.verdict,
        gallery_size=told.gallery_size,
        prior_log10_odds=told.prior_log10_odds,
        posterior=candidate.posterior,
        face_similarity=candidate.face_similarity,
        terms=tuple(_term_out(term) for term in told.terms),
        reviews=tuple(review_out(review, review.examiner.display_name) for review in view.reviews),
        model_version=candidate.model_version,
        index_version=candidate.index_version,
        parameters_version=candidate.parameters_version,
    )


def _term_out(term: ExplainedTerm) -> TermOut:
    return TermOut(
        kind=term.kind,
        log10_lr=term.log10_lr,
        weight=term.weight,
        counted=term.counted,
        probe_value=term.probe_value,
        other_value=term.other_value,
        sentence_zh=term.sentence_zh,
        sentence_en=term.sentence_en,
    )


def change_out(view: ChangeView) -> ChangeOut:
    """One change of a list."""
    row = view.row
    return ChangeOut(
        at=row.at,
        candidate_id=row.candidate_id,
        change=row.change,
        other=RecordNameOut.model_validate(view.other, from_attributes=True),
        cause=RecordNameOut.model_validate(view.cause, from_attributes=True),
        revision=row.match_pass.revision,
        log10_lr_before=row.log10_lr_before,
        log10_lr_after=row.log10_lr_after,
        rank_before=row.rank_before,
        rank_after=row.rank_after,
        terms=tuple(ChangedTermOut.model_validate(term) for term in row.terms),
    )


def comparison_out(
    view: CandidateView, photos: tuple[Iterable[Photo], Iterable[Photo]], parameters: Parameters
) -> ComparisonOut:
    """Both persons, their photographs, and what the viewer may see of the score."""
    case_photos, other_photos = photos
    return ComparisonOut(
        candidate=candidate_out(view, parameters),
        case=record_out(view.candidate.case),
        case_photos=tuple(photo_out(photo) for photo in case_photos),
        other_photos=tuple(photo_out(photo) for photo in other_photos),
    )
