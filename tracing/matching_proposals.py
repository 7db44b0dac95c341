"""Proposals (候选推荐): the records that were retrieved, weighed against the probe term by term, strongest first."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, aliased

from matcher.evidence.base import Evidence
from matcher.evidence.batch import score
from matcher.evidence.face import best_cosine
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
Pairs = Select[uuid.UUID, uuid.UUID | None, uuid.UUID | None]
PAIRS: Pairs = select(Candidate.case_id, Candidate.report_id, Candidate.other_case_id)


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
    excluded = excluded_with(session, [probe.id for probe in probes])
    for probe, found in zip(probes, wanted, strict=True):
        for kind in found:
            found[kind] = [one for one in found[kind] if (kind, one) not in excluded.get(probe.id, ())]
    others: dict[GalleryKind, dict[uuid.UUID, Record]] = {}
    for kind in kinds:
        ids = list(dict.fromkeys(one for found in wanted for one in found[kind]))
        others[kind] = read_records(session, services, kind, ids, version)
    answers = []
    for probe, found in zip(probes, wanted, strict=True):
        read = [others[kind][one] for kind, ids in found.items() for one in ids if one in others[kind]]
        stands = {other for _, other in standing.get(probe.id, ())}
        answers.append(
            [
                weigh(services, probe, other, size, listed=listed)
                for other, listed in _best(services, probe, read, stands)
            ]
        )
    return answers


def listed_with(session: Session, record_ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, set[Other]]:
    """Who stands in a list together with each of these records, is searchable, and is judged by nobody yet."""
    other_case = aliased(Case)
    return _others(
        session,
        PAIRS.join(Case, Case.id == Candidate.case_id)
        .outerjoin(Report, Report.id == Candidate.report_id)
        .outerjoin(other_case, other_case.id == Candidate.other_case_id)
        .where(Candidate.listed, Candidate.state == CandidateState.OPEN)
        .where(searchable_case(), or_(searchable_report(), other_case.state.in_(SEARCHED))),
        record_ids,
    )


def excluded_with(session: Session, record_ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, set[Other]]:
    """Who is excluded from being each of these records' person (`tracing.exclusions`): never proposed again."""
    return _others(session, PAIRS.where(Candidate.state == CandidateState.EXCLUDED), record_ids)


def _others(session: Session, pairs: Pairs, record_ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, set[Other]]:
    """Each of the records, and whoever stands beside one, with those on the other side of its pairs."""
    found: dict[uuid.UUID, set[Other]] = defaultdict(set)
    sides = (Candidate.case_id, Candidate.report_id, Candidate.other_case_id)
    for case_id, report_id, other_case_id in session.execute(pairs.where(or_(*(one.in_(record_ids) for one in sides)))):
        if report_id is not None:
            found[case_id].add((GalleryKind.REPORT, report_id))
            found[report_id].add((GalleryKind.CASE, case_id))
        elif other_case_id is not None:
            found[case_id].add((GalleryKind.CASE, other_case_id))
            found[other_case_id].add((GalleryKind.CASE, case_id))
    return found


def _best(
    services: Services, probe: Record, others: Sequence[Record], stands: Collection[uuid.UUID]
) -> list[tuple[Record, bool]]:
    """Those to propose, the strongest first, and whether each belongs in the list.

    Who stands in another case's list and still may stays there: how long that list is, is its own business. Those that
    stand in a list and no longer may come last.
    """
    settings = services.settings.matching
    totals = score(probe.prepared, [other.prepared for other in others], services.parameters).totals.tolist()
    ranked = sorted(zip(totals, others, strict=True), key=lambda one: (-one[0], one[1].id))
    found: list[tuple[Record, bool]] = []
    gone: list[tuple[Record, bool]] = []
    for total, other in ranked:
        good = total >= settings.minimum_log10_lr
        foreign = other.id in stands and _sides(probe, other)[0] is other
        if good and (len(found) < settings.candidate_limit or foreign):
            found.append((other, True))
        elif other.id in stands:
            gone.append((other, False))
    return found + gone


def _sides(probe: Record, other: Record) -> tuple[Record, Record]:
    """The case whose list it is, and its candidate; of two cases the later one is the one asking."""
    if probe.kind is GalleryKind.REPORT or (
        other.kind is GalleryKind.CASE and (other.created_at, other.id) > (probe.created_at, probe.id)
    ):
        return other, probe
    return probe, other


def weigh(services: Services, probe: Record, other: Record, size: int, *, listed: bool) -> Proposal:
    """Compare the case's person with the other, term by term and in words."""
    case, candidate = _sides(probe, other)
    terms = compare(case.profile, candidate.profile, services.parameters)
    return Proposal(
        case_id=case.id,
        report_id=candidate.id if candidate.kind is GalleryKind.REPORT else None,
        other_case_id=candidate.id if candidate.kind is GalleryKind.CASE else None,
        terms=terms,
        fusion=fuse(terms, max(size, 1), services.parameters),
        similarity=best_cosine(case.profile, candidate.profile),
        listed=listed,
    )
