"""What identity claims (身份核查结果) allow and forbid: no confirmation, no release, while one names somebody else."""

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.candidate import Candidate
from models.claim import SHOWN_BY, ClaimGrade, IdentityClaim
from models.confirmation import ConfirmationMethod
from tracing.platform import errors


class ClaimsConflict(errors.Conflict):
    """A standing result of confirmed grade names another person than the one in question."""

    slug = "claims_conflict"
    message = (
        "A recorded result of confirmed grade ({methods}) names somebody else. Withdraw the one that is wrong, or have "
        "a police supervisor settle the conflict with a reason; until then nobody is confirmed and no contact released."
    )


def standing_claims(session: Session, case_id: uuid.UUID) -> list[IdentityClaim]:
    """The case's results of confirmed grade that are neither withdrawn nor set aside, oldest first."""
    statement = (
        select(IdentityClaim)
        .where(
            IdentityClaim.case_id == case_id,
            IdentityClaim.grade == ClaimGrade.CONFIRMED,
            IdentityClaim.withdrawn_at.is_(None),
            IdentityClaim.settled_at.is_(None),
        )
        .order_by(IdentityClaim.recorded_at, IdentityClaim.id)
    )
    return list(session.scalars(statement.execution_options(populate_existing=True)))


def refuse_conflicting(session: Session, case_id: uuid.UUID, candidate_id: uuid.UUID) -> None:
    """Raise ClaimsConflict while a standing result of confirmed grade is not known to name this candidate."""
    others = [one.method for one in standing_claims(session, case_id) if one.candidate_id != candidate_id]
    if others:
        raise ClaimsConflict(field="candidate_id", methods=sorted(set(others)))


def claim_behind(
    session: Session, candidate: Candidate, method: ConfirmationMethod, reference: str | None
) -> IdentityClaim | None:
    """The recorded result that shows this candidate by this decisive method: the one with the given reference, or the
    newest when no reference is given. None when there is none.
    """
    found = [
        one
        for one in standing_claims(session, candidate.case_id)
        if one.candidate_id == candidate.id and one.method in SHOWN_BY.get(method, frozenset())
    ]
    fitting = [one for one in found if reference in (None, one.reference)]
    return fitting[-1] if fitting else None
