"""What kin and stations note of a life: names of kin, telephone digits, the hand that writes, glasses, reading."""

from enum import StrEnum
from typing import TypedDict, TypeVar

import numpy as np

from matcher.evaluation.corruption_speech import written_as_heard
from matcher.evaluation.population import Person
from matcher.evaluation.population_names import NameSource
from matcher.evaluation.population_rates import Rates
from matcher.profile import Kin, Known, Phone
from matcher.vocabulary import Basis, Glasses, Handedness, Literacy

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


class LifeFacts(TypedDict):
    """Fields of `matcher.profile.Profile`."""

    kin: tuple[Kin, ...]
    phones: tuple[Phone, ...]
    handedness: Known[Handedness] | None
    glasses: Known[Glasses] | None
    literacy: Known[Literacy] | None


def reported_life(person: Person, rng: np.random.Generator, rates: Rates) -> LifeFacts:
    """What the family's report holds."""
    life = person.life
    kin = tuple(
        Kin(each.relation, each.surname + each.given, Basis.REPORTED)
        for each in life.kin
        if rng.random() < rates.known("report.kin")
    )
    phones = (Phone(life.phone, Basis.REPORTED),) if rng.random() < rates.known("report.phone") else ()
    return {
        "kin": kin,
        "phones": phones,
        "handedness": _known(life.handedness, rng, rates.known("report.handedness"), Basis.REPORTED),
        "glasses": _known(life.glasses, rng, rates.known("report.glasses"), Basis.REPORTED),
        "literacy": _known(life.literacy, rng, rates.known("report.literacy"), Basis.REPORTED),
    }


def seen_life(person: Person, rng: np.random.Generator, names: NameSource, rates: Rates) -> LifeFacts:
    """What the station hears and sees."""
    life = person.life
    kin: tuple[Kin, ...] = ()
    if life.kin and rng.random() < rates.known("case.kin"):
        one = life.kin[int(rng.integers(len(life.kin)))]
        family, given = one.surname, one.given
        if rng.random() < rates.error("case.kin_wrong"):
            family, given = (
                names.surname(rng),
                names.given(rng, person.sex, person.native[:2], rates["person.one_character"]),
            )
        surname = family if rng.random() < rates["case.kin_whole"] else ""
        kin = (Kin(one.relation, written_as_heard(rng, surname, given, person.native, names, rates), Basis.HEARD),)
    phones: tuple[Phone, ...] = ()
    if rng.random() < rates.known("case.phone"):
        phones = (Phone(_fragment(life.phone, rng, rates), Basis.HEARD),)
    wrong = rates.error("case.life_wrong")
    return {
        "kin": kin,
        "phones": phones,
        "handedness": _known(_other(life.handedness, rng, wrong), rng, rates.known("case.handedness"), Basis.ESTIMATED),
        "glasses": _known(_unworn(life.glasses, rng, rates), rng, rates.known("case.glasses"), Basis.ESTIMATED),
        "literacy": _known(_other(life.literacy, rng, wrong), rng, rates.known("case.literacy"), Basis.ESTIMATED),
    }


def _known(value: T, rng: np.random.Generator, share: float, basis: Basis) -> Known[T] | None:
    return Known(value, basis) if rng.random() < share else None


def _other(value: E, rng: np.random.Generator, wrong: float) -> E:
    """The value, or by mistake another of its kind."""
    choices = list(type(value))
    return choices[int(rng.integers(len(choices)))] if rng.random() < wrong else value


def _unworn(glasses: Glasses, rng: np.random.Generator, rates: Rates) -> Glasses:
    """Who wanders loses them."""
    return Glasses.NOT_WORN if rng.random() < rates.error("case.glasses_lost") else glasses


def _fragment(phone: str, rng: np.random.Generator, rates: Rates) -> str:
    length = int(rng.integers(4, len(phone) + 1))
    start = int(rng.integers(0, len(phone) - length + 1))
    digits = list(phone[start : start + length])
    if rng.random() < rates.error("case.phone_wrong"):
        digits[int(rng.integers(length))] = str(rng.integers(10))
    return "".join(digits)
