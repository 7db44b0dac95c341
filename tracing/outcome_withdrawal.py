"""Taking outcomes back (结果撤回): a mistaken one, or those that fall with the confirmation; where the case then is."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import GATED, Case, CaseState, CaseTransition
from models.confirmation import Confirmation
from models.outcome import OF_FAMILY, Outcome
from tracing.access import Viewer
from tracing.outcome_rules import RULES
from tracing.trail import note

REASON_LIMIT = 500


def take_back(session: Session, viewer: Viewer, outcome: Outcome, reason: str, *, now: datetime) -> None:
    """Withdraw a standing outcome of a locked case; it counts nowhere and stays on record."""
    outcome.withdrawn_at, outcome.withdrawn_by_id, outcome.withdrawal_reason = now, viewer.user_id, reason
    session.flush()
    note(session, viewer, "outcome.withdraw", "case", outcome.case_id, at=now, outcome=outcome.id)


def take_back_resting(
    session: Session, viewer: Viewer, confirmation: Confirmation, reason: str, *, now: datetime
) -> None:
    """Withdraw what was recorded of a family or home that a recalled confirmation had named."""
    resting = select(Outcome).where(
        Outcome.case_id == confirmation.case_id,
        Outcome.kind.in_(OF_FAMILY),
        Outcome.withdrawn_at.is_(None),
        Outcome.recorded_at >= confirmation.confirmed_at,
    )
    for outcome in session.scalars(resting.order_by(Outcome.id)).all():
        take_back(session, viewer, outcome, reason[:REASON_LIMIT], now=now)


def state_before(session: Session, case: Case) -> CaseState | None:
    """Where the case goes back to when an outcome has brought it to its state and none stands any more that would.

    None: it stays. Whoever was searched for is searched for anew.
    """
    outcomes = session.scalars(select(Outcome).where(Outcome.case_id == case.id)).all()
    bringing = [one for one in outcomes if RULES[one.kind].state is case.state]
    moved = case.state_since in [one.recorded_at for one in bringing]
    if not moved or any(one.withdrawn_at is None for one in bringing):
        return None
    if not case.traced:
        return CaseState.IN_CARE
    before = session.scalars(
        select(CaseTransition.from_state).where(
            CaseTransition.case_id == case.id, CaseTransition.to_state == case.state,
            CaseTransition.at == case.state_since,
        )
    ).first()  # fmt: skip
    settled = any(RULES[one.kind].state is CaseState.SETTLED and one.withdrawn_at is None for one in outcomes)
    if before in GATED or (before is CaseState.SETTLED and settled):
        return before
    return CaseState.SEARCHING
