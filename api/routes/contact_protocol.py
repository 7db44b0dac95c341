"""The protocol of contact (联系规程): script, plan, screenings, exception, verification of kin."""

import uuid

from fastapi import APIRouter, Response

from api.deps import NowDep, PagingDep, ServicesDep, SessionDep, ViewerDep, created
from api.idempotency import OnceDep
from api.openapi import problems
from api.schemas.base import PageOut
from api.schemas.contact_protocol import (
    ExceptionOut,
    KinIn,
    KinOut,
    PlanIn,
    PlanOut,
    ScreeningIn,
    ScreeningOut,
    ScriptOut,
    exception_out,
    kin_out,
    plan_out,
    screening_out,
    script_out,
)
from api.schemas.deadlines import ReasonIn
from models.contact import ContactException
from models.kin import KinVerification
from tracing import contact, contact_plans, kin, screenings
from tracing.access import Permission, require
from tracing.platform import errors

router = APIRouter(tags=["contact"], responses=problems(403, 404))


@router.get("/contact-script", summary="What is said in the first call to a family")
def script(services: ServicesDep, viewer: ViewerDep) -> ScriptOut:
    """The installation's script, in both languages."""
    require(viewer, Permission.CASE_READ)
    return script_out(services.homeward.script)


@router.get("/cases/{case_id}/contact-plan", summary="The plan of the first call", responses=problems(409))
def read_plan(
    case_id: uuid.UUID, session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep
) -> PlanOut:
    """The newest, its unit opened, while contact is released; 404 when none was made."""
    found = contact_plans.read_plan(session, services, viewer, case_id, now=now)
    if found is None:
        raise errors.NotFound()
    return plan_out(*found)


@router.post(
    "/cases/{case_id}/contact-plan", summary="Plan the first call", status_code=201, responses=problems(409)
)  # fmt: skip
def make_plan(
    case_id: uuid.UUID,
    body: PlanIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    once: OnceDep,
    response: Response,
) -> PlanOut:
    """Through the local police or the village committee. A newer plan replaces it."""
    created(response, f"/api/v1/cases/{case_id}/contact-plan")
    if once.earlier(session, now=now) is not None:
        return read_plan(case_id, session, services, viewer, now)
    plan = contact_plans.make_plan(
        session, services, viewer, case_id, body.channel,
        unit=body.unit, call_back_number=body.call_back_number, now=now,
    )  # fmt: skip
    once.remember(session, plan.id)
    return plan_out(plan, body.unit.strip())


@router.get("/cases/{case_id}/screenings", summary="The person's wish and safety, as asked")
def list_screenings(
    case_id: uuid.UUID, session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep, paging: PagingDep
) -> PageOut[ScreeningOut]:
    """Newest first; the last one counts."""
    page = screenings.list_screenings(
        session, services, viewer, case_id, cursor=paging.cursor, limit=paging.limit, now=now
    )
    return PageOut(items=tuple(screening_out(*one) for one in page.items), next_cursor=page.next_cursor)


@router.post(
    "/cases/{case_id}/screenings", summary="Record what was asked", status_code=201, responses=problems(409)
)  # fmt: skip
def record_screening(
    case_id: uuid.UUID,
    body: ScreeningIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    once: OnceDep,
    response: Response,
) -> ScreeningOut:
    """ "Objects" or "suspected" seals the family's details and stops every attempt at once."""
    created(response, f"/api/v1/cases/{case_id}/screenings")
    earlier = once.earlier(session, now=now)
    if earlier is None:
        row = screenings.record_screening(
            session, services, viewer, case_id, body.wish, body.danger,
            asked_on=body.asked_on, note_text=body.note, now=now,
        )  # fmt: skip
        once.remember(session, row.id)
        return screening_out(row, (body.note or "").strip() or None)
    page = screenings.list_screenings(session, services, viewer, case_id, limit=200, now=now)
    return screening_out(*next(one for one in page.items if one[0].id == earlier))


@router.post(
    "/cases/{case_id}/contact-exception", summary="Let the first attempt go another way", status_code=201,
    responses=problems(409),
)  # fmt: skip
def allow_exception(
    case_id: uuid.UUID, body: ReasonIn, session: SessionDep, viewer: ViewerDep, now: NowDep, once: OnceDep
) -> ExceptionOut:
    """For police supervisors, with the reason, while contact is released."""
    earlier = once.earlier(session, now=now)
    if earlier is not None:
        return exception_out(session.get_one(ContactException, earlier))
    row = contact.allow_exception(session, viewer, case_id, reason=body.reason, now=now)
    once.remember(session, row.id)
    return exception_out(row)


@router.get("/cases/{case_id}/kin-verifications", summary="The verifications of kin")
def list_kin(
    case_id: uuid.UUID, session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep, paging: PagingDep
) -> PageOut[KinOut]:
    """Newest first; the evidence is opened while contact is released."""
    page = kin.list_kin(session, services, viewer, case_id, cursor=paging.cursor, limit=paging.limit, now=now)
    return PageOut(items=tuple(kin_out(*one) for one in page.items), next_cursor=page.next_cursor)


@router.post(
    "/cases/{case_id}/kin-verifications", summary="Record a verification of kin", status_code=201,
    responses=problems(409),
)  # fmt: skip
def verify(
    case_id: uuid.UUID,
    body: KinIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    once: OnceDep,
    response: Response,
) -> KinOut:
    """Open questions, papers, and DNA where the policy wants it. Nobody is handed over before."""
    created(response, f"/api/v1/cases/{case_id}/kin-verifications")
    made = once.earlier(session, now=now)
    if made is None:
        made = kin.verify_kin(session, services, viewer, case_id, body.given(), now=now).id
        once.remember(session, made)
    return _shown(session, services, viewer, session.get_one(KinVerification, made), now)


@router.post("/kin-verifications/{verification_id}/withdraw", summary="Take a verification back",
             responses=problems(409))  # fmt: skip
def withdraw(
    verification_id: uuid.UUID,
    body: ReasonIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
) -> KinOut:
    """It stays on record and opens nothing."""
    row = kin.withdraw_kin(session, viewer, verification_id, reason=body.reason, now=now)
    return _shown(session, services, viewer, row, now)


def _shown(session: SessionDep, services: ServicesDep, viewer: ViewerDep, row: KinVerification, now: NowDep) -> KinOut:
    page = kin.list_kin(session, services, viewer, row.case_id, limit=200, now=now)
    return kin_out(*next(one for one in page.items if one[0].id == row.id))
