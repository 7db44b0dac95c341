"""What else is true of a simulated person: kin, a telephone, the hand that writes, glasses, reading."""

from dataclasses import dataclass

import numpy as np

from matcher.evaluation.population_names import NameSource
from matcher.evaluation.population_rates import Rates
from matcher.vocabulary import Glasses, Handedness, KinRelation, Literacy, Sex

MARRIED_FROM = 22
PHONE_DIGITS = 11
CHILDREN = (KinRelation.SON, KinRelation.DAUGHTER)


@dataclass(frozen=True, slots=True)
class Relative:
    """A relative's true name."""

    relation: KinRelation
    surname: str
    given: str


@dataclass(frozen=True, slots=True)
class Life:
    """The truth of a life. `phone` is the number of somebody close, 11 digits."""

    kin: tuple[Relative, ...]
    phone: str
    handedness: Handedness
    glasses: Glasses
    literacy: Literacy


def draw_life(
    rng: np.random.Generator, names: NameSource, rates: Rates, sex: Sex, surname: str, age: float, province: str
) -> Life:
    """A life by the shares of the population; kin bear the father's surname."""
    left = rng.random() < rates["person.left_handed"]
    literacy = Literacy.READS if rng.random() < rates.curve("person.reads", age) else Literacy.NONE
    if literacy is Literacy.NONE and rng.random() < 0.5:
        literacy = Literacy.SOME
    return Life(
        kin=_kin(rng, names, rates, sex, surname, age, province),
        phone="1" + "".join(str(digit) for digit in rng.integers(0, 10, PHONE_DIGITS - 1)),
        handedness=Handedness.LEFT if left else Handedness.RIGHT,
        glasses=Glasses.WORN if rng.random() < rates["person.glasses"] else Glasses.NOT_WORN,
        literacy=literacy,
    )


def _kin(
    rng: np.random.Generator, names: NameSource, rates: Rates, sex: Sex, surname: str, age: float, province: str
) -> tuple[Relative, ...]:
    one = rates["person.one_character"]

    def relative(relation: KinRelation, family: str, of: Sex) -> Relative:
        return Relative(relation, family, names.given(rng, of, province, one))

    found = [
        relative(KinRelation.FATHER, surname, Sex.MALE),
        relative(KinRelation.MOTHER, names.surname(rng), Sex.FEMALE),
    ]
    if rng.random() < rates["person.sibling"]:
        brother = rng.random() < 0.5
        relation = KinRelation.BROTHER if brother else KinRelation.SISTER
        found.append(relative(relation, surname, Sex.MALE if brother else Sex.FEMALE))
    if age >= MARRIED_FROM and rng.random() < rates["person.married"]:
        other = names.surname(rng)
        found.append(relative(KinRelation.SPOUSE, other, Sex.FEMALE if sex is Sex.MALE else Sex.MALE))
        for _ in range(int(rng.poisson(rates["person.children"]))):
            son = rng.random() < 0.5
            family = surname if sex is Sex.MALE else other
            found.append(relative(CHILDREN[not son], family, Sex.MALE if son else Sex.FEMALE))
    return tuple(found)
