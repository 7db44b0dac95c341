"""Clues (线索): writing them down, correcting and withdrawing them; what the search can use becomes a fact at once."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from matcher.vocabulary import GalleryKind, KinRelation
from models.case import Case, CaseState
from models.clue import Clue, ClueConfidence, ClueKind
from models.interview import Interview
from tracing import access
from tracing.access import Permission, Viewer
from tracing.blocking import store_keys
from tracing.cases import CaseClosed, check_reason, load_case
from tracing.clue_facts import exchange
from tracing.facts import InvalidFacts, check_division, check_text, collecting
from tracing.matching import request_match
from tracing.milestones import check_moment
from tracing.platform import errors
from tracing.services import Services
from tracing.trail import note

TEXT_LIMIT = 2000


class ClueEnded(errors.Conflict):
    """A correction or withdrawal of a clue that is corrected or withdrawn already."""

    slug = "clue_ended"
    message = "This clue has been corrected or withdrawn already. Reload the page and choose the one that stands."


class InterviewEnded(errors.Conflict):
    """A clue or recording for an interview that was withdrawn."""

    slug = "interview_withdrawn"
    message = "This interview was withdrawn and takes nothing more. Record the talk anew."


class RelationWithoutKin(errors.Invalid):
    """A relation given with a clue that is about no relative."""

    slug = "relation_without_kin"
    message = "Only a clue about kin has a relation. Choose “Kin” as what it is about, or leave the relation empty."


@dataclass(frozen=True, slots=True)
class ClueText:
    """A clue as it is given.

    `division`: the place or accent meant, if somebody knows (GB/T 2260); `relation`: whose name it is, of kin alone.
    """

    kind: ClueKind
    text: str
    confidence: ClueConfidence
    division: str | None = None
    relation: KinRelation | None = None


def check_clues(clues: Sequence[ClueText]) -> list[ClueText]:
    """The clues with their texts trimmed; raises InvalidFacts naming every field that cannot be right."""
    problems: list[errors.Invalid] = []
    checked = []
    for position, one in enumerate(clues):
        with collecting(problems):
            checked.append(_check_clue(one, f"clues.{position}."))
    if problems:
        raise InvalidFacts(tuple(problems))
    return checked


def _check_clue(given: ClueText, prefix: str = "") -> ClueText:
    text = check_text(given.text, limit=TEXT_LIMIT, field=f"{prefix}text")
    check_division(given.division, field=f"{prefix}division")
    if given.relation is not None and given.kind is not ClueKind.KIN:
        raise RelationWithoutKin(field=f"{prefix}relation")
    return replace(given, text=text)


def open_case(session: Session, viewer: Viewer, case_id: uuid.UUID) -> Case:
    """The case, locked, for whoever may write interviews and clues. Raises Forbidden, NotFound, CaseClosed."""
    access.require(viewer, Permission.INTERVIEW)
    case = load_case(session, viewer, case_id, lock=True)
    if case.state is CaseState.CLOSED:
        raise CaseClosed()
    return case


def add_clues(
    session: Session,
    services: Services,
    viewer: Viewer,
    case_id: uuid.UUID,
    clues: Sequence[ClueText],
    *,
    interview_id: uuid.UUID | None = None,
    tip_id: uuid.UUID | None = None,
    heard_at: datetime,
    now: datetime,
) -> list[Clue]:
    """Write clues down, of an interview or a tip of the case or of none; profile and search follow in one transaction.

    Raises Forbidden, NotFound, CaseClosed, InterviewEnded, InvalidFacts, a date error.
    """
    case = open_case(session, viewer, case_id)
    check_moment(heard_at, now=now, field="heard_at")
    if interview_id is not None:
        held: Interview = access.find(
            session, select(Interview).where(Interview.id == interview_id, Interview.case_id == case.id)
        )
        if held.withdrawn_at is not None:
            raise InterviewEnded()
    rows = [
        _clue(case, viewer, one, interview_id=interview_id, tip_id=tip_id, heard_at=heard_at, now=now)
        for one in check_clues(clues)
    ]
    session.add_all(rows)
    session.flush()
    for row in rows:
        note(session, viewer, "clue.record", "case", case.id, at=now, clue=row.id, kind=row.kind.value)
    follow(session, services, viewer, case, gone=[], come=rows, now=now)
    return rows


def _clue(
    case: Case,
    viewer: Viewer,
    given: ClueText,
    *,
    interview_id: uuid.UUID | None,
    tip_id: uuid.UUID | None,
    heard_at: datetime,
    now: datetime,
    supersedes: Clue | None = None,
) -> Clue:
    return Clue(
        id=uuid.uuid4(),
        case_id=case.id,
        interview_id=interview_id,
        tip_id=tip_id,
        kind=given.kind,
        text=given.text,
        confidence=given.confidence,
        division=given.division,
        relation=given.relation,
        heard_at=heard_at,
        recorded_by_id=viewer.user_id,
        recorded_at=now,
        supersedes_id=supersedes.id if supersedes else None,
    )


def follow(
    session: Session,
    services: Services,
    viewer: Viewer,
    case: Case,
    *,
    gone: list[Clue],
    come: list[Clue],
    now: datetime,
) -> None:
    """Bring profile and search up to the clues. An editor who has the case open is told that it has changed."""
    zone, today = services.settings.zone, services.local_day(now)
    if not exchange(session, case, viewer, gone=gone, come=come, zone=zone, today=today, now=now):
        return
    case.version += 1
    case.updated_at = now
    session.flush()
    store_keys(session, services.parameters, case)
    request_match(session, services, GalleryKind.CASE, case.id, now=now)


def _standing(session: Session, viewer: Viewer, clue_id: uuid.UUID) -> tuple[Clue, Case]:
    access.require(viewer, Permission.INTERVIEW)
    case_id = session.scalar(select(Clue.case_id).where(Clue.id == clue_id))
    if case_id is None:
        raise errors.NotFound()
    case = open_case(session, viewer, case_id)
    clue = session.get_one(Clue, clue_id, populate_existing=True)
    if not clue.stands:
        raise ClueEnded()
    return clue, case


def correct_clue(
    session: Session, services: Services, viewer: Viewer, clue_id: uuid.UUID, given: ClueText, *, now: datetime
) -> Clue:
    """A new row in the place of one that stands; the old one is kept. The fact follows.

    Raises Forbidden, NotFound, CaseClosed, ClueEnded, EmptyValue, TextTooLong, UnknownDivision, RelationWithoutKin.
    """
    old, case = _standing(session, viewer, clue_id)
    checked = _check_clue(given)
    old.superseded_at = now
    session.flush()
    new = _clue(
        case, viewer, checked,
        interview_id=old.interview_id, tip_id=old.tip_id, heard_at=old.heard_at, now=now, supersedes=old,
    )  # fmt: skip
    session.add(new)
    session.flush()
    note(session, viewer, "clue.correct", "case", case.id, at=now, clue=new.id, supersedes=old.id)
    follow(session, services, viewer, case, gone=[old], come=[new], now=now)
    return new


def withdraw_clue(
    session: Session, services: Services, viewer: Viewer, clue_id: uuid.UUID, *, reason: str, now: datetime
) -> Clue:
    """Take a clue back; it stays on record, its fact leaves the profile.

    Raises Forbidden, NotFound, CaseClosed, ClueEnded, ReasonMissing.
    """
    clue, case = _standing(session, viewer, clue_id)
    end(clue, viewer, check_reason(reason), now)
    session.flush()
    note(session, viewer, "clue.withdraw", "case", case.id, at=now, clue=clue.id)
    follow(session, services, viewer, case, gone=[clue], come=[], now=now)
    return clue


def end(row: Clue | Interview, viewer: Viewer, reason: str, now: datetime) -> None:
    """Mark as withdrawn."""
    row.withdrawn_at, row.withdrawn_by_id, row.withdrawal_reason = now, viewer.user_id, reason


def list_clues(session: Session, case_id: uuid.UUID, *, standing: bool = False) -> list[Clue]:
    """Clues of a case that the caller has already been allowed to see, newest first."""
    statement = select(Clue).where(Clue.case_id == case_id).order_by(Clue.heard_at.desc(), Clue.recorded_at, Clue.id)
    if standing:
        statement = statement.where(Clue.superseded_at.is_(None), Clue.withdrawn_at.is_(None))
    return list(session.scalars(statement.execution_options(populate_existing=True)))
