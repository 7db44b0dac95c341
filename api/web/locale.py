"""The language of a page: the account's, before the sign-in the cookie's, else Chinese."""

from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api.web import cookies, public_page
from api.web.forms import members_named
from models.user import Locale


class PageLocale:
    """Tells everything that answers outside the API, error handlers included, which language the browser chose."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Set `request.state.locale`; a signed-in viewer's own language replaces it later."""
        if scope["type"] == "http" and not scope["path"].startswith("/api/"):
            if scope["path"].startswith(public_page.PREFIX):
                chosen = public_page.locale_of(Request(scope))
            else:
                chosen = _chosen(Headers(scope=scope).get("cookie", ""))
            scope.setdefault("state", {})["locale"] = chosen
        await self.app(scope, receive, send)


def _chosen(header: str) -> Locale:
    try:
        jar = SimpleCookie(header)
    except CookieError:
        return Locale.ZH
    for name in (cookies.LOCALE, f"__Host-{cookies.LOCALE}"):
        found = members_named([jar[name].value] if name in jar else [], Locale)
        if found:
            return next(iter(found))
    return Locale.ZH
