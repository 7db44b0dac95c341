"""Storing a matching pass (比对结果): its candidates, the lists that it changed, and what it changed in them."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from matcher.fusion import Fusion
from matcher.vocabulary import GalleryKind
from models.candidate import Candidate, CandidateState, MatchPass
from models.case import Case, CaseState
from tracing.matching_changes import Place, record_changes
from tracing.matching_proposals import Proposal
from tracing.matching_records import Record
from tracing.platform.db import dialect_insert
from tracing.services import Services
from tracing.trail import note
from tracing.transitions import move

ROWS = 100
"""Candidates written a statement: below the limit of bound parameters of every database."""


@dataclass(frozen=True)
class Stored:
    """A candidate as it stood before the pass."""

    log10_lr: float
    terms: list[dict[str, Any]]


def store_pass(
    session: Session,
    services: Services,
    probe: Record,
    proposals: Sequence[Proposal],
    size: int,
    version: str,
    index_version: str,
    now: datetime,
) -> None:
    """The pass and its candidates, in one transaction; a pass that is stored already is not stored again."""
    versions = {
        "model_version": version,
        "index_version": index_version,
        "parameters_version": services.parameters.version,
    }
    listed = sum(one.listed for one in proposals)
    pass_id = session.execute(
        dialect_insert(session)(MatchPass)
        .values(
            id=uuid.uuid4(), profile_id=probe.profile_id, kind=probe.kind, revision=probe.revision,
            gallery_size=size, candidates=listed, finished_at=now, **versions,
        )
        .on_conflict_do_nothing()
        .returning(MatchPass.id)
    ).scalar_one_or_none()  # fmt: skip
    if pass_id is None:
        return
    own = {probe.id} if probe.kind is GalleryKind.CASE else set()
    cases = hold_cases(session, own, proposals)
    lists = {one.case_id for one in proposals} | own
    before = _places(session, lists)
    stored = _stored(session, [one.pair for one in proposals])
    _upsert(session, proposals, size, versions, now)
    _unlist(session, own, {one.pair for one in proposals if one.listed})
    _shorten(session, lists, services.settings.matching.candidate_limit)
    after = _places(session, lists)
    scores = {pair: one.log10_lr for pair, one in stored.items()}
    record_changes(session, pass_id, before, after, _terms(proposals, stored), scores, now)
    for case_id in sorted(lists & cases.keys()):
        _advance(session, cases[case_id], has_candidates=any(one.case_id == case_id for one in after.values()), now=now)
    note(
        session, None, "match.pass", probe.kind.value, probe.id, at=now,
        revision=probe.revision, candidates=listed, gallery=size, **versions,
    )  # fmt: skip


def hold_cases(session: Session, own: set[uuid.UUID], proposals: Sequence[Proposal]) -> Mapping[uuid.UUID, Case]:
    """Cases first and in one order, as the use cases lock them: passes and decisions wait, and do not deadlock."""
    touched = own | {one.case_id for one in proposals} | {one.other_case_id for one in proposals if one.other_case_id}
    rows = session.scalars(
        select(Case)
        .where(Case.id.in_(touched))
        .order_by(Case.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {case.id: case for case in rows}


def _places(session: Session, lists: set[uuid.UUID]) -> dict[uuid.UUID, Place]:
    """Where every listed candidate of these cases stands, in the order of the lists."""
    rows = session.execute(
        select(Candidate.id, Candidate.case_id, Candidate.pair, Candidate.log10_lr)
        .where(Candidate.case_id.in_(lists), Candidate.listed, Candidate.state != CandidateState.CLOSED)
        .order_by(Candidate.log10_lr.desc(), Candidate.id)
    )
    ranks = dict.fromkeys(lists, 0)
    found = {}
    for candidate_id, case_id, pair, log10_lr in rows:
        ranks[case_id] += 1
        found[candidate_id] = Place(case_id, pair, log10_lr, ranks[case_id])
    return found


def _stored(session: Session, pairs: Sequence[str]) -> dict[str, Stored]:
    rows = session.execute(select(Candidate.pair, Candidate.log10_lr, Candidate.terms).where(Candidate.pair.in_(pairs)))
    return {pair: Stored(log10_lr, terms) for pair, log10_lr, terms in rows}


def term_rows(proposal: Proposal) -> list[dict[str, Any]]:
    """A proposal's terms as they are stored: the evidence, and the weight with which it was counted."""
    return weighted_rows(proposal.fusion)


def weighted_rows(fusion: Fusion) -> list[dict[str, Any]]:
    """The terms of a judgement as they are stored."""
    return [asdict(term.evidence) | {"kind": term.evidence.kind.value, "weight": term.weight} for term in fusion.terms]


def _upsert(
    session: Session, proposals: Sequence[Proposal], size: int, versions: Mapping[str, str], now: datetime
) -> None:
    rows = [
        {
            "id": uuid.uuid4(),
            "pair": one.pair,
            "case_id": one.case_id,
            "report_id": one.report_id,
            "other_case_id": one.other_case_id,
            "state": CandidateState.OPEN,
            "proposed_at": now,
            "log10_lr": one.fusion.log10_lr,
            "posterior": one.fusion.posterior,
            "face_similarity": one.similarity,
            "terms": term_rows(one),
            "gallery_size": size,
            "updated_at": now,
            "listed": one.listed,
            **versions,
        }
        for one in sorted(proposals, key=lambda one: one.pair)
    ]
    followed = (
        "log10_lr", "posterior", "face_similarity", "terms", "gallery_size", "updated_at", "listed", *versions,
    )  # fmt: skip
    for start in range(0, len(rows), ROWS):
        statement = dialect_insert(session)(Candidate).values(rows[start : start + ROWS])
        session.execute(
            statement.on_conflict_do_update(
                index_elements=[Candidate.pair],
                set_={name: statement.excluded[name] for name in followed},
                where=Candidate.state == CandidateState.OPEN,
            )
        )


def _unlist(session: Session, own: set[uuid.UUID], pairs: set[str]) -> None:
    """Open candidates that a new pass of their own case no longer proposes leave the list; they are kept."""
    if own:
        session.execute(
            update(Candidate)
            .where(Candidate.case_id.in_(own), Candidate.state == CandidateState.OPEN, Candidate.pair.not_in(pairs))
            .values(listed=False)
        )


def _shorten(session: Session, lists: set[uuid.UUID], limit: int) -> None:
    """Each new report may add a candidate: the weakest open ones beyond the limit leave the list; they are kept."""
    rows = session.execute(
        select(Candidate.id, Candidate.case_id)
        .where(Candidate.case_id.in_(lists), Candidate.listed, Candidate.state == CandidateState.OPEN)
        .order_by(Candidate.log10_lr.desc(), Candidate.id)
    )
    seen = dict.fromkeys(lists, 0)
    beyond = []
    for candidate_id, case_id in rows:
        seen[case_id] += 1
        if seen[case_id] > limit:
            beyond.append(candidate_id)
    if beyond:
        session.execute(update(Candidate).where(Candidate.id.in_(beyond)).values(listed=False))


def _terms(proposals: Sequence[Proposal], stored: Mapping[str, Stored]) -> dict[str, list[dict[str, Any]]]:
    """Of each weighed pair, the terms whose share of the sum is another now; all of them for a new candidate."""
    changed = {}
    for proposal in proposals:
        known = stored.get(proposal.pair)
        was = {} if known is None else {term["kind"]: _counted(term) for term in known.terms}
        now = {term["kind"]: _counted(term) for term in term_rows(proposal)}
        changed[proposal.pair] = [
            {"kind": kind, "before": was.get(kind), "after": now.get(kind)}
            for kind in dict.fromkeys([*now, *was])
            if was.get(kind) != now.get(kind)
        ]
    return changed


def _counted(term: Mapping[str, Any]) -> float:
    return round(float(term["log10_lr"]) * float(term.get("weight", 1.0)), 6)


def _advance(session: Session, case: Case, *, has_candidates: bool, now: datetime) -> None:
    """A searched case goes to review when it has candidates, and is unresolved (for now) when it has none."""
    if case.state in (CaseState.SEARCHING, CaseState.UNRESOLVED) and has_candidates:
        move(session, case, CaseState.IN_REVIEW, None, now=now)
    elif case.state is CaseState.SEARCHING:
        move(session, case, CaseState.UNRESOLVED, None, now=now)
