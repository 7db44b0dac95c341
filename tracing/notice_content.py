"""The content of a notice (公告内容): what of the record the policy lets through, and what must not slip in."""

import re
import unicodedata
import uuid
from collections.abc import Mapping
from datetime import date

from pydantic import BaseModel, ConfigDict

from matcher.vocabulary import AttributeKind, Basis, NameKind, PlaceKind
from models.case import Case
from models.notice import NoticeFact
from models.organisation import Organisation
from tracing.facts import Facts
from tracing.notice_policy import AgeGroup, NoticePolicy
from tracing.platform import errors
from tracing.profiles import current_facts

STATEMENT_LIMIT = 300
_TELEPHONE = re.compile(r"\+?[0-9][0-9 \-()]{4,22}[0-9]", re.ASCII)
_LONG_NUMBER = re.compile(r"\d(?:[ \-.]?\d){6,}", re.ASCII)
_ATTRIBUTES: Mapping[NoticeFact, AttributeKind] = {
    NoticeFact.SEX: AttributeKind.SEX,
    NoticeFact.AGE: AttributeKind.AGE,
    NoticeFact.HEIGHT: AttributeKind.HEIGHT,
    NoticeFact.BUILD: AttributeKind.BUILD,
    NoticeFact.ETHNICITY: AttributeKind.ETHNICITY,
    NoticeFact.ACCENT: AttributeKind.ACCENT,
    NoticeFact.GLASSES: AttributeKind.GLASSES,
    NoticeFact.CLOTHING: AttributeKind.CLOTHING,
    NoticeFact.BELONGINGS: AttributeKind.BELONGINGS,
    NoticeFact.HEALTH: AttributeKind.HEALTH,
    NoticeFact.MENTAL_STATE: AttributeKind.MENTAL_STATE,
}
_FREE_TEXT = frozenset(
    {
        NoticeFact.CLOTHING, NoticeFact.BELONGINGS, NoticeFact.MARKS, NoticeFact.HEALTH, NoticeFact.MENTAL_STATE,
        NoticeFact.FOUND_PLACE, NoticeFact.STATEMENT,
    }
)  # fmt: skip


def content_purpose(version_id: uuid.UUID) -> str:
    """Purpose under which the vault seals a version's content."""
    return f"notice:{version_id}"


def notice_photo_purpose(version_id: uuid.UUID) -> str:
    """Purpose under which the vault seals a version's photograph."""
    return f"notice-photo:{version_id}"


class NoticeFactWithheld(errors.Invalid):
    """A fact that the policy keeps from the public for somebody of this age."""

    slug = "notice_fact_withheld"
    message = "The notice policy withholds this from the public for somebody of this age: {facts}. Leave it out."


class NoticeTellsTooMuch(errors.Invalid):
    """Free text with a name, a relative or a number of the record, or any long number."""

    slug = "notice_tells_too_much"
    message = (
        "The text repeats a name, a relative or a number that the notice must not tell. Describe what a relative would"
        " recognise, without names and numbers."
    )


class TelephoneInvalid(errors.Invalid):
    """Not the number of a telephone."""

    slug = "telephone_invalid"
    message = "Give the station's telephone number with its area code, in digits, such as 0777-2860110."


class NoticeValue(BaseModel):
    """One fact as it was published, in the stored form of the record. `estimated`: judged by eye."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fact: NoticeFact
    values: tuple[str, ...]
    estimated: bool = False


class NoticeContent(BaseModel):
    """All that a version tells. The photograph is a file of its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    values: tuple[NoticeValue, ...]
    station_zh: str
    station_en: str
    telephone: str

    def within(self, allowed: frozenset[NoticeFact]) -> "NoticeContent":
        """Without what is not allowed now."""
        return self.model_copy(update={"values": tuple(one for one in self.values if one.fact in allowed)})


def check_telephone(text: str, *, field: str) -> str:
    """A telephone number, trimmed. Raises TelephoneInvalid."""
    found = unicodedata.normalize("NFKC", text).strip()
    if _TELEPHONE.fullmatch(found) is None:
        raise TelephoneInvalid(field=field)
    return found


def group_of(policy: NoticePolicy, facts: Facts, today: date) -> AgeGroup:
    """The age group of a person: by the birth date, else by the age less what it may be wrong by."""
    known = {one.kind: one for one in facts.attributes}
    born = known.get(AttributeKind.BIRTH_DATE)
    ages: list[float] = []
    if born is not None:
        day = date.fromisoformat(born.value)
        ages.append(today.year - day.year - ((today.month, today.day) < (day.month, day.day)))
    age = known.get(AttributeKind.AGE)
    if age is not None:
        measured = age.basis in (Basis.DOCUMENTED, Basis.MEASURED)
        margin = age.uncertainty if age.uncertainty is not None else 0.0 if measured else policy.age_margin_years
        ages.append(float(age.value) - margin)
    # Of two that differ the younger counts: what is withheld in error can still be told, not the reverse.
    return policy.group_of(min(ages, default=None))


def allowed_facts(policy: NoticePolicy, case: Case, today: date) -> frozenset[NoticeFact]:
    """What may be public of the case's person today. The case must be loaded with its profile."""
    return group_of(policy, current_facts(case.profile), today).facts


def compose(
    case: Case,
    organisation: Organisation,
    allowed: frozenset[NoticeFact],
    wanted: frozenset[NoticeFact] | None,
    *,
    telephone: str,
    statement: str | None,
) -> NoticeContent:
    """The content from the record: the wanted facts (None: all that are allowed) that are known.

    Raises NoticeFactWithheld, NoticeTellsTooMuch, TelephoneInvalid.
    """
    asked = (wanted or frozenset()) | (frozenset({NoticeFact.STATEMENT}) if statement else frozenset())
    withheld = asked - allowed
    if withheld:
        raise NoticeFactWithheld(field="facts", facts=sorted(withheld))
    told = allowed if wanted is None else wanted
    facts = current_facts(case.profile)
    values = [one for fact in NoticeFact if fact in told for one in _value(fact, case, facts)]
    if statement:
        values.append(NoticeValue(fact=NoticeFact.STATEMENT, values=(statement,)))
    content = NoticeContent(
        values=tuple(values),
        station_zh=organisation.name_zh,
        station_en=organisation.name_en,
        telephone=check_telephone(telephone, field="telephone"),
    )
    refuse_private(content, facts)
    return content


def _value(fact: NoticeFact, case: Case, facts: Facts) -> list[NoticeValue]:
    if fact in _ATTRIBUTES:
        rows = [one for one in facts.attributes if one.kind is _ATTRIBUTES[fact]]
        return [
            NoticeValue(fact=fact, values=(one.value,), estimated=one.basis is Basis.ESTIMATED) for one in rows
        ]  # fmt: skip
    found: tuple[str, ...] = ()
    if fact is NoticeFact.NAME_HEARD:
        found = tuple(one.text for one in facts.names if one.kind is NameKind.HEARD)
    elif fact is NoticeFact.PLACE_MENTIONED:
        found = tuple(one.division for one in facts.places if one.kind is PlaceKind.MENTIONED)
    elif fact is NoticeFact.FOUND_ON and case.found_on is not None:
        found = (case.found_on.isoformat(),)
    elif fact is NoticeFact.FOUND_DIVISION and case.found_division is not None:
        found = (case.found_division,)
    elif fact is NoticeFact.FOUND_PLACE and case.found_place is not None:
        found = (case.found_place,)
    elif fact is NoticeFact.MARKS:
        found = tuple("/".join(filter(None, (one.region, one.side, one.kind, one.detail))) for one in facts.marks)
    return [NoticeValue(fact=fact, values=found)] if found else []


def refuse_private(content: NoticeContent, facts: Facts) -> None:
    """Raise NoticeTellsTooMuch when free text holds a relative, a number, or a name of the record.

    The name that was heard may be repeated where the notice tells it itself.
    """
    names = any(one.fact is NoticeFact.NAME_HEARD for one in content.values)
    for one in content.values:
        if one.fact in _FREE_TEXT and any(_is_private(text, facts, names=names) for text in one.values):
            raise NoticeTellsTooMuch(field="statement" if one.fact is NoticeFact.STATEMENT else "facts")


def _is_private(text: str, facts: Facts, *, names: bool) -> bool:
    plain = unicodedata.normalize("NFKC", text).casefold()
    private = [one.text for one in facts.kin]
    private += [one.text for one in facts.names if not (names and one.kind is NameKind.HEARD)]
    hidden = any(unicodedata.normalize("NFKC", one).casefold() in plain for one in private if len(one) > 1)
    digits = re.sub(r"\D", "", plain)
    return hidden or _LONG_NUMBER.search(plain) is not None or any(one.digits in digits for one in facts.phones)
