"""Age: both sides brought to a year of birth, so that the time gone by is counted."""

from dataclasses import dataclass
from datetime import date
from math import hypot, log10

from matcher.evidence.base import Evidence, Parameters, bounded, difference_log10_lr
from matcher.profile import Known, Profile
from matcher.vocabulary import Basis, EvidenceKind

DAYS_A_YEAR = 365.2425


@dataclass(frozen=True, slots=True)
class Birth:
    """When somebody was born: years since year 0, with a fraction, and its standard deviation in years."""

    year: float
    sd: float
    shown: str


def compare(probe: Profile, other: Profile, parameters: Parameters) -> Evidence | None:
    """How well the two years of birth agree; None when either side has neither a birth date nor an age."""
    fallback = _date_of(probe) or _date_of(other)
    a, b = birth(probe, parameters, fallback), birth(other, parameters, fallback)
    if a is None or b is None:
        return None
    cap = parameters["age.cap"]
    if _same_day(probe.birth_date, other.birth_date):
        value = log10(parameters["age.birth_same"] / parameters["age.birth_chance"])
        zh, en = "出生日期完全一致。", "The dates of birth are the same."
    else:
        apart = abs(a.year - b.year)
        value = difference_log10_lr(
            a.year - b.year, hypot(a.sd, b.sd), parameters["age.population_sd"], parameters["age.outliers"]
        )
        margin = hypot(a.sd, b.sd)
        zh = f"推算到同一时间，年龄相差约 {apart:.0f} 岁（误差约 ±{margin:.0f} 岁）。"
        en = f"Brought to the same day, the ages are about {apart:.0f} years apart (error about ±{margin:.0f})."
    return Evidence(EvidenceKind.AGE, bounded(value, -cap, cap), a.shown, b.shown, zh, en)


def birth(profile: Profile, parameters: Parameters, fallback: date | None = None) -> Birth | None:
    """Year of birth from the birth date, or from an age and its date; None when both are unknown.

    An age without a date counts as of the day the person was seen, else of `fallback`, with more uncertainty.
    """
    if profile.birth_date is not None:
        known = profile.birth_date
        sd = _sd(known.uncertainty, "age.birth_sd", known.basis, parameters)
        return Birth(_year(known.value), sd, known.value.isoformat())
    if profile.age is None:
        return None
    age = profile.age
    sd = _sd(age.uncertainty, "age.sd", age.basis, parameters)
    when = age.as_of or profile.seen_on
    shown = f"{age.value:g}" if when is None else f"{age.value:g} ({when.isoformat()})"
    if when is None:
        sd = hypot(sd, parameters["age.undated_sd"])
        when = fallback
    return Birth((_year(when) if when else 0.0) - age.value, sd, shown)


def age_on(profile: Profile, day: date | None, parameters: Parameters) -> float | None:
    """The person's probable age in years on a day; None when it cannot be told."""
    if day is None:
        return profile.age.value if profile.age is not None else None
    born = birth(profile, parameters, fallback=day)
    return None if born is None else _year(day) - born.year


def _date_of(profile: Profile) -> date | None:
    return (profile.age.as_of if profile.age is not None else None) or profile.seen_on


def _same_day(a: Known[date] | None, b: Known[date] | None) -> bool:
    # 1 January is what forms make of a year alone; a guess proves nothing by agreeing to the day.
    return (
        a is not None
        and b is not None
        and a.value == b.value
        and (a.value.month, a.value.day) != (1, 1)
        and Basis.ESTIMATED not in {a.basis, b.basis}
    )


def _sd(stated: float | None, prefix: str, basis: Basis, parameters: Parameters) -> float:
    # A stated uncertainty of 0 would make any other figure impossible.
    least = parameters["age.birth_sd.documented"]
    return max(least, stated if stated is not None else parameters[f"{prefix}.{basis.value}"])


def _year(day: date) -> float:
    return day.toordinal() / DAYS_A_YEAR
