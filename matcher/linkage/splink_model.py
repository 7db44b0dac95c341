"""A model that Splink trained and saved, scored without Splink: train there, score here.

Splink finds a pair's levels with SQL; whoever compares here brings them (Splink's `gamma_` numbers: -1 not known, 0 the
last level, counted upwards to the first). The match weight is then Splink 5's: log2 prior odds, plus log2(m/u) of each
level, plus the term-frequency adjustments. See `save_model_to_json` and `ComparisonLevel._tf_adjustment_sql` in Splink.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import log2
from pathlib import Path
from types import MappingProxyType
from typing import Any

_EXACT = re.compile(r'^"?(?P<column>\w+)_l"?\s*=\s*"?(?P=column)_r"?$')

Frequencies = Mapping[str, tuple[float | None, float | None]]
"""By column, how frequent the values of the two records are (shares of 1); None where not known."""


@dataclass(frozen=True, slots=True)
class _Level:
    weight: float | None  # None: Splink saw too few pairs to train it
    column: str | None  # whose frequency adjusts it
    log2_u: float  # of the exact match on that column
    factor: float
    least_frequency: float


@dataclass(frozen=True, slots=True)
class SplinkModel:
    """A saved model: log2 prior odds, and by comparison the levels by their `gamma_` number."""

    prior: float
    comparisons: Mapping[str, Mapping[int, _Level]]

    def match_weight(self, gammas: Mapping[str, int], frequencies: Frequencies) -> float:
        """Splink's match weight (log2 posterior odds) of a pair with these levels, one for every comparison.

        Raises ValueError for a comparison or level that the model does not have, or has not been trained for.
        """
        if gammas.keys() != self.comparisons.keys():
            raise ValueError(f"levels are needed of {', '.join(self.comparisons)}, and of nothing else")
        return self.prior + sum(self._weight(name, gamma, frequencies) for name, gamma in gammas.items())

    def _weight(self, name: str, gamma: int, frequencies: Frequencies) -> float:
        if gamma == -1:
            return 0.0
        level = self.comparisons[name].get(gamma)
        if level is None or level.weight is None:
            raise ValueError(f"level {gamma} of {name} is not trained; train the model on more pairs")
        if level.column is None:
            return level.weight
        known = [share for share in frequencies.get(level.column, (None, None)) if share is not None]
        if not known:
            return level.weight
        return level.weight + level.factor * (level.log2_u - log2(max(*known, level.least_frequency)))


def read_splink_model(path: Path) -> SplinkModel:
    """The model in a file that Splink's `save_model_to_json` wrote. Raises ValueError for anything else."""
    try:
        data = json.loads(path.read_text("utf-8"))
        prior = float(data["probability_two_random_records_match"])
        comparisons = {one["output_column_name"]: _levels(one["comparison_levels"]) for one in data["comparisons"]}
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is no model that Splink saved ({error}); write one with save_model_to_json") from None
    return SplinkModel(log2(prior / (1 - prior)), MappingProxyType(comparisons))


def _levels(rows: list[dict[str, Any]]) -> Mapping[int, _Level]:
    told = [row for row in rows if not row.get("is_null_level")]
    exact = {
        match["column"].lower(): float(row["u_probability"])
        for row in told
        if (match := _EXACT.match(row["sql_condition"])) and "u_probability" in row
    }
    return {len(told) - 1 - at: _level(row, exact) for at, row in enumerate(told)}


def _level(row: Mapping[str, Any], exact: Mapping[str, float]) -> _Level:
    m, u = row.get("m_probability"), row.get("u_probability")
    column, factor = row.get("tf_adjustment_column"), float(row.get("tf_adjustment_weight", 1.0))
    if column is not None and (factor == 0 or row["sql_condition"] == "ELSE"):
        column = None
    if column is not None and row.get("disable_tf_exact_match_detection"):
        exact = {column.lower(): float(row["u_probability"])}
    return _Level(
        weight=None if m is None or u is None else log2(float(m) / float(u)),
        column=column,
        log2_u=0.0 if column is None else log2(exact[column.lower()]),
        factor=factor,
        least_frequency=float(row.get("tf_minimum_u_value", 0.0)),
    )
