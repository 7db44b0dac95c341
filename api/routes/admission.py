"""Admissions (入站登记): what is recorded at intake, care without tracing, and handovers to hospitals."""

import uuid

from fastapi import APIRouter, Response

from api.deps import NowDep, PagingDep, ServicesDep, SessionDep, VersionDep, ViewerDep, created, set_etag
from api.idempotency import OnceDep
from api.openapi import problems
from api.routes.cases import shown
from api.schemas.admission import (
    AdmissionIn,
    AdmissionOut,
    HandoverIn,
    HandoverOut,
    ReceiptIn,
    SealedAdmissionOut,
    admission_out,
    handover_out,
    sealed_out,
)
from api.schemas.base import ItemsOut, PageOut, items_out
from api.schemas.cases import CaseOut
from api.schemas.deadlines import ReasonIn
from tracing import admission, handovers

router = APIRouter(tags=["admission"], responses=problems(403))


@router.get("/cases/{case_id}/admission", summary="How a person came in", responses=problems(404))
def read(case_id: uuid.UUID, session: SessionDep, viewer: ViewerDep, now: NowDep, response: Response) -> AdmissionOut:
    """The records, newest first: the first one stands."""
    case, records = admission.get_admissions(session, viewer, case_id, now=now)
    set_etag(response, case.version)
    return admission_out(case, records)


@router.put("/cases/{case_id}/admission", summary="Record how a person came in", responses=problems(404, 409, 412, 428))
def record(
    case_id: uuid.UUID,
    body: AdmissionIn,
    version: VersionDep,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    response: Response,
) -> AdmissionOut:
    """A record before is superseded. What is known of the identity changes in a draft alone."""
    admission.record_admission(session, services, viewer, case_id, body.given(), version=version, now=now)
    case, records = admission.get_admissions(session, viewer, case_id, now=now)
    set_etag(response, case.version)
    return admission_out(case, records)


@router.get("/cases/{case_id}/admission/sealed", summary="What of an admission is sealed", responses=problems(404))
def sealed(
    case_id: uuid.UUID,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
) -> SealedAdmissionOut:
    """Findings, belongings, guardian, stated identity; every opening is on record. Never to be cached."""
    return sealed_out(admission.open_admission(session, services, viewer, case_id, now=now))


@router.post("/cases/{case_id}/care", summary="Care for a person of known identity", responses=problems(404, 409))
def care(
    case_id: uuid.UUID,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    response: Response,
) -> CaseOut:
    """A short stay without tracing. Again is harmless."""
    return shown(session, response, admission.take_into_care(session, services, viewer, case_id, now=now))


@router.post(
    "/cases/{case_id}/identity-disproved", summary="The stated identity is false", responses=problems(404, 409)
)
def disprove(
    case_id: uuid.UUID,
    body: ReasonIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    response: Response,
) -> CaseOut:
    """From now on the family is traced."""
    case = admission.disprove_identity(session, services, viewer, case_id, reason=body.reason, now=now)
    return shown(session, response, case)


@router.get("/cases/{case_id}/handovers", summary="Handovers to hospitals", responses=problems(404))
def list_of_case(
    case_id: uuid.UUID, session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep
) -> ItemsOut[HandoverOut]:
    """Newest first."""
    return items_out(handover_out(view) for view in handovers.list_of_case(session, services, viewer, case_id, now=now))


@router.post(
    "/cases/{case_id}/handovers", summary="Bring a person to a hospital", status_code=201, responses=problems(404, 409)
)
def hand_over(
    case_id: uuid.UUID,
    body: HandoverIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    once: OnceDep,
    response: Response,
) -> HandoverOut:
    """At once, from a draft on; admission and tracing go on meanwhile. The hospital's liaison is told."""
    created(response, f"/api/v1/cases/{case_id}/handovers")
    made = once.earlier(session, now=now)
    if made is None:
        made = handovers.hand_over(
            session, services, viewer, case_id, body.hospital_id,
            officer=body.officer, complaint=body.complaint, handed_at=body.handed_at, now=now,
        ).id  # fmt: skip
        once.remember(session, made)
    views = handovers.list_of_case(session, services, viewer, case_id, now=now)
    return handover_out(next(view for view in views if view.handover.id == made))


@router.get("/handovers", summary="Who was brought to the own hospital")
def list_of_hospital(
    session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep, paging: PagingDep
) -> PageOut[HandoverOut]:
    """Newest first; of the case its number alone."""
    page = handovers.list_of_hospital(session, services, viewer, cursor=paging.cursor, limit=paging.limit, now=now)
    return PageOut(items=tuple(handover_out(view) for view in page.items), next_cursor=page.next_cursor)


@router.post("/handovers/{handover_id}/receive", summary="The person has arrived", responses=problems(404, 409))
def receive(
    handover_id: uuid.UUID,
    body: ReceiptIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
) -> HandoverOut:
    """By the hospital's own liaison; who brought the person is told."""
    return handover_out(
        handovers.receive(session, services, viewer, handover_id, ward=body.ward, received_at=body.received_at, now=now)
    )


@router.post("/handovers/{handover_id}/withdraw", summary="Take a handover back", responses=problems(404, 409))
def withdraw(
    handover_id: uuid.UUID,
    body: ReasonIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
) -> HandoverOut:
    """It stays on record."""
    return handover_out(
        handovers.withdraw_handover(session, services, viewer, handover_id, reason=body.reason, now=now)
    )
