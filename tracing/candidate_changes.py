"""How a case's list of candidates came to be as it is (候选名单变化): every change, its terms, what caused it."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, exists, func, or_, select
from sqlalchemy.orm import Session, joinedload

from matcher.vocabulary import GalleryKind
from models.candidate import Candidate, CandidateChange, CandidateState, ListChange
from models.case import Case
from models.report import Report
from models.review import Review
from models.review_protocol import ReviewSeed
from tracing import access
from tracing.access import Permission, Viewer
from tracing.cases import seen_case
from tracing.paging import Page, page_of
from tracing.review_seeds import answers_of, as_candidates, seeds_of
from tracing.trail import note


@dataclass(frozen=True, slots=True)
class RecordName:
    """A record by its kind and number."""

    kind: GalleryKind
    id: uuid.UUID
    number: str


@dataclass(frozen=True)
class ChangeView:
    """One change, whose place it was, and whose new facts caused it."""

    row: CandidateChange
    other: RecordName
    cause: RecordName


def list_changes(
    session: Session,
    viewer: Viewer,
    case: uuid.UUID | Case,
    *,
    candidate_id: uuid.UUID | None = None,
    cursor: str | None = None,
    limit: int = 50,
    now: datetime,
) -> Page[ChangeView]:
    """Changes of a case's list, newest first, of one candidate if given.

    Those of candidates that are sealed for the viewer are left out: they would tell the score.
    """
    access.require(viewer, Permission.CANDIDATE_READ)
    case = seen_case(session, viewer, case)
    statement = (
        select(CandidateChange)
        .join(Candidate, Candidate.id == CandidateChange.candidate_id)
        .where(CandidateChange.case_id == case.id)
        .options(
            joinedload(CandidateChange.match_pass),
            joinedload(CandidateChange.candidate).options(
                joinedload(Candidate.report), joinedload(Candidate.other_case), joinedload(Candidate.case)
            ),
        )
    )
    if candidate_id is not None:
        statement = statement.where(CandidateChange.candidate_id == candidate_id)
    page = page_of(
        session, _unsealed(statement, viewer), CandidateChange.at, CandidateChange.id, cursor=cursor, limit=limit
    )
    causes = _causes(session, page.items)
    views = [ChangeView(row, _other(row.candidate), causes[row.match_pass.profile_id]) for row in page.items]
    if not cursor:  # few, and so all on the first page
        views += _of_seeds(session, viewer, case, candidate_id)
    views.sort(key=lambda view: (view.row.at, view.row.id), reverse=True)
    note(session, viewer, "candidate.changes", "case", case.id, at=now, count=len(views))
    return Page(tuple(views), page.next_cursor)


def _of_seeds(session: Session, viewer: Viewer, case: Case, candidate_id: uuid.UUID | None) -> list[ChangeView]:
    """How each seed that is open to this viewer entered the list: with the candidate beside which it was sown."""
    views = []
    seeds = [seed for seed in seeds_of(session, viewer, case.id) if candidate_id in (None, seed.id)]
    answers = answers_of(session, [seed.id for seed in seeds])
    judged = {key for key, given in answers.items() if any(one.examiner_id == viewer.user_id for one in given)}
    for seed, passing in zip(seeds, as_candidates(session, seeds, judged), strict=True):
        if seed.id not in judged and passing.state is not CandidateState.CLOSED:
            continue
        beside = session.scalars(
            select(CandidateChange)
            .join(Candidate, Candidate.id == CandidateChange.candidate_id)
            .where(CandidateChange.case_id == case.id, CandidateChange.change == ListChange.ENTERED)
            .where(Candidate.proposed_at == seed.proposed_at)
            .options(joinedload(CandidateChange.match_pass))
            .order_by(CandidateChange.at, CandidateChange.id)
            .limit(1)
        ).one_or_none()
        if beside is not None:
            views.append(_entered(session, seed, beside))
    return views


def _entered(session: Session, seed: ReviewSeed, beside: CandidateChange) -> ChangeView:
    stronger = select(func.count()).where(
        Candidate.case_id == seed.case_id, Candidate.listed, Candidate.log10_lr > seed.log10_lr
    )
    row = CandidateChange(
        id=seed.id,
        match_pass=beside.match_pass,
        case_id=seed.case_id,
        candidate_id=seed.id,
        change=ListChange.ENTERED,
        log10_lr_before=None,
        log10_lr_after=seed.log10_lr,
        rank_before=None,
        rank_after=1 + (session.scalar(stronger) or 0),
        terms=[
            {"kind": term["kind"], "before": None, "after": term["weight"] * term["log10_lr"]} for term in seed.terms
        ],
        at=beside.at,
    )
    report = RecordName(GalleryKind.REPORT, seed.report.id, seed.report.number)
    of_case = beside.match_pass.kind is GalleryKind.CASE
    return ChangeView(row, report, RecordName(GalleryKind.CASE, seed.case.id, seed.case.number) if of_case else report)


def _unsealed(statement: Select[CandidateChange], viewer: Viewer) -> Select[CandidateChange]:
    if not viewer.may(Permission.REVIEW):
        return statement
    own = exists().where(
        Review.candidate_id == Candidate.id, Review.examiner_id == viewer.user_id, Review.withdrawn_at.is_(None)
    )
    return statement.where(or_(own, Candidate.state.not_in((CandidateState.OPEN, CandidateState.JUDGED))))


def _other(candidate: Candidate) -> RecordName:
    if candidate.report is not None:
        return RecordName(GalleryKind.REPORT, candidate.report.id, candidate.report.number)
    if candidate.other_case is None:
        raise ValueError("a candidate without its other record")
    return RecordName(GalleryKind.CASE, candidate.other_case.id, candidate.other_case.number)


def _causes(session: Session, rows: Sequence[CandidateChange]) -> Mapping[uuid.UUID, RecordName]:
    """Whose pass it was, by profile."""
    profiles = {row.match_pass.profile_id for row in rows}
    found = {}
    for kind, table in ((GalleryKind.CASE, Case), (GalleryKind.REPORT, Report)):
        owners = session.execute(select(table.profile_id, table.id, table.number).where(table.profile_id.in_(profiles)))
        found.update({profile_id: RecordName(kind, owner_id, number) for profile_id, owner_id, number in owners})
    return found
