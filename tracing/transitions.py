"""Moving a case: the one function that every use case calls, with the history row and the audit event."""

from datetime import datetime

from sqlalchemy.orm import Session

from matcher.vocabulary import GalleryKind
from models.case import SEARCHED, TRANSITIONS, Case, CaseState, CaseTransition, IllegalTransition
from tracing.access import Viewer
from tracing.gallery_erasure import request_leaving
from tracing.notice_end import end_notice
from tracing.platform import errors
from tracing.trail import note


class IllegalMove(errors.Conflict):
    """A move that the transition table does not have."""

    slug = "illegal_transition"
    message = "A case in the state “{current}” cannot become “{wanted}”. Possible now: {possible}."


def illegal_move(current: CaseState, wanted: CaseState) -> IllegalMove:
    """The error for a move that is not in the table (or not this way), naming those that are."""
    possible = [state.value for state in CaseState if state in TRANSITIONS[current]]
    return IllegalMove(current=current.value, wanted=wanted.value, possible=possible)


def move(
    session: Session,
    case: Case,
    wanted: CaseState,
    viewer: Viewer | None,
    *,
    now: datetime,
    reason: str | None = None,
    undoing: bool = False,
) -> CaseTransition:
    """Move a case, with its history row and audit event; one that leaves the gallery asks for the proof of it. Raises
    IllegalMove. `viewer` None = the service itself; `undoing`: as `Case.move_to`.
    """
    previous = case.state
    try:
        row = case.move_to(wanted, actor_id=viewer.user_id if viewer else None, at=now, reason=reason, undoing=undoing)
    except IllegalTransition as error:
        raise illegal_move(error.current, error.wanted) from error
    session.add(row)
    note(session, viewer, "case.move", "case", case.id, at=now, previous=previous.value, state=wanted.value)
    end_notice(session, case, now=now)
    if case.traced and previous in SEARCHED and wanted not in SEARCHED:
        request_leaving(session, GalleryKind.CASE, case.id, case.profile_id, now=now)
    return row
