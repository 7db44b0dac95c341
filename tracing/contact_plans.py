"""Contact plans (联系方案): through which unit the family is called, where it can call back, and by which script."""

import re
import uuid
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.contact import LOCAL_CHANNELS, ContactChannel, ContactPlan
from tracing import access
from tracing.access import Permission, Viewer
from tracing.cases import load_case
from tracing.contact import LocalFirst, contactable, released
from tracing.facts import check_text
from tracing.platform import errors
from tracing.screenings import refuse_stopped
from tracing.services import Services
from tracing.trail import note

_NUMBER = re.compile(r"\+?[0-9][0-9 -]{5,30}[0-9]", re.ASCII)


class CallBackNumberInvalid(errors.Invalid):
    """A call-back number that cannot be dialled."""

    slug = "call_back_number_invalid"
    message = "Give the station's published telephone number, with its area code: digits, blanks and hyphens alone."


def plan_purpose(plan_id: uuid.UUID) -> str:
    """Purpose under which the vault seals the unit's name."""
    return f"plan:{plan_id}"


def make_plan(
    session: Session,
    services: Services,
    viewer: Viewer,
    case_id: uuid.UUID,
    channel: ContactChannel,
    *,
    unit: str,
    call_back_number: str,
    now: datetime,
) -> ContactPlan:
    """The plan for the first call, through a local unit; a newer plan replaces it and both stay on record.

    Raises Forbidden, NotFound, ContactSealed, PersonObjects, DangerSuspected, ClaimsConflict, LocalFirst,
    CallBackNumberInvalid.
    """
    access.require(viewer, Permission.CONTACT)
    case = load_case(session, viewer, case_id, lock=True)
    found = contactable(session, case)
    if channel not in LOCAL_CHANNELS:
        raise LocalFirst(field="channel")
    unit, number = check_text(unit, field="unit", limit=120), call_back_number.strip()
    if not _NUMBER.fullmatch(number):
        raise CallBackNumberInvalid(field="call_back_number")
    identity = uuid.uuid4()
    plan = ContactPlan(
        id=identity,
        case_id=case.id,
        confirmation_id=found.confirmation.id,
        channel=channel,
        unit_sealed=services.vault.seal(session, found.subject_id, plan_purpose(identity), unit.encode()),
        call_back_number=number,
        script_version=services.homeward.script.version,
        made_by_id=viewer.user_id,
        made_at=now,
    )
    session.add(plan)
    session.flush()
    note(session, viewer, "contact.plan", "case", case.id, at=now, plan=identity, channel=channel.value)
    return plan


def read_plan(
    session: Session, services: Services, viewer: Viewer, case_id: uuid.UUID, *, now: datetime
) -> tuple[ContactPlan, str] | None:
    """The newest plan for the standing confirmation and its unit, opened; None when there is none. Logged.

    Raises Forbidden, NotFound, ContactSealed, PersonObjects, DangerSuspected.
    """
    access.require(viewer, Permission.CONTACT)
    case = load_case(session, viewer, case_id)
    found = released(session, case)
    refuse_stopped(session, case.id)
    plan = session.scalars(
        select(ContactPlan)
        .where(ContactPlan.confirmation_id == found.confirmation.id)
        .order_by(ContactPlan.made_at.desc(), ContactPlan.id)
        .limit(1)
    ).one_or_none()
    note(session, viewer, "contact.plan_read", "case", case.id, at=now, found=plan is not None)
    if plan is None:
        return None
    return plan, services.vault.open(session, found.subject_id, plan_purpose(plan.id), plan.unit_sealed).decode()
