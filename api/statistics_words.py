"""The names of a statistics table's lines and columns in one language."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from api.messages import label, translate
from matcher import divisions
from models.case import AdmissionKind
from models.confirmation import ConfirmationMethod
from models.deadline import ClockKind
from models.outcome import OutcomeRoute
from models.user import Locale
from tracing.statistics import Group, Row

PARTS: Mapping[str, type[StrEnum]] = MappingProxyType(
    {
        "people_helped": AdmissionKind,
        "identified": ConfirmationMethod,
        "reunited": OutcomeRoute,
        "clocks_due": ClockKind,
        "clocks_met": ClockKind,
    }
)
"""Of which enum the parts of a figure are; parts of another figure are shown as they are."""


def title(row: Row, locale: Locale) -> str:
    """The figure's name."""
    return row.figure.title_zh if locale is Locale.ZH else row.figure.title_en


def definition(row: Row, locale: Locale) -> str:
    """What the figure counts."""
    return row.figure.definition_zh if locale is Locale.ZH else row.figure.definition_en


def part_name(row: Row, locale: Locale) -> str | None:
    """What people call the part; None for the figure itself."""
    if row.part is None:
        return None
    members = PARTS.get(row.figure.key)
    return row.part if members is None else label(locale, members(row.part))


def group_name(group: Group, locale: Locale) -> str:
    """The organisation's or the division's name."""
    if group.organisation is None:
        return divisions.full_name(group.key) if divisions.exists(group.key) else group.key
    name = group.organisation.name_zh if locale is Locale.ZH else group.organisation.name_en
    return name if group.key else translate(locale, "{name} (own)").format(name=name)
