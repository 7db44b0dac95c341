"""Appearance (外观): light, dark, or as the device says; in a cookie, so that the first byte of a page knows it."""

from enum import StrEnum

from starlette.requests import Request

from api.web import cookies
from api.web.forms import members_named


class Theme(StrEnum):
    """Which colours the pages have."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


def theme_of(request: Request) -> Theme:
    """What this browser chose; as the device says when it chose nothing."""
    chosen = members_named([cookies.read(request, cookies.THEME) or ""], Theme)
    return next(iter(chosen), Theme.AUTO)
