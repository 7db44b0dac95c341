"""Templates (模板): one environment, the words and figures of the user's language, and the answer with its cookies."""

import secrets
from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse

from api.messages import label, translate
from api.web import assets, cookies, csrf, flash
from api.web.appearance import Theme, theme_of
from api.web.forms import place_text
from api.web.navigation import INLINE, navigation
from api.web.page import Page
from matcher import divisions, ethnicities
from matcher.faces.quality import QualityAdvice, QualityComponent
from matcher.vocabulary import AttributeKind, BloodGroup, Build, EvidenceKind, Glasses, Handedness, Literacy, Sex
from models.organisation import Organisation
from models.sighting import Condition
from models.user import Locale
from tracing.access import Permission
from tracing.facts import AttributeFact
from tracing.inbox import count_unread

TEMPLATES = Path(__file__).parent / "templates"
LISTED: Mapping[AttributeKind, type[StrEnum]] = {
    AttributeKind.SEX: Sex,
    AttributeKind.BUILD: Build,
    AttributeKind.BLOOD_GROUP: BloodGroup,
    AttributeKind.HANDEDNESS: Handedness,
    AttributeKind.GLASSES: Glasses,
    AttributeKind.LITERACY: Literacy,
}
CALENDARS = {Locale.ZH: "zh_Hans_CN", Locale.EN: "en_GB"}


class Words:
    """The words of one language, as templates use them."""

    def __init__(self, locale: Locale, zone: ZoneInfo) -> None:
        self.locale = locale
        self.zone = zone

    def text(self, msgid: str, **params: object) -> str:
        """The sentence in the user's language, placeholders filled in."""
        return translate(self.locale, msgid).format(**params) if params else translate(self.locale, msgid)

    def label(self, member: StrEnum) -> str:
        """What people call a member of an enum."""
        return label(self.locale, member)

    def day(self, value: date | None) -> str:
        """A day, of a moment the one in the service's time zone; "" for none."""
        if isinstance(value, datetime):
            value = value.astimezone(self.zone)
        return format_date(value, "medium", locale=CALENDARS[self.locale]) if value else ""

    def moment(self, value: datetime | None) -> str:
        """A moment on the clock of the service's time zone; "" for none."""
        if value is None:
            return ""
        return format_datetime(value.astimezone(self.zone), "medium", locale=CALENDARS[self.locale])

    def organisation(self, organisation: Organisation) -> str:
        """An organisation's name."""
        return organisation.name_zh if self.locale is Locale.ZH else organisation.name_en


def place_name(code: str | None) -> str:
    """A division's full name; the code itself when the table no longer has it; "" for none."""
    if not code:
        return ""
    return divisions.full_name(code) if divisions.exists(code) else code


def own_place_name(code: str) -> str:
    """A division's name without those above it; the code itself when the table no longer has it."""
    return divisions.name(code) if divisions.exists(code) else code


def ethnicity_name(code: str) -> str:
    """An ethnic group's name; the code itself when the standard does not have it."""
    return ethnicities.name(code) if ethnicities.exists(code) else code


def value_member(fact: AttributeFact) -> StrEnum:
    """The enum member that the value of such a fact names. Raises KeyError for a kind without a list."""
    return LISTED[fact.kind](fact.value)


@cache
def environment() -> Environment:
    """Everything is escaped; a misspelt name in a template is an error, not a blank."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {
        "asset": assets.address,
        "place_name": place_name,
        "own_place_name": own_place_name,
        "value_member": value_member,
        "evidence_member": EvidenceKind,
        "advice_member": QualityAdvice,
        "condition_member": Condition,
        "quality_components": tuple(QualityComponent),
        "P": Permission,
        "themes": tuple(Theme),
        "inline_entries": INLINE,
    }
    made.filters |= {"place": place_name, "place_text": place_text, "ethnicity": ethnicity_name}
    return made


def words_of(page: Page) -> Words:
    """The words of the page's language."""
    return Words(page.locale, page.services.settings.zone)


def render(page: Page, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """A whole page. Shown again because of a problem, it has the problem's status."""
    if csrf.secret_of(page.request) == "":
        page.request.state.visitor = secrets.token_urlsafe(24)
    messages = flash.take(page.request)
    html = environment().get_template(template).render(_ground(page) | {"flashes": messages} | context)
    response = HTMLResponse(html, page.problem.status if page.problem else status)
    if messages:
        cookies.clear(page.request, response, cookies.FLASH)
    visitor = getattr(page.request.state, "visitor", None)
    if visitor:
        cookies.write(page.request, response, cookies.VISITOR, visitor)
    return response


def fragment(page: Page, template: str, **context: Any) -> HTMLResponse:
    """A part of a page, for htmx."""
    return HTMLResponse(environment().get_template(template).render(_ground(page) | context))


def wrong_of(page: Page) -> dict[str, list[str]]:
    """Sentences by field about what was refused."""
    wrong: dict[str, list[str]] = {}
    for error in page.problem.errors if page.problem else ():
        wrong.setdefault(error.field, []).append(error.detail)
    return wrong


def _ground(page: Page) -> dict[str, Any]:
    words = words_of(page)
    return {
        "_": words.text,
        "label": words.label,
        "day": words.day,
        "moment": words.moment,
        "organisation_name": words.organisation,
        "locale": page.locale.value,
        "lang": "zh-Hans" if page.locale is Locale.ZH else "en",
        "theme": theme_of(page.request),
        "viewer": page.who,
        "navigation": navigation(page),
        "may": page.may,
        "unread": lambda: count_unread(page.session, page.who) if page.who is not None and page.asks else 0,
        "here": page.request.url.path,
        "list_query": urlencode([pair for pair in page.request.query_params.multi_items() if pair[0] != "cursor"]),
        "problem": page.problem,
        "wrong": wrong_of(page),
        "csrf_field": csrf.FIELD,
        "tile_credit": page.services.settings.web.tile_credit,
        "csrf_token": csrf.token_of(page.request),
    }


def redirect(
    page: Page, path: str, *messages: flash.Message, query: Mapping[str, str] | None = None
) -> RedirectResponse:
    """See another page, after a POST: reloading it sends nothing again."""
    response = RedirectResponse(path + (f"?{urlencode(query)}" if query else ""), 303)
    if messages:
        flash.send(page.request, response, list(messages))
    return response


def done(page: Page, msgid: str, **params: object) -> flash.Message:
    """A message that something is done."""
    return flash.Message(flash.Tone.DONE, words_of(page).text(msgid, **params))


def warning(page: Page, msgid: str, **params: object) -> flash.Message:
    """A message that something needs another look."""
    return flash.Message(flash.Tone.WARNING, words_of(page).text(msgid, **params))
