"""Who may let a notice through (公告审核人)."""

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.organisation import Organisation
from models.user import Role, User
from tracing import access


def approvers_of(session: Session, organisation: Organisation) -> list[uuid.UUID]:
    """The supervisors above an organisation, and those of the police who serve it or one above it."""
    supervises = (User.role == Role.BUREAU_SUPERVISOR) & Organisation.id.in_(access.chain_of(organisation.path))
    serves = (User.role == Role.POLICE_SUPERVISOR) & access.police_serving(organisation)
    return list(
        session.scalars(
            select(User.id)
            .join(Organisation, Organisation.id == User.organisation_id)
            .where(User.active, supervises | serves)
            .order_by(User.id)
        )
    )
