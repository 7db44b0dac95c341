"""From the truth about a person to two records of it: what kin report, and what a station takes down.

Both are drawn from generators of their own, so that nothing but the person connects them: no number, no order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from matcher.evaluation.corruption_life import reported_life, seen_life
from matcher.evaluation.corruption_speech import heard_name
from matcher.evaluation.population import (
    DAYS_A_YEAR,
    SIDED,
    Person,
    Span,
    draw_mark,
    draw_person,
    elsewhere,
    pick,
)
from matcher.evaluation.population_names import NameSource
from matcher.evaluation.population_rates import Rates
from matcher.profile import Known, Mark, Name, Place, Profile, TemplateInfo
from matcher.vocabulary import Basis, BloodGroup, BodySide, Build, GalleryKind, MarkKind, NameKind, PlaceKind, Sex

_ROUND_FROM = 15


@dataclass(frozen=True, slots=True, eq=False)
class Photos:
    """Templates of one side's photographs, shape (n, d), of one model version; (0, 0) and None when there are none.

    `info` tells of each when it was taken and how good it is.
    """

    templates: NDArray[np.float32]
    model: str | None
    info: tuple[TemplateInfo, ...] = ()


NO_PHOTOS = Photos(np.empty((0, 0), np.float32), None)


def report_of(
    person: Person, rng: np.random.Generator, names: NameSource, rates: Rates, photos: Photos = NO_PHOTOS
) -> Profile:
    """What the family's report says (寻人登记)."""
    soft = rng.normal() * rates.spread("gap.soft_days") if rng.random() < rates.error("gap.soft_share") else 0.0
    seen_on = person.last_seen + timedelta(days=round(soft))
    age, birth_date = _reported_age(person, rng, rates, seen_on)
    marks = _noted(person.marks, rng, rates, rates.known("report.mark"))
    accent = Known(person.native[:4], Basis.REPORTED) if rng.random() < rates.known("report.accent") else None
    return Profile(
        sex=Known(_sex(person.sex, rng, rates.error("report.sex_wrong")), Basis.DOCUMENTED),
        age=age,
        birth_date=birth_date,
        height=_reported_height(person, rng, rates, seen_on),
        build=Known(person.build, Basis.REPORTED, seen_on) if rng.random() < rates.known("report.build") else None,
        ethnicity=Known(person.ethnicity, Basis.DOCUMENTED) if rng.random() < rates.known("report.ethnicity") else None,
        blood_group=_blood(person, rng, rates, "report.blood", Basis.REPORTED),
        accent=accent,
        names=_reported_names(person, rng, rates),
        places=_reported_places(person, rng, rates),
        marks=marks,
        no_marks=not marks and rng.random() < rates.known("report.no_marks"),
        seen_on=seen_on,
        seen_at=person.lost_at,
        templates=photos.templates,
        kind=GalleryKind.REPORT,
        template_model=photos.model,
        template_info=photos.info,
        **reported_life(person, rng, rates),
    )


def case_of(
    person: Person, rng: np.random.Generator, names: NameSource, rates: Rates, photos: Photos = NO_PHOTOS
) -> Profile:
    """What the station takes down (入站登记)."""
    marks = _noted((*person.marks, *person.new_marks), rng, rates, rates.known("case.mark"))
    sex = None
    if rng.random() < rates.known("case.sex"):
        sex = Known(_sex(person.sex, rng, rates.error("case.sex_wrong")), Basis.ESTIMATED)
    heard: tuple[Name, ...] = ()
    if rng.random() < rates.known("case.name"):
        heard = (Name(heard_name(rng, person, names, rates), NameKind.HEARD, Basis.HEARD),)
    return Profile(
        sex=sex,
        age=_seen_age(person, rng, rates),
        height=_seen_height(person, rng, rates),
        build=_seen_build(person, rng, rates),
        ethnicity=_seen_ethnicity(person, rng, rates),
        blood_group=_blood(person, rng, rates, "case.blood", Basis.MEASURED),
        accent=_heard_accent(person, rng, rates),
        names=heard,
        places=_named_places(person, rng, rates),
        marks=marks,
        no_marks=not marks and rng.random() < rates.known("case.no_marks"),
        seen_on=person.found,
        seen_at=person.found_at,
        templates=photos.templates,
        kind=GalleryKind.CASE,
        template_model=photos.model,
        template_info=photos.info,
        **seen_life(person, rng, names, rates),
    )


def stranger(rng: np.random.Generator, names: NameSource, rates: Rates) -> Profile:
    """A report about somebody who is not searched for, without a photograph."""
    return report_of(draw_person(rng, names, rates, Span(open_report=True)), rng, names, rates)


def _sex(sex: Sex, rng: np.random.Generator, wrong: float) -> Sex:
    return (Sex.FEMALE if sex is Sex.MALE else Sex.MALE) if rng.random() < wrong else sex


def _reported_age(
    person: Person, rng: np.random.Generator, rates: Rates, seen_on: date
) -> tuple[Known[float] | None, Known[date] | None]:
    if rng.random() >= rates.known("report.birth_date"):
        said = person.age_on(seen_on) + rng.normal() * rates.spread("report.age_sd")
        return Known(float(max(0, round(said))), Basis.REPORTED, seen_on), None
    born, basis = person.born, Basis.DOCUMENTED
    if rng.random() < rates.error("report.birth_wrong"):
        days = rng.normal() * rates.spread("report.birth_wrong_years") * DAYS_A_YEAR
        born, basis = min(born + timedelta(days=round(days)), seen_on), Basis.REPORTED
    if rng.random() < rates.error("report.first_of_january"):
        born = date(born.year, 1, 1)
    return None, Known(born, basis)


def _reported_height(person: Person, rng: np.random.Generator, rates: Rates, day: date) -> Known[float] | None:
    if rng.random() >= rates.known("report.height"):
        return None
    said = person.height_on(day, rates) + rates["report.height_bias"] + rng.normal() * rates.spread("report.height_sd")
    return Known(float(round(said)), Basis.REPORTED, day)


def _reported_names(person: Person, rng: np.random.Generator, rates: Rates) -> tuple[Name, ...]:
    found = []
    if rng.random() < rates.known("report.name"):
        found.append(Name(person.surname + person.given, NameKind.FULL, Basis.DOCUMENTED))
    if rng.random() < rates.known("report.nickname"):
        last = person.given[-1]
        found.append(Name(last * 2 if rng.random() < 0.4 else f"小{last}", NameKind.NICKNAME, Basis.REPORTED))
    return tuple(found)


def _reported_places(person: Person, rng: np.random.Generator, rates: Rates) -> tuple[Place, ...]:
    found = []
    for key, kind, code in (
        ("report.native", PlaceKind.NATIVE, person.native),
        ("report.registered", PlaceKind.REGISTERED, person.native),
        ("report.residence", PlaceKind.RESIDENCE, person.residence),
    ):
        if rng.random() < rates.known(key):
            digits = 4 if rng.random() < rates.error("report.city_only") else 6
            found.append(Place(code[:digits], kind, Basis.DOCUMENTED))
    return tuple(found)


def _blood(person: Person, rng: np.random.Generator, rates: Rates, key: str, basis: Basis) -> Known[BloodGroup] | None:
    if rng.random() >= rates.known(key):
        return None
    wrong = basis is Basis.REPORTED and rng.random() < rates.error("report.blood_wrong")
    group = list(BloodGroup)[int(rng.integers(len(BloodGroup)))] if wrong else person.blood_group
    return Known(group, basis)


def _noted(marks: Sequence[Mark], rng: np.random.Generator, rates: Rates, share: float) -> tuple[Mark, ...]:
    return tuple(_blurred(mark, rng, rates) for mark in marks if rng.random() < share)


def _blurred(mark: Mark, rng: np.random.Generator, rates: Rates) -> Mark:
    region = mark.region
    if mark.kind is not MarkKind.MISSING_TEETH and rng.random() < rates.error("mark.elsewhere"):
        region = draw_mark(rng, rates).region
    side = mark.side if region in SIDED and rng.random() < rates["mark.sided"] else None
    if side is not None and rng.random() < rates.error("mark.mirrored"):
        side = BodySide.LEFT if side is BodySide.RIGHT else BodySide.RIGHT
    return Mark(mark.kind, region, side)


def _seen_age(person: Person, rng: np.random.Generator, rates: Rates) -> Known[float] | None:
    if rng.random() >= rates.known("case.age"):
        return None
    age = person.age_on(person.found)
    if rng.random() < rates["case.age_heard"]:
        return Known(
            float(max(1, round(age + rng.normal() * rates.spread("case.age_heard_sd")))), Basis.HEARD, person.found
        )
    guess = age + (rates["case.age_pull_to"] - age) * rates["case.age_pull"] * (age >= _ROUND_FROM)
    guess += rng.normal() * rates.curve("case.age_by_eye", age) * rates.spread_factor
    if guess > _ROUND_FROM and rng.random() < rates["case.age_rounded"]:
        guess = 5 * round(guess / 5)
    return Known(float(max(0, round(guess))), Basis.ESTIMATED, person.found)


def _seen_height(person: Person, rng: np.random.Generator, rates: Rates) -> Known[float] | None:
    if rng.random() >= rates.known("case.height"):
        return None
    measured = rng.random() < rates.known("case.height_measured")
    error = rng.normal() * rates.spread("case.height_measured_sd" if measured else "case.height_by_eye_sd")
    basis = Basis.MEASURED if measured else Basis.ESTIMATED
    return Known(float(round(person.height_on(person.found, rates) + error)), basis, person.found)


def _seen_build(person: Person, rng: np.random.Generator, rates: Rates) -> Known[Build] | None:
    if rng.random() >= rates.known("case.build"):
        return None
    build = person.build
    if rng.random() < rates.error("case.build_changed"):
        build = Build(pick(rng, rates.shares("person.build.")))
    return Known(build, Basis.ESTIMATED, person.found)


def _seen_ethnicity(person: Person, rng: np.random.Generator, rates: Rates) -> Known[str] | None:
    if rng.random() >= rates.known("case.ethnicity"):
        return None
    return Known("01" if rng.random() < rates.error("case.ethnicity_wrong") else person.ethnicity, Basis.HEARD)


def _heard_accent(person: Person, rng: np.random.Generator, rates: Rates) -> Known[str] | None:
    if rng.random() >= rates.known("case.accent"):
        return None
    origin = elsewhere(rng, rates) if rng.random() < rates.error("case.accent_wrong") else person.native
    return Known(origin[: 4 if rng.random() < rates["case.accent_city"] else 2], Basis.HEARD)


def _named_places(person: Person, rng: np.random.Generator, rates: Rates) -> tuple[Place, ...]:
    if rng.random() >= rates.known("case.place"):
        return ()
    count = 2 if rng.random() < rates["case.place_second"] else 1
    return tuple(Place(_named_place(person, rng, rates), PlaceKind.MENTIONED, Basis.HEARD) for _ in range(count))


def _named_place(person: Person, rng: np.random.Generator, rates: Rates) -> str:
    which = pick(rng, {"native": rates["case.place_native"], "residence": rates["case.place_residence"], "other": 1.0})
    code = {"native": person.native, "residence": person.residence}.get(which) or elsewhere(rng, rates)
    depth = pick(rng, {"6": rates["case.place_county"], "4": rates["case.place_city"], "2": 1.0})
    return code[: int(depth)]
