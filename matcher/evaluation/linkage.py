"""How well records are linked: a table with a truth column, linked without it, then judged by it."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matcher.linkage.mapping import LinkageMapping, MappingInvalid
from matcher.linkage.model import Linkage

THRESHOLD = 0.5
"""Posterior from which on a pair is taken for one person: the point at which either answer is as likely wrong."""

ROC_POINTS = 50

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Row = Mapping[str, str]


class TableInvalid(ValueError):
    """A table that cannot be read; the message names the place and the remedy."""


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Scored pairs beside the truth.

    Attributes:
        scores: (n,) of the pairs that were scored; all others rank below.
        same: (n,) whether the pair is one person.
        mates: how many pairs of one person there are, scored or not.
        all_pairs: how many pairs there are.
    """

    scores: Floats
    same: NDArray[np.bool_]
    mates: int
    all_pairs: int


def read_table(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV file with a heading line, UTF-8. Raises TableInvalid."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, skipinitialspace=True, strict=True)
            headings = [heading.strip() for heading in next(reader, [])]
            if not headings or len(set(headings)) < len(headings):
                raise TableInvalid(f"table {path}: the first line names the columns, each once")
            rows = []
            for cells in reader:
                if cells and len(cells) != len(headings):
                    raise TableInvalid(
                        f"table {path}, line {reader.line_num}: {len(cells)} cells for {len(headings)} columns"
                    )
                if cells:
                    rows.append(dict(zip(headings, cells, strict=True)))
            return rows
    except OSError as error:
        raise TableInvalid(f"table {path}: cannot be read ({error.strerror}); name a CSV file") from None
    except UnicodeDecodeError:
        raise TableInvalid(f"table {path}: is not in UTF-8; save it again in that encoding") from None
    except csv.Error as error:
        raise TableInvalid(f"table {path}, line {reader.line_num}: {error}") from None


def people(rows: Sequence[Row], truth: str, mapping: LinkageMapping) -> Codes:
    """(rows,) number of the person whom each row is of; a row without a label is a person of its own.

    Raises MappingInvalid when the truth column is compared as well, or its pattern does not fit.
    """
    if truth in {column.name for column in mapping.columns}:
        raise MappingInvalid(f"mapping, columns.{truth}: holds the truth; take it out, or the result says nothing")
    numbers: dict[str, int] = {}
    found = []
    for at, row in enumerate(rows):
        label = _label(row[truth].strip(), truth, mapping, at)
        found.append(numbers.setdefault(label or f"\x1f{at}", len(numbers)))
    return np.array(found, np.int64)


def _label(text: str, truth: str, mapping: LinkageMapping, at: int) -> str:
    if not text or mapping.truth_pattern is None:
        return text
    match = mapping.truth_pattern.search(text)
    if match is None:
        raise MappingInvalid(f"mapping, truth.pattern: does not fit {text!r} in {truth}, row {at + 1}; widen it")
    return match.group(1) if match.re.groups else match.group(0)


def judged(pairs: Codes, scores: Floats, people_of: Codes) -> Judged:
    """Scored pairs (n, 2) beside the truth."""
    sizes = np.bincount(people_of)
    rows = len(people_of)
    same = people_of[pairs[:, 0]] == people_of[pairs[:, 1]]
    return Judged(scores, same, int((sizes * (sizes - 1) // 2).sum()), rows * (rows - 1) // 2)


def evaluate(linkage: Linkage, people_of: Codes) -> dict[str, Any]:
    """Figures of one linkage. Every pair that was not compared counts as refused.

    `precision`, `recall`, `f1`: of all pairs, at `threshold`; `expected_f1` is what the model itself believes of it;
    `best_f1` at `best_threshold` is what the best threshold would have given, which only the truth can tell. `rank_1`,
    `rank_20`: share of rows with a mate of which one comes first, or among the first 20; ties count against. None
    where there is nothing to count.
    """
    of_pairs = judged(linkage.pairs, linkage.probability, people_of)
    best, where = best_f1(of_pairs)
    mated, ranks = mate_ranks(linkage.pairs, linkage.log_odds, people_of)
    return {
        **at_threshold(of_pairs, THRESHOLD),
        "threshold": THRESHOLD,
        "expected_f1": _expected_f1(linkage.probability),
        "best_f1": best,
        "best_threshold": where,
        "rank_1": float((ranks <= 1).mean()) if mated else None,
        "rank_20": float((ranks <= 20).mean()) if mated else None,
        "rows": len(people_of),
        "people": len(np.unique(people_of)),
        "rows_with_mate": mated,
        "pairs": len(linkage.pairs),
        "all_pairs": of_pairs.all_pairs,
        "true_pairs": of_pairs.mates,
        "true_pairs_compared": float(of_pairs.same.sum() / of_pairs.mates) if of_pairs.mates else None,
        "roc": roc(of_pairs),
        "fields": _fields(linkage),
    }


def at_threshold(of_pairs: Judged, threshold: float) -> dict[str, float | None]:
    """Pairwise precision, recall and F1 of the pairs that score at least the threshold."""
    taken = of_pairs.scores >= threshold
    right, count = int((taken & of_pairs.same).sum()), int(taken.sum())
    return {
        "precision": right / count if count else None,
        "recall": right / of_pairs.mates if of_pairs.mates else None,
        "f1": 2 * right / (count + of_pairs.mates) if count + of_pairs.mates else None,
    }


def best_f1(of_pairs: Judged) -> tuple[float | None, float | None]:
    """The best F1 that any threshold gives, and that threshold."""
    if not of_pairs.mates or not len(of_pairs.scores):
        return None, None
    order = np.argsort(-of_pairs.scores, kind="stable")
    scores, right = of_pairs.scores[order], np.cumsum(of_pairs.same[order])
    f1 = 2 * right / (np.arange(1, len(order) + 1) + of_pairs.mates)
    last = np.append(scores[1:] != scores[:-1], True)  # equal scores are taken together
    at = int(np.argmax(np.where(last, f1, 0)))
    return float(f1[at]), float(scores[at])


def roc(of_pairs: Judged) -> list[dict[str, float]]:
    """True and false positive rates over all pairs, at thresholds spread over the false positives. [] without both."""
    others = of_pairs.all_pairs - of_pairs.mates
    if not of_pairs.mates or not others or not len(of_pairs.scores):
        return []
    order = np.argsort(-of_pairs.scores, kind="stable")
    scores, same = of_pairs.scores[order], of_pairs.same[order]
    last = np.flatnonzero(np.append(scores[1:] != scores[:-1], True))
    right, wrong = np.cumsum(same)[last], np.cumsum(~same)[last]
    # Evenly over the logarithm of the false positives: that is where thresholds differ.
    steps = np.geomspace(1, max(int(wrong[-1]), 2), ROC_POINTS)
    chosen = np.unique(np.append(np.searchsorted(wrong, steps, side="right") - 1, len(last) - 1).clip(0))
    return [
        {
            "threshold": float(scores[last[at]]),
            "true_positive_rate": float(right[at] / of_pairs.mates),
            "false_positive_rate": float(wrong[at] / others),
        }
        for at in chosen
    ]


def mate_ranks(pairs: Codes, scores: Floats, people_of: Codes) -> tuple[int, Floats]:
    """How many rows have a mate, and (that many,) the rank of each one's best mate; infinite when it was not compared.

    The rank is one more than the number of other people's rows that score as much or more.
    """
    rows = len(people_of)
    probe = np.concatenate([pairs[:, 0], pairs[:, 1]])
    same = np.tile(people_of[pairs[:, 0]] == people_of[pairs[:, 1]], 2)
    score = np.tile(scores, 2)
    best = np.full(rows, -np.inf)
    np.maximum.at(best, probe[same], score[same])
    ahead = np.bincount(probe[~same & (score >= best[probe])], minlength=rows)
    mated = np.bincount(people_of)[people_of] > 1
    return int(mated.sum()), np.where(np.isfinite(best), 1.0 + ahead, np.inf)[mated]


def _expected_f1(probability: Floats) -> float | None:
    taken = probability >= THRESHOLD
    expected = float(probability.sum())
    return 2 * float(probability[taken].sum()) / (int(taken.sum()) + expected) if expected else None


def _fields(linkage: Linkage) -> list[dict[str, Any]]:
    return [
        {
            "name": field.name,
            "levels": [
                {"level": level, "m": float(one), "u": float(other)}
                for level, one, other in zip(field.comparator.levels, m, u, strict=True)
            ],
        }
        for field, m, u in zip(linkage.fields, linkage.learned.m, linkage.learned.u, strict=True)
    ]
