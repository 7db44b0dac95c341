"""How a case's list of candidates came to be as it is (候选名单变化): every change, its terms, what caused it."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, exists, or_, select
from sqlalchemy.orm import Session, joinedload

from matcher.vocabulary import GalleryKind
from models.candidate import Candidate, CandidateChange, CandidateState
from models.case import Case
from models.report import Report
from models.review import Review
from tracing import access
from tracing.access import Permission, Viewer
from tracing.cases import load_case
from tracing.paging import Page, page_of
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
    case_id: uuid.UUID,
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
    case = load_case(session, viewer, case_id)
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
    note(session, viewer, "candidate.changes", "case", case.id, at=now, count=len(page.items))
    causes = _causes(session, page.items)
    return Page(
        tuple(ChangeView(row, _other(row.candidate), causes[row.match_pass.profile_id]) for row in page.items),
        page.next_cursor,
    )


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
