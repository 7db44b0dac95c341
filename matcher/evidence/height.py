"""Height: both sides brought back to what it was at 30, with the errors of how each was found out."""

import numpy as np

from matcher.evidence.age import age_on
from matcher.evidence.base import Evidence, Floats, Parameters, difference_log10_lrs
from matcher.evidence.columns import UNKNOWN, Row, number, single, table
from matcher.profile import Known, Profile
from matcher.vocabulary import Basis, EvidenceKind, Sex

_SAID = frozenset({Basis.REPORTED, Basis.HEARD})


def compare(probe: Profile, other: Profile, parameters: Parameters) -> Evidence | None:
    """How well the two heights agree; None when either is unknown or was taken before the person was grown."""
    ours, theirs = encode(probe, parameters), table([encode(other, parameters)])
    value = single(score, ours, theirs, parameters)
    if value is None or probe.height is None or other.height is None:
        return None
    apart, sd = (float(one[0]) for one in _apart(ours, theirs))
    return Evidence(
        EvidenceKind.HEIGHT,
        value,
        f"{probe.height.value:g} cm",
        f"{other.height.value:g} cm",
        f"按年龄和自报偏差校正后，身高相差约 {abs(apart):.0f} 厘米（误差约 ±{sd:.0f} 厘米）。",
        f"Corrected for age and self-report, the heights are about {abs(apart):.0f} cm apart (error about ±{sd:.0f}).",
    )


def encode(profile: Profile, parameters: Parameters) -> Row:
    """The height at 30 of a man, of a woman and of either, its standard deviation, and the sex."""
    sex = number(profile.sex.value if profile.sex else None)
    if profile.height is None:
        return UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, sex
    found = [at_thirty(profile, profile.height, one, parameters) for one in (Sex.MALE, Sex.FEMALE, None)]
    male, female, either = (UNKNOWN if one is None else one for one in found)
    return male, female, either, _sd(profile.height, parameters), sex


def score(ours: Row, theirs: Floats, parameters: Parameters) -> Floats:
    """log10 LR by candidate; NaN where a height is unknown or not that of a grown person."""
    apart, sd = _apart(ours, theirs)
    values = difference_log10_lrs(apart, sd, parameters["height.population_sd"], parameters["height.outliers"])
    cap = parameters["height.cap"]
    return np.clip(values, -cap, cap)


def _apart(ours: Row, theirs: Floats) -> tuple[Floats, Floats]:
    """Centimetres between the two at 30, and the standard deviation of both together."""
    sex = theirs[:, 4] if np.isnan(ours[4]) else np.where(np.isnan(theirs[:, 4]), ours[4], theirs[:, 4])
    # Two sexes that differ are none: the loss is then the mean of both.
    sex = np.where((theirs[:, 4] == 1 - ours[4]) | np.isnan(sex), 2, sex).astype(np.int64)
    apart = np.array(ours[:3])[sex] - theirs[np.arange(len(theirs)), sex]
    return apart, np.hypot(ours[3], theirs[:, 3])


def at_thirty(profile: Profile, height: Known[float], sex: Sex | None, parameters: Parameters) -> float | None:
    """The height in cm that the person had at 30; None when it was taken below the age of being grown.

    Without a known age nothing is corrected; without a known sex the loss is the mean of men's and women's.
    """
    value = height.value - (parameters["height.said_bias"] if height.basis in _SAID else 0.0)
    age = age_on(profile, height.as_of or profile.seen_on, parameters)
    if age is None:
        return value
    if age < parameters["height.grown_age"]:
        return None
    sexes = [sex] if sex is not None else list(Sex)
    losses = [parameters.curve(f"height.loss.{each.value}", age) for each in sexes]
    return value + sum(losses) / len(losses)


def _sd(height: Known[float], parameters: Parameters) -> float:
    stated = height.uncertainty if height.uncertainty is not None else parameters[f"height.sd.{height.basis.value}"]
    # No tape is better than a measured height's own error.
    return max(stated, parameters["height.sd.measured"])
