"""Synthetic missing people for measuring retrieval: what families report, and what a station sees and hears of one.

Names by the population's frequencies, homes by county, marks and heights at random. What a station knows is as poor as
the domain notes say: the name heard through a dialect or not at all, the age judged by eye (an error of 8 years), the
accent's province or a town mentioned, one mark of several noticed. Everything follows from the seed.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from benchmarks.names import People, say
from matcher.divisions import find
from matcher.names.channel import load_channel
from matcher.vocabulary import AttributeKind, Basis, BodyRegion, BodySide, MarkKind, NameKind, PlaceKind, Sex
from tracing.facts import AttributeFact, Facts, MarkFact, NameFact, PlaceFact

TODAY = dt.date(2026, 3, 2)
AGE_ERROR_YEARS = 8.0
SEX_MISTAKEN = 0.01
HEARD = {"name": 0.8, "accent": 0.5, "mentioned_city": 0.15, "mentioned_county": 0.15, "mark": 0.6}
"""How often a station knows each of these; a mark, of each one that the family knows."""
BLOCK = 20_000
CORE = (MarkKind.SCAR, MarkKind.SURGICAL_SCAR, MarkKind.MOLE, MarkKind.TATTOO, MarkKind.BIRTHMARK, MarkKind.AMPUTATION)


@dataclass(frozen=True, slots=True)
class Missing:
    """One missing person: what the family knows."""

    surname: str
    given: str
    sex: Sex
    born: dt.date
    height: int
    native: str
    marks: tuple[tuple[MarkKind, BodyRegion, BodySide | None], ...]
    last_seen: dt.date

    @property
    def facts(self) -> Facts:
        """As the family reports it; some know the year alone, some the day."""
        age = (self.last_seen - self.born).days // 365
        known = (
            AttributeFact(AttributeKind.SEX, self.sex.value, Basis.REPORTED),
            AttributeFact(AttributeKind.AGE, str(age), Basis.REPORTED, None, self.last_seen),
            AttributeFact(AttributeKind.HEIGHT, str(self.height), Basis.REPORTED),
        )
        return Facts(
            known,
            (NameFact(self.surname + self.given, NameKind.FULL, Basis.REPORTED),),
            (PlaceFact(self.native, PlaceKind.NATIVE, Basis.REPORTED),),
            tuple(MarkFact(kind, region, Basis.REPORTED, side) for kind, region, side in self.marks),
        )


@dataclass(frozen=True)
class Town:
    """Draws people in blocks that do not depend on each other, so that several processes may draw them."""

    folder: Path
    seed: int

    @cached_property
    def counties(self) -> list[str]:
        """County codes to come from."""
        provinces = (str(number) for number in range(11, 66))
        return [one.code for province in provinces for one in find(province, 10_000) if len(one.code) == 6]

    def people(self, block: int, count: int) -> Iterator[Missing]:
        """The people of one block."""
        rng = np.random.default_rng([self.seed, block])
        names = People(self.folder, rng).draw(count)
        years = np.clip(rng.normal(48, 18, count), 3, 92)
        for (surname, given), years_old in zip(names, years, strict=True):
            last_seen = TODAY - dt.timedelta(days=int(rng.exponential(900)))
            marks = tuple(
                (
                    CORE[int(rng.choice(len(CORE), p=(0.4, 0.2, 0.25, 0.06, 0.07, 0.02)))],
                    list(BodyRegion)[int(rng.integers(len(BodyRegion)))],
                    (BodySide.LEFT, BodySide.RIGHT, None)[int(rng.integers(3))],
                )
                for _ in range(int(rng.poisson(0.4)))
            )
            yield Missing(
                surname,
                given,
                Sex.MALE if rng.random() < 0.6 else Sex.FEMALE,
                last_seen - dt.timedelta(days=int(years_old * 365.25)),
                int(rng.normal(166, 8)),
                self.counties[int(rng.integers(len(self.counties)))],
                tuple(dict.fromkeys(marks)),
                last_seen,
            )


def seen(person: Missing, speakers: People) -> Facts:
    """What a station knows of the person, today."""
    rng = speakers.rng

    def known(what: str) -> bool:
        return bool(rng.random() < HEARD[what])

    region = load_channel().provinces.get(person.native[:2]) or str(rng.choice(list(load_channel().regions)))
    age = max(1, round((TODAY - person.born).days / 365.25 + rng.normal(0, AGE_ERROR_YEARS)))
    other = Sex.FEMALE if person.sex is Sex.MALE else Sex.MALE
    attributes = [
        AttributeFact(AttributeKind.AGE, str(age), Basis.ESTIMATED, None, TODAY),
        AttributeFact(AttributeKind.SEX, (other if rng.random() < SEX_MISTAKEN else person.sex).value, Basis.ESTIMATED),
        AttributeFact(AttributeKind.HEIGHT, str(round(person.height + rng.normal(0, 3))), Basis.MEASURED),
    ]
    if known("accent"):
        attributes.append(AttributeFact(AttributeKind.ACCENT, person.native[:2], Basis.HEARD))
    names = (NameFact(say(speakers, person.surname, person.given, region), NameKind.HEARD, Basis.HEARD),)
    places = [
        PlaceFact(person.native[:digits], PlaceKind.MENTIONED, Basis.HEARD)
        for digits, what in ((4, "mentioned_city"), (6, "mentioned_county"))
        if known(what)
    ]
    marks = tuple(MarkFact(kind, place, Basis.MEASURED, side) for kind, place, side in person.marks if known("mark"))
    return Facts(tuple(attributes), names if known("name") else (), tuple(places), marks)
