"""Seeded known non-matches (已知非同一人的对照): measuring examiners without their noticing, and without any effect.

A pair is known to be two people when the reported person was confirmed as somebody who was in care elsewhere while
this case's person was in care here. A seed is shown to the examiners of the case as a candidate like any other, under
an id of the same form. It is none: its answers lie in a table of their own, which nothing that decides a case reads.
"""

import random
import uuid
from collections.abc import Container, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.orm import Session, aliased, joinedload

from matcher.vocabulary import GalleryKind
from models.candidate import Candidate, CandidateState
from models.case import Case, CaseState, CaseTransition
from models.confirmation import Confirmation
from models.exclusion import Exclusion
from models.organisation import Organisation
from models.report import Report, ReportState
from models.review import Review
from models.review_protocol import FeatureNote, ReviewSeed, SeedExclusion, SeedReview
from models.user import User
from tracing import access
from tracing.access import Viewer
from tracing.face_models import version_in_force
from tracing.gallery import gallery_size
from tracing.matching_proposals import Proposal, weigh
from tracing.matching_records import read_records
from tracing.matching_store import term_rows
from tracing.parameter_sets import in_force
from tracing.profiles import with_profile_on_demand
from tracing.services import Services

LEFT_CARE = frozenset(
    {CaseState.LEFT, CaseState.TRANSFERRED, CaseState.REUNIFIED, CaseState.DECEASED, CaseState.CLOSED}
)
_DICE = random.SystemRandom()  # nobody can work out from an id which candidate is a seed


def sow(session: Session, services: Services, case: Case, *, now: datetime) -> int:
    """Mix seeds into a case's list, before its first examiner sees it; how many. The case is locked by the caller."""
    if not services.settings.review.seeds:
        return 0
    notes = session.scalar(select(func.count()).select_from(FeatureNote).where(FeatureNote.case_id == case.id))
    siblings = session.scalars(
        select(Candidate)
        .where(Candidate.case_id == case.id, Candidate.listed, Candidate.state == CandidateState.OPEN)
        .order_by(Candidate.proposed_at.desc(), Candidate.id)
    ).all()
    if notes != 1 or not siblings:
        return 0
    wanted = sum(_DICE.random() < services.review_rules.seed_rate for _ in siblings)
    if not wanted:
        return 0
    pool = _pool(session, services, case, services.local_day(now))
    found = _alike(session, services, case, list(pool))[:wanted]
    for proposal in found:
        if proposal.report_id is not None:
            session.add(_seed(proposal, pool[proposal.report_id], _DICE.choice(siblings), now))
    session.flush()
    return len(found)


def _seed(proposal: Proposal, confirmation_id: uuid.UUID, sibling: Candidate, now: datetime) -> ReviewSeed:
    """Dated and versioned as one of the candidates beside it."""
    return ReviewSeed(
        id=uuid.uuid4(),
        case_id=proposal.case_id,
        report_id=proposal.report_id,
        confirmation_id=confirmation_id,
        log10_lr=proposal.fusion.log10_lr,
        posterior=proposal.fusion.posterior,
        face_similarity=proposal.similarity,
        terms=term_rows(proposal),
        model_version=sibling.model_version,
        index_version=sibling.index_version,
        parameters_version=sibling.parameters_version,
        gallery_size=sibling.gallery_size,
        proposed_at=sibling.proposed_at,
        sown_at=now,
    )


def _pool(session: Session, services: Services, case: Case, today: date) -> dict[uuid.UUID, uuid.UUID]:
    """Reports that are known to be of somebody else, newest confirmations first, each with its confirmation.

    None that the examiners of this case could look up or have met as a candidate, and none that was sown before:
    it would be recognised. None whose case was ever proposed as the same person as this one.
    """
    inside = select(Organisation.id).where(Organisation.path.startswith(_widest(session, case), autoescape=True))
    met = exists().where(
        Candidate.report_id == Report.id,
        Candidate.case_id.in_(select(Case.id).where(Case.organisation_id.in_(inside))),
    )
    same = exists().where(
        (Candidate.case_id == case.id) & (Candidate.other_case_id == Confirmation.case_id)
        | (Candidate.other_case_id == case.id) & (Candidate.case_id == Confirmation.case_id)
    )
    rows = session.execute(
        select(Report.id, Confirmation.id, Case.id, Case.admitted_on)
        .join(Confirmation, Confirmation.report_id == Report.id)
        .join(Case, Case.id == Confirmation.case_id)
        .where(Confirmation.recalled_at.is_(None), Confirmation.case_id != case.id)
        .where(Report.state == ReportState.RESOLVED, Report.organisation_id.not_in(inside))
        .where(~met, ~same, ~exists().where(ReviewSeed.report_id == Report.id))
        .order_by(Confirmation.confirmed_at.desc(), Confirmation.id)
        .limit(services.review_rules.seed_pool)
    ).all()
    ends = _ends(session, services, [case.id, *(row[2] for row in rows)])
    least = services.review_rules.seed_overlap_days
    found = {}
    for report_id, confirmation_id, other_id, admitted_on in rows:
        until = min(ends.get(case.id, today), ends.get(other_id, today), today)
        if (until - max(case.admitted_on, admitted_on)).days >= least:
            found[report_id] = confirmation_id
    return found


def _ends(session: Session, services: Services, case_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, date]:
    """The day on which each person first left care, of those who did."""
    rows = session.execute(
        select(CaseTransition.case_id, func.min(CaseTransition.at))
        .where(CaseTransition.case_id.in_(case_ids), CaseTransition.to_state.in_(LEFT_CARE))
        .group_by(CaseTransition.case_id)
    )
    return {case_id: services.local_day(at) for case_id, at in rows}


def _widest(session: Session, case: Case) -> str:
    """The widest jurisdiction of the police who see the case: whatever lies in it they could look up."""
    reached = aliased(Organisation)
    widest = session.scalar(
        select(reached.path)
        .join(Organisation, reached.id == func.coalesce(Organisation.parent_id, Organisation.id))
        .join(User, User.organisation_id == Organisation.id)
        .where(access.police_serving(case.organisation))
        .order_by(func.length(reached.path))
        .limit(1)
    )
    return widest or case.organisation.path


def _alike(session: Session, services: Services, case: Case, report_ids: Sequence[uuid.UUID]) -> list[Proposal]:
    """Those that a search could have proposed, the most alike first."""
    services = in_force(session, services)
    version, size = version_in_force(session, services), max(1, gallery_size(session))
    ours = read_records(session, services, GalleryKind.CASE, [case.id], version).get(case.id)
    if ours is None:
        return []
    others = read_records(session, services, GalleryKind.REPORT, report_ids, version).values()
    weighed = [weigh(services, ours, other, size, listed=True) for other in others]
    good = [one for one in weighed if one.fusion.log10_lr >= services.settings.matching.minimum_log10_lr]
    return sorted(good, key=lambda one: (-one.fusion.log10_lr, str(one.report_id)))


def _loaded(viewer: Viewer) -> Select[ReviewSeed]:
    return (
        select(ReviewSeed)
        .where(access.seed_scope(viewer))
        .options(
            joinedload(ReviewSeed.case).options(joinedload(Case.organisation), *with_profile_on_demand(Case.profile)),
            joinedload(ReviewSeed.report).options(
                joinedload(Report.organisation), *with_profile_on_demand(Report.profile)
            ),
        )
    )


def seeds_of(session: Session, viewer: Viewer, case_id: uuid.UUID) -> Sequence[ReviewSeed]:
    """The seeds that this viewer meets among a case's candidates."""
    if not access.examines(viewer):
        return ()
    return session.scalars(_loaded(viewer).where(ReviewSeed.case_id == case_id, ~is_excluded())).all()


def is_excluded() -> ColumnElement[bool]:
    """Condition on `ReviewSeed`: an examiner has excluded it, as if it were a candidate."""
    return exists().where(SeedExclusion.seed_id == ReviewSeed.id)


def find_seed(session: Session, viewer: Viewer, candidate_id: uuid.UUID, *, lock: bool = False) -> ReviewSeed | None:
    """The seed that is shown to this viewer under this id, if it is one."""
    statement = _loaded(viewer).where(ReviewSeed.id == candidate_id).execution_options(populate_existing=True)
    if lock:
        statement = statement.with_for_update(of=ReviewSeed)
    return session.scalars(statement).one_or_none()


def as_candidate(session: Session, seed: ReviewSeed, *, judged: bool) -> Candidate:
    """The seed as the candidate that it passes for; never stored. `judged`: whether an answer to it stands."""
    return as_candidates(session, [seed], {seed.id} if judged else ())[0]


def as_candidates(session: Session, seeds: Sequence[ReviewSeed], judged: Container[uuid.UUID]) -> list[Candidate]:
    """The same of several. Like every rival, a seed is closed while a confirmation of the case stands; like every
    candidate, it may be excluded.
    """
    if not seeds:
        return []
    decided = exists().where(Confirmation.case_id == ReviewSeed.case_id, Confirmation.recalled_at.is_(None))
    rows = session.execute(
        select(ReviewSeed.id, decided, is_excluded()).where(ReviewSeed.id.in_([seed.id for seed in seeds]))
    )
    states = {
        seed_id: CandidateState.EXCLUDED if excluded else CandidateState.CLOSED
        for seed_id, closed, excluded in rows
        if closed or excluded
    }
    return [
        _passing(seed, states.get(seed.id, CandidateState.JUDGED if seed.id in judged else CandidateState.OPEN))
        for seed in seeds
    ]


def _passing(seed: ReviewSeed, state: CandidateState) -> Candidate:
    return Candidate(
        id=seed.id,
        pair="",
        case_id=seed.case_id,
        case=seed.case,
        report_id=seed.report_id,
        report=seed.report,
        other_case_id=None,
        other_case=None,
        state=state,
        log10_lr=seed.log10_lr,
        posterior=seed.posterior,
        face_similarity=seed.face_similarity,
        terms=seed.terms,
        model_version=seed.model_version,
        index_version=seed.index_version,
        parameters_version=seed.parameters_version,
        gallery_size=seed.gallery_size,
        proposed_at=seed.proposed_at,
        updated_at=seed.proposed_at,
        listed=state is not CandidateState.EXCLUDED,
    )


def as_exclusion(row: SeedExclusion, case_id: uuid.UUID) -> Exclusion:
    """A seed's exclusion as the exclusion that it passes for; never stored."""
    return Exclusion(
        id=row.id,
        case_id=case_id,
        candidate_id=row.seed_id,
        evidence=row.evidence,
        reference=row.reference,
        reason=row.reason,
        excluded_by_id=row.excluded_by_id,
        excluded_at=row.excluded_at,
    )


def exclusions_of(session: Session, viewer: Viewer, case_id: uuid.UUID) -> list[Exclusion]:
    """The exclusions of seeds that this viewer meets among a case's exclusions."""
    rows = session.scalars(
        select(SeedExclusion)
        .join(ReviewSeed, ReviewSeed.id == SeedExclusion.seed_id)
        .where(access.seed_scope(viewer), ReviewSeed.case_id == case_id)
    )
    return [as_exclusion(row, case_id) for row in rows]


def as_review(row: SeedReview) -> Review:
    """An answer as the review that it passes for; never stored. `examiner` is loaded if the row's is."""
    made = Review(
        id=row.id,
        candidate_id=row.seed_id,
        examiner_id=row.examiner_id,
        opinion=row.opinion,
        grade=row.grade,
        remarks=row.remarks,
        features=row.features,
        opened_at=row.opened_at,
        committed_at=row.committed_at,
        withdrawn_at=row.withdrawn_at,
    )
    if "examiner" in row.__dict__:
        made.examiner = row.examiner
    return made


def answers_of(session: Session, seed_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, tuple[Review, ...]]:
    """The standing answers to seeds, oldest first, as the reviews that they pass for."""
    found: dict[uuid.UUID, tuple[Review, ...]] = {}
    if not seed_ids:
        return found
    rows = session.scalars(
        select(SeedReview)
        .where(SeedReview.seed_id.in_(seed_ids), SeedReview.withdrawn_at.is_(None))
        .options(joinedload(SeedReview.examiner))
        .order_by(SeedReview.committed_at)
    )
    for row in rows:
        found[row.seed_id] = (*found.get(row.seed_id, ()), as_review(row))
    return found


def standing_answer(session: Session, examiner_id: uuid.UUID, seed_id: uuid.UUID) -> SeedReview | None:
    """The examiner's own standing answer to a seed."""
    return session.scalars(
        select(SeedReview).where(
            SeedReview.seed_id == seed_id, SeedReview.examiner_id == examiner_id, SeedReview.withdrawn_at.is_(None)
        )
    ).one_or_none()


def waiting_seeds(viewer: Viewer) -> Select[Any]:
    """The seeds that this viewer has not answered."""
    mine = exists().where(
        SeedReview.seed_id == ReviewSeed.id,
        SeedReview.examiner_id == viewer.user_id,
        SeedReview.withdrawn_at.is_(None),
    )
    return select(ReviewSeed.id).where(access.seed_scope(viewer), ~mine, ~is_excluded())
