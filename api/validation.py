"""What pydantic finds wrong, in our own words: each field once, and never what was typed into it."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from api.messages import translate
from api.schemas.base import ProblemErrorOut
from models.user import Locale
from tracing.fact_errors import ImpossibleDate, TextTooLong
from tracing.platform.errors import Invalid

Wording = tuple[str, str]
_MISSING = ("missing", "This is required.")
_UNKNOWN_FIELD = ("unknown_field", "There is a field here that does not exist. Check the spelling of the names.")
_CHOICE = ("unknown_value", "Choose one of: {choices}.")
_IDENTIFIER = ("not_an_identifier", "This is not an identifier of this service.")
_DAY = (ImpossibleDate.slug, ImpossibleDate.message)
_MOMENT = (
    "impossible_moment",
    "Write day, time and time zone, for example 2026-03-02T09:00:00+08:00.",
)
_TOO_LONG = (TextTooLong.slug, TextTooLong.message)
_TOO_MANY = ("too_many_entries", "At most {limit} entries fit here.")
_TEXT = ("not_text", "Text is expected here.")
_CHARACTERS = ("bad_characters", "This holds characters that cannot be stored. Remove them.")
_NUMBER = ("not_a_number", "A number is expected here.")
_RANGE = ("out_of_range", "This number is outside the allowed range.")
_BOOLEAN = ("not_a_boolean", "true or false is expected here.")
_LIST = ("not_a_list", "A list is expected here.")
_OBJECT = ("not_an_object", "An object with named fields is expected here.")
_JSON = ("not_json", "The body is not valid JSON.")
_OTHER = (Invalid.slug, Invalid.message)

_EXACT: Mapping[str, Wording] = MappingProxyType(
    {
        "missing": _MISSING,
        "extra_forbidden": _UNKNOWN_FIELD,
        "enum": _CHOICE,
        "literal_error": _CHOICE,
        "string_too_long": _TOO_LONG,
        "too_long": _TOO_MANY,
        "string_type": _TEXT,
        "string_pattern_mismatch": _CHARACTERS,
        "string_unicode": _CHARACTERS,
        "finite_number": _NUMBER,
        "greater_than_equal": _RANGE,
        "greater_than": _RANGE,
        "less_than_equal": _RANGE,
        "less_than": _RANGE,
        "list_type": _LIST,
        "tuple_type": _LIST,
        "json_invalid": _JSON,
        "timezone_aware": _MOMENT,
        "impossible_date": _DAY,
    }
)
_BY_PREFIX: Mapping[str, Wording] = MappingProxyType(
    {
        "uuid_": _IDENTIFIER,
        "datetime_": _MOMENT,
        "date_": _DAY,
        "int_": _NUMBER,
        "float_": _NUMBER,
        "bool_": _BOOLEAN,
        "model_": _OBJECT,
        "dict_": _OBJECT,
    }
)
WORDINGS = (*_EXACT.values(), *_BY_PREFIX.values(), _OTHER)
"""Every slug and sentence that may be told."""


def described(locale: Locale, found: Sequence[Mapping[str, Any]]) -> tuple[ProblemErrorOut, ...]:
    """One entry for each error of pydantic's list (`type`, `loc`, `ctx`)."""
    return tuple(_described(locale, error) for error in found)


def _described(locale: Locale, error: Mapping[str, Any]) -> ProblemErrorOut:
    kind = str(error["type"])
    slug, message = _wording(kind)
    return ProblemErrorOut(
        field=_field(kind, error["loc"]), slug=slug, detail=translate(locale, message).format(**_params(error))
    )


def _wording(kind: str) -> Wording:
    if kind in _EXACT:
        return _EXACT[kind]
    return next((wording for prefix, wording in _BY_PREFIX.items() if kind.startswith(prefix)), _OTHER)


def _params(error: Mapping[str, Any]) -> dict[str, object]:
    context = error.get("ctx") or {}
    return {
        "limit": context.get("max_length"),
        "choices": ", ".join(re.findall(r"'([^']*)'", str(context.get("expected", "")))),
    }


def _field(kind: str, location: Sequence[str | int]) -> str:
    """The field's path without the part of the request ("body") it is in."""
    if kind == "json_invalid":
        return "body"
    # The last part of an unknown field's location is what the sender wrote as its name.
    parts = location[:-1] if kind == "extra_forbidden" else location
    return ".".join(str(part) for part in parts[1:]) or str(parts[0] if parts else "body")
