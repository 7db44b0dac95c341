"""Users (用户): the accounts that an administrator manages."""

import uuid
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.web.errors import ChoiceMissing
from api.web.forms import choice, members_named
from api.web.page import Page, PageDep, posted
from api.web.rendering import done, redirect, render
from models.user import Locale, Role
from tracing import accounts
from tracing.access import Permission, require
from tracing.organisations import list_organisations

router = APIRouter()
SHOWN = 50


@router.get("/users")
def index(page: PageDep) -> Response:
    """Newest first; by a part of a name, by role."""
    query = page.request.query_params
    text, cursor = query.get("q", ""), query.get("cursor") or None
    role = next(iter(members_named([query.get("role", "")], Role)), None)
    found = accounts.list_users(
        page.session, page.viewer, text=text, role=role, cursor=cursor, limit=SHOWN, now=page.now
    )  # fmt: skip
    return render(
        page, "users/list.html", users=found.items, next_cursor=found.next_cursor, first=cursor is None,
        text=text, role=role, roles=list(Role),
    )  # fmt: skip


def show_new(page: Page) -> Response:
    """An empty form, or the one that was refused."""
    require(page.viewer, Permission.ACCOUNTS)
    return render(
        page, "users/new.html", values=page.typed.values, roles=list(Role), locales=list(Locale),
        organisations=list_organisations(page.session, page.viewer), minimum=accounts.PASSWORD_LENGTH_MIN,
    )  # fmt: skip


@router.get("/users/new")
def new(page: PageDep) -> Response:
    """The form."""
    return show_new(page)


@router.post("/users/new")
def create(page: Annotated[Page, posted(show_new)]) -> Response:
    """A new account."""
    try:
        organisation_id = uuid.UUID(page.typed.text("organisation_id"))
    except ValueError:
        raise ChoiceMissing(field="organisation_id") from None
    user = accounts.create_user(
        page.session, page.viewer, organisation_id=organisation_id, username=page.typed.text("username"),
        display_name=page.typed.text("display_name"), role=choice(page.typed, "role", Role),
        password=page.typed.values.get("password", ""), locale=choice(page.typed, "locale", Locale), now=page.now,
    )  # fmt: skip
    return redirect(page, "/users", done(page, "The account {username} is created.", username=user.username))


def show_user(page: Page, user_id: uuid.UUID) -> Response:
    """One account and what can be changed of it."""
    user = accounts.get_user(page.session, page.viewer, user_id, now=page.now)
    return render(
        page, "users/user.html", user=user, values=page.typed.values, roles=list(Role),
        minimum=accounts.PASSWORD_LENGTH_MIN,
    )  # fmt: skip


@router.get("/users/{user_id}")
def read(page: PageDep, user_id: uuid.UUID) -> Response:
    """The account's page."""
    return show_user(page, user_id)


@router.post("/users/{user_id}/close")
def close(page: Annotated[Page, posted(show_user)], user_id: uuid.UUID) -> Response:
    """Nobody signs in with it any more; it stays on record."""
    accounts.edit_user(page.session, page.viewer, user_id, active=False, now=page.now)
    return redirect(page, f"/users/{user_id}", done(page, "The account is closed."))


@router.post("/users/{user_id}/reopen")
def reopen(page: Annotated[Page, posted(show_user)], user_id: uuid.UUID) -> Response:
    """Open a closed account again."""
    accounts.edit_user(page.session, page.viewer, user_id, active=True, now=page.now)
    return redirect(page, f"/users/{user_id}", done(page, "The account is open again."))


@router.post("/users/{user_id}/role")
def change_role(page: Annotated[Page, posted(show_user)], user_id: uuid.UUID) -> Response:
    """Another role."""
    accounts.edit_user(page.session, page.viewer, user_id, role=choice(page.typed, "role", Role), now=page.now)
    return redirect(page, f"/users/{user_id}", done(page, "The role is changed. The user has to sign in again."))


@router.post("/users/{user_id}/password")
def reset_password(page: Annotated[Page, posted(show_user)], user_id: uuid.UUID) -> Response:
    """A new password; every sign-in of the account ends."""
    password = page.typed.values.get("password", "")
    accounts.edit_user(page.session, page.viewer, user_id, password=password, now=page.now)
    return redirect(page, f"/users/{user_id}", done(page, "The password is changed. The user has to sign in again."))
