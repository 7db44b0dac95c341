"""Sentences in the user's language, from the gettext catalogues in `api/web/i18n`.

`zh.po` and every `*.zh.po` beside it are one catalogue (likewise `en`). The English sentence is the msgid and the
fallback. The members of enums are labelled under "class name.value": the msgid of `CaseState.DRAFT` is
"CaseState.draft"; without an entry the value is shown in plain words.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType

from babel.messages.pofile import read_po

from models.case import CaseState
from models.report import ReportState
from models.user import Locale
from tracing.platform.errors import Named, TracingError
from tracing.reports import IllegalReportMove
from tracing.transitions import IllegalMove

CATALOGUES = Path(__file__).parent / "web" / "i18n"
_SEPARATOR = MappingProxyType({Locale.ZH: "、", Locale.EN: ", "})
_STATES: Mapping[type[TracingError], type[StrEnum]] = MappingProxyType(
    {IllegalMove: CaseState, IllegalReportMove: ReportState}
)
"""Errors whose parameters are values of an enum."""


def translate(locale: Locale, msgid: str) -> str:
    """The msgid in that language; the msgid itself when the catalogue does not have it."""
    return _catalogue(locale).get(msgid, msgid)


def label(locale: Locale, member: StrEnum) -> str:
    """What people call a member of an enum."""
    msgid = f"{type(member).__name__}.{member.value}"
    found = translate(locale, msgid)
    return member.value.replace("_", " ") if found == msgid else found


def sentence(locale: Locale, error: TracingError) -> str:
    """The error's message in that language, its placeholders filled in."""
    states = _STATES.get(type(error))
    params = {name: _shown(locale, value, states) for name, value in error.params.items()}
    return translate(locale, error.message).format(**params)


def _shown(locale: Locale, value: object, states: type[StrEnum] | None) -> str:
    if isinstance(value, StrEnum):
        return label(locale, value)
    if isinstance(value, Named):
        return value.zh if locale is Locale.ZH else value.en
    if isinstance(value, list | tuple):
        return _SEPARATOR[locale].join(_shown(locale, item, states) for item in value)
    return str(value) if states is None else label(locale, states(str(value)))


@cache
def _catalogue(locale: Locale) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for path in (*sorted(CATALOGUES.glob(f"*.{locale}.po")), CATALOGUES / f"{locale}.po"):
        if path.is_file():
            with path.open("rb") as file:
                messages = read_po(file, locale=locale.value)
            found |= {str(one.id): str(one.string) for one in messages if one.id and one.string and not one.fuzzy}
    return MappingProxyType(found)
