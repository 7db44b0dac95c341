"""Organisations (机构): the tree that an administrator manages."""

import uuid
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.web.errors import ChoiceMissing
from api.web.forms import choice, optional_place
from api.web.page import Page, PageDep, posted
from api.web.rendering import done, redirect, render
from models.organisation import OrganisationKind
from tracing import organisations
from tracing.access import Permission, require

router = APIRouter()


@router.get("/organisations")
def index(page: PageDep) -> Response:
    """The viewer's part of the tree, parents before children."""
    listed = organisations.list_organisations(page.session, page.viewer)
    depths = {one.id: one.path.count("/") for one in listed}
    top = min(depths.values(), default=0)
    return render(
        page, "organisations/list.html", organisations=listed,
        depths={identity: depth - top for identity, depth in depths.items()},
    )  # fmt: skip


def show_new(page: Page) -> Response:
    """An empty form, or the one that was refused."""
    require(page.viewer, Permission.ACCOUNTS)
    return render(
        page, "organisations/new.html", values=page.typed.values, kinds=list(OrganisationKind),
        organisations=organisations.list_organisations(page.session, page.viewer),
    )  # fmt: skip


@router.get("/organisations/new")
def new(page: PageDep) -> Response:
    """The form."""
    return show_new(page)


@router.post("/organisations/new")
def create(page: Annotated[Page, posted(show_new)]) -> Response:
    """A new organisation below an existing one."""
    try:
        parent_id = uuid.UUID(page.typed.text("parent_id"))
    except ValueError:
        raise ChoiceMissing(field="parent_id") from None
    division = optional_place(page.typed, "division")
    if division is None:
        raise ChoiceMissing(field="division")
    organisations.create_organisation(
        page.session, page.viewer, parent_id=parent_id, kind=choice(page.typed, "kind", OrganisationKind),
        name_zh=page.typed.text("name_zh"), name_en=page.typed.text("name_en"), division=division, now=page.now,
    )  # fmt: skip
    return redirect(page, "/organisations", done(page, "The organisation is created."))
