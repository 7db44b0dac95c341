"""The form above a list (筛选): what was asked for, read leniently, and the address that asks for the same again.

A name that is searched for stands in no address: addresses are kept in logs and histories. Such a search is sent as a
form, and so are its further pages.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar
from urllib.parse import urlencode

from api.messages import sentence
from api.web import forms
from api.web.forms import Typed
from api.web.page import Page
from matcher import ethnicities
from matcher.vocabulary import Build, Sex
from tracing.platform import errors
from tracing.record_search import Range, Sought, is_number

V = TypeVar("V")
FIELDS = (
    "text", "sex", "ethnicity", "accent", "build", "age_from", "age_to", "height_from", "height_to", "division",
    "since", "until",
)  # fmt: skip
SEVERAL = ("state", "column")
"""Fields that may be given several times."""
TEXT_LIMIT = 60


class EthnicityUnknown(errors.Invalid):
    """A code that GB/T 3304 does not have."""

    slug = "ethnicity_unknown"
    message = "Choose an ethnic group from the list."


@dataclass
class Asked:
    """What somebody asks of a list.

    Attributes:
        values: fields as they were typed, without the empty ones.
        several: states and columns by field.
        sought: what can be understood of it.
        wrong: sentences by field, about what cannot.
    """

    values: dict[str, str]
    several: dict[str, list[str]]
    sought: Sought = field(default_factory=Sought)
    wrong: dict[str, list[str]] = field(default_factory=dict)

    @property
    def private(self) -> bool:
        """Whether a name is searched for, which no address may hold."""
        text = self.values.get("text", "")
        return bool(text) and not is_number(text)

    @property
    def filtered(self) -> bool:
        """Whether anything but columns is asked for."""
        return bool(self.values or self.several["state"])

    def pairs(self) -> list[tuple[str, str]]:
        """Every field with its value, for a form that sends the same again."""
        return [*self.values.items(), *((name, one) for name in SEVERAL for one in self.several[name])]

    def query(self) -> str:
        """The part of the address after "?" that asks for the same, but for a name."""
        return urlencode([pair for pair in self.pairs() if pair[0] != "text" or not self.private])


def read(page: Page) -> Asked:
    """From the form that was sent, else from the address. What cannot be understood is said beside its field."""
    sent = page.request.method == "POST"
    given = page.typed.several if sent else page.request.query_params.getlist
    values = {name: text for name in FIELDS if (text := _last(given(name)))}
    asked = Asked(values, {name: given(name) for name in SEVERAL})
    if not sent and asked.private:
        del values["text"]
    asked.sought = _sought(asked, page)
    return asked


def _last(texts: list[str]) -> str:
    return texts[-1].strip()[:TEXT_LIMIT] if texts else ""


def _sought(asked: Asked, page: Page) -> Sought:
    typed = Typed(asked.values)

    def known(read_field: Callable[[], V]) -> V | None:
        try:
            return read_field()
        except errors.Invalid as error:
            asked.wrong.setdefault(error.field or "text", []).append(sentence(page.locale, error))
            return None

    def day(name: str) -> date | None:
        return known(lambda: forms.optional_day(typed, name))

    def span(name: str) -> Range:
        lowest, highest = f"{name}_from", f"{name}_to"
        return Range(
            known(lambda: forms.optional_number(typed, lowest)), known(lambda: forms.optional_number(typed, highest))
        )

    return Sought(
        text=typed.optional("text"),
        sex=known(lambda: forms.optional_choice(typed, "sex", Sex)),
        ethnicity=known(lambda: _ethnicity(typed)),
        accent=known(lambda: forms.optional_place(typed, "accent")),
        build=known(lambda: forms.optional_choice(typed, "build", Build)),
        age=span("age"),
        height=span("height"),
        division=known(lambda: forms.optional_place(typed, "division")),
        since=day("since"),
        until=day("until"),
    )


def _ethnicity(typed: Typed) -> str | None:
    code = typed.optional("ethnicity")
    if code is not None and not ethnicities.exists(code):
        raise EthnicityUnknown(field="ethnicity")
    return code
