"""Values of a short list that agree or not, weighed by how common each is: hand, glasses, blood group."""

from enum import StrEnum
from typing import Any

import numpy as np

from matcher.evidence.base import Floats, Parameters, agreement_log10_lrs


def listed_log10_lrs(
    prefix: str, members: type[StrEnum], ours: float, theirs: Floats, same: Any, parameters: Parameters
) -> Floats:
    """log10 LR of places in the enum, NaN where one is unknown, with the shares `PREFIX.share.VALUE` of strangers.

    `same`: share of one person's two records that agree, one value or one a candidate.
    """
    if np.isnan(ours):
        return np.full(len(theirs), np.nan)
    shares = np.array([parameters[f"{prefix}.share.{member.value}"] for member in members])
    values = agreement_log10_lrs(theirs == ours, same, shares[int(ours)], 1 - (shares**2).sum())
    return np.where(np.isnan(theirs), np.nan, values)
