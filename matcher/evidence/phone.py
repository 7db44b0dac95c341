"""Telephone fragments: some digits of a number that the person remembers, against the numbers that kin have given."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.fuzz import partial_ratio
from rapidfuzz.process import cdist

from matcher.evidence.base import Evidence, Floats, Parameters
from matcher.evidence.columns import best, owners, single
from matcher.evidence.confidence import level, reliabilities, told, weakened
from matcher.evidence.packing import Columns, Parts, columns
from matcher.profile import Profile
from matcher.vocabulary import ClueConfidence, EvidenceKind

SHORTEST = 3
"""Digits below which a fragment says nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """The fragments of many profiles: whose each is, its digits, and the `confidence.level` of each."""

    count: int
    rows: NDArray[np.int64]
    digits: Sequence[str]
    levels: NDArray[np.int16]


Fragment = tuple[str, ClueConfidence | None]
"""Digits, and the confidence of the clue that they were heard in."""


def compare(probe: Profile, other: Profile, parameters: Parameters) -> Evidence | None:
    """Evidence of the two fragments that agree best; None when a side has none of at least SHORTEST digits.

    The shorter has to be in the longer, wherever; among many digits one may be wrong. People have several numbers, so
    digits that differ weigh little.
    """
    ours, theirs = encode(probe, parameters), stack([encode(other, parameters)])
    value = single(score, ours, theirs, parameters)
    if value is None:
        return None
    found = [_pair_values(one, theirs, parameters) for one in ours]
    pairs = [
        (one, two)
        for one, values in zip(ours, found, strict=True)
        for two, v in zip(encode(other, parameters), values, strict=True)
        if v == value
    ]
    (a, our_sure), (b, their_sure) = max(pairs, key=lambda pair: (pair[0][0], pair[1][0]))
    sure = told(our_sure, their_sure, parameters)
    if a in b or b in a:
        zh, en = f"电话号码有 {min(len(a), len(b))} 位数字吻合。", f"{min(len(a), len(b))} digits of the numbers agree."
    elif value > 0:
        zh, en = "电话号码仅差一位数字。", "The telephone numbers differ by one digit."
    else:
        zh, en = "电话号码不同，一个人可能有多个号码。", "The telephone numbers differ; people have several."
    return Evidence(EvidenceKind.PHONE, value, a, b, zh + sure[0], en + sure[1])


def encode(profile: Profile, parameters: Parameters) -> tuple[Fragment, ...]:
    """Each fragment that is long enough."""
    found = (("".join(filter(str.isdecimal, phone.digits)), phone.confidence) for phone in profile.phones)
    return tuple(one for one in found if len(one[0]) >= SHORTEST)


def parts(encoded: Sequence[Fragment]) -> Parts:
    """The fragments of one profile, to be packed."""
    levels = np.array([level(sure) for _, sure in encoded], np.int16)
    return Parts(shorts=(levels.tobytes(),), others=(tuple(digits for digits, _ in encoded),))


def stack(encoded: Sequence[Sequence[Fragment]]) -> Numbers:
    """The fragments of many profiles."""
    return gather(columns([parts(one) for one in encoded]))


def gather(gathered: Columns) -> Numbers:
    """The same of profiles that are packed."""
    ((levels, counts),), (digits,) = gathered.shorts, gathered.others
    return Numbers(gathered.count, owners(counts), [one for numbers in digits for one in numbers], levels)


def score(ours: Sequence[Fragment], theirs: Numbers, parameters: Parameters) -> Floats:
    """log10 LR by candidate, of the two fragments that agree best; NaN where there are none."""
    found = np.full(theirs.count, np.nan)
    for fragment in ours:
        found = np.fmax(found, best(_pair_values(fragment, theirs, parameters), theirs.rows, theirs.count))
    return found


def _pair_values(fragment: Fragment, theirs: Numbers, parameters: Parameters) -> Floats:
    if not theirs.digits:
        return np.empty(0)
    ours, sure = fragment
    reliable = reliabilities(theirs.levels, parameters) * reliabilities(level(sure), parameters)
    alike = cdist([ours], theirs.digits, scorer=partial_ratio, dtype=np.float64)[0] / 100
    lengths = np.array([len(digits) for digits in theirs.digits])
    short, long = np.minimum(lengths, len(ours)), np.maximum(lengths, len(ours))
    # Any place in the longer number would have done.
    agree = np.log10(parameters["phone.same"]) + short * parameters["phone.digit"] - np.log10(long - short + 1)
    agree = np.clip(agree, 0.0, parameters["phone.cap"])
    slip = (alike >= (short - 1) / short - 1e-9) & (short >= parameters["phone.slip_length"])
    differ = parameters["phone.differ"]
    nearly = np.maximum(agree + parameters["phone.slip"], differ)
    return weakened(np.where(alike >= 1, agree, np.where(slip, nearly, differ)), reliable)
