"""Facts of a person over the wire, as they are given and as they stand."""

from datetime import date
from typing import Annotated

from pydantic import Field
from pydantic.config import JsonDict

from api.schemas.base import Day, Division, Input, Line, Output, Value
from matcher import divisions
from matcher.vocabulary import (
    AttributeKind,
    Basis,
    BodyRegion,
    BodySide,
    ClueConfidence,
    KinRelation,
    MarkKind,
    NameKind,
    PlaceKind,
)
from models.profile import Profile
from tracing.facts import AttributeFact, Facts, KinFact, MarkFact, NameFact, PhoneFact, PlaceFact
from tracing.profiles import current_facts

FACTS_EXAMPLE: JsonDict = {
    "attributes": [
        {"kind": "sex", "value": "male", "basis": "estimated"},
        {"kind": "age", "value": "45", "basis": "estimated", "as_of": "2026-03-01", "uncertainty": 10},
        {"kind": "height", "value": "168", "basis": "measured"},
        {"kind": "accent", "value": "3502", "basis": "heard", "source": "night nurse"},
    ],
    "names": [{"text": "阿明", "kind": "heard", "basis": "heard"}],
    "places": [{"division": "350203", "kind": "mentioned", "basis": "heard"}],
    "marks": [{"kind": "scar", "region": "forearm", "side": "left", "basis": "measured", "detail": "3 cm"}],
    "no_marks": False,
    "kin": [{"relation": "son", "text": "小军", "basis": "heard"}],
    "phones": [{"digits": "1367", "basis": "heard"}],
}


class AttributeIn(Input):
    """A single-valued fact, in the unit that its kind states (height in centimetres, age in years)."""

    kind: AttributeKind
    value: Value
    basis: Basis
    source: Line | None = None
    as_of: Day | None = None
    uncertainty: Annotated[float, Field(allow_inf_nan=False)] | None = None


class NameIn(Input):
    """A name as written or heard."""

    text: Line
    kind: NameKind
    basis: Basis
    source: Line | None = None


class PlaceIn(Input):
    """A place that belongs to the person."""

    division: Division
    kind: PlaceKind
    basis: Basis
    source: Line | None = None
    detail: Line | None = None


class MarkIn(Input):
    """A bodily mark."""

    kind: MarkKind
    region: BodyRegion
    basis: Basis
    side: BodySide | None = None
    source: Line | None = None
    detail: Line | None = None


class KinIn(Input):
    """A relative's name as written or heard."""

    relation: KinRelation
    text: Line
    basis: Basis
    source: Line | None = None


class PhoneIn(Input):
    """3 to 20 digits, in order, of a number that the person remembers or used; not the family's, which is sealed."""

    digits: Line
    basis: Basis
    source: Line | None = None


class FactsIn(Input):
    """All that is known of one person; what is left out is unknown, which never means "no"."""

    attributes: Annotated[tuple[AttributeIn, ...], Field(max_length=40)] = ()
    names: Annotated[tuple[NameIn, ...], Field(max_length=50)] = ()
    places: Annotated[tuple[PlaceIn, ...], Field(max_length=50)] = ()
    marks: Annotated[tuple[MarkIn, ...], Field(max_length=100)] = ()
    no_marks: bool = Field(default=False, description="Somebody looked and found no mark.")
    kin: Annotated[tuple[KinIn, ...], Field(max_length=50)] = ()
    phones: Annotated[tuple[PhoneIn, ...], Field(max_length=20)] = ()

    def facts(self) -> Facts:
        """As the use cases take them, unchecked."""
        return Facts(
            attributes=tuple(
                AttributeFact(one.kind, one.value, one.basis, one.source, one.as_of, one.uncertainty)
                for one in self.attributes
            ),
            names=tuple(NameFact(one.text, one.kind, one.basis, one.source) for one in self.names),
            places=tuple(PlaceFact(one.division, one.kind, one.basis, one.source, one.detail) for one in self.places),
            marks=tuple(
                MarkFact(one.kind, one.region, one.basis, one.side, one.source, one.detail) for one in self.marks
            ),
            no_marks=self.no_marks,
            kin=tuple(KinFact(one.text, one.relation, one.basis, one.source) for one in self.kin),
            phones=tuple(PhoneFact(one.digits, one.basis, one.source) for one in self.phones),
        )


class AttributeOut(Output):
    """A single-valued fact that stands."""

    kind: AttributeKind
    value: str
    basis: Basis
    source: str | None
    as_of: date | None
    uncertainty: float | None
    confidence: ClueConfidence | None


class NameOut(Output):
    """A name that stands."""

    text: str
    kind: NameKind
    basis: Basis
    source: str | None
    confidence: ClueConfidence | None


class PlaceOut(Output):
    """A place that stands, with its division's name."""

    division: str
    division_name: str | None
    kind: PlaceKind
    basis: Basis
    source: str | None
    detail: str | None
    confidence: ClueConfidence | None


class MarkOut(Output):
    """A mark that stands."""

    kind: MarkKind
    region: BodyRegion
    side: BodySide | None
    basis: Basis
    source: str | None
    detail: str | None


class KinOut(Output):
    """A relative's name that stands."""

    relation: KinRelation
    text: str
    basis: Basis
    source: str | None
    confidence: ClueConfidence | None


class PhoneOut(Output):
    """Digits of a telephone number that stand."""

    digits: str
    basis: Basis
    source: str | None
    confidence: ClueConfidence | None


class FactsOut(Output):
    """The facts that stand."""

    attributes: tuple[AttributeOut, ...]
    names: tuple[NameOut, ...]
    places: tuple[PlaceOut, ...]
    marks: tuple[MarkOut, ...]
    no_marks: bool
    kin: tuple[KinOut, ...]
    phones: tuple[PhoneOut, ...]


def division_name(code: str | None) -> str | None:
    """The division's full name; None when there is no code, or the table no longer has it."""
    return divisions.full_name(code) if code and divisions.exists(code) else None


def facts_out(profile: Profile) -> FactsOut:
    """The standing facts of a profile that was loaded with them."""
    facts = current_facts(profile)
    return FactsOut(
        attributes=tuple(
            AttributeOut(
                kind=one.kind, value=one.value, basis=one.basis, source=one.source,
                as_of=one.as_of, uncertainty=one.uncertainty, confidence=one.confidence,
            )
            for one in facts.attributes
        ),
        names=tuple(
            NameOut(text=one.text, kind=one.kind, basis=one.basis, source=one.source, confidence=one.confidence)
            for one in facts.names
        ),
        places=tuple(
            PlaceOut(
                division=one.division, division_name=division_name(one.division), kind=one.kind, basis=one.basis,
                source=one.source, detail=one.detail, confidence=one.confidence,
            )
            for one in facts.places
        ),
        marks=tuple(
            MarkOut(
                kind=one.kind, region=one.region, side=one.side, basis=one.basis, source=one.source, detail=one.detail
            )
            for one in facts.marks
        ),
        no_marks=facts.no_marks,
        kin=tuple(
            KinOut(
                relation=one.relation, text=one.text, basis=one.basis, source=one.source, confidence=one.confidence
            )
            for one in facts.kin
        ),
        phones=tuple(PhoneOut(digits=one.digits, basis=one.basis, source=one.source, confidence=one.confidence)
            for one in facts.phones),
    )  # fmt: skip
