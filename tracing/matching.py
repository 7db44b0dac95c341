"""The matching pass (比对): who could this person be? One job a revision of a profile, its effects stored once.

A new case is searched among open reports and other cases; a new report among cases. The nearest faces and the newest
records are weighed term by term; the best become the case's candidates. Judged candidates are not touched.
"""

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from matcher import profile as matching
from matcher.evidence.base import Evidence
from matcher.evidence.terms import compare
from matcher.fusion import Fusion, fuse
from matcher.index.exact import VERSION as INDEX_VERSION
from matcher.vocabulary import GalleryKind
from models.candidate import Candidate, CandidateState, MatchPass
from models.case import SEARCHED, Case, CaseState
from models.profile import Profile
from models.report import Report, ReportState
from tracing.face_models import version_in_force, versions_to_analyse
from tracing.faces import analyse_photo
from tracing.gallery import gallery_size, searchable_case, searchable_report
from tracing.matching_records import Record, pending_photos, records_of
from tracing.parameter_sets import in_force
from tracing.platform import jobs
from tracing.platform.clock import utc_now
from tracing.platform.db import dialect_insert, read_only, unit_of_work
from tracing.platform.errors import IndexWarming
from tracing.platform.jobs import ClaimedJob, DeferJob
from tracing.services import Services
from tracing.trail import note
from tracing.transitions import move

MATCH = "match"
PASSABLE = SEARCHED | {CaseState.SUBMITTED}


@dataclass(frozen=True)
class Proposal:
    """A candidate before it is stored: whose list it belongs to, who it is, and why."""

    case_id: uuid.UUID
    report_id: uuid.UUID | None
    other_case_id: uuid.UUID | None
    terms: tuple[Evidence, ...]
    fusion: Fusion
    similarity: float | None

    @property
    def pair(self) -> str:
        """The unordered pair's name."""
        return ":".join(sorted((str(self.case_id), str(self.report_id or self.other_case_id))))


def request_match(
    session: Session, services: Services, kind: GalleryKind, owner_id: uuid.UUID, *, now: datetime
) -> None:
    """Ask, in the caller's transaction, for a pass over the present revision; asking twice asks once."""
    owner = session.get_one(Case, owner_id) if kind is GalleryKind.CASE else session.get_one(Report, owner_id)
    if isinstance(owner, Case) and owner.state not in PASSABLE:
        return
    if isinstance(owner, Report) and owner.state is not ReportState.OPEN:
        return
    revision = session.get_one(Profile, owner.profile_id).revision
    services = in_force(session, services)
    versions = f"{version_in_force(session, services)}:{INDEX_VERSION}:{services.parameters.version}"
    jobs.enqueue(
        session,
        kind=MATCH,
        key=f"match:{owner_id}:r{revision}:{versions}",
        payload={"kind": kind.value, "id": str(owner_id)},
        now=now,
    )


def match_job(services: Services, job: ClaimedJob, complete: Callable[[Session], None]) -> None:
    """Task: one matching pass for one case or report."""
    kind, owner_id = GalleryKind(job.payload["kind"]), uuid.UUID(job.payload["id"])
    with unit_of_work(services.db) as session:
        owner = _owner(session, kind, owner_id)
        if owner is None or (isinstance(owner, Case) and owner.state not in PASSABLE):
            complete(session)
            return
        if isinstance(owner, Case) and owner.state is CaseState.SUBMITTED:
            move(session, owner, CaseState.SEARCHING, None, now=utc_now())
        version = version_in_force(session, services)
        pending = pending_photos(session, owner.profile_id, version)
    for photo_id in pending:
        analyse_photo(services, photo_id, version, _nothing_more)
    try:
        with read_only(services.db) as session:
            version = version_in_force(session, services)
            weighing = in_force(session, services)
            probe = _record(session, services, kind, owner_id, version)
            size = gallery_size(session)
            (proposals,) = propose(session, weighing, [probe], size, version)
    except IndexWarming as warming:
        raise DeferJob(timedelta(seconds=warming.retry_after)) from None
    now = utc_now()
    with unit_of_work(services.db) as session:
        # A switch waits for this transaction, or this one sees it: an old pass must not write over a new one.
        versions_to_analyse(session, services, now=now)
        unchanged = in_force(session, services, held=True).parameters.version == weighing.parameters.version
        if unchanged and version_in_force(session, services) == version:
            store_pass(session, weighing, probe, proposals, size, version, now)
        else:
            request_match(session, services, kind, owner_id, now=now)
        complete(session)


def _nothing_more(session: Session) -> None:
    """The photograph's own job, if there is one, completes by itself."""


def _owner(session: Session, kind: GalleryKind, owner_id: uuid.UUID) -> Case | Report | None:
    if kind is GalleryKind.CASE:
        return session.scalars(select(Case).where(Case.id == owner_id).with_for_update()).one_or_none()
    return session.scalars(
        select(Report).where(Report.id == owner_id, searchable_report()).with_for_update()
    ).one_or_none()


def _record(session: Session, services: Services, kind: GalleryKind, owner_id: uuid.UUID, version: str) -> Record:
    return next(iter(records_of(session, services, kind, [owner_id], version)))


def propose(
    session: Session, services: Services, probes: Sequence[Record], size: int, version: str
) -> list[list[Proposal]]:
    """The best candidates of each probe (all of one kind), strongest first: one search and one reading for all of them.

    Raises IndexWarming.
    """
    settings = services.settings.matching
    kinds = frozenset(GalleryKind) if probes[0].kind is GalleryKind.CASE else frozenset({GalleryKind.CASE})
    wanted = _retrieve(session, services, probes, kinds, version)
    others: dict[GalleryKind, dict[uuid.UUID, Record]] = {kind: {} for kind in kinds}
    for kind in kinds:
        ids = list(dict.fromkeys(one for found in wanted for one in found[kind]))
        for start in range(0, len(ids), 400):
            records = records_of(session, services, kind, ids[start : start + 400], version)
            others[kind].update({other.id: other for other in records})
    answers = []
    for probe, found in zip(probes, wanted, strict=True):
        proposals = [
            _weigh(services, probe, others[kind][one], size)
            for kind in kinds
            for one in found[kind]
            if one in others[kind]
        ]
        kept = [one for one in proposals if one.fusion.log10_lr >= settings.minimum_log10_lr]
        kept.sort(key=lambda one: (-one.fusion.log10_lr, one.pair))
        answers.append(kept[: settings.candidate_limit])
    return answers


def _retrieve(
    session: Session, services: Services, probes: Sequence[Record], kinds: frozenset[GalleryKind], version: str
) -> list[dict[GalleryKind, list[uuid.UUID]]]:
    """Ids worth weighing for each probe: owners of the nearest faces, and the newest records whatever they look like.

    A person without a usable photograph is found by attributes among the newest `attribute_pool` records of a kind.
    """
    pool = services.settings.matching.attribute_pool
    newest: dict[GalleryKind, Sequence[uuid.UUID]] = {}
    if GalleryKind.CASE in kinds:
        cases = select(Case.id).where(searchable_case()).order_by(Case.created_at.desc()).limit(pool)
        newest[GalleryKind.CASE] = session.scalars(cases).all()
    if GalleryKind.REPORT in kinds:
        reports = select(Report.id).where(searchable_report()).order_by(Report.created_at.desc()).limit(pool)
        newest[GalleryKind.REPORT] = session.scalars(reports).all()
    found: list[dict[GalleryKind, dict[uuid.UUID, None]]] = [{kind: {} for kind in kinds} for _ in probes]
    owners = [place for place, probe in enumerate(probes) for _ in probe.profile.templates]
    if owners:
        queries = np.concatenate([probe.profile.templates for probe in probes if len(probe.profile.templates)])
        hits_wanted = services.settings.matching.face_hits
        answers = services.gallery.search(session, version, queries, hits_wanted, kinds)
        for place, hits in zip(owners, answers, strict=True):
            for hit in hits:
                found[place][hit.kind][hit.subject_id] = None
    for probe, one in zip(probes, found, strict=True):
        for kind, ids in newest.items():
            one[kind].update(dict.fromkeys(ids))
        one[probe.kind if probe.kind in kinds else GalleryKind.CASE].pop(probe.id, None)
    return [{kind: list(ids) for kind, ids in one.items()} for one in found]


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


def store_pass(
    session: Session,
    services: Services,
    probe: Record,
    proposals: Iterable[Proposal],
    size: int,
    version: str,
    now: datetime,
) -> None:
    """The pass and its candidates, in one transaction; a pass that is stored already is not stored again."""
    versions = {
        "model_version": version,
        "index_version": INDEX_VERSION,
        "parameters_version": services.parameters.version,
    }
    proposals = sorted(proposals, key=lambda one: one.pair)
    written = session.execute(
        dialect_insert(session)(MatchPass)
        .values(
            id=uuid.uuid4(), profile_id=probe.profile_id, kind=probe.kind, revision=probe.revision,
            gallery_size=size, candidates=len(proposals), finished_at=now, **versions,
        )
        .on_conflict_do_nothing()
        .returning(MatchPass.id)
    ).scalar_one_or_none()  # fmt: skip
    if written is None:
        return
    # Cases first and in one order, as the use cases lock them: passes and decisions wait for each other, not deadlock.
    own = {probe.id} if probe.kind is GalleryKind.CASE else set()
    touched = own | {one.case_id for one in proposals} | {one.other_case_id for one in proposals if one.other_case_id}
    session.execute(select(Case.id).where(Case.id.in_(touched)).order_by(Case.id).with_for_update())
    for proposal in proposals:
        _upsert(session, proposal, versions, now)
    _unlist(session, probe, {one.pair for one in proposals})
    for case_id in sorted({one.case_id for one in proposals} | own):
        _advance(session, case_id, now)
        _shorten(session, case_id, services.settings.matching.candidate_limit)
    note(
        session, None, "match.pass", probe.kind.value, probe.id, at=now,
        revision=probe.revision, candidates=len(proposals), gallery=size, **versions,
    )  # fmt: skip


def _upsert(session: Session, proposal: Proposal, versions: dict[str, str], now: datetime) -> None:
    scores = {
        "log10_lr": proposal.fusion.log10_lr,
        "posterior": proposal.fusion.posterior,
        "face_similarity": proposal.similarity,
        "terms": [asdict(term) | {"kind": term.kind.value} for term in proposal.terms],
        "updated_at": now,
        "listed": True,
        **versions,
    }
    statement = dialect_insert(session)(Candidate).values(
        id=uuid.uuid4(),
        pair=proposal.pair,
        case_id=proposal.case_id,
        report_id=proposal.report_id,
        other_case_id=proposal.other_case_id,
        state=CandidateState.OPEN,
        proposed_at=now,
        **scores,
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[Candidate.pair], set_=scores, where=Candidate.state == CandidateState.OPEN
        )
    )


def _unlist(session: Session, probe: Record, pairs: set[str]) -> None:
    """Open candidates that a new pass no longer proposes leave the list; they are kept."""
    if probe.kind is not GalleryKind.CASE:
        return
    session.execute(
        update(Candidate)
        .where(Candidate.case_id == probe.id, Candidate.state == CandidateState.OPEN, Candidate.pair.not_in(pairs))
        .values(listed=False)
    )


def _shorten(session: Session, case_id: uuid.UUID, limit: int) -> None:
    """Each new report may add a candidate: the weakest open ones beyond the limit leave the list; they are kept."""
    weakest = (
        select(Candidate.id)
        .where(Candidate.case_id == case_id, Candidate.listed, Candidate.state == CandidateState.OPEN)
        .order_by(Candidate.log10_lr.desc(), Candidate.id)
        .offset(limit)
    )
    beyond = session.scalars(weakest).all()
    if beyond:
        session.execute(update(Candidate).where(Candidate.id.in_(beyond)).values(listed=False))


def _advance(session: Session, case_id: uuid.UUID, now: datetime) -> None:
    """A searched case goes to review when it has candidates, and is unresolved (for now) when it has none."""
    case = session.get_one(Case, case_id, with_for_update=True, populate_existing=True)
    listed = session.scalars(
        select(Candidate.id)
        .where(Candidate.case_id == case_id, Candidate.listed, Candidate.state != CandidateState.CLOSED)
        .limit(1)
    ).first()
    if case.state in (CaseState.SEARCHING, CaseState.UNRESOLVED) and listed is not None:
        move(session, case, CaseState.IN_REVIEW, None, now=now)
    elif case.state is CaseState.SEARCHING:
        move(session, case, CaseState.UNRESOLVED, None, now=now)
