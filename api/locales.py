"""Which language a request is answered in."""

from starlette.requests import Request

from models.user import Locale
from tracing.access import Viewer

OURS = frozenset(locale.value for locale in Locale)


def locale_of(request: Request) -> Locale:
    """What `Accept-Language` asks for, else the viewer's own language, else Chinese.

    A page that knows better (the viewer chose a language) sets `request.state.locale`.
    """
    chosen: Locale | None = getattr(request.state, "locale", None)
    if chosen is not None:
        return chosen
    asked = preferred(request.headers.get("accept-language", ""))
    if asked is not None:
        return asked
    viewer: Viewer | None = getattr(request.state, "viewer", None)
    return viewer.locale if viewer else Locale.ZH


def preferred(header: str) -> Locale | None:
    """The language that an Accept-Language header (RFC 9110, 12.5.4) prefers among ours; None for none of them."""
    ranked: list[tuple[float, int, Locale]] = []
    for position, part in enumerate(header[:1000].split(",")):
        tag, _, parameter = part.partition(";")
        language = tag.strip().lower().partition("-")[0]
        weight = _weight(parameter)
        if language in OURS and weight > 0:
            ranked.append((-weight, position, Locale(language)))
    return min(ranked)[2] if ranked else None


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
