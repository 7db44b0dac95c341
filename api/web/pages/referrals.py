"""Referrals (转介): lists for the station and the receiving unit, what one says, sending, taking back, answering."""

import uuid
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.web.forms import members_named
from api.web.page import Page, PageDep, posted
from api.web.reason_page import Ask, ask_reason
from api.web.rendering import done, ethnicity_name, place_name, redirect, render, words_of
from matcher.vocabulary import Sex
from models.referral import ANSWERS, REFERRAL_TRANSITIONS, Referral, ReferralFact, ReferralState
from tracing import referral_lists, referrals
from tracing.access import Permission, require
from tracing.cases import get_case
from tracing.referrals import ReferralContent

router = APIRouter()
SHOWN = 25


@router.get("/referrals")
def index(page: PageDep) -> Response:
    """The own inbox, or the referrals of the viewer's cases, newest first."""
    query = page.request.query_params
    states, overdue = members_named(query.getlist("state"), ReferralState), bool(query.get("overdue"))
    found = referral_lists.list_referrals(
        page.session, page.viewer, states=states, overdue=overdue, cursor=query.get("cursor") or None, limit=SHOWN,
        now=page.now,
    )  # fmt: skip
    return render(
        page, "referrals/list.html", referrals=found.items, next_cursor=found.next_cursor,
        first=not query.get("cursor"), states=states, overdue=overdue,
        all_states=[one for one in ReferralState if page.may(Permission.REFER) or one is not ReferralState.DRAFT],
        numbers=referral_lists.case_numbers(page.session, page.viewer, found.items), now=page.now,
    )  # fmt: skip


@router.get("/cases/{case_id}/referrals")
def of_case(page: PageDep, case_id: uuid.UUID) -> Response:
    """The referrals of one case."""
    case = get_case(page.session, page.viewer, case_id, now=page.now)
    return render(
        page, "referrals/case.html", case=case, now=page.now,
        referrals=referral_lists.list_case_referrals(page.session, page.viewer, case.id, now=page.now),
    )  # fmt: skip


def show_referral(page: Page, referral_id: uuid.UUID) -> Response:
    """What one says, as far as this viewer may open it, and the next steps that are this viewer's. Logged."""
    view = referrals.read_referral(page.session, page.services, page.viewer, referral_id, now=page.now)
    one = view.referral
    return render(
        page, "referrals/referral.html", one=one, content=view.content, now=page.now,
        numbers=referral_lists.case_numbers(page.session, page.viewer, [one]), steps=_steps(page, one),
        facts=[(fact, [_shown(page, fact, value) for value in values]) for fact, values in _facts(view.content)],
    )  # fmt: skip


def _facts(content: ReferralContent | None) -> list[tuple[ReferralFact, tuple[str, ...]]]:
    """The attached facts, in the order of the list."""
    return [(one, content.facts[one.value]) for one in ReferralFact if one.value in content.facts] if content else []


def _shown(page: Page, fact: ReferralFact, value: str) -> str:
    """A fact as people read it: codes are told by their names."""
    match fact:
        case ReferralFact.SEX:
            return words_of(page).label(Sex(value))
        case ReferralFact.ETHNICITY:
            return ethnicity_name(value)
        case ReferralFact.HOME:
            division, _, detail = value.partition(" ")
            return f"{place_name(division)} {detail}".strip()
        case _:
            return value


def _steps(page: Page, one: Referral) -> frozenset[ReferralState]:
    """The moves that the viewer's side makes from here."""
    mine = ANSWERS if page.may(Permission.ANSWER) else frozenset({ReferralState.SENT, ReferralState.WITHDRAWN})
    if not (page.may(Permission.ANSWER) or page.may(Permission.REFER)):
        return frozenset()
    return REFERRAL_TRANSITIONS[one.state] & mine


@router.get("/referrals/{referral_id}")
def read(page: PageDep, referral_id: uuid.UUID) -> Response:
    """The page."""
    return show_referral(page, referral_id)


@router.post("/referrals/{referral_id}/send")
def send(page: Annotated[Page, posted(show_referral)], referral_id: uuid.UUID) -> Response:
    """Send a draft."""
    referrals.send_referral(page.session, page.services, page.viewer, referral_id, now=page.now)
    told = done(page, "It is sent: the receiving unit is told and the time for an answer runs.")
    return redirect(page, f"/referrals/{referral_id}", told)


@router.post("/referrals/{referral_id}/accept")
def accept(page: Annotated[Page, posted(show_referral)], referral_id: uuid.UUID) -> Response:
    """For the receiving unit."""
    referrals.answer_referral(
        page.session, page.services, page.viewer, referral_id, ReferralState.ACCEPTED, now=page.now
    )
    return redirect(page, f"/referrals/{referral_id}", done(page, "The referral is accepted; the station is told."))


def _ask(
    page: Page, referral_id: uuid.UUID, permission: Permission, title: str, help_text: str, field: str
) -> Response:
    require(page.viewer, permission)
    one = referrals.read_referral(page.session, page.services, page.viewer, referral_id, now=page.now).referral
    words = words_of(page)
    about = f"{words.label(one.kind)} · {words.organisation(one.sender)} → {words.organisation(one.receiver)}"
    back = f"/referrals/{referral_id}"
    return ask_reason(
        page, Ask(title, about, title, back, words.text("Referral"), help_text, field, referrals.TEXT_LIMIT)
    )  # fmt: skip


def show_withdrawal(page: Page, referral_id: uuid.UUID) -> Response:
    """The form that takes one back."""
    text = words_of(page).text
    help_text = text("The receiving unit is told, and no longer reads what it says.")
    return _ask(page, referral_id, Permission.REFER, text("Take the referral back"), help_text, "reason")


@router.get("/referrals/{referral_id}/withdraw")
def withdrawal(page: PageDep, referral_id: uuid.UUID) -> Response:
    """The page."""
    return show_withdrawal(page, referral_id)


@router.post("/referrals/{referral_id}/withdraw")
def withdraw(page: Annotated[Page, posted(show_withdrawal)], referral_id: uuid.UUID) -> Response:
    """Take it back, with the reason."""
    referrals.withdraw_referral(
        page.session, page.services, page.viewer, referral_id, reason=page.typed.text("reason"), now=page.now
    )
    return redirect(page, f"/referrals/{referral_id}", done(page, "The referral is withdrawn; it stays on record."))


def show_refusal(page: Page, referral_id: uuid.UUID) -> Response:
    """The form that refuses one."""
    text = words_of(page).text
    help_text = text("The station reads it and goes on from there. After this you no longer read the referral.")
    return _ask(page, referral_id, Permission.ANSWER, text("Refuse the referral"), help_text, "text")


@router.get("/referrals/{referral_id}/reject")
def refusal(page: PageDep, referral_id: uuid.UUID) -> Response:
    """The page."""
    return show_refusal(page, referral_id)


@router.post("/referrals/{referral_id}/reject")
def reject(page: Annotated[Page, posted(show_refusal)], referral_id: uuid.UUID) -> Response:
    """Refuse it, with the reason."""
    _answer(page, referral_id, ReferralState.REJECTED)
    return redirect(page, f"/referrals/{referral_id}", done(page, "The referral is refused; the station is told."))


def show_result(page: Page, referral_id: uuid.UUID) -> Response:
    """The form that says what came of one."""
    text = words_of(page).text
    help_text = text("It ends the referral; the station is told.")
    return _ask(page, referral_id, Permission.ANSWER, text("Say what came of it"), help_text, "text")


@router.get("/referrals/{referral_id}/done")
def result(page: PageDep, referral_id: uuid.UUID) -> Response:
    """The page."""
    return show_result(page, referral_id)


@router.post("/referrals/{referral_id}/done")
def finish(page: Annotated[Page, posted(show_result)], referral_id: uuid.UUID) -> Response:
    """Say what came of it."""
    _answer(page, referral_id, ReferralState.DONE)
    return redirect(page, f"/referrals/{referral_id}", done(page, "The result is recorded; the station is told."))


def _answer(page: Page, referral_id: uuid.UUID, wanted: ReferralState) -> None:
    referrals.answer_referral(
        page.session, page.services, page.viewer, referral_id, wanted, text=page.typed.optional("text"), now=page.now
    )  # fmt: skip
