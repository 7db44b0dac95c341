"""A back-test (回测): what other figures would have made of the candidates that people have judged since."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from matcher.evaluation.calibration_metrics import cllr
from matcher.fusion import strength

LEAST_OF_EACH = 10
"""So many confirmed and as many excluded candidates are needed before a difference says anything."""

SMALL = 1e-6


@dataclass(frozen=True, slots=True)
class JudgedScore:
    """One judged candidate: its case, whether it was confirmed, and its log10 LR under both sets of figures."""

    case: str
    confirmed: bool
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures under one set: share of confirmed candidates first in their case's list, Cllr (bits), how many fell out.

    `rank_1` counts ties against; None without confirmed candidates. `cllr` is None unless there are both kinds.
    """

    rank_1: float | None
    cllr: float | None
    unlisted: int


@dataclass(frozen=True, slots=True)
class Backtest:
    """Both sets on the same candidates. `changed`: how many are called by another word of the verbal scale."""

    confirmed: int
    excluded: int
    before: Measured
    after: Measured
    changed: int

    @property
    def objections(self) -> tuple[str, ...]:
        """Why the new figures should not come into force; () when nothing speaks against them."""
        if min(self.confirmed, self.excluded) < LEAST_OF_EACH:
            return (f"fewer than {LEAST_OF_EACH} confirmed or excluded candidates",)
        found = []
        if (self.after.rank_1 or 0) < (self.before.rank_1 or 0):
            found.append("confirmed candidates come first less often")
        if (self.after.cllr or 0) > (self.before.cllr or 0) + SMALL:
            found.append("Cllr is higher")
        if self.after.unlisted > self.before.unlisted:
            found.append("confirmed candidates fall out of the list")
        return tuple(found)


def backtest(rows: Sequence[JudgedScore], minimum_log10_lr: float) -> Backtest:
    """Both sets compared; a candidate below `minimum_log10_lr` would not have been listed."""
    return Backtest(
        confirmed=sum(row.confirmed for row in rows),
        excluded=sum(not row.confirmed for row in rows),
        before=_measured([(row.case, row.confirmed, row.before) for row in rows], minimum_log10_lr),
        after=_measured([(row.case, row.confirmed, row.after) for row in rows], minimum_log10_lr),
        changed=sum(strength(row.before) is not strength(row.after) for row in rows),
    )


def _measured(rows: Sequence[tuple[str, bool, float]], minimum: float) -> Measured:
    same = np.array([score for _, confirmed, score in rows if confirmed])
    others = np.array([score for _, confirmed, score in rows if not confirmed])
    first = [
        all(rival < score for case, right, rival in rows if case == own and not right)
        for own, confirmed, score in rows
        if confirmed
    ]
    return Measured(
        rank_1=float(np.mean(first)) if first else None,
        cllr=cllr(same, others) if len(same) and len(others) else None,
        unlisted=int((same < minimum).sum()),
    )
