"""Confidence: what a clue is worth whose hearer was not sure of it (线索把握程度).

A statement that is right with probability c, and otherwise has nothing to do with the person, has the likelihood ratio
LR' = c * LR + (1 - c): the hit-miss model (Copas and Hilton, Record linkage: statistical models for matching computer
records, 1990). c = 1 changes nothing, c near 0 says nothing, and between them the evidence grows with c. Of two
statements both have to be right. What was not heard in a clue has c = 1: how often such values are wrong is in the
terms' own figures.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from matcher.evidence.base import Floats, Parameters
from matcher.vocabulary import ClueConfidence

WORDS: Mapping[ClueConfidence, tuple[str, str]] = MappingProxyType(
    {
        ClueConfidence.SURE: ("听清", "sure"),
        ClueConfidence.LIKELY: ("大致听清", "likely"),
        ClueConfidence.UNSURE: ("没把握", "unsure"),
    }
)
_LEVELS: tuple[ClueConfidence | None, ...] = (None, *ClueConfidence)


def level(confidence: ClueConfidence | None) -> int:
    """A confidence as a number; 0 for what was not heard in a clue."""
    return _LEVELS.index(confidence)


def levels(confidences: Sequence[ClueConfidence | None]) -> bytes:
    """The same of many, int16 as bytes."""
    return np.array([level(one) for one in confidences], np.int16).tobytes()


def reliabilities(numbers: Any, parameters: Parameters) -> Floats:
    """c of each number that `level` gave, 0 to 1."""
    found: Floats = np.array([_reliability(one, parameters) for one in _LEVELS])[np.asarray(numbers, np.int64)]
    return found


def weakened(log10_lrs: Floats, reliability: Any) -> Floats:
    """log10 LR' of log10 LR, elementwise; NaN stays NaN."""
    if np.all(np.asarray(reliability) == 1):
        return log10_lrs
    found: Floats = np.where(
        np.asarray(reliability) == 1, log10_lrs, np.log10(reliability * 10**log10_lrs + 1 - reliability)
    )
    return found


def told(ours: ClueConfidence | None, theirs: ClueConfidence | None, parameters: Parameters) -> tuple[str, str]:
    """A sentence on how the clues' confidence was counted, in Chinese and English; "" where it changed nothing."""
    reliability = _reliability(ours, parameters) * _reliability(theirs, parameters)
    if reliability == 1:
        return "", ""
    least = max((one for one in (ours, theirs) if one is not None), key=level)
    zh, en = WORDS[least]
    return (
        f"线索把握程度为“{zh}”，按 {reliability:.0%} 可信计算。",
        f" The clue is {en}: counted as {reliability:.0%} reliable.",
    )


def _reliability(confidence: ClueConfidence | None, parameters: Parameters) -> float:
    return 1.0 if confidence is None else parameters.get(f"confidence.{confidence.value}", 1.0)
