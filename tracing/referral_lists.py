"""Lists of referrals (转介清单): the inbox of a receiving organisation, what a station has sent, those of one case."""

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload, selectinload

from models.case import Case
from models.referral import Referral, ReferralState
from tracing import access
from tracing.access import Permission, Viewer
from tracing.cases import load_case
from tracing.paging import Page, page_of
from tracing.platform import errors
from tracing.trail import note


def list_referrals(
    session: Session,
    viewer: Viewer,
    *,
    states: frozenset[ReferralState] = frozenset(),
    overdue: bool = False,
    cursor: str | None = None,
    limit: int = 50,
    now: datetime,
) -> Page[Referral]:
    """Those that were sent to the own organisation, or those of the viewer's cases; newest first, nothing opened.

    `overdue`: only those whose answer is waited for after its time. Raises Forbidden, BadCursor.
    """
    if not (viewer.may(Permission.ANSWER) or viewer.may(Permission.CASE_READ)):
        raise errors.Forbidden(permission=Permission.ANSWER.value)
    statement = loaded(viewer)
    if states:
        statement = statement.where(Referral.state.in_(states))
    if overdue:
        statement = statement.where(Referral.state == ReferralState.SENT, Referral.answer_due_at < now)
    page = page_of(session, statement, Referral.created_at, Referral.id, cursor=cursor, limit=limit)
    note(session, viewer, "referral.list", "referral", None, at=now, count=len(page.items))
    return page


def list_case_referrals(session: Session, viewer: Viewer, case_id: uuid.UUID, *, now: datetime) -> list[Referral]:
    """The referrals of one case, newest first, nothing opened. Raises NotFound."""
    case = load_case(session, viewer, case_id)
    rows = session.scalars(
        loaded(viewer).where(Referral.case_id == case.id).order_by(Referral.created_at.desc(), Referral.id)
    ).all()
    note(session, viewer, "referral.list", "case", case.id, at=now, count=len(rows))
    return list(rows)


def case_numbers(session: Session, viewer: Viewer, referrals: Iterable[Referral]) -> Mapping[uuid.UUID, str]:
    """The numbers of the cases behind listed referrals, by the case's id; none for a receiving organisation."""
    wanted = {one.case_id for one in referrals}
    rows = session.execute(select(Case.id, Case.number).where(Case.id.in_(wanted), access.case_scope(viewer)))
    return {row.id: row.number for row in rows}


def loaded(viewer: Viewer) -> Select[Referral]:
    """Referrals of the viewer's scope, with both organisations and their moves."""
    return (
        select(Referral)
        .where(access.referral_scope(viewer))
        .options(joinedload(Referral.sender), joinedload(Referral.receiver), selectinload(Referral.moves))
    )
