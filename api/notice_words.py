"""A notice in words: lines of label and text in one language, for the page, the paper and programs."""

from dataclasses import dataclass
from datetime import date

from babel.dates import format_date

from api.messages import label, translate
from matcher import divisions, ethnicities
from matcher.vocabulary import Build, Glasses, Sex
from models.notice import NoticeFact
from models.user import Locale
from tracing.notice_content import NoticeContent, NoticeValue

CALENDARS = {Locale.ZH: "zh_Hans_CN", Locale.EN: "en_GB"}
_LISTED = {NoticeFact.SEX: Sex, NoticeFact.BUILD: Build, NoticeFact.GLASSES: Glasses}
_SEPARATOR = {Locale.ZH: "、", Locale.EN: ", "}


@dataclass(frozen=True, slots=True)
class Line:
    """What it is, and what is told."""

    label: str
    text: str


def lines(content: NoticeContent, locale: Locale) -> list[Line]:
    """Every fact of the content, in the order of the notice."""
    return [
        Line(label(locale, one.fact), _SEPARATOR[locale].join(_shown(one, value, locale) for value in one.values))
        for one in content.values
    ]


def station(content: NoticeContent, locale: Locale) -> str:
    """The station's name."""
    return content.station_zh if locale is Locale.ZH else content.station_en


def _shown(one: NoticeValue, value: str, locale: Locale) -> str:
    if one.fact in _LISTED:
        return label(locale, _LISTED[one.fact](value))
    if one.fact is NoticeFact.ETHNICITY:
        return ethnicities.name(value) if ethnicities.exists(value) else value
    if one.fact in (NoticeFact.ACCENT, NoticeFact.PLACE_MENTIONED, NoticeFact.FOUND_DIVISION):
        return divisions.full_name(value) if divisions.exists(value) else value
    if one.fact is NoticeFact.FOUND_ON:
        return format_date(date.fromisoformat(value), "long", locale=CALENDARS[locale])
    if one.fact in (NoticeFact.AGE, NoticeFact.HEIGHT):
        return _measure(one, value, locale)
    return value


def _measure(one: NoticeValue, value: str, locale: Locale) -> str:
    if one.fact is NoticeFact.AGE:
        sentence = "about {value} years" if one.estimated else "{value} years"
    else:
        sentence = "about {value} cm" if one.estimated else "{value} cm"
    return translate(locale, sentence).format(value=value)
