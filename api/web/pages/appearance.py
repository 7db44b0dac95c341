"""Appearance (外观): light or dark, and the page that shows every component of the pages in every state."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.web import cookies
from api.web.appearance import Theme
from api.web.evidence import Bar
from api.web.forms import choice
from api.web.page import Page, PageDep, posted
from api.web.pages.sign_in import local_path, show_home_again
from api.web.rendering import redirect, render, words_of
from matcher.vocabulary import EvidenceKind, Sex, Strength
from models.case import CaseState
from models.job import JobState

router = APIRouter()


@router.post("/theme")
def change_theme(page: Annotated[Page, posted(show_home_again, visitor=True)]) -> Response:
    """Kept in the browser: an office's screen and a phone at night differ, whoever signs in."""
    theme = choice(page.typed, "theme", Theme)
    response = redirect(page, local_path(page.typed.text("next")))
    cookies.write(page.request, response, cookies.THEME, theme.value)
    return response


def _sample(page: Page) -> list[Bar]:
    """Three terms as a candidate's page draws them."""
    words = words_of(page)
    return [
        Bar(EvidenceKind.FACE, 3.7, 1, "", "", Strength.STRONG, words.text("The face is very like."), 100, 92),
        Bar(EvidenceKind.NAME, 1.5, 0.5, "", "", Strength.MODERATE, words.text("The name sounds the same."), 100, 38),
        Bar(EvidenceKind.HEIGHT, -0.9, 1, "", "", Strength.AGAINST, words.text("The heights differ."), 77, 23),
    ]


@router.get("/design")
def design(page: PageDep) -> Response:
    """Every component in every state, made by the macros that the pages use. It shows nobody's data."""
    refused = words_of(page).text("This cannot be right. What to do stands here.")
    return render(
        page, "design/design.html", bars=_sample(page), case_states=list(CaseState), job_states=list(JobState),
        sexes=list(Sex), sample=CaseState.IN_REVIEW, today=page.services.local_day(page.now),
        wrong={"refused": [refused]},
    )  # fmt: skip
