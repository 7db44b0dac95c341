"""People who never were: identities drawn by the shares of the Chinese population, for faces that are real.

Everything about a person follows from one generator, so that the same seed gives the same person whoever else is drawn.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache

import numpy as np

from matcher import divisions, ethnicities
from matcher.evaluation.population_life import Life, draw_life
from matcher.evaluation.population_names import NameSource
from matcher.evaluation.population_rates import Rates
from matcher.profile import Mark
from matcher.vocabulary import BloodGroup, BodyRegion, BodySide, Build, MarkKind, Sex

DAYS_A_YEAR = 365.2425
FOUND_FIRST, FOUND_DAYS = date(2025, 1, 1), 365
"""The year of the simulation: its cases were found then, its reports are of people lost then or before."""

SIDED = frozenset(BodyRegion) - {
    BodyRegion.HEAD, BodyRegion.FACE, BodyRegion.NECK, BodyRegion.CHEST, BodyRegion.ABDOMEN, BodyRegion.BACK,
    BodyRegion.MOUTH,
}  # fmt: skip
"""Regions of which there are two."""
_BORDERS = {1: "neighbour", 2: "0"}
"""Borders between two provinces, as `wander.*` names them."""
LIMBS = (
    BodyRegion.UPPER_ARM, BodyRegion.FOREARM, BodyRegion.HAND, BodyRegion.THIGH, BodyRegion.LOWER_LEG, BodyRegion.FOOT,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Person:
    """The truth about one person, of which records know a part.

    Attributes:
        sex, born, ethnicity, blood_group, build: as they are.
        surname, given: the name on the papers.
        native, residence: county codes.
        height: in cm, as an adult of 30 or, below 18, as if grown.
        marks: those at the time when last seen; `new_marks` came since.
        last_seen, found: true dates.
        lost_at, found_at: county codes.
        life: kin, telephone and habits.
    """

    sex: Sex
    born: date
    surname: str
    given: str
    native: str
    residence: str
    ethnicity: str
    blood_group: BloodGroup
    height: float
    build: Build
    marks: tuple[Mark, ...]
    new_marks: tuple[Mark, ...]
    last_seen: date
    found: date
    lost_at: str
    found_at: str
    life: Life

    def age_on(self, day: date) -> float:
        """Years on a day."""
        return (day - self.born).days / DAYS_A_YEAR

    def height_on(self, day: date, rates: Rates) -> float:
        """True height in cm on a day, growing or shrinking."""
        age = self.age_on(day)
        grown = self.height * rates.curve("person.growth", age)
        return grown - rates.curve(f"person.height_loss.{self.sex.value}", age)


@dataclass(frozen=True, slots=True)
class Span:
    """What is fixed about a person's time before the rest is drawn.

    Attributes:
        report_age, case_age: at the older and the newer photograph, None when not recorded.
        has_face: there are photographs.
        open_report: the person is one of those who are still searched for: nobody's mate, lost the longer.
    """

    report_age: float | None = None
    case_age: float | None = None
    has_face: bool = False
    open_report: bool = False


def draw_person(rng: np.random.Generator, names: NameSource, rates: Rates, span: Span | None = None) -> Person:
    """A person by the shares of the population; `span` says what the photographs bind."""
    span = span or Span()
    found = FOUND_FIRST + timedelta(days=int(rng.integers(FOUND_DAYS)))
    gap = _gap(rng, rates, span)
    age = span.case_age + rng.random() if span.case_age is not None else _age(rng, rates, span)
    sex = Sex.MALE if rng.random() < rates["person.male"] else Sex.FEMALE
    # Nobody is lost before being born.
    gap = min(gap, max(0.0, age * DAYS_A_YEAR - 180))
    last_seen = found - timedelta(days=int(gap))
    native = _county(rng, rates)
    residence = native if rng.random() < rates["person.at_home"] else _moved(rng, rates, native)
    lost_at = residence if rng.random() < rates["report.last_seen_home"] else within(rng, residence, 2)
    born = found - timedelta(days=int(age * DAYS_A_YEAR))
    adult = rates.curve(f"person.height.{sex.value}", born.year) + rng.normal() * rates[f"person.height_sd.{sex.value}"]
    surname = names.surname(rng)
    return Person(
        sex=sex,
        born=born,
        surname=surname,
        given=names.given(rng, sex, native[:2], rates["person.one_character"]),
        native=native,
        residence=residence,
        ethnicity=_ethnicity(rng, rates),
        blood_group=BloodGroup(pick(rng, rates.shares("person.blood."))),
        height=float(adult),
        build=Build(pick(rng, rates.shares("person.build."))),
        marks=_marks(rng, rates, rates["person.marks"]),
        new_marks=tuple(_aged(mark) for mark in _marks(rng, rates, rates["person.new_marks"])),
        last_seen=last_seen,
        found=found,
        lost_at=lost_at,
        found_at=_wandered(rng, rates, lost_at, gap),
        life=draw_life(rng, names, rates, sex, surname, age, native[:2]),
    )


def pick(rng: np.random.Generator, shares: Mapping[str, float]) -> str:
    """A word by its share; the last one when the shares do not add up to 1. Raises ValueError when there is none."""
    if not shares:
        raise ValueError("nothing to pick from")
    words = list(shares)
    at = int(np.searchsorted(np.cumsum(list(shares.values())), rng.random(), side="right"))
    return words[min(at, len(words) - 1)]


def within(rng: np.random.Generator, county: str, level: int) -> str:
    """A county that shares the levels above: 0 any county, 1 of the same province, 2 of the same city."""
    choices = _counties()[county[: 2 * level]]
    return choices[int(rng.integers(len(choices)))]


def elsewhere(rng: np.random.Generator, rates: Rates) -> str:
    """A county anywhere, by population."""
    return _county(rng, rates)


def draw_mark(rng: np.random.Generator, rates: Rates) -> Mark:
    """A permanent mark by the shares of kinds, on a region that the kind allows."""
    kind = MarkKind(pick(rng, rates.shares("person.mark.")))
    regions: tuple[BodyRegion, ...] = tuple(region for region in BodyRegion if region is not BodyRegion.MOUTH)
    if kind is MarkKind.MISSING_TEETH:
        regions = (BodyRegion.MOUTH,)
    elif kind is MarkKind.AMPUTATION:
        regions = LIMBS
    elif kind is MarkKind.SURGICAL_SCAR:
        regions = (BodyRegion.ABDOMEN, BodyRegion.CHEST, BodyRegion.BACK, BodyRegion.HEAD, *LIMBS)
    region = regions[int(rng.integers(len(regions)))]
    side = (BodySide.LEFT, BodySide.RIGHT)[int(rng.integers(2))] if region in SIDED else None
    return Mark(kind, region, side)


def _marks(rng: np.random.Generator, rates: Rates, mean: float) -> tuple[Mark, ...]:
    return tuple(draw_mark(rng, rates) for _ in range(int(rng.poisson(mean))))


def _aged(mark: Mark) -> Mark:
    """Nobody acquires a birthmark."""
    return replace(mark, kind=MarkKind.SCAR) if mark.kind is MarkKind.BIRTHMARK else mark


def _gap(rng: np.random.Generator, rates: Rates, span: Span) -> float:
    """Days from last seen to found."""
    if span.case_age is not None and span.report_age is not None and span.case_age > span.report_age:
        # The older photograph was taken before the last contact, by up to half of the years between.
        years = span.case_age - span.report_age
        return float(years * DAYS_A_YEAR * (1 - 0.5 * rng.random()))
    of = "open" if span.open_report else "gap"
    most = rates["gap.face_most_days" if span.has_face else "gap.most_days"]
    while True:
        kind = pick(rng, {"short": rates[f"{of}.short"], "long": rates[f"{of}.long"], "middle": 1.0})
        days = float(rng.exponential(rates[f"gap.{kind}_days"]))
        if days <= most:
            return days


def _age(rng: np.random.Generator, rates: Rates, span: Span) -> float:
    bounds = "person.face_age" if span.has_face else "person.age"
    least, most = rates[f"{bounds}_least"], rates[f"{bounds}_most"]
    while True:
        age = float(rng.normal(rates["person.age_mean"], rates["person.age_sd"]))
        if least <= age <= most:
            return age


def _ethnicity(rng: np.random.Generator, rates: Rates) -> str:
    code = pick(rng, dict(rates.ethnicities) | {"": 1.0})
    if code:
        return code
    others = [one for one in ethnicities.all_names() if one not in rates.ethnicities]
    return others[int(rng.integers(len(others)))]


def _county(rng: np.random.Generator, rates: Rates) -> str:
    total = sum(rates.provinces.values())
    province = pick(rng, {code: people / total for code, people in rates.provinces.items()})
    return within(rng, province, 1)


def _moved(rng: np.random.Generator, rates: Rates, native: str) -> str:
    """Where somebody lives who does not live where they come from."""
    level = {"city": 2, "province": 1, "": 0}[
        pick(rng, {one: rates[f"person.away.{one}"] for one in ("city", "province")} | {"": 1.0})
    ]
    return within(rng, native, level) if level else _county(rng, rates)


def _wandered(rng: np.random.Generator, rates: Rates, start: str, days: float) -> str:
    """Where somebody is found that many days after being last seen at `start`; the longer, the farther."""
    shares = {level: rates.curve(f"wander.{level}", days) for level in ("3", "2", "1", "neighbour", "0", "farther")}
    level = pick(rng, shares)
    if level == "3":
        return start
    if level in {"2", "1"}:
        return within(rng, start, int(level))
    own = divisions.numbers(start)
    while True:
        found = _county(rng, rates)
        apart = int(divisions.provinces_apart(own, np.array([divisions.numbers(found)], np.float64))[0])
        if apart and _BORDERS.get(apart, "farther") == level:
            return found


@lru_cache(maxsize=1)
def _counties() -> Mapping[str, tuple[str, ...]]:
    """County codes below each province and city. Counties stand for people: each counts alike within its province."""
    found: dict[str, list[str]] = {}
    for code in divisions.lowest():
        for digits in (2, 4):
            found.setdefault(code[:digits], []).append(code)
    return {above: tuple(codes) for above, codes in found.items()}
