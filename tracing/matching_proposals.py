"""Proposals (候选推荐): the records that were retrieved, weighed against the probe term by term, strongest first."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, aliased

from matcher import profile as matching
from matcher.evidence.base import Evidence
from matcher.evidence.terms import compare
from matcher.fusion import Fusion, fuse
from matcher.vocabulary import GalleryKind
from models.candidate import Candidate, CandidateState
from models.case import SEARCHED, Case
from models.report import Report
from tracing.gallery import searchable_case, searchable_report
from tracing.matching_records import Record, read_records
from tracing.matching_retrieval import retrieve_all
from tracing.services import Services

Other = tuple[GalleryKind, uuid.UUID]


@dataclass(frozen=True)
class Proposal:
    """A candidate before it is stored: whose list it belongs to, who it is, and why.

    `listed`: whether it belongs in the list; one that does not is told of because it stands in it.
    """

    case_id: uuid.UUID
    report_id: uuid.UUID | None
    other_case_id: uuid.UUID | None
    terms: tuple[Evidence, ...]
    fusion: Fusion
    similarity: float | None
    listed: bool = True

    @property
    def pair(self) -> str:
        """The unordered pair's name."""
        return ":".join(sorted((str(self.case_id), str(self.report_id or self.other_case_id))))

    def other_than(self, record_id: uuid.UUID) -> uuid.UUID:
        """The record of the pair that is not this one."""
        other = self.report_id or self.other_case_id or self.case_id
        return self.case_id if other == record_id else other


def propose(
    session: Session, services: Services, probes: Sequence[Record], size: int, version: str
) -> list[list[Proposal]]:
    """The best candidates of each probe (all of one kind), strongest first: one search and one reading for all of them.

    Whoever stands in a list with the probe already is weighed again, so that the list can say what became of everybody:
    those that no longer belong there come last, not `listed`. Raises IndexWarming.
    """
    kinds = frozenset(GalleryKind) if probes[0].kind is GalleryKind.CASE else frozenset({GalleryKind.CASE})
    wanted = retrieve_all(session, services, probes, kinds, size, version)
    standing = listed_with(session, [probe.id for probe in probes])
    for probe, found in zip(probes, wanted, strict=True):
        for kind, other in sorted(standing.get(probe.id, ())):
            found[kind] += [] if other in found[kind] else [other]
    others: dict[GalleryKind, dict[uuid.UUID, Record]] = {}
    for kind in kinds:
        ids = list(dict.fromkeys(one for found in wanted for one in found[kind]))
        others[kind] = read_records(session, services, kind, ids, version)
    return [
        _best(
            services,
            [
                _weigh(services, probe, others[kind][one], size)
                for kind, ids in found.items()
                for one in ids
                if one in others[kind]
            ],
            probe,
            standing.get(probe.id, frozenset()),
        )
        for probe, found in zip(probes, wanted, strict=True)
    ]


def listed_with(session: Session, record_ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, set[Other]]:
    """Who stands in a list together with each of these records, is searchable, and is judged by nobody yet."""
    found: dict[uuid.UUID, set[Other]] = defaultdict(set)
    other_case = aliased(Case)
    rows = session.execute(
        select(Candidate.case_id, Candidate.report_id, Candidate.other_case_id)
        .join(Case, Case.id == Candidate.case_id)
        .outerjoin(Report, Report.id == Candidate.report_id)
        .outerjoin(other_case, other_case.id == Candidate.other_case_id)
        .where(Candidate.listed, Candidate.state == CandidateState.OPEN)
        .where(searchable_case(), or_(searchable_report(), other_case.state.in_(SEARCHED)))
        .where(
            or_(
                Candidate.case_id.in_(record_ids),
                Candidate.report_id.in_(record_ids),
                Candidate.other_case_id.in_(record_ids),
            )
        )
    )
    for case_id, report_id, other_case_id in rows:
        if report_id is not None:
            found[case_id].add((GalleryKind.REPORT, report_id))
            found[report_id].add((GalleryKind.CASE, case_id))
        elif other_case_id is not None:
            found[case_id].add((GalleryKind.CASE, other_case_id))
            found[other_case_id].add((GalleryKind.CASE, case_id))
    return found


def _best(
    services: Services, proposals: Sequence[Proposal], probe: Record, standing: Collection[Other]
) -> list[Proposal]:
    """The strongest, those that stand in another's list and still may, and last those that stand and no longer may."""
    settings = services.settings.matching
    ranked = sorted(proposals, key=lambda one: (-one.fusion.log10_lr, one.pair))
    good = [one for one in ranked if one.fusion.log10_lr >= settings.minimum_log10_lr]
    stands = {other for _, other in standing}
    kept = good[: settings.candidate_limit]
    # How long another case's list is, is that list's own business.
    kept += [
        one
        for one in good[settings.candidate_limit :]
        if one.other_than(probe.id) in stands and one.case_id != probe.id
    ]
    pairs = {one.pair for one in kept}
    gone = [one for one in ranked if one.other_than(probe.id) in stands and one.pair not in pairs]
    return [*kept, *(replace(one, listed=False) for one in gone)]


def _weigh(services: Services, probe: Record, other: Record, size: int) -> Proposal:
    """Compare the case's person with the other; of two cases the later one is the one asking."""
    if probe.kind is GalleryKind.REPORT or (
        other.kind is GalleryKind.CASE and (other.created_at, other.id) > (probe.created_at, probe.id)
    ):
        case, candidate = other, probe
    else:
        case, candidate = probe, other
    terms = compare(case.profile, candidate.profile, services.parameters)
    return Proposal(
        case_id=case.id,
        report_id=candidate.id if candidate.kind is GalleryKind.REPORT else None,
        other_case_id=candidate.id if candidate.kind is GalleryKind.CASE else None,
        terms=terms,
        fusion=fuse(terms, max(size, 1), services.parameters),
        similarity=_similarity(case.profile, candidate.profile),
    )


def _similarity(one: matching.Profile, other: matching.Profile) -> float | None:
    if not (len(one.templates) and len(other.templates)):
        return None
    return float((one.templates @ other.templates.T).max())
