"""Outcomes (救助结果): how a stay ended, with its papers; the dossier of a settlement (落户档案)."""

import uuid
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.web.forms import Typed, choice, day, moment, optional_choice, optional_place
from api.web.page import Page, PageDep, posted
from api.web.reason_page import Ask, ask_reason
from api.web.rendering import done, redirect, render, words_of
from models.case import Case, CaseState
from models.outcome import HOME, Outcome, OutcomeKind, OutcomeRoute, Transport
from tracing import dossier, home_notices, outcome_papers, outcomes
from tracing.access import Permission, require
from tracing.cases import get_case
from tracing.outcome_papers import Papers, Receiver, Transfer, Trip
from tracing.outcome_rules import RULES, Need
from tracing.platform import errors

router = APIRouter()


def show_outcome(page: Page, case_id: uuid.UUID) -> Response:
    """The form, and what is on record."""
    require(page.viewer, Permission.OUTCOME)
    case = get_case(page.session, page.viewer, case_id, now=page.now)
    today = page.services.local_day(page.now)
    return render(
        page, "outcomes/outcome.html", case=case, outcomes=outcomes.list_outcomes(page.session, case.id),
        values=page.typed.values if page.problem else {"occurred_on": today.isoformat()},
        kinds=list(OutcomeKind), routes=list(OutcomeRoute), transports=list(Transport), home=HOME,
    )  # fmt: skip


@router.get("/cases/{case_id}/outcome")
def read(page: PageDep, case_id: uuid.UUID) -> Response:
    """The page."""
    return show_outcome(page, case_id)


def _papers(page: Page, kind: OutcomeKind) -> Papers:
    """The papers that this kind needs, or that were typed; parts of other kinds that were left open are left out."""
    typed, needs = page.typed, RULES[kind].needs
    receiver = None
    if typed.text("handover.name"):
        receiver = Receiver(
            typed.text("handover.name"), typed.optional("handover.unit"), typed.optional("handover.relation"),
            typed.optional("handover.reference"),
        )  # fmt: skip
    transfer = None
    if Need.NOTICE in needs and typed.text("transfer.document_number"):
        place = optional_place(typed, "transfer.division")
        station = home_notices.addressee(page.session, place) if place else None
        transfer = Transfer(
            typed.text("transfer.document_number"), station.id if station else None,
            typed.optional("transfer.receiver"),
        )  # fmt: skip
    return Papers(receiver, _trip(page, typed) if Need.TRIP in needs and typed.text("trip.escorts") else None, transfer)


def _trip(page: Page, typed: Typed) -> Trip:
    zone = page.services.settings.zone
    return Trip(
        typed.text("trip.escorts"), choice(typed, "trip.transport", Transport),
        optional_place(typed, "trip.from_division") or "", optional_place(typed, "trip.to_division") or "",
        moment(typed, "trip.departed_at", zone), moment(typed, "trip.arrived_at", zone),
    )  # fmt: skip


@router.post("/cases/{case_id}/outcome")
def record(page: Annotated[Page, posted(show_outcome)], case_id: uuid.UUID) -> Response:
    """Record how it ended; most outcomes move the case."""
    kind = choice(page.typed, "kind", OutcomeKind)
    outcomes.record_outcome(
        page.session, page.services, page.viewer, case_id, kind, optional_choice(page.typed, "route", OutcomeRoute),
        occurred_on=day(page.typed, "occurred_on"), note_text=page.typed.optional("note"), papers=_papers(page, kind),
        now=page.now,
    )  # fmt: skip
    return redirect(page, f"/cases/{case_id}", done(page, "The outcome is recorded."))


def _outcome(page: Page, case_id: uuid.UUID, outcome_id: uuid.UUID) -> tuple[Case, Outcome]:
    require(page.viewer, Permission.OUTCOME)
    case = get_case(page.session, page.viewer, case_id, now=page.now)
    for one in outcomes.list_outcomes(page.session, case.id):
        if one.id == outcome_id:
            return case, one
    raise errors.NotFound()


def show_withdrawal(page: Page, case_id: uuid.UUID, outcome_id: uuid.UUID) -> Response:
    """The form that takes an outcome back."""
    case, outcome = _outcome(page, case_id, outcome_id)
    words = words_of(page)
    asked = Ask(
        title=words.text("Take the outcome back"),
        about=f"{words.label(outcome.kind)} · {words.day(outcome.occurred_on)}",
        button=words.text("Take it back"), back=f"/cases/{case.id}/outcome", crumb=case.number,
        help=words.text("It stays on record and counts nowhere. Then look at the state of the case."),
    )  # fmt: skip
    return ask_reason(page, asked)


@router.get("/cases/{case_id}/outcomes/{outcome_id}/withdraw")
def withdrawal(page: PageDep, case_id: uuid.UUID, outcome_id: uuid.UUID) -> Response:
    """The page."""
    return show_withdrawal(page, case_id, outcome_id)


@router.post("/cases/{case_id}/outcomes/{outcome_id}/withdraw")
def withdraw_outcome(
    page: Annotated[Page, posted(show_withdrawal)], case_id: uuid.UUID, outcome_id: uuid.UUID
) -> Response:
    """Take it back, with the reason."""
    row = outcomes.withdraw_outcome(
        page.session, page.services, page.viewer, outcome_id, reason=page.typed.text("reason"), now=page.now
    )
    return redirect(page, f"/cases/{row.case_id}", done(page, "The outcome is withdrawn; it stays on record."))


@router.get("/cases/{case_id}/outcomes/{outcome_id}/handover")
def handover(page: PageDep, case_id: uuid.UUID, outcome_id: uuid.UUID) -> Response:
    """Who signed, opened, as the record to print; every opening is on record."""
    case, outcome = _outcome(page, case_id, outcome_id)
    signed, receiver = outcome_papers.open_handover(
        page.session, page.services, page.viewer, outcome_id, now=page.now
    )  # fmt: skip
    trip = outcome_papers.escort_trip(page.session, outcome.id)
    return render(
        page, "outcomes/handover.html", case=case, outcome=outcome, receiver=receiver, signed=signed, trip=trip
    )


@router.get("/cases/{case_id}/handover-form")
def handover_form(page: PageDep, case_id: uuid.UUID) -> Response:
    """The same record with empty lines, to be signed at the handover."""
    require(page.viewer, Permission.OUTCOME)
    case = get_case(page.session, page.viewer, case_id, now=page.now)
    return render(page, "outcomes/handover.html", case=case, outcome=None, receiver=None, signed=None, trip=None)


def show_dossier(page: Page, case_id: uuid.UUID) -> Response:
    """Every paper of the settlement's dossier, there or missing."""
    case = get_case(page.session, page.viewer, case_id, now=page.now)
    today = page.services.local_day(page.now)
    return render(
        page, "outcomes/dossier.html", case=case,
        lines=dossier.read_dossier(page.session, page.services, page.viewer, case.id, now=page.now),
        writable=page.may(Permission.OUTCOME) and case.state is not CaseState.CLOSED,
        values=page.typed.values if page.problem else {"done_on": today.isoformat()},
    )  # fmt: skip


@router.get("/cases/{case_id}/dossier")
def read_dossier(page: PageDep, case_id: uuid.UUID) -> Response:
    """The page."""
    return show_dossier(page, case_id)


@router.post("/cases/{case_id}/dossier")
def tick(page: Annotated[Page, posted(show_dossier)], case_id: uuid.UUID) -> Response:
    """Enter a paper."""
    dossier.tick_paper(
        page.session, page.services, page.viewer, case_id, page.typed.text("item"),
        done_on=day(page.typed, "done_on"), reference=page.typed.optional("reference"), now=page.now,
    )  # fmt: skip
    return redirect(page, f"/cases/{case_id}/dossier", done(page, "The paper is in the dossier."))


@router.post("/cases/{case_id}/dossier/{entry_id}/withdraw")
def withdraw(page: Annotated[Page, posted(show_dossier)], case_id: uuid.UUID, entry_id: uuid.UUID) -> Response:
    """Take a mistaken entry back."""
    require(page.viewer, Permission.OUTCOME)
    lines = dossier.read_dossier(page.session, page.services, page.viewer, case_id, now=page.now)
    if entry_id not in {line.entry.id for line in lines if line.entry}:
        raise errors.NotFound()
    dossier.withdraw_paper(page.session, page.viewer, entry_id, reason=page.typed.text("reason"), now=page.now)
    return redirect(page, f"/cases/{case_id}/dossier", done(page, "The entry is withdrawn; it stays on record."))
