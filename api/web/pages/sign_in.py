"""Signing in and out, and the language."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter
from starlette.responses import Response

from api.deps import LimiterDep
from api.web import cookies
from api.web.forms import choice
from api.web.page import Page, VisitDep, posted
from api.web.rendering import redirect, render
from models.user import Locale, TokenKind
from tracing import accounts
from tracing.platform.db import read_only

router = APIRouter()
_PLAIN = re.compile(r"/(?![/\\])[^\x00-\x20\\\x7f]*", re.ASCII)


def local_path(wanted: str) -> str:
    """The path if it is one of ours, else the home page: nobody is sent to another site."""
    if _PLAIN.fullmatch(wanted) is None:
        return "/"
    parts = urlsplit(wanted)
    ours = not parts.scheme and not parts.netloc and parts.path not in ("/login", "/logout", "/locale")
    return wanted if ours else "/"


def show_login(page: Page) -> Response:
    """The form; `next` is where to go afterwards."""
    wanted = page.typed.text("next") or page.request.query_params.get("next", "")
    return render(
        page, "sign_in/login.html", next_path=local_path(wanted), username=page.typed.text("username"), plain=True
    )


def show_home_again(page: Page) -> Response:
    """After a refused sign-out or change of language there is nothing to correct: go home and look."""
    return redirect(page, "/")


@router.get("/login")
def login(page: VisitDep) -> Response:
    """Whoever is signed in already goes on."""
    if page.who is not None:
        return redirect(page, local_path(page.request.query_params.get("next", "")))
    return show_login(page)


@router.post("/login")
def sign_in(page: Annotated[Page, posted(show_login, visitor=True)], limiter: LimiterDep) -> Response:
    """A session of the browser, in a cookie."""
    grant = accounts.sign_in(
        page.services,
        limiter,
        username=page.typed.text("username"),
        password=page.typed.values.get("password", ""),
        address=page.request.client.host if page.request.client else "",
        kind=TokenKind.SESSION,
        now=page.now,
    )
    with read_only(page.services.db) as session:
        viewer = accounts.viewer_for_token(session, grant.access, TokenKind.SESSION, now=page.now)
    response = redirect(page, local_path(page.typed.text("next")))
    seconds = int((grant.expires_at - page.now).total_seconds())
    cookies.write(page.request, response, cookies.SESSION, grant.access, seconds=seconds)
    cookies.write(page.request, response, cookies.LOCALE, viewer.locale.value)
    cookies.clear(page.request, response, cookies.VISITOR)
    return response


@router.post("/logout")
def sign_out(page: Annotated[Page, posted(show_home_again, visitor=True)]) -> Response:
    """End the session on the server too."""
    token = cookies.read(page.request, cookies.SESSION)
    if token:
        accounts.revoke(page.session, token, now=page.now)
    response = redirect(page, "/login")
    cookies.clear(page.request, response, cookies.SESSION)
    cookies.clear(page.request, response, cookies.FLASH)
    return response


@router.post("/locale")
def change_locale(page: Annotated[Page, posted(show_home_again, visitor=True)]) -> Response:
    """Another language, kept with the account; in a cookie for those who are not signed in."""
    locale = choice(page.typed, "locale", Locale)
    if page.who is not None:
        accounts.set_locale(page.session, page.who, locale, now=page.now)
    response = redirect(page, local_path(page.typed.text("next")))
    cookies.write(page.request, response, cookies.LOCALE, locale.value)
    return response
