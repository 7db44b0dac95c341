"""Face: what the likeness of two people's photographs is worth, each pair weighed by its circumstances.

A pair's worth depends on the years between the two photographs, the person's age on each, and the quality of the worse
one, as far as they are known. Of several pairs the mean of their likelihood ratios counts: the best of many pairs is
high by chance, too, and the mean of ratios that are each honest is honest (docs/accuracy.md compares it with the best
pair and with mean templates). The most alike pair is named.
"""

from dataclasses import dataclass
from datetime import date
from math import log10

import numpy as np
from numpy.typing import NDArray

from matcher.calibration import FaceCalibration
from matcher.evidence.age import age_on
from matcher.evidence.base import Evidence, Parameters
from matcher.face_cohorts import AgePair, Circumstances, age_pair
from matcher.profile import Profile, TemplateInfo
from matcher.vocabulary import EvidenceKind

DAYS_A_YEAR = 365.2425

NOTHING_KNOWN = TemplateInfo()


@dataclass(frozen=True, slots=True)
class Pair:
    """Two templates of two people: their positions, their cosine (-1 to 1), what is known of them, their log10 LR."""

    probe: int
    other: int
    cosine: float
    of: Circumstances
    log10_lr: float


def compare(probe: Profile, other: Profile, parameters: Parameters) -> Evidence | None:
    """Evidence of all pairs of templates, and which pair is the most alike.

    None when a side has no templates, when they are of different model versions, or when the version has no
    calibration: a cosine whose worth nobody has measured says nothing.
    """
    if probe.template_model is None or probe.template_model != other.template_model:
        return None
    calibration = parameters.calibrations.get(probe.template_model)
    found = cosines(probe, other)
    if calibration is None or found is None:
        return None
    pairs = _weighed(probe, other, found, calibration, parameters)
    best = max(pairs, key=lambda pair: (pair.cosine, pair.log10_lr))
    zh, en = _sentence(best, len(pairs), info_of(probe, best.probe), info_of(other, best.other))
    return Evidence(
        EvidenceKind.FACE,
        log10(sum(10**pair.log10_lr for pair in pairs) / len(pairs)),
        f"{_number(probe, best.probe)} / {best.cosine:.3f}",
        f"{_number(other, best.other)} / {best.cosine:.3f}",
        zh,
        en,
    )


def cosines(probe: Profile, other: Profile) -> NDArray[np.float64] | None:
    """Cosines of all pairs of templates, shape (probe's, other's); None when there are none that can be compared."""
    a, b = probe.templates, other.templates
    if a.ndim != 2 or b.ndim != 2 or not len(a) or not len(b) or a.shape[1] != b.shape[1] or not a.shape[1]:
        return None
    found: NDArray[np.float64] = a.astype(np.float64) @ b.astype(np.float64).T
    return np.clip(found, -1, 1) if np.isfinite(found).all() else None


def best_cosine(probe: Profile, other: Profile) -> float | None:
    """Highest cosine over all pairs of templates, -1 to 1."""
    found = cosines(probe, other)
    return None if found is None else float(found.max())


def info_of(profile: Profile, position: int) -> TemplateInfo:
    """What is known of the photograph behind a template."""
    return profile.template_info[position] if position < len(profile.template_info) else NOTHING_KNOWN


def _weighed(
    a: Profile, b: Profile, found: NDArray[np.float64], calibration: FaceCalibration, parameters: Parameters
) -> list[Pair]:
    """Every pair with its log10 LR.

    A side whose own age is not known is as old as the other's would be on that day: if they are two people, it says
    nothing either way.
    """
    sides = [
        [(info, _age(own, else_, info.taken_on, parameters)) for info in (info_of(own, at) for at in range(count))]
        for own, else_, count in ((a, b, found.shape[0]), (b, a, found.shape[1]))
    ]
    sex = a.sex.value if a.sex is not None and b.sex is not None and a.sex.value is b.sex.value else None
    pairs = []
    for i, (one, age) in enumerate(sides[0]):
        for j, (two, other_age) in enumerate(sides[1]):
            qualities = [each.quality for each in (one, two) if each.quality is not None]
            of = Circumstances(_years(one, two), age_pair(age, other_age), min(qualities, default=None), sex)
            cosine = float(found[i, j])
            pairs.append(Pair(i, j, cosine, of, calibration.log10_lr(cosine, of)))
    return pairs


def _years(one: TemplateInfo, two: TemplateInfo) -> float | None:
    if one.taken_on is None or two.taken_on is None:
        return None
    return abs((one.taken_on - two.taken_on).days) / DAYS_A_YEAR


def _age(own: Profile, other: Profile, day: date | None, parameters: Parameters) -> float | None:
    """Age in years on the day of a photograph; not known without a day."""
    if day is None:
        return None
    found = age_on(own, day, parameters)
    if found is None:
        found = age_on(other, day, parameters)
    return None if found is None else max(found, 0.0)


def _number(profile: Profile, position: int) -> int:
    return info_of(profile, position).number or position + 1


_AGES_ZH = {
    AgePair.CHILDREN: "，两张均为未成年时",
    AgePair.CHILD_ADULT: "，一张未成年、一张成年",
    AgePair.ELDER: "，至少一张为老年",
}
_AGES_EN = {
    AgePair.CHILDREN: ", both of a child",
    AgePair.CHILD_ADULT: ", one of a child and one of an adult",
    AgePair.ELDER: ", at least one of an elder",
}


def _sentence(best: Pair, pairs: int, one: TemplateInfo, two: TemplateInfo) -> tuple[str, str]:
    """Which pair is the most alike and what is known of it, in Chinese and English."""
    first, second, of = one.number or best.probe + 1, two.number or best.other + 1, best.of
    zh = f"本方第 {first} 张与对方第 {second} 张照片最相似，余弦相似度 {best.cosine:.3f}"
    en = f"Photograph {first} here and {second} there are the most alike, cosine {best.cosine:.3f}"
    if of.years is None:
        zh, en = zh + "，相隔年数不详", en + ", years between them unknown"
    elif of.years < 1:
        zh, en = zh + "，相隔不到一年", en + ", less than a year between them"
    else:
        zh, en = zh + f"，相隔约 {of.years:.0f} 年", en + f", about {of.years:.0f} years between them"
    if of.ages in _AGES_ZH:
        zh, en = zh + _AGES_ZH[of.ages], en + _AGES_EN[of.ages]
    if of.quality is not None:
        zh, en = zh + f"，较差一张的质量 {of.quality:.0f}", en + f", quality {of.quality:.0f} of the worse"
    if pairs > 1:
        zh, en = zh + f"；分值为全部 {pairs} 对的平均", en + f"; the figure is the mean of all {pairs} pairs"
    return (
        f"{zh}；面部相似只是线索，近亲和双胞胎也会相似。",
        f"{en}; a face is only a lead, kin and twins look alike too.",
    )
