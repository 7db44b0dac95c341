"""Notices to the home district (致户籍地通知): those that wait for an answer, and answering one."""

import uuid
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.web.forms import choice
from api.web.page import Page, PageDep, posted
from api.web.rendering import done, redirect, render
from models.home_notice import HomeAnswer
from tracing import home_notices
from tracing.access import Permission, require

router = APIRouter()
SHOWN = 25


def show_notices(page: Page) -> Response:
    """Those to the viewer's organisations and of the viewer's cases, newest first; without an answer, or all."""
    query = page.request.query_params
    everything = query.get("which") == "all"
    listed = home_notices.list_home_notices(
        page.session, page.viewer, waiting=not everything, cursor=query.get("cursor") or None, limit=SHOWN, now=page.now
    )
    return render(
        page, "home_notices/list.html", notices=listed.items, next_cursor=listed.next_cursor, everything=everything,
        first=not query.get("cursor"), answers=list(HomeAnswer), values=page.typed.values,
        mine={one.id for one in listed.items if home_notices.addressed(page.viewer, one)},
    )  # fmt: skip


@router.get("/home-notices")
def index(page: PageDep) -> Response:
    """The page."""
    return show_notices(page)


@router.post("/home-notices/{notice_id}/answer")
def answer(page: Annotated[Page, posted(show_notices)], notice_id: uuid.UUID) -> Response:
    """The addressee's answer, once."""
    require(page.viewer, Permission.HOME_NOTICE)
    home_notices.answer_home_notice(
        page.session, page.viewer, notice_id, choice(page.typed, f"answer.{notice_id}", HomeAnswer), now=page.now
    )
    return redirect(page, "/home-notices", done(page, "The notice is answered."))
