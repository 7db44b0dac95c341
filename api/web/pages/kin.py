"""Verification of kin (亲属核实): open questions, papers, DNA where it is required; taking one back."""

import uuid
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.web import once
from api.web.forms import Typed, optional_choice
from api.web.page import Page, PageDep, posted
from api.web.pages.contact import standing_stop
from api.web.reason_page import Ask, ask_reason
from api.web.rendering import done, redirect, render, words_of
from models.case import CONTACT_OPEN, Case
from models.kin import DnaReason, KinDocument
from tracing import kin
from tracing.access import Permission, require
from tracing.cases import get_case
from tracing.confirmation import standing_confirmation
from tracing.contact import released
from tracing.facts import check_text
from tracing.kin import KinEvidence, Question, SeenDocument

router = APIRouter()
SHOWN = 25
QUESTIONS = 4
PAPERS = 2
"""Rows that the form offers; what is left empty is left out."""


def show_kin(page: Page, case_id: uuid.UUID) -> Response:
    """What was verified, opened while contact is released, and the form for verifying now."""
    require(page.viewer, Permission.CONTACT)
    case = get_case(page.session, page.viewer, case_id, now=page.now)
    is_open = case.state in CONTACT_OPEN and standing_stop(page, case) is None
    cursor = page.request.query_params.get("cursor") or None
    found = kin.list_kin(
        page.session, page.services, page.viewer, case_id, cursor=cursor, limit=SHOWN, now=page.now
    )  # fmt: skip
    reasons, shown = _dna(page, case) if is_open else ([], False)
    return render(
        page, "kin/kin.html", case=case, is_open=is_open, verifications=found.items, next_cursor=found.next_cursor,
        first=cursor is None, dna_reasons=reasons, dna_shown=shown, dna_member=DnaReason,
        policy=page.services.homeward.kin,
        suggested=page.services.homeward.script.questions, documents=list(KinDocument), document_member=KinDocument,
        questions=range(QUESTIONS), papers=range(PAPERS), values=page.typed.values, key_field=once.FIELD,
        form_key=once.key(page),
    )  # fmt: skip


def _dna(page: Page, case: Case) -> tuple[list[DnaReason], bool]:
    """Why DNA is wanted here before anything is typed, and whether it shows the person already."""
    report = released(page.session, case).report
    confirmation = standing_confirmation(page.session, case.id)
    if confirmation is None:
        return [], False
    reasons = kin.dna_reasons(
        page.session, page.services, case, report, confirmation, doubtful=False, now=page.now
    )  # fmt: skip
    return reasons, kin.dna_shown(page.session, confirmation)


@router.get("/cases/{case_id}/kin")
def read(page: PageDep, case_id: uuid.UUID) -> Response:
    """The page."""
    return show_kin(page, case_id)


def _evidence(typed: Typed) -> KinEvidence:
    questions = [
        Question(typed.text(f"{row}.question"), typed.text(f"{row}.answer"), typed.ticked(f"{row}.agrees"))
        for row in (f"questions.{number}" for number in range(QUESTIONS))
        if typed.text(f"{row}.question") or typed.text(f"{row}.answer")
    ]
    papers = [
        SeenDocument(kind, typed.optional(f"{row}.reference"))
        for row in (f"documents.{number}" for number in range(PAPERS))
        if (kind := optional_choice(typed, f"{row}.kind", KinDocument)) is not None
    ]
    return KinEvidence(
        typed.text("relative"), typed.text("relation"), tuple(questions), tuple(papers), typed.ticked("verified"),
        typed.ticked("doubtful"), typed.optional("note"),
    )  # fmt: skip


@router.post("/cases/{case_id}/kin")
def verify(page: Annotated[Page, posted(show_kin)], case_id: uuid.UUID) -> Response:
    """A verification."""
    require(page.viewer, Permission.CONTACT)
    check_text(page.typed.text("relative"), field="relative", limit=100)
    given = _evidence(page.typed)
    if once.earlier(page, f"kin {case_id}") is None:
        made = kin.verify_kin(page.session, page.services, page.viewer, case_id, given, now=page.now)
        once.remember(page, made.id)
    return redirect(page, f"/cases/{case_id}/kin", done(page, "The verification is recorded."))


def show_withdrawal(page: Page, case_id: uuid.UUID, verification_id: uuid.UUID) -> Response:
    """The form that takes one back."""
    require(page.viewer, Permission.CONTACT)
    case = get_case(page.session, page.viewer, case_id, now=page.now)
    words = words_of(page)
    asked = Ask(
        title=words.text("Take the verification back"),
        about=words.text("Nobody is handed over until the kin are verified anew."),
        button=words.text("Take it back"), back=f"/cases/{case.id}/kin", crumb=case.number,
    )  # fmt: skip
    return ask_reason(page, asked)


@router.get("/cases/{case_id}/kin/{verification_id}/withdraw")
def withdrawal(page: PageDep, case_id: uuid.UUID, verification_id: uuid.UUID) -> Response:
    """The page."""
    return show_withdrawal(page, case_id, verification_id)


@router.post("/cases/{case_id}/kin/{verification_id}/withdraw")
def withdraw(
    page: Annotated[Page, posted(show_withdrawal)], case_id: uuid.UUID, verification_id: uuid.UUID
) -> Response:
    """Take it back, with the reason."""
    row = kin.withdraw_kin(
        page.session, page.viewer, verification_id, reason=page.typed.text("reason"), now=page.now
    )  # fmt: skip
    return redirect(page, f"/cases/{row.case_id}/kin", done(page, "The verification is withdrawn; it stays on record."))
