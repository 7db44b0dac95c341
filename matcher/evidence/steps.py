"""Values that stand in a row of three (thin, medium, stout): how many steps lie between two of them."""

import numpy as np

from matcher.evidence.base import Floats, Parameters, level_log10_lrs


def step_log10_lrs(prefix: str, difference: Floats, parameters: Parameters) -> Floats:
    """log10 LR of places in the row that differ so, NaN where one is unknown: `PREFIX.same.N`, `PREFIX.chance.N`."""
    ratios = level_log10_lrs(prefix, ("0", "1", "2"), parameters)
    known = ~np.isnan(difference)
    steps = np.abs(np.where(known, difference, 0)).astype(np.int64)
    return np.where(known, ratios[steps], np.nan)
