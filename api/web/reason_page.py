"""One page for every step that needs a reason (理由): taking back, refusing, saying what came of something."""

from dataclasses import dataclass

from starlette.responses import Response

from api.web.page import Page
from api.web.rendering import render


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked, in the user's language. `back` is where it is asked from; `field` is the use case's own name."""

    title: str
    about: str
    button: str
    back: str
    crumb: str
    help: str = ""
    field: str = "reason"
    limit: int = 500


def ask_reason(page: Page, asked: Ask) -> Response:
    """The form, which is sent to the page's own address; with what was typed when it was refused."""
    return render(page, "desk/reason.html", asked=asked, values=page.typed.values)
