"""Interviews (询问、访谈) and clues (线索) of a case."""

import uuid
from typing import Annotated

from fastapi import APIRouter
from starlette.datastructures import UploadFile
from starlette.responses import Response

from api.messages import sentence
from api.web import flash, once
from api.web.forms import Typed, choice, moment, optional_choice, optional_place
from api.web.page import Page, PageDep, posted
from api.web.rendering import done, redirect, render, warning
from matcher.vocabulary import KinRelation
from models.case import Case, CaseState
from models.clue import Clue, ClueConfidence, ClueKind
from models.interview import InterviewMethod
from tracing import clues, interviews
from tracing.access import Permission, require
from tracing.audio_format import MEDIA_TYPES
from tracing.cases import get_case
from tracing.clues import ClueText
from tracing.facts import InvalidFacts, collecting
from tracing.interviews import AudioRefused, InterviewView, PreparedAudio, Talk, prepare_audio
from tracing.platform import errors

router = APIRouter()
ROWS = 5
"""Quick entries that the form offers; what is left empty is left out."""


def read_clues(typed: Typed) -> list[ClueText]:
    """The rows of the form that have a text. Raises InvalidFacts with every field that cannot be read."""
    found: list[ClueText] = []
    problems: list[errors.Invalid] = []
    for row in range(ROWS):
        field = f"clues.{row}"
        if not typed.text(f"{field}.text"):
            continue
        with collecting(problems):
            kind = choice(typed, f"{field}.kind", ClueKind)
            confidence = optional_choice(typed, f"{field}.confidence", ClueConfidence) or ClueConfidence.LIKELY
            division = optional_place(typed, f"{field}.division")
            relation = optional_choice(typed, f"{field}.relation", KinRelation)
            found.append(ClueText(kind, typed.text(f"{field}.text"), confidence, division, relation))
    if problems:
        raise InvalidFacts(tuple(problems))
    return found


def _read_talk(page: Page) -> tuple[Talk, list[ClueText]]:
    typed, problems = page.typed, list[errors.Invalid]()
    given: list[ClueText] = []
    accent, held_at, method = None, page.now, InterviewMethod.TALK
    with collecting(problems):
        held_at = moment(typed, "held_at", page.services.settings.zone)
    with collecting(problems):
        method = choice(typed, "method", InterviewMethod)
    with collecting(problems):
        accent = optional_place(typed, "accent")
    with collecting(problems):
        given = read_clues(typed)
    if problems:
        raise InvalidFacts(tuple(problems))
    talk = Talk(
        held_at, method, typed.optional("place"), typed.optional("interviewers"), typed.optional("language"), accent,
        typed.optional("notes"),
    )  # fmt: skip
    return talk, given


def _now_typed(page: Page) -> str:
    return page.now.astimezone(page.services.settings.zone).strftime("%Y-%m-%dT%H:%M")


def show_interviews(page: Page, case_id: uuid.UUID) -> Response:
    """What was said, and the form for the next talk."""
    case = get_case(page.session, page.viewer, case_id, now=page.now)
    views = interviews.list_interviews(page.session, page.services, page.viewer, case.id, now=page.now)
    start = {"held_at": _now_typed(page), "interviewers": page.viewer.display_name, "method": "talk"}
    return render(
        page, "interviews/case.html", case=case, views=views,
        loose=[one for one in clues.list_clues(page.session, case.id) if one.interview_id is None],
        methods=list(InterviewMethod), kinds=list(ClueKind), confidences=list(ClueConfidence),
        relations=list(KinRelation), rows=range(ROWS),
        writable=page.may(Permission.INTERVIEW) and case.state is not CaseState.CLOSED, form_key=once.key(page),
        key_field=once.FIELD, values=page.typed.values if page.problem else start,
    )  # fmt: skip


@router.get("/cases/{case_id}/interviews")
def read(page: PageDep, case_id: uuid.UUID) -> Response:
    """The page."""
    return show_interviews(page, case_id)


def _recordings(page: Page) -> tuple[list[PreparedAudio], list[flash.Message]]:
    """The files that can be kept, and a message for each that cannot. Before the transaction is first used."""
    kept: list[PreparedAudio] = []
    refused: list[flash.Message] = []
    for file in page.typed.files.get("audio", ()):
        try:
            kept.append(prepare_audio(_bytes(page, file), page.services.settings))
        except AudioRefused as error:
            refused.append(
                warning(
                    page, "The recording “{name}” was not taken in, everything else is saved. {reason}",
                    name=(file.filename or "")[-60:], reason=sentence(page.locale, error),
                )
            )  # fmt: skip
    return kept, refused


def _bytes(page: Page, file: UploadFile) -> bytes:
    return file.file.read(page.services.settings.audio.max_bytes + 1)


@router.post("/cases/{case_id}/interviews")
def record(page: Annotated[Page, posted(show_interviews)], case_id: uuid.UUID) -> Response:
    """Record a talk, its clues and its recording."""
    require(page.viewer, Permission.INTERVIEW)
    kept, refused = _recordings(page)
    talk, given = _read_talk(page)
    here = f"/cases/{case_id}/interviews"
    if once.earlier(page, f"interview {case_id}") is not None:
        return redirect(page, here)
    made = interviews.record_interview(page.session, page.services, page.viewer, case_id, talk, given, now=page.now)
    for audio in kept:
        interviews.add_audio(page.session, page.services, page.viewer, made.id, audio, now=page.now)
    once.remember(page, made.id)
    told = done(page, "The interview is recorded. Clues that the search can use are in it already.")
    return redirect(page, here, told, *refused)


def _view(page: Page, case: Case, interview_id: uuid.UUID) -> InterviewView:
    views = interviews.list_interviews(page.session, page.services, page.viewer, case.id, now=page.now)
    for view in views:
        if view.interview.id == interview_id:
            return view
    raise errors.NotFound()


def show_withdrawal(page: Page, case_id: uuid.UUID, interview_id: uuid.UUID) -> Response:
    """The form that takes an interview back."""
    require(page.viewer, Permission.INTERVIEW)
    case = get_case(page.session, page.viewer, case_id, now=page.now)
    return render(
        page, "interviews/withdraw.html", case=case, view=_view(page, case, interview_id), clue=None,
        action=f"/cases/{case.id}/interviews/{interview_id}/withdraw", values=page.typed.values,
    )  # fmt: skip


@router.get("/cases/{case_id}/interviews/{interview_id}/withdraw")
def withdrawal(page: PageDep, case_id: uuid.UUID, interview_id: uuid.UUID) -> Response:
    """The page."""
    return show_withdrawal(page, case_id, interview_id)


@router.post("/cases/{case_id}/interviews/{interview_id}/withdraw")
def withdraw(page: Annotated[Page, posted(show_withdrawal)], case_id: uuid.UUID, interview_id: uuid.UUID) -> Response:
    """Take it back with its clues."""
    interviews.withdraw_interview(
        page.session, page.services, page.viewer, interview_id, reason=page.typed.text("reason"), now=page.now
    )
    told = done(page, "The interview is withdrawn with its clues; all stays on record.")
    return redirect(page, f"/cases/{case_id}/interviews", told)


def _clue(page: Page, case_id: uuid.UUID, clue_id: uuid.UUID) -> tuple[Clue, Case]:
    require(page.viewer, Permission.INTERVIEW)
    case = get_case(page.session, page.viewer, case_id, now=page.now)
    for one in clues.list_clues(page.session, case.id):
        if one.id == clue_id:
            return one, case
    raise errors.NotFound()


def show_clue(page: Page, case_id: uuid.UUID, clue_id: uuid.UUID) -> Response:
    """The form that corrects a clue."""
    clue, case = _clue(page, case_id, clue_id)
    start = {
        "kind": clue.kind.value, "text": clue.text, "confidence": clue.confidence.value,
        "division": clue.division or "", "relation": clue.relation.value if clue.relation else "",
    }  # fmt: skip
    return render(
        page, "interviews/clue.html", case=case, clue=clue, kinds=list(ClueKind), confidences=list(ClueConfidence),
        relations=list(KinRelation), values=page.typed.values if page.problem else start,
    )  # fmt: skip


@router.get("/cases/{case_id}/clues/{clue_id}")
def clue_page(page: PageDep, case_id: uuid.UUID, clue_id: uuid.UUID) -> Response:
    """The page."""
    return show_clue(page, case_id, clue_id)


@router.post("/cases/{case_id}/clues/{clue_id}/correct")
def correct(page: Annotated[Page, posted(show_clue)], case_id: uuid.UUID, clue_id: uuid.UUID) -> Response:
    """A new clue in its place."""
    require(page.viewer, Permission.INTERVIEW)
    typed, problems = page.typed, list[errors.Invalid]()
    with collecting(problems):
        given = ClueText(
            choice(typed, "kind", ClueKind), typed.text("text"), choice(typed, "confidence", ClueConfidence),
            optional_place(typed, "division"), optional_choice(typed, "relation", KinRelation),
        )  # fmt: skip
    if problems:
        raise InvalidFacts(tuple(problems))
    clues.correct_clue(page.session, page.services, page.viewer, clue_id, given, now=page.now)
    return redirect(
        page, f"/cases/{case_id}/interviews", done(page, "The clue is corrected; the old one stays on record.")
    )


def show_clue_withdrawal(page: Page, case_id: uuid.UUID, clue_id: uuid.UUID) -> Response:
    """The form that takes a clue back."""
    clue, case = _clue(page, case_id, clue_id)
    return render(
        page, "interviews/withdraw.html", case=case, view=None, clue=clue,
        action=f"/cases/{case.id}/clues/{clue.id}/withdraw", values=page.typed.values,
    )  # fmt: skip


@router.get("/cases/{case_id}/clues/{clue_id}/withdraw")
def clue_withdrawal(page: PageDep, case_id: uuid.UUID, clue_id: uuid.UUID) -> Response:
    """The page."""
    return show_clue_withdrawal(page, case_id, clue_id)


@router.post("/cases/{case_id}/clues/{clue_id}/withdraw")
def withdraw_clue(
    page: Annotated[Page, posted(show_clue_withdrawal)], case_id: uuid.UUID, clue_id: uuid.UUID
) -> Response:
    """Take it back."""
    clues.withdraw_clue(
        page.session, page.services, page.viewer, clue_id, reason=page.typed.text("reason"), now=page.now
    )
    told = done(page, "The clue is withdrawn; it stays on record, and the search no longer uses it.")
    return redirect(page, f"/cases/{case_id}/interviews", told)


@router.get("/audio/{audio_id}")
def listen(page: PageDep, audio_id: uuid.UUID) -> Response:
    """The recording, for somebody who may see its case; never kept by the browser."""
    data, kind = interviews.open_audio(page.session, page.services, page.viewer, audio_id, now=page.now)
    return Response(data, media_type=MEDIA_TYPES[kind])


@router.post("/cases/{case_id}/audio/{audio_id}/remove")
def remove_audio(page: Annotated[Page, posted(show_interviews)], case_id: uuid.UUID, audio_id: uuid.UUID) -> Response:
    """Take a recording out."""
    interviews.remove_audio(page.session, page.services, page.viewer, audio_id, now=page.now)
    return redirect(page, f"/cases/{case_id}/interviews", done(page, "The recording is taken out."))
