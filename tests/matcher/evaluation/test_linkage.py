"""Figures of a linkage, counted by hand."""

from pathlib import Path

import numpy as np
import pytest

from matcher.evaluation.linkage import (
    TableInvalid,
    at_threshold,
    best_f1,
    judged,
    mate_ranks,
    people,
    read_table,
    roc,
)
from matcher.linkage.mapping import MappingInvalid, parse_mapping

# Rows 0, 1, 2 are one person and 3, 4 another, 5 is alone. The pair 1-2 was never compared.
PEOPLE = np.array([0, 0, 0, 1, 1, 2])
PAIRS = np.array([[0, 1], [0, 2], [3, 4], [0, 5], [2, 3]])
SCORES = np.array([0.9, 0.4, 0.7, 0.7, 0.1])


def test_pairs_that_were_not_compared_are_missed() -> None:
    found = at_threshold(judged(PAIRS, SCORES, PEOPLE), 0.5)
    assert found == {"precision": 2 / 3, "recall": 2 / 4, "f1": 4 / 7}
    assert at_threshold(judged(PAIRS, SCORES, PEOPLE), 0.95) == {"precision": None, "recall": 0.0, "f1": 0.0}


def test_equal_scores_are_taken_together() -> None:
    # Thresholds .9, .7, .4, .1 give F1 2/5, 4/7, 6/8, 6/9.
    assert best_f1(judged(PAIRS, SCORES, PEOPLE)) == (0.75, 0.4)
    points = [(p["threshold"], p["true_positive_rate"], p["false_positive_rate"])
              for p in roc(judged(PAIRS, SCORES, PEOPLE))]  # fmt: skip
    assert points == [(0.4, 0.75, 1 / 11), (0.1, 0.75, 2 / 11)]


def test_ranks_count_ties_against_the_mate() -> None:
    mated, ranks = mate_ranks(PAIRS, SCORES, PEOPLE)
    assert mated == 5
    assert ranks.tolist() == [1, 1, 1, 1, 1]
    scores = np.array([0.7, 0.4, 0.1, 0.7, 0.1])
    assert mate_ranks(PAIRS, scores, PEOPLE)[1].tolist() == [2, 1, 1, 2, 1]
    assert mate_ranks(PAIRS[:1], SCORES[:1], PEOPLE)[1].tolist() == [1, 1, np.inf, np.inf, np.inf]


def test_nobody_has_a_mate() -> None:
    alone = judged(PAIRS, SCORES, np.arange(6))
    assert at_threshold(alone, 0.5) == {"precision": 0.0, "recall": None, "f1": 0.0}
    assert (best_f1(alone), roc(alone)) == ((None, None), [])


def test_the_truth_is_read_through_its_pattern() -> None:
    rows = [{"id": text, "name": "x"} for text in ("rec-7-org", "rec-7-dup-0", "rec-70-org", "", "")]
    mapping = parse_mapping({"columns": {"name": "surname"}, "truth": {"pattern": r"^(rec-\d+)"}}, ["id", "name"])
    assert people(rows, "id", mapping).tolist() == [0, 0, 1, 2, 3]
    with pytest.raises(MappingInvalid, match="does not fit 'org' in id, row 1"):
        people([{"id": "org", "name": "x"}], "id", mapping)
    with pytest.raises(MappingInvalid, match=r"columns.name: holds the truth; take it out"):
        people(rows, "name", mapping)


def test_tables(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('\ufeffid, name\n1, "Lee, Ann"\n\n2,Bob\n', "utf-8")
    assert read_table(path) == [{"id": "1", "name": "Lee, Ann"}, {"id": "2", "name": "Bob"}]
    for content, message in (
        (b"id,id\n1,2\n", "the first line names the columns, each once"),
        (b"", "the first line names the columns"),
        (b"id,name\n1\n", "line 2: 1 cells for 2 columns"),
        (b"id,name\n1,\xff\n", "is not in UTF-8"),
        (b'id,name\n1,"x"y\n', "line 2"),
    ):
        path.write_bytes(content)
        with pytest.raises(TableInvalid, match=message):
            read_table(path)
    with pytest.raises(TableInvalid, match="cannot be read"):
        read_table(tmp_path / "none.csv")
