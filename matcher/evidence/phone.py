"""Telephone fragments: some digits of a number that the person remembers, against the numbers that kin have given."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.fuzz import partial_ratio
from rapidfuzz.process import cdist

from matcher.evidence.base import Evidence, Floats, Parameters
from matcher.evidence.columns import best, owners, single
from matcher.profile import Profile
from matcher.vocabulary import EvidenceKind

SHORTEST = 3
"""Digits below which a fragment says nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """The fragments of many profiles: whose each is, and its digits."""

    count: int
    rows: NDArray[np.int64]
    digits: Sequence[str]


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
        (a, b)
        for a, values in zip(ours, found, strict=True)
        for b, v in zip(theirs.digits, values, strict=True)
        if v == value
    ]
    a, b = max(pairs)
    if a in b or b in a:
        zh, en = f"电话号码有 {min(len(a), len(b))} 位数字吻合。", f"{min(len(a), len(b))} digits of the numbers agree."
    elif value > 0:
        zh, en = "电话号码仅差一位数字。", "The telephone numbers differ by one digit."
    else:
        zh, en = "电话号码不同，一个人可能有多个号码。", "The telephone numbers differ; people have several."
    return Evidence(EvidenceKind.PHONE, value, a, b, zh, en)


def encode(profile: Profile, parameters: Parameters) -> tuple[str, ...]:
    """The digits of each fragment that is long enough."""
    found = ("".join(digit for digit in phone.digits if digit.isdecimal()) for phone in profile.phones)
    return tuple(digits for digits in found if len(digits) >= SHORTEST)


def stack(encoded: Sequence[tuple[str, ...]]) -> Numbers:
    """The fragments of many profiles."""
    flat = [digits for numbers in encoded for digits in numbers]
    return Numbers(len(encoded), owners([len(numbers) for numbers in encoded]), flat)


def score(ours: tuple[str, ...], theirs: Numbers, parameters: Parameters) -> Floats:
    """log10 LR by candidate, of the two fragments that agree best; NaN where there are none."""
    found = np.full(theirs.count, np.nan)
    for digits in ours:
        found = np.fmax(found, best(_pair_values(digits, theirs, parameters), theirs.rows, theirs.count))
    return found


def _pair_values(ours: str, theirs: Numbers, parameters: Parameters) -> Floats:
    if not theirs.digits:
        return np.empty(0)
    alike = cdist([ours], theirs.digits, scorer=partial_ratio, dtype=np.float64)[0] / 100
    lengths = np.array([len(digits) for digits in theirs.digits])
    short, long = np.minimum(lengths, len(ours)), np.maximum(lengths, len(ours))
    # Any place in the longer number would have done.
    agree = np.log10(parameters["phone.same"]) + short * parameters["phone.digit"] - np.log10(long - short + 1)
    agree = np.clip(agree, 0.0, parameters["phone.cap"])
    slip = (alike >= (short - 1) / short - 1e-9) & (short >= parameters["phone.slip_length"])
    differ = parameters["phone.differ"]
    nearly = np.maximum(agree + parameters["phone.slip"], differ)
    return np.where(alike >= 1, agree, np.where(slip, nearly, differ))
