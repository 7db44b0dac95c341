"""Missing-person reports (寻人信息)."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlalchemy.orm import Session

from api.deps import NowDep, PagingDep, ServicesDep, SessionDep, VersionDep, ViewerDep, created, set_etag
from api.idempotency import OnceDep
from api.openapi import problems
from api.schemas.base import Line, PageOut
from api.schemas.reports import ReportIn, ReportOut, ReportSummary, report_out, report_summary
from models.report import Report, ReportState
from tracing import reports
from tracing.photos import list_photos

router = APIRouter(prefix="/reports", tags=["reports"], responses=problems(403))


def _shown(session: Session, response: Response, report: Report) -> ReportOut:
    set_etag(response, report.version)
    return report_out(report, list_photos(session, report.profile_id))


@router.get("", summary="Reports of the viewer's scope, newest first")
def list_page(
    session: SessionDep,
    viewer: ViewerDep,
    now: NowDep,
    paging: PagingDep,
    state: Annotated[list[ReportState] | None, Query(description="May be given several times.")] = None,
    number: Annotated[Line | None, Query(description="A part of the report number.")] = None,
) -> PageOut[ReportSummary]:
    """One page."""
    page = reports.list_reports(
        session, viewer, states=frozenset(state or ()), number=number,
        cursor=paging.cursor, limit=paging.limit, now=now,
    )  # fmt: skip
    return PageOut(items=tuple(report_summary(report) for report in page.items), next_cursor=page.next_cursor)


@router.post("", summary="Register a missing person", status_code=201)
def create(
    body: ReportIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    once: OnceDep,
    response: Response,
) -> ReportOut:
    """Make a draft. The family's details and the identity number are sealed at once."""
    earlier = once.earlier(session, now=now)
    if earlier is not None:
        report = reports.get_report(session, viewer, earlier, now=now)
    else:
        report = reports.create_report(
            session, services, viewer, body.last_seen(), body.facts(), body.family_contact(), body.identity_number,
            now=now,
        )  # fmt: skip
        once.remember(session, report.id)
    created(response, f"/api/v1/reports/{report.id}")
    return _shown(session, response, report)


@router.get("/{report_id}", summary="A report", responses=problems(404))
def read(report_id: uuid.UUID, session: SessionDep, viewer: ViewerDep, now: NowDep, response: Response) -> ReportOut:
    """With its facts and photographs; what is sealed stays sealed."""
    return _shown(session, response, reports.get_report(session, viewer, report_id, now=now))


@router.put("/{report_id}", summary="Replace what is known", responses=problems(404, 412, 428))
def edit(
    report_id: uuid.UUID,
    body: ReportIn,
    version: VersionDep,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    response: Response,
) -> ReportOut:
    """Facts that are left out are superseded; a contact or identity number left out stays. Open reports match again."""
    report = reports.edit_report(
        session, services, viewer, report_id, body.last_seen(), body.facts(), body.family_contact(),
        body.identity_number, version=version, now=now,
    )  # fmt: skip
    return _shown(session, response, report)


@router.post("/{report_id}/publish", summary="Put a report into the search", responses=problems(404, 409))
def publish(
    report_id: uuid.UUID,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    response: Response,
) -> ReportOut:
    """Again is harmless."""
    return _shown(session, response, reports.publish_report(session, services, viewer, report_id, now=now))


@router.post("/{report_id}/withdraw", summary="Take a report out of the search", responses=problems(404, 409))
def withdraw(
    report_id: uuid.UUID,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    once: OnceDep,
    response: Response,
) -> ReportOut:
    """The person was found otherwise, or the family wants it so."""
    if once.earlier(session, now=now) is not None:
        report = reports.get_report(session, viewer, report_id, now=now)
    else:
        report = reports.withdraw_report(session, services, viewer, report_id, now=now)
        session.flush()  # the version that is told is the one after this change
        once.remember(session, report.id)
    return _shown(session, response, report)
