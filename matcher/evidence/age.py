"""Age: both sides brought to a year of birth, so that the time gone by is counted."""

from dataclasses import dataclass
from datetime import date
from math import hypot, log10

import numpy as np

from matcher.evidence.base import Evidence, Floats, Parameters, difference_log10_lrs
from matcher.evidence.columns import UNKNOWN, Row, single, table
from matcher.profile import Profile
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
    value = single(score, encode(probe, parameters), table([encode(other, parameters)]), parameters)
    fallback = _date_of(probe) or _date_of(other)
    a, b = birth(probe, parameters, fallback), birth(other, parameters, fallback)
    if value is None or a is None or b is None:
        return None
    if _birthday(probe) == _birthday(other):
        zh, en = "出生日期完全一致。", "The dates of birth are the same."
    else:
        apart, margin = abs(a.year - b.year), hypot(a.sd, b.sd)
        zh = f"推算到同一时间，年龄相差约 {apart:.0f} 岁（误差约 ±{margin:.0f} 岁）。"
        en = f"Brought to the same day, the ages are about {apart:.0f} years apart (error about ±{margin:.0f})."
    return Evidence(EvidenceKind.AGE, value, a.shown, b.shown, zh, en)


def encode(profile: Profile, parameters: Parameters) -> Row:
    """Year of birth, its standard deviation, whether it still lacks a date, that of the profile, and the birthday."""
    born, day = birth(profile, parameters), _date_of(profile)
    if born is None:
        return UNKNOWN, UNKNOWN, UNKNOWN, _year(day) if day else UNKNOWN, UNKNOWN
    undated = float(profile.birth_date is None and day is None)
    return born.year, born.sd, undated, _year(day) if day else UNKNOWN, _birthday(profile)


def score(ours: Row, theirs: Floats, parameters: Parameters) -> Floats:
    """log10 LR by candidate; NaN where the year of birth is unknown.

    An age whose date is unknown counts as of the date of the other profile.
    """
    year, sd, undated, day, birthday = ours
    fallback = np.nan_to_num(theirs[:, 3] if np.isnan(day) else day)
    apart = (year + undated * fallback) - (theirs[:, 0] + theirs[:, 2] * fallback)
    spread = np.hypot(sd, theirs[:, 1])
    values = difference_log10_lrs(apart, spread, parameters["age.population_sd"], parameters["age.outliers"])
    same_day = log10(parameters["age.birth_same"] / parameters["age.birth_chance"])
    cap = parameters["age.cap"]
    return np.clip(np.where(theirs[:, 4] == birthday, same_day, values), -cap, cap)


def birth(profile: Profile, parameters: Parameters, fallback: date | None = None) -> Birth | None:
    """Year of birth from the birth date, or from an age and its date; None when both are unknown.

    An age judged by eye is corrected for what people do: they guess the young too old and the old too young.
    An age without a date counts as of the day the person was seen, else of `fallback`, with more uncertainty.
    """
    if profile.birth_date is not None:
        known = profile.birth_date
        sd = _sd(known.uncertainty, "age.birth_sd", known.basis, parameters)
        return Birth(_year(known.value), sd, known.value.isoformat())
    if profile.age is None:
        return None
    age = profile.age
    years, sd = age.value, _sd(age.uncertainty, "age.sd", age.basis, parameters)
    if age.uncertainty is None:
        # A child's age is known and guessed to the year, an elder's to the decade.
        sd = max(_sd(0.0, "age.sd", age.basis, parameters), sd * parameters.curve("age.sd_by_age", years))
    if age.basis is Basis.ESTIMATED:
        years += parameters.curve("age.bias", years)
    when = age.as_of or profile.seen_on
    shown = f"{age.value:g}" if when is None else f"{age.value:g} ({when.isoformat()})"
    if when is None:
        sd = hypot(sd, parameters["age.undated_sd"])
        when = fallback
    return Birth((_year(when) if when else 0.0) - years, sd, shown)


def age_on(profile: Profile, day: date | None, parameters: Parameters) -> float | None:
    """The person's probable age in years on a day; None when it cannot be told."""
    if day is None:
        return profile.age.value if profile.age is not None else None
    born = birth(profile, parameters, fallback=day)
    return None if born is None else _year(day) - born.year


def _date_of(profile: Profile) -> date | None:
    return (profile.age.as_of if profile.age is not None else None) or profile.seen_on


def _birthday(profile: Profile) -> float:
    """Ordinal of the birth date, UNKNOWN where agreeing to the day proves nothing."""
    known = profile.birth_date
    # 1 January is what forms make of a year alone; a guess proves nothing by agreeing to the day.
    if known is None or (known.value.month, known.value.day) == (1, 1) or known.basis is Basis.ESTIMATED:
        return UNKNOWN
    return float(known.value.toordinal())


def _sd(stated: float | None, prefix: str, basis: Basis, parameters: Parameters) -> float:
    # A stated uncertainty of 0 would make any other figure impossible.
    least = parameters["age.birth_sd.documented"]
    return max(least, stated if stated is not None else parameters[f"{prefix}.{basis.value}"])


def _year(day: date) -> float:
    return day.toordinal() / DAYS_A_YEAR
