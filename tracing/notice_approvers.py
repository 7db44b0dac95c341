"""Who may let a notice through (公告审核人)."""

import uuid

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.organisation import Organisation
from models.user import Role, User


def approvers_of(session: Session, organisation: Organisation) -> list[uuid.UUID]:
    """The supervisors above an organisation, and those of the police who serve it or one above it."""
    above = [uuid.UUID(one) for one in organisation.path.strip("/").split("/")]
    roles = (Role.BUREAU_SUPERVISOR, Role.POLICE_SUPERVISOR)
    return list(
        session.scalars(
            select(User.id)
            .join(Organisation, Organisation.id == User.organisation_id)
            .where(User.active, User.role.in_(roles))
            .where(
                or_(
                    Organisation.id.in_(above),
                    (User.role == Role.POLICE_SUPERVISOR) & Organisation.parent_id.in_(above),
                )
            )
            .order_by(User.id)
        )
    )
