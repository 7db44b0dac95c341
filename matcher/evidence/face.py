"""Face: what the likeness of two people's photographs is worth, each pair weighed by its circumstances.

A pair's worth depends on the years between the two photographs, the person's age on each, and the quality of the worse
one, as far as they are known. Of several pairs the mean of their likelihood ratios counts: the best of many pairs is
high by chance, too, and the mean of ratios that are each honest is honest (docs/accuracy.md compares it with the best
pair and with mean templates). The most alike pair is named.
"""

from datetime import date
from math import isfinite

import numpy as np

from matcher.evidence import likeness
from matcher.evidence.age import DAYS_A_YEAR
from matcher.evidence.base import Evidence, Parameters
from matcher.evidence.columns import single
from matcher.face_cohorts import UNKNOWN, AgePair, Circumstances, age_pair
from matcher.profile import Profile, TemplateInfo
from matcher.vocabulary import EvidenceKind

NOTHING_KNOWN = TemplateInfo()


def compare(probe: Profile, other: Profile, parameters: Parameters) -> Evidence | None:
    """Evidence of all pairs of templates, and which pair is the most alike.

    None when a side has no templates, when they are of different model versions, or when the version has no
    calibration: a cosine whose worth nobody has measured says nothing.
    """
    if probe.template_model is None or probe.template_model != other.template_model:
        return None
    found = cosines(probe, other)
    ours, theirs = likeness.photographs(probe), likeness.stack([likeness.photographs(other)])
    value = single(likeness.score, ours, theirs, parameters)
    if found is None or value is None:
        return None
    first, second = _side(probe, other, len(found)), _side(other, probe, len(found[0]))
    sexes = [None if side.sex is None else side.sex.value for side in (probe, other)]
    sex = sexes[0] if sexes[0] is sexes[1] else None
    best, at, spoken = -2.0, (0, 0), UNKNOWN
    for i, (one, age) in enumerate(first):
        for j, (two, other_age) in enumerate(second):
            of = Circumstances(years_between(one, two), age_pair(age, other_age), _worse(one, two), sex)
            if found[i][j] > best:
                best, at, spoken = found[i][j], (i, j), of
    numbers = _number(first, at[0]), _number(second, at[1])
    zh, en = _sentence(best, numbers, spoken, len(first) * len(second))
    shown = f"{best:.3f}"
    return Evidence(
        EvidenceKind.FACE,
        value,
        f"{numbers[0]} / {shown}",
        f"{numbers[1]} / {shown}",
        zh,
        en,
    )


def cosines(probe: Profile, other: Profile) -> list[list[float]] | None:
    """Cosines of all pairs of templates, a row for each of the probe's; None when there are none to be compared."""
    a, b = probe.templates, other.templates
    if a.ndim != 2 or b.ndim != 2 or not len(a) or not len(b) or a.shape[1] != b.shape[1] or not a.shape[1]:
        return None
    found: list[list[float]] = np.matmul(a, b.T, dtype=np.float64).tolist()
    # Plain numbers: on a few of them the checks of numpy cost more than the product.
    if not all(isfinite(value) for row in found for value in row):
        return None
    return [[max(-1.0, min(1.0, value)) for value in row] for row in found]


def best_cosine(probe: Profile, other: Profile) -> float | None:
    """Highest cosine over all pairs of templates, -1 to 1."""
    found = cosines(probe, other)
    return None if found is None else max(map(max, found))


Side = list[tuple[TemplateInfo, float | None]]


def _side(own: Profile, other: Profile, count: int) -> Side:
    """What is known of each photograph of a person, with the age in years on it; not known without its day.

    A side whose own age is not known is as old as the other's would be on that day: if they are two people, it says
    nothing either way.
    """
    infos = own.template_info[:count]
    if len(infos) < count:
        infos += (NOTHING_KNOWN,) * (count - len(infos))
    return [(info, None if info.taken_on is None else _age(own, other, info.taken_on)) for info in infos]


def _age(own: Profile, other: Profile, day: date) -> float | None:
    """Age in years on a day, as `matcher.evidence.age` reckons it, without its uncertainty."""
    for profile in (own, other):
        if profile.birth_date is not None:
            return max(0.0, (day - profile.birth_date.value).days / DAYS_A_YEAR)
        if profile.age is not None:
            when = profile.age.as_of or profile.seen_on or day
            return max(0.0, profile.age.value + (day - when).days / DAYS_A_YEAR)
    return None


def years_between(one: TemplateInfo, two: TemplateInfo) -> float | None:
    """Years between two photographs, at least 0; None when the day of either is not known."""
    if one.taken_on is None or two.taken_on is None:
        return None
    return abs((one.taken_on - two.taken_on).days) / DAYS_A_YEAR


def _worse(one: TemplateInfo, two: TemplateInfo) -> float | None:
    a, b = one.quality, two.quality
    return b if a is None else a if b is None else min(a, b)


def _number(side: Side, position: int) -> int:
    return side[position][0].number or position + 1


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


def _sentence(cosine: float, numbers: tuple[int, int], of: Circumstances, pairs: int) -> tuple[str, str]:
    """Which pair is the most alike and what is known of it, in Chinese and English."""
    first, second = numbers
    zh = f"本方第 {first} 张与对方第 {second} 张照片最相似，余弦相似度 {cosine:.3f}"
    en = f"Photograph {first} here and {second} there are the most alike, cosine {cosine:.3f}"
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
