"""The cookies of the pages: one place for their names and flags."""

from collections.abc import Mapping
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response

from tracing.services import Services

SESSION = "guitu_session"
VISITOR = "guitu_visitor"
FLASH = "guitu_flash"
LOCALE = "guitu_locale"
THEME = "guitu_theme"
_YEAR = 365 * 24 * 3600
LONG: Mapping[str, int] = MappingProxyType({LOCALE: _YEAR, THEME: _YEAR})


def _name(name: str, *, secure: bool) -> str:
    # A browser takes a __Host- cookie from this very host alone, and over HTTPS alone.
    return f"__Host-{name}" if secure else name


def _secure(request: Request) -> bool:
    services: Services = request.app.state.services
    return services.settings.web.secure_cookies


def read(request: Request, name: str) -> str | None:
    """The value that the browser sent."""
    return request.cookies.get(_name(name, secure=_secure(request)))


def write(request: Request, response: Response, name: str, value: str, *, seconds: int | None = None) -> None:
    """Set a cookie that no script reads and no other site sends along; until the browser closes, unless told."""
    secure = _secure(request)
    response.set_cookie(
        _name(name, secure=secure),
        value,
        max_age=seconds if seconds is not None else LONG.get(name),
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )


def clear(request: Request, response: Response, name: str) -> None:
    """Make the browser forget a cookie."""
    secure = _secure(request)
    response.delete_cookie(_name(name, secure=secure), path="/", secure=secure, httponly=True, samesite="lax")
