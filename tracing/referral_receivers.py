"""Receiving organisations (转介受理单位): who may receive a referral, and choosing one, also of another province."""

import uuid
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from matcher import divisions
from models.organisation import Organisation
from models.referral import ReferralKind
from models.user import Role
from tracing import access
from tracing.access import Permission, Viewer
from tracing.facts import check_division
from tracing.notifications import users_of
from tracing.paging import Page, page_of
from tracing.platform import errors
from tracing.services import Services
from tracing.trail import note

ANSWERERS = frozenset({Role.HEALTH_LIAISON, Role.RECEIVING_UNIT})


class ReceiverUnsuited(errors.Invalid):
    """An organisation that does not receive this kind of referral."""

    slug = "referral_receiver_unsuited"
    message = "This organisation does not receive referrals of this kind. Choose one from the list of receivers."


class ReceiverUnmanned(errors.Conflict):
    """An organisation in which nobody could read the referral."""

    slug = "referral_receiver_unmanned"
    message = (
        "Nobody at this organisation has an account, so nobody would read the referral. Choose another one, or ask its"
        " administrator for an account first."
    )


def load_receiver(session: Session, services: Services, kind: ReferralKind, organisation_id: uuid.UUID) -> Organisation:
    """The organisation, wherever it is. Raises ReceiverUnsuited."""
    kinds = services.care.referrals.rule(kind).receivers
    found = session.scalars(
        select(Organisation).where(
            Organisation.id == organisation_id, Organisation.active, Organisation.kind.in_(kinds)
        )
    ).one_or_none()
    if found is None:
        raise ReceiverUnsuited(field="receiver_id")
    return found


def refuse_unmanned(session: Session, organisation_id: uuid.UUID) -> None:
    """Raise ReceiverUnmanned when no active account could answer there."""
    if not users_of(session, organisation_id, ANSWERERS):
        raise ReceiverUnmanned(field="receiver_id")


def list_receivers(
    session: Session,
    services: Services,
    viewer: Viewer,
    kind: ReferralKind,
    *,
    division: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
    now: datetime,
) -> Page[Organisation]:
    """Organisations of every province that receive this kind, oldest first.

    If a division is given, those that serve it: its own, those below it, and those of its city and province, whose
    area it belongs to.

    Raises Forbidden, UnknownDivision, BadCursor.
    """
    access.require(viewer, Permission.REFER)
    statement = select(Organisation).where(
        Organisation.active, Organisation.kind.in_(services.care.referrals.rule(kind).receivers)
    )
    if division:
        check_division(division, field="division")
        code = divisions.normalise(division)
        above = [code[:length].ljust(6, "0") for length in range(2, len(code), 2)]
        statement = statement.where(
            or_(Organisation.division.startswith(code, autoescape=True), Organisation.division.in_(above))
        )
    page = page_of(
        session, statement, Organisation.created_at, Organisation.id, cursor=cursor, limit=limit, oldest_first=True
    )
    note(session, viewer, "referral.receivers", "organisation", None, at=now, count=len(page.items))
    return page
