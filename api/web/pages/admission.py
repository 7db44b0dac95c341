"""Admissions (入站登记): how a person came in, care of known people, false identities, and handovers to hospitals."""

import uuid
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.web import once
from api.web.admission_form import belonging_rows, choices, read_admission, values_of
from api.web.errors import ChoiceMissing
from api.web.forms import moment
from api.web.page import Page, PageDep, posted
from api.web.record_form import version
from api.web.rendering import done, redirect, render
from api.web.seen_form import now_typed
from models.case import CaseState
from models.organisation import Organisation, OrganisationKind
from models.referral import ReferralKind
from tracing import access, admission, handovers
from tracing.access import Permission
from tracing.cases import Circumstances, ReasonMissing, edit_case, load_case
from tracing.organisations import organisations_by_id
from tracing.profiles import current_facts
from tracing.referral_receivers import list_receivers

router = APIRouter()
SHOWN = 25
HOSPITALS_OFFERED = 100


def show_admission(page: Page, case_id: uuid.UUID) -> Response:
    """What stands of the admission, unopened, and what the station may do about it."""
    case, records = admission.get_admissions(page.session, page.viewer, case_id, now=page.now)
    brought = handovers.list_of_case(page.session, page.services, page.viewer, case_id, now=page.now)
    may_write = page.may(Permission.CASE_WRITE) and case.state is not CaseState.CLOSED
    begins = {"handed_at": now_typed(page), "officer": page.viewer.display_name}
    return render(
        page, "admission/admission.html", case=case, record=records[0] if records else None, earlier=records[1:],
        brought=brought, hospitals=organisations_by_id(page.session, (one.handover.hospital_id for one in brought)),
        may_write=may_write, offered=_hospitals(page) if may_write else [], key_field=once.FIELD,
        form_key=once.key(page), values=page.typed.values if page.problem else begins,
    )  # fmt: skip


def _hospitals(page: Page) -> list[Organisation]:
    """Designated hospitals of the own province."""
    province = access.own_organisation(page.session, page.viewer).division[:2]
    listed = list_receivers(
        page.session, page.services, page.viewer, ReferralKind.MEDICAL,
        division=province, limit=HOSPITALS_OFFERED, now=page.now,
    )  # fmt: skip
    return [one for one in listed.items if one.kind is OrganisationKind.HEALTH_LIAISON]


@router.get("/cases/{case_id}/admission")
def read(page: PageDep, case_id: uuid.UUID) -> Response:
    """The page."""
    return show_admission(page, case_id)


@router.get("/cases/{case_id}/admission/sealed")
def sealed(page: PageDep, case_id: uuid.UUID) -> Response:
    """Findings, belongings, guardian, stated identity; every opening is on record."""
    opened = admission.open_admission(page.session, page.services, page.viewer, case_id, now=page.now)
    case = load_case(page.session, page.viewer, case_id)
    return render(page, "admission/sealed.html", case=case, opened=opened)


def show_form(page: Page, case_id: uuid.UUID) -> Response:
    """The form: empty, or with what stands, which it opens; the opening is on record."""
    access.require(page.viewer, Permission.CASE_WRITE)
    case, records = admission.get_admissions(page.session, page.viewer, case_id, now=page.now)
    values = page.typed.values
    if not page.problem:
        opened = None
        if records:
            opened = admission.open_admission(page.session, page.services, page.viewer, case_id, now=page.now)
        values = values_of(page, case, records[0] if records else None, opened)
    return render(
        page, "admission/edit.html", case=case, record=records[0] if records else None, values=values,
        kind_fixed=case.state is not CaseState.DRAFT, belongings=belonging_rows(values), **choices(),
    )  # fmt: skip


@router.get("/cases/{case_id}/admission/edit")
def form(page: PageDep, case_id: uuid.UUID) -> Response:
    """The page."""
    return show_form(page, case_id)


@router.post("/cases/{case_id}/admission/edit")
def record(page: Annotated[Page, posted(show_form)], case_id: uuid.UUID) -> Response:
    """Record how the person came in; a record before is superseded."""
    access.require(page.viewer, Permission.CASE_WRITE)
    given = read_admission(page)
    admission.record_admission(
        page.session, page.services, page.viewer, case_id, given, version=version(page.typed), now=page.now
    )
    _record_refusal(page, case_id)
    return redirect(page, f"/cases/{case_id}/admission", done(page, "The admission is recorded."))


def _record_refusal(page: Page, case_id: uuid.UUID) -> None:
    """Whether the person refuses to be photographed stands with the case, where the search looks for it."""
    case = load_case(page.session, page.viewer, case_id)
    refused = page.typed.ticked("photo_refused")
    if refused == case.photo_refused:
        return
    circumstances = Circumstances(case.admitted_on, case.found_on, case.found_division, case.found_place, refused)
    edit_case(
        page.session, page.services, page.viewer, case_id, circumstances, current_facts(case.profile),
        version=None, now=page.now,
    )  # fmt: skip


@router.post("/cases/{case_id}/care")
def care(page: Annotated[Page, posted(show_admission)], case_id: uuid.UUID) -> Response:
    """A person of known identity stays without being traced."""
    admission.take_into_care(page.session, page.services, page.viewer, case_id, now=page.now)
    return redirect(page, f"/cases/{case_id}/admission", done(page, "The person is in care. Nobody is searched for."))


@router.post("/cases/{case_id}/identity-disproved")
def disprove(page: Annotated[Page, posted(show_admission)], case_id: uuid.UUID) -> Response:
    """The stated identity is false."""
    admission.disprove_identity(
        page.session, page.services, page.viewer, case_id, reason=page.typed.text("reason"), now=page.now
    )
    return redirect(page, f"/cases/{case_id}", done(page, "From now on the family is traced. The search has begun."))


@router.post("/cases/{case_id}/handovers")
def hand_over(page: Annotated[Page, posted(show_admission)], case_id: uuid.UUID) -> Response:
    """Bring the person to a hospital, at once; the rest goes on meanwhile."""
    access.require(page.viewer, Permission.CASE_WRITE)
    here = f"/cases/{case_id}/admission"
    handed_at = moment(page.typed, "handed_at", page.services.settings.zone)
    hospital_id = _hospital(page)
    if once.earlier(page, f"handover {case_id}") is not None:
        return redirect(page, here)
    made = handovers.hand_over(
        page.session, page.services, page.viewer, case_id, hospital_id, officer=page.typed.text("officer"),
        complaint=page.typed.text("complaint"), handed_at=handed_at, now=page.now,
    )  # fmt: skip
    once.remember(page, made.id)
    return redirect(page, here, done(page, "The handover is recorded. The hospital is told."))


def _hospital(page: Page) -> uuid.UUID:
    try:
        return uuid.UUID(page.typed.text("hospital_id"))
    except ValueError:
        raise ChoiceMissing(field="hospital_id") from None


def show_received(page: Page) -> Response:
    """Who was brought to the own hospital; of the case its number alone."""
    cursor = page.request.query_params.get("cursor") or None
    listed = handovers.list_of_hospital(
        page.session, page.services, page.viewer, cursor=cursor, limit=SHOWN, now=page.now
    )  # fmt: skip
    return render(
        page, "admission/handovers.html", views=listed.items, next_cursor=listed.next_cursor, first=cursor is None,
        values=page.typed.values if page.problem else {"received_at": now_typed(page)},
    )  # fmt: skip


@router.get("/handovers")
def index(page: PageDep) -> Response:
    """The page."""
    return show_received(page)


@router.post("/handovers/{handover_id}/receive")
def receive(page: Annotated[Page, posted(show_received)], handover_id: uuid.UUID) -> Response:
    """The person has arrived."""
    access.require(page.viewer, Permission.HANDOVER_RECEIVE)
    handovers.receive(
        page.session, page.services, page.viewer, handover_id, ward=page.typed.optional("ward"),
        received_at=moment(page.typed, "received_at", page.services.settings.zone), now=page.now,
    )  # fmt: skip
    return redirect(page, "/handovers", done(page, "The arrival is recorded. The station is told."))


@router.post("/cases/{case_id}/handovers/{handover_id}/withdraw")
def withdraw_handover(
    page: Annotated[Page, posted(show_admission)], case_id: uuid.UUID, handover_id: uuid.UUID
) -> Response:
    """Take a handover back."""
    field = f"reason.{handover_id}"
    if not page.typed.text(field):
        raise ReasonMissing(field=field)
    handovers.withdraw_handover(
        page.session, page.services, page.viewer, handover_id, reason=page.typed.text(field), now=page.now
    )
    return redirect(page, f"/cases/{case_id}/admission", done(page, "The handover is withdrawn; it stays on record."))
