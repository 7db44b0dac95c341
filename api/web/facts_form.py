"""Facts as form fields and back. The names of the fields are the paths that the checks of `tracing.facts` name.

Rows of names, kin, places, marks and telephones are numbered without gaps, empty ones left out, both when they are read
and when they are shown again: so the third row that is filled in is the one that an error of "marks.2" belongs to.
"""

import re
from collections.abc import Iterator, Mapping

from api.web.errors import ChoiceMissing
from api.web.forms import Typed, choice, optional_choice, optional_day, optional_number, optional_place, place_text
from matcher.vocabulary import AttributeKind, Basis, BodyRegion, BodySide, KinRelation, MarkKind, NameKind, PlaceKind
from tracing.facts import AttributeFact, Facts, KinFact, MarkFact, NameFact, PhoneFact, PlaceFact, collecting
from tracing.platform import errors

Row = dict[str, str]
TELLING: Mapping[str, tuple[str, ...]] = {
    "names": ("text",),
    "kin": ("text",),
    "phones": ("digits",),
    "places": ("division", "detail"),
    "marks": ("kind", "region", "detail"),
}
"""The parts that make a row more than an empty one; the others are chosen beforehand."""
AGE = f"attributes.{AttributeKind.AGE.value}"
AGE_SPAN = (f"{AGE}.from", f"{AGE}.to")
"""An age by eye is two numbers: who looks thinks “between 45 and 55”."""
_PART = re.compile(r"^(names|places|marks|kin|phones)\.(\d{1,3})\.([a-z_]+)$", re.ASCII)


def fields_of(facts: Facts) -> dict[str, str]:
    """The facts as the values of form fields."""
    values: dict[str, str] = {"no_marks": "yes"} if facts.no_marks else {}
    for fact in facts.attributes:
        name = f"attributes.{fact.kind.value}"
        values[name] = place_text(fact.value) if fact.kind is AttributeKind.ACCENT else fact.value
        values[f"{name}.basis"] = fact.basis.value
        values[f"{name}.source"] = fact.source or ""
        values[f"{name}.as_of"] = fact.as_of.isoformat() if fact.as_of else ""
        values[f"{name}.uncertainty"] = "" if fact.uncertainty is None else f"{fact.uncertainty:g}"
        if fact.kind is AttributeKind.AGE:
            values |= _age_span(fact.value, fact.uncertainty)
    for prefix, rows in (
        ("names", [_name_row(one) for one in facts.names]),
        ("places", [_place_row(one) for one in facts.places]),
        ("marks", [_mark_row(one) for one in facts.marks]),
        ("kin", [_kin_row(one) for one in facts.kin]),
        ("phones", [_phone_row(one) for one in facts.phones]),
    ):
        for position, row in enumerate(rows):
            values |= {f"{prefix}.{position}.{part}": text for part, text in row.items()}
    return values


def _name_row(fact: NameFact) -> Row:
    return {"text": fact.text, "kind": fact.kind, "basis": fact.basis, "source": fact.source or ""}


def _place_row(fact: PlaceFact) -> Row:
    division = place_text(fact.division)
    return {
        "division": division, "kind": fact.kind, "basis": fact.basis, "detail": fact.detail or "",
        "source": fact.source or "",
    }  # fmt: skip


def _mark_row(fact: MarkFact) -> Row:
    return {
        "kind": fact.kind, "region": fact.region, "side": fact.side or "", "basis": fact.basis,
        "detail": fact.detail or "", "source": fact.source or "",
    }  # fmt: skip


def _kin_row(fact: KinFact) -> Row:
    return {"text": fact.text, "relation": fact.relation, "basis": fact.basis, "source": fact.source or ""}


def _phone_row(fact: PhoneFact) -> Row:
    return {"digits": fact.digits, "basis": fact.basis, "source": fact.source or ""}


def rows_of(values: Mapping[str, str], group: str) -> list[Row]:
    """The rows of a group that are filled in, in order."""
    found: dict[int, Row] = {}
    for name, text in values.items():
        match = _PART.match(name)
        if match and match.group(1) == group:
            found.setdefault(int(match.group(2)), {})[match.group(3)] = text.strip()
    rows = [found[position] for position in sorted(found)]
    return [row for row in rows if any(row.get(part) for part in TELLING[group])]


def spanned(values: Mapping[str, str]) -> dict[str, str]:
    """The values of a form, with an age from … to … as the age and its uncertainty that the facts take (in years).

    What is no number becomes the age as it was typed, which `tracing.facts` refuses.
    """
    values = dict(values)
    ends = [text for text in (values.pop(name, "").strip() for name in AGE_SPAN) if text]
    if not ends:
        return values
    try:
        least, most = float(ends[0]), float(ends[-1])
    except ValueError:
        return values | {AGE: "–".join(ends)}
    uncertainty = f"{abs(most - least) / 2:g}" if least != most else ""
    return values | {AGE: f"{(least + most) / 2:g}", f"{AGE}.uncertainty": uncertainty}


def _age_span(age: str, uncertainty: float | None) -> dict[str, str]:
    ends = (float(age) + sign * (uncertainty or 0) for sign in (-1, 1))
    return {name: f"{max(0.0, end):g}" for name, end in zip(AGE_SPAN, ends, strict=True)}


def facts_of(typed: Typed, problems: list[errors.Invalid]) -> Facts:
    """The facts that were typed; what cannot be read is left out and appended to `problems`."""
    typed = Typed(spanned(typed.values), typed.files)
    return Facts(
        attributes=tuple(_attributes(typed, problems)),
        names=tuple(_names(typed, problems)),
        places=tuple(_places(typed, problems)),
        marks=tuple(_marks(typed, problems)),
        no_marks=typed.ticked("no_marks"),
        kin=tuple(_kin(typed, problems)),
        phones=tuple(_phones(typed, problems)),
    )


def _attributes(typed: Typed, problems: list[errors.Invalid]) -> Iterator[AttributeFact]:
    for kind in AttributeKind:
        name = f"attributes.{kind.value}"
        if not typed.text(name):
            continue
        with collecting(problems):
            value = optional_place(typed, name) if kind is AttributeKind.ACCENT else typed.text(name)
            yield AttributeFact(
                kind=kind,
                value=value or "",
                basis=choice(typed, f"{name}.basis", Basis),
                source=typed.optional(f"{name}.source"),
                as_of=optional_day(typed, f"{name}.as_of"),
                uncertainty=optional_number(typed, f"{name}.uncertainty"),
            )


def _rows(typed: Typed, group: str) -> Iterator[tuple[str, Typed]]:
    """Each filled row under the number that it has when it is shown again."""
    for position, row in enumerate(rows_of(typed.values, group)):
        prefix = f"{group}.{position}"
        yield prefix, Typed({f"{prefix}.{part}": text for part, text in row.items()})


def _names(typed: Typed, problems: list[errors.Invalid]) -> Iterator[NameFact]:
    for prefix, row in _rows(typed, "names"):
        with collecting(problems):
            yield NameFact(
                text=row.text(f"{prefix}.text"),
                kind=choice(row, f"{prefix}.kind", NameKind),
                basis=choice(row, f"{prefix}.basis", Basis),
                source=row.optional(f"{prefix}.source"),
            )


def _places(typed: Typed, problems: list[errors.Invalid]) -> Iterator[PlaceFact]:
    for prefix, row in _rows(typed, "places"):
        with collecting(problems):
            division = optional_place(row, f"{prefix}.division")
            if division is None:
                raise ChoiceMissing(field=f"{prefix}.division")
            yield PlaceFact(
                division=division,
                kind=choice(row, f"{prefix}.kind", PlaceKind),
                basis=choice(row, f"{prefix}.basis", Basis),
                source=row.optional(f"{prefix}.source"),
                detail=row.optional(f"{prefix}.detail"),
            )


def _marks(typed: Typed, problems: list[errors.Invalid]) -> Iterator[MarkFact]:
    for prefix, row in _rows(typed, "marks"):
        with collecting(problems):
            yield MarkFact(
                kind=choice(row, f"{prefix}.kind", MarkKind),
                region=choice(row, f"{prefix}.region", BodyRegion),
                basis=choice(row, f"{prefix}.basis", Basis),
                side=optional_choice(row, f"{prefix}.side", BodySide),
                source=row.optional(f"{prefix}.source"),
                detail=row.optional(f"{prefix}.detail"),
            )


def _kin(typed: Typed, problems: list[errors.Invalid]) -> Iterator[KinFact]:
    for prefix, row in _rows(typed, "kin"):
        with collecting(problems):
            yield KinFact(
                text=row.text(f"{prefix}.text"),
                relation=choice(row, f"{prefix}.relation", KinRelation),
                basis=choice(row, f"{prefix}.basis", Basis),
                source=row.optional(f"{prefix}.source"),
            )


def _phones(typed: Typed, problems: list[errors.Invalid]) -> Iterator[PhoneFact]:
    for prefix, row in _rows(typed, "phones"):
        with collecting(problems):
            yield PhoneFact(
                digits=row.text(f"{prefix}.digits"),
                basis=choice(row, f"{prefix}.basis", Basis),
                source=row.optional(f"{prefix}.source"),
            )
