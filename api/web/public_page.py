"""Pages for everybody (公开页面) under `/n/`: no sign-in, no cookie, no script, nothing kept, in the language asked.

Their problems are pages of the same kind, so that nothing tells a notice that ended from one that never was.
"""

from collections.abc import Callable
from urllib.parse import urlencode

from fastapi import Request
from starlette.responses import HTMLResponse, Response

from api.locales import preferred
from api.messages import label, translate
from api.problems import Problem
from api.web.rendering import environment
from models.user import Locale
from tracing.services import Services

PREFIX = "/n/"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}


def address_of(services: Services) -> Callable[[str], str]:
    """Where the notice with a token is seen."""
    return lambda token: f"{services.settings.web.public_url.rstrip('/')}{PREFIX}{token}"


def locale_of(request: Request) -> Locale:
    """What the address asks for, else what the browser prefers, else Chinese. Never a cookie."""
    asked = request.query_params.get("lang", "")
    if asked in {one.value for one in Locale}:
        return Locale(asked)
    return preferred(request.headers.get("accept-language", "")) or Locale.ZH


def show(request: Request, template: str, *, status: int = 200, **context: object) -> HTMLResponse:
    """A page for anybody."""
    locale = locale_of(request)
    other = Locale.EN if locale is Locale.ZH else Locale.ZH

    def text(msgid: str, **params: object) -> str:
        found = translate(locale, msgid)
        return found.format(**params) if params else found

    html = environment().get_template(template).render(
        {
            "_": text,
            "label": lambda member: label(locale, member),
            "locale": locale.value,
            "lang": "zh-Hans" if locale is Locale.ZH else "en",
            "here": request.url.path,
            "other": f"?{urlencode({'lang': other.value})}",
            "own": f"?{urlencode({'lang': locale.value})}",
            **context,
        }
    )  # fmt: skip
    return HTMLResponse(html, status, dict(HEADERS))


def show_problem(request: Request, problem: Problem) -> Response:
    """Not there, too often, too large, or a form that has to be corrected where its own page could not be shown."""
    gone = problem.status in (404, 405)
    return show(request, "public/problem.html", status=404 if gone else problem.status, gone=gone, problem=problem)
