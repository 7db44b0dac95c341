"""Explaining a candidate (证据说明): every term with its values, weight and sentence, and what they come to."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from math import log10
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from matcher.evidence.base import Parameters
from matcher.fusion import strength
from matcher.verdict import verdict_of
from matcher.vocabulary import EvidenceKind, GalleryKind, Strength, Verdict
from models.candidate import Candidate
from models.case import Case
from models.report import Report
from tracing.face_models import version_in_force
from tracing.gallery import gallery_size
from tracing.matching_proposals import weigh
from tracing.matching_records import read_records
from tracing.matching_store import term_rows
from tracing.parameter_sets import in_force
from tracing.platform import errors
from tracing.services import Services
from tracing.trail import note


class RecordUnknown(errors.NotFound):
    """No case or report of this number or id."""

    slug = "record_unknown"
    message = "There is no case or report “{reference}”. Give its number as the pages show it, or its id."


class NotComparable(errors.Invalid):
    """Two records that are never a case and its candidate."""

    slug = "not_comparable"
    message = "A case is compared with a report or with another case. Give a case first, then another record."


@dataclass(frozen=True, slots=True)
class ExplainedTerm:
    """One term: its log10 likelihood ratio, the weight (0 to 1) with which it counts, and the two values compared."""

    kind: EvidenceKind
    log10_lr: float
    weight: float
    probe_value: str
    other_value: str
    sentence_zh: str
    sentence_en: str

    @property
    def counted(self) -> float:
        """What it adds to the log10 odds."""
        return self.weight * self.log10_lr


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a candidate's terms come to.

    Attributes:
        log10_lr: sum of the weighted terms.
        gallery_size, prior_log10_odds: of the pass that scored it; None when the size was not kept then.
        posterior: probability 0 to 1, as far as the parameters hold.
    """

    terms: tuple[ExplainedTerm, ...]
    log10_lr: float
    gallery_size: int | None
    prior_log10_odds: float | None
    posterior: float
    strength: Strength
    verdict: Verdict
    parameters_version: str
    model_version: str


@dataclass(frozen=True, slots=True)
class Explained:
    """An explanation with the numbers of both records; `stored` unless it was worked out for the asking alone."""

    case_number: str
    other_number: str
    explanation: Explanation
    stored: bool


def explanation_of(candidate: Candidate, parameters: Parameters) -> Explanation:
    """Of a stored candidate; the verdict by the parameters given."""
    size = candidate.gallery_size
    return _explanation(
        candidate.terms,
        (candidate.log10_lr, candidate.posterior, size),
        (candidate.parameters_version, candidate.model_version),
        parameters,
    )


def explain(session: Session, services: Services, case: str, other: str, *, now: datetime) -> Explained:
    """Why a record is, or is not, a candidate for a case, for an operator at the console; on record in the audit log.

    `case` and `other` are numbers or ids. A pair that is no candidate is weighed for the asking and not stored. Raises
    RecordUnknown, NotComparable.
    """
    services = in_force(session, services)
    first, second = _find(session, case, "case"), _find(session, other, "candidate")
    if not isinstance(first, Case) or first.id == second.id:
        raise NotComparable(field="case")
    stored = session.scalars(
        select(Candidate).where(
            Candidate.pair == ":".join(sorted((str(first.id), str(second.id)))),
        )
    ).one_or_none()
    note(
        session, None, "candidate.explain", "case", first.id, at=now,
        other=second.id, stored=stored is not None, console=True,
    )  # fmt: skip
    if stored is not None:
        return Explained(first.number, second.number, explanation_of(stored, services.parameters), stored=True)
    return Explained(first.number, second.number, _worked_out(session, services, first, second), stored=False)


def _worked_out(session: Session, services: Services, case: Case, other: Case | Report) -> Explanation:
    version, size = version_in_force(session, services), max(1, gallery_size(session))
    kind = GalleryKind.CASE if isinstance(other, Case) else GalleryKind.REPORT
    ours = read_records(session, services, GalleryKind.CASE, [case.id], version).get(case.id)
    theirs = read_records(session, services, kind, [other.id], version).get(other.id)
    if ours is None or theirs is None:
        raise RecordUnknown(field="case", reference=case.number if ours is None else other.number)
    proposal = weigh(services, ours, theirs, size, listed=False)
    return _explanation(
        term_rows(proposal),
        (proposal.fusion.log10_lr, proposal.fusion.posterior, size),
        (services.parameters.version, version),
        services.parameters,
    )


def _explanation(
    rows: list[dict[str, Any]],
    figures: tuple[float, float, int | None],
    versions: tuple[str, str],
    parameters: Parameters,
) -> Explanation:
    total, posterior, size = figures
    terms = tuple(
        ExplainedTerm(
            EvidenceKind(row["kind"]), float(row["log10_lr"]), float(row.get("weight", 1.0)), row["probe_value"],
            row["other_value"], row["sentence_zh"], row["sentence_en"],
        )
        for row in rows
    )  # fmt: skip
    by_kind = {term.kind: term.log10_lr for term in terms}
    return Explanation(
        terms=terms,
        log10_lr=total,
        gallery_size=size,
        prior_log10_odds=None if size is None else -log10(max(size, 1)),
        posterior=posterior,
        strength=strength(total),
        verdict=verdict_of(by_kind, total, posterior, parameters),
        parameters_version=versions[0],
        model_version=versions[1],
    )


def _find(session: Session, reference: str, field: str) -> Case | Report:
    reference = reference.strip()
    try:
        identity = uuid.UUID(reference)
    except ValueError:
        identity = None
    for record in (
        session.scalars(select(Case).where(or_(Case.number == reference, Case.id == identity))).first(),
        session.scalars(select(Report).where(or_(Report.number == reference, Report.id == identity))).first(),
    ):
        if record is not None:
            return record
    raise RecordUnknown(field=field, reference=reference)
