"""Height: both sides brought back to what it was at 30, with the errors of how each was found out."""

from math import hypot

from matcher.evidence.age import age_on
from matcher.evidence.base import Evidence, Parameters, bounded, difference_log10_lr
from matcher.profile import Known, Profile
from matcher.vocabulary import Basis, EvidenceKind, Sex

_SAID = frozenset({Basis.REPORTED, Basis.HEARD})


def compare(probe: Profile, other: Profile, parameters: Parameters) -> Evidence | None:
    """How well the two heights agree; None when either is unknown or was taken before the person was grown."""
    if probe.height is None or other.height is None:
        return None
    sex = _common_sex(probe, other)
    a = at_thirty(probe, probe.height, sex, parameters)
    b = at_thirty(other, other.height, sex, parameters)
    if a is None or b is None:
        return None
    sd = hypot(_sd(probe.height, parameters), _sd(other.height, parameters))
    value = difference_log10_lr(a - b, sd, parameters["height.population_sd"], parameters["height.outliers"])
    cap = parameters["height.cap"]
    apart = abs(a - b)
    return Evidence(
        EvidenceKind.HEIGHT,
        bounded(value, -cap, cap),
        f"{probe.height.value:g} cm",
        f"{other.height.value:g} cm",
        f"按年龄和自报偏差校正后，身高相差约 {apart:.0f} 厘米（误差约 ±{sd:.0f} 厘米）。",
        f"Corrected for age and self-report, the heights are about {apart:.0f} cm apart (error about ±{sd:.0f}).",
    )


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


def _common_sex(probe: Profile, other: Profile) -> Sex | None:
    found = {known.value for known in (probe.sex, other.sex) if known is not None}
    return found.pop() if len(found) == 1 else None


def _sd(height: Known[float], parameters: Parameters) -> float:
    stated = height.uncertainty if height.uncertainty is not None else parameters[f"height.sd.{height.basis.value}"]
    # No tape is better than a measured height's own error.
    return max(stated, parameters["height.sd.measured"])
