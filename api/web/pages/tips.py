"""Tips (公众线索) for the station: what the public wrote on a notice's page, and what is made of it."""

import uuid
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.web.forms import members_named
from api.web.page import Page, PageDep, posted
from api.web.pages.interviews import ROWS, read_clues
from api.web.pictures import jpeg
from api.web.rendering import done, redirect, render
from matcher.vocabulary import KinRelation
from models.clue import ClueKind
from models.tip import TipState
from tracing import access, tips
from tracing.access import Permission
from tracing.cases import load_case

router = APIRouter()
SHOWN = 25


@router.get("/tips")
def index(page: PageDep) -> Response:
    """Unopened, newest first: those that wait, unless others are asked for."""
    query = page.request.query_params
    states = members_named(query.getlist("state"), TipState) or frozenset({TipState.RECEIVED})
    cursor = query.get("cursor") or None
    listed = tips.list_tips(page.session, page.viewer, states=states, cursor=cursor, limit=SHOWN, now=page.now)
    return render(
        page, "tips/list.html", tips=listed.items, next_cursor=listed.next_cursor, first=cursor is None,
        states=states, all_states=list(TipState),
    )  # fmt: skip


def show_tip(page: Page, tip_id: uuid.UUID) -> Response:
    """A tip opened; each opening is on record."""
    view = tips.read_tip(page.session, page.services, page.viewer, tip_id, now=page.now)
    return render(
        page, "tips/tip.html", tip=view.tip, given=view.given,
        case=load_case(page.session, page.viewer, view.tip.case_id), kinds=list(ClueKind),
        relations=list(KinRelation), rows=range(ROWS), values=page.typed.values if page.problem else {},
    )  # fmt: skip


@router.get("/tips/{tip_id}")
def read(page: PageDep, tip_id: uuid.UUID) -> Response:
    """The page."""
    return show_tip(page, tip_id)


@router.get("/tips/{tip_id}/photo")
def photo(page: PageDep, tip_id: uuid.UUID) -> Response:
    """Its photograph; never kept by the browser."""
    data = tips.read_tip_photo(page.session, page.services, page.viewer, tip_id, now=page.now)
    return jpeg(data)


@router.post("/tips/{tip_id}/accept")
def accept(page: Annotated[Page, posted(show_tip)], tip_id: uuid.UUID) -> Response:
    """Take clues from it; the search runs again with them."""
    access.require(page.viewer, Permission.TIP)
    made = tips.accept_tip(
        page.session, page.services, page.viewer, tip_id, read_clues(page.typed),
        reason=page.typed.optional("accept_reason"), now=page.now,
    )  # fmt: skip
    told = done(page, "Clues taken from the tip: {count}. The search runs again with them.", count=len(made))
    return redirect(page, f"/tips/{tip_id}", told)


@router.post("/tips/{tip_id}/reject")
def reject(page: Annotated[Page, posted(show_tip)], tip_id: uuid.UUID) -> Response:
    """Put it aside, with the reason; it stays."""
    tips.reject_tip(page.session, page.viewer, tip_id, reason=page.typed.text("reason"), now=page.now)
    return redirect(page, "/tips", done(page, "The tip is put aside. It stays on record."))
