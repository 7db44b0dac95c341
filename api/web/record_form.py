"""The intake form of a case and the form of a report: from typed values to what the use cases take, and back."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from api.web import body_map, facts_form
from api.web.forms import Typed, day, optional_day, optional_place, place_text, point, point_text
from api.web.rendering import Words
from matcher import ethnicities
from matcher.vocabulary import (
    AttributeKind,
    Basis,
    BloodGroup,
    BodyRegion,
    BodySide,
    Build,
    Glasses,
    Handedness,
    KinRelation,
    Literacy,
    MarkKind,
    NameKind,
    PlaceKind,
    Sex,
)
from models.case import Case
from models.photo import PhotoView
from models.report import Report
from tracing.cases import Circumstances
from tracing.facts import Facts, InvalidFacts, check_facts, collecting
from tracing.platform import errors
from tracing.profiles import current_facts
from tracing.reports import FamilyContact, LastSeen

CIRCUMSTANCES: Mapping[str, str] = {
    "admitted_on": "Admitted on",
    "found_on": "Found on",
    "found_division": "Found in",
    "found_place": "Place, road, landmark",
    "point": "Point on the map",
    "photo_refused": "The person refuses to be photographed",
}
LAST_SEEN: Mapping[str, str] = {
    "last_seen_on": "Last seen",
    "last_seen_division": "Province, city or county",
    "last_seen_place": "Place, road, landmark",
}
GROUPS: Mapping[str, str] = {
    "names": "Names",
    "kin": "Relatives",
    "places": "Places",
    "phones": "Telephone numbers",
    "marks": "Bodily marks",
}
"""Fields and groups with the msgids of their labels."""
CONTACT = ("contact.name", "contact.relation", "contact.telephone", "contact.address", "contact.note")


@dataclass(frozen=True, slots=True)
class Difference:
    """What stands now and what was typed, where they differ. `field` is the entry's path, `title` its label."""

    field: str
    title: str
    standing: str
    typed: str


def case_values(case: Case) -> dict[str, str]:
    """A case as the values of its form."""
    return facts_form.fields_of(current_facts(case.profile)) | {
        "version": str(case.version),
        "admitted_on": case.admitted_on.isoformat(),
        "found_on": case.found_on.isoformat() if case.found_on else "",
        "found_division": place_text(case.found_division) if case.found_division else "",
        "found_place": case.found_place or "",
        "photo_refused": "yes" if case.photo_refused else "",
        "point": point_text(case.found_latitude, case.found_longitude),
    }


def report_values(report: Report) -> dict[str, str]:
    """A report as the values of its form; what is sealed is not among them."""
    return facts_form.fields_of(current_facts(report.profile)) | {
        "version": str(report.version),
        "last_seen_on": report.last_seen_on.isoformat() if report.last_seen_on else "",
        "last_seen_division": place_text(report.last_seen_division) if report.last_seen_division else "",
        "last_seen_place": report.last_seen_place or "",
    }


def read_case(typed: Typed, *, today: date) -> tuple[Circumstances, Facts]:
    """What was typed about a case. Raises InvalidFacts naming every field that cannot be read."""
    problems: list[errors.Invalid] = []
    circumstances = Circumstances(admitted_on=today)
    with collecting(problems):
        circumstances = replace(circumstances, admitted_on=day(typed, "admitted_on"))
    with collecting(problems):
        circumstances = replace(circumstances, found_on=optional_day(typed, "found_on"))
    with collecting(problems):
        circumstances = replace(circumstances, found_division=optional_place(typed, "found_division"))
    with collecting(problems):
        latitude, longitude = point(typed, "point")
        circumstances = replace(circumstances, found_latitude=latitude, found_longitude=longitude)
    circumstances = replace(
        circumstances, found_place=typed.optional("found_place"), photo_refused=typed.ticked("photo_refused")
    )
    return circumstances, _facts(typed, problems, today)


def read_report(typed: Typed, *, today: date) -> tuple[LastSeen, Facts, FamilyContact | None, str | None]:
    """What was typed about a missing person. Raises InvalidFacts naming every field that cannot be read."""
    problems: list[errors.Invalid] = []
    last_seen = LastSeen(last_seen_place=typed.optional("last_seen_place"))
    with collecting(problems):
        last_seen = replace(last_seen, last_seen_on=optional_day(typed, "last_seen_on"))
    with collecting(problems):
        last_seen = replace(last_seen, last_seen_division=optional_place(typed, "last_seen_division"))
    contact = None
    if any(typed.text(name) for name in CONTACT):
        contact = FamilyContact(
            name=typed.text("contact.name"),
            relation=typed.optional("contact.relation"),
            telephone=typed.optional("contact.telephone"),
            address=typed.optional("contact.address"),
            note=typed.optional("contact.note"),
        )
    identity_number = typed.text("identity_number").replace(" ", "").upper() or None
    return last_seen, _facts(typed, problems, today), contact, identity_number


def _facts(typed: Typed, problems: list[errors.Invalid], today: date) -> Facts:
    facts = facts_form.facts_of(typed, problems)
    if problems:
        # Everything wrong is told at once: the use case, which would check the rest, is not reached.
        with collecting(problems):
            check_facts(Facts(attributes=facts.attributes), today=today)
        raise InvalidFacts(tuple(problems))
    return facts


def differences(
    words: Words, standing: Mapping[str, str], typed: Mapping[str, str], fields: Mapping[str, str]
) -> list[Difference]:
    """Where a form that was sent too late differs from what stands now: these fields, and every fact."""
    typed = facts_form.spanned(typed)
    titles = {field: words.text(msgid) for field, msgid in fields.items()}
    titles |= {f"attributes.{kind.value}": words.label(kind) for kind in AttributeKind}
    titles["no_marks"] = words.text("Somebody looked and found no marks")
    found = [
        Difference(field, title, standing.get(field, ""), typed.get(field, "").strip())
        for field, title in titles.items()
    ]
    for group, msgid in GROUPS.items():
        found.append(Difference(f"{group}.0", words.text(msgid), _told(standing, group), _told(typed, group)))
    return [one for one in found if one.standing != one.typed]


def _told(values: Mapping[str, str], group: str) -> str:
    rows = facts_form.rows_of(values, group)
    return " / ".join(" ".join(row[part] for part in facts_form.TELLING[group] if row.get(part)) for row in rows)


def choices() -> dict[str, Any]:
    """The lists from which the forms of facts offer values."""
    return {
        "attribute_kinds": list(AttributeKind),
        "bases": list(Basis),
        "sexes": list(Sex),
        "builds": list(Build),
        "blood_groups": list(BloodGroup),
        "hands": list(Handedness),
        "glasses": list(Glasses),
        "literacies": list(Literacy),
        "relations": list(KinRelation),
        "ethnicities": ethnicities.all_names(),
        "name_kinds": list(NameKind),
        "place_kinds": list(PlaceKind),
        "mark_kinds": list(MarkKind),
        "regions": list(BodyRegion),
        "sides": list(BodySide),
        "body": body_map,
        "views": list(PhotoView),
    }


def rows(values: Mapping[str, str]) -> dict[str, list[facts_form.Row]]:
    """The filled rows of every group."""
    return {group: facts_form.rows_of(values, group) for group in facts_form.TELLING}


def version(typed: Typed) -> int:
    """The version that the editor saw; one that never was, when the form does not say."""
    text = typed.text("version")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1
