"""Missing-person reports (寻人信息): form, the report's own page, publishing and withdrawing."""

import uuid
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.messages import sentence
from api.web import flash, once, record_form, uploads
from api.web.page import Page, PageDep, posted
from api.web.rendering import done, redirect, render, warning, words_of
from matcher.vocabulary import GalleryKind
from models.photo import AnalysisState, PhotoView
from models.report import REPORT_TRANSITIONS, ReportState
from tracing import reports
from tracing.access import Permission, require
from tracing.photos import list_photos
from tracing.platform import errors
from tracing.profiles import current_facts
from tracing.reports import ContactIncomplete

router = APIRouter()


def show_new(page: Page) -> Response:
    """An empty form, or the one that was refused."""
    require(page.viewer, Permission.REPORT_WRITE)
    values = page.typed.values if page.problem else {}
    today = page.services.local_day(page.now)
    return render(
        page, "reports/new.html", values=values, rows=record_form.rows(values), default_basis="reported",
        form_key=once.key(page), today=today, tomorrow=today + timedelta(days=1), **record_form.choices(),
    )  # fmt: skip


@router.get("/reports/new")
def new(page: PageDep) -> Response:
    """The form."""
    return show_new(page)


@router.post("/reports/new")
def create(page: Annotated[Page, posted(show_new)]) -> Response:
    """A draft with its photographs, published at once if asked. The family's details are sealed here."""
    last_seen, facts, contact, identity = record_form.read_report(page.typed, today=page.services.local_day(page.now))
    prepared = uploads.prepare(page)
    earlier = once.earlier(page, "report")
    if earlier is not None:
        return redirect(page, f"/reports/{earlier}", warning(page, "This form was sent before: here is what it made."))
    report = reports.create_report(
        page.session, page.services, page.viewer, last_seen, facts, contact, identity, now=page.now
    )
    once.remember(page, report.id)
    refused = uploads.store(page, GalleryKind.REPORT, report.id, prepared)
    message = done(page, "The draft {number} is saved.", number=report.number)
    if page.typed.text("action") == "publish" and not refused:
        try:
            reports.publish_report(page.session, page.services, page.viewer, report.id, now=page.now)
            message = done(page, "Report {number} is published to the search.", number=report.number)
        except ContactIncomplete as error:
            refused = (flash.Message(flash.Tone.WARNING, sentence(page.locale, error)),)
    elif refused:
        message = warning(page, "The draft {number} is saved and not yet published.", number=report.number)
    return redirect(page, f"/reports/{report.id}", message, *refused)


def show_report(page: Page, report_id: uuid.UUID) -> Response:
    """Everything but what is sealed."""
    report = reports.get_report(page.session, page.viewer, report_id, now=page.now)
    photos = list_photos(page.session, report.profile_id)
    writes = page.may(Permission.REPORT_WRITE)
    return render(
        page,
        "reports/report.html",
        report=report,
        facts=current_facts(report.profile),
        photos=photos,
        views=list(PhotoView),
        waits=any(photo.analysis is AnalysisState.PENDING for photo in photos),
        editable=writes and report.state in (ReportState.DRAFT, ReportState.OPEN),
        may_publish=writes and ReportState.OPEN in REPORT_TRANSITIONS[report.state]
        and report.state is not ReportState.RESOLVED,
        may_withdraw=writes and ReportState.WITHDRAWN in REPORT_TRANSITIONS[report.state],
        owner_path=f"/reports/{report.id}",
    )  # fmt: skip


@router.get("/reports/{report_id}")
def read(page: PageDep, report_id: uuid.UUID) -> Response:
    """The report's page."""
    return show_report(page, report_id)


def show_edit(page: Page, report_id: uuid.UUID) -> Response:
    """What is known, to be changed; what was typed too late beside what stands now."""
    require(page.viewer, Permission.REPORT_WRITE)
    report = reports.get_report(page.session, page.viewer, report_id, now=page.now)
    standing = record_form.report_values(report)
    values, changed = standing, []
    if page.problem:
        values = {**page.typed.values}
        if page.problem.slug == errors.StaleVersion.slug:
            changed = record_form.differences(words_of(page), standing, values, record_form.LAST_SEEN)
            values["version"] = standing["version"]
    today = page.services.local_day(page.now)
    return render(
        page, "reports/edit.html", report=report, values=values, rows=record_form.rows(values),
        default_basis="reported", changed=changed, today=today, tomorrow=today + timedelta(days=1),
        **record_form.choices(),
    )  # fmt: skip


@router.get("/reports/{report_id}/edit")
def edit(page: PageDep, report_id: uuid.UUID) -> Response:
    """The form."""
    return show_edit(page, report_id)


@router.post("/reports/{report_id}/edit")
def save(page: Annotated[Page, posted(show_edit)], report_id: uuid.UUID) -> Response:
    """Replace what is known; sealed details that are left empty stay as they are."""
    last_seen, facts, contact, identity = record_form.read_report(page.typed, today=page.services.local_day(page.now))
    reports.edit_report(
        page.session, page.services, page.viewer, report_id, last_seen, facts, contact, identity,
        version=record_form.version(page.typed), now=page.now,
    )  # fmt: skip
    return redirect(page, f"/reports/{report_id}", done(page, "The changes are saved."))


@router.post("/reports/{report_id}/publish")
def publish(page: Annotated[Page, posted(show_report)], report_id: uuid.UUID) -> Response:
    """Into the search."""
    reports.publish_report(page.session, page.services, page.viewer, report_id, now=page.now)
    return redirect(page, f"/reports/{report_id}", done(page, "The report is published to the search."))


@router.post("/reports/{report_id}/withdraw")
def withdraw(page: Annotated[Page, posted(show_report)], report_id: uuid.UUID) -> Response:
    """Out of the search."""
    reports.withdraw_report(page.session, page.services, page.viewer, report_id, now=page.now)
    return redirect(page, f"/reports/{report_id}", done(page, "The report is withdrawn from the search."))


@router.post("/reports/{report_id}/photos")
def add_photos(page: Annotated[Page, posted(show_report)], report_id: uuid.UUID) -> Response:
    """More photographs."""
    prepared = uploads.prepare(page)
    refused = uploads.store(page, GalleryKind.REPORT, report_id, prepared)
    return redirect(page, f"/reports/{report_id}", *refused, *uploads.taken(page, prepared, refused))
