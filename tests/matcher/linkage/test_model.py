"""A table linked without labels, and which of its pairs are looked at."""

import numpy as np
import pytest

from matcher.linkage import blocking
from matcher.linkage.blocking import LARGEST_BLOCK, candidate_pairs
from matcher.linkage.mapping import MappingInvalid, parse_mapping
from matcher.linkage.model import link
from matcher.linkage.table import fields

ALPHABET = "abcdefghijklmnopqrstuvwxyz"
HEADINGS = ["given", "family", "born", "town"]
COLUMNS = {"columns": {"given": "given_name", "family": "surname", "born": "date", "town": "place"}}


def invented(people: int, seed: int = 1) -> tuple[list[dict[str, str]], np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Two or three rows a person, in random order; each copy has one cell empty or misspelt."""
    random = np.random.default_rng(seed)
    rows, owners = [], []
    for person in range(people):
        words = ["".join(random.choice(list(ALPHABET), 7)) for _ in range(2)]
        born = f"{random.integers(1930, 2000)}-{random.integers(1, 13):02d}-{random.integers(1, 29):02d}"
        row = dict(zip(HEADINGS, [*words, born, f"town{random.integers(0, 20)}"], strict=True))
        for copy in range(random.integers(2, 4)):
            own = dict(row)
            if copy:
                cell = HEADINGS[random.integers(0, 3)]
                own[cell] = "" if random.random() < 0.5 else own[cell][1:] + own[cell][0]
            rows.append(own)
            owners.append(person)
    order = random.permutation(len(rows))
    return [rows[at] for at in order], np.array(owners, np.int64)[order]


def test_people_are_found_without_labels() -> None:
    rows, owners = invented(80)
    found = link(rows, parse_mapping(COLUMNS, HEADINGS), seed=0)
    same = owners[found.pairs[:, 0]] == owners[found.pairs[:, 1]]
    taken = found.probability >= 0.5
    assert (taken & same).sum() / same.sum() > 0.97
    assert (taken & ~same).sum() / taken.sum() < 0.03
    assert np.isfinite(found.log_odds).all()


def test_the_order_of_rows_and_columns_makes_no_difference() -> None:
    rows, _ = invented(20)
    back = link(rows[::-1], parse_mapping({"columns": dict(reversed(COLUMNS["columns"].items()))}, HEADINGS), seed=0)
    there = link(rows, parse_mapping(COLUMNS, HEADINGS), seed=0)
    last = len(rows) - 1
    scores = {(last - b, last - a): score for (a, b), score in zip(back.pairs.tolist(), back.log_odds, strict=True)}
    assert [scores[a, b] for a, b in there.pairs.tolist()] == pytest.approx(there.log_odds.tolist(), abs=1e-6)


def test_rules_bring_together_rows_that_agree_on_one_of_them() -> None:
    rows = [
        {"given": "Ann", "family": "Lee", "born": "1950-01-02", "town": "x"},
        {"given": "Anna", "family": "Lee", "born": "1950-07-08", "town": "n/a"},
        {"given": "Bob", "family": "Lee", "born": "1951-01-02", "town": "n/a"},
        {"given": "", "family": "Lee", "born": "", "town": "X"},
    ]
    rules = {"blocking": [["family", "born:4"], ["town"]], "missing": ["n/a"]}
    assert candidate_pairs(rows, parse_mapping(COLUMNS | rules, HEADINGS)).tolist() == [[0, 1], [0, 3]]
    assert len(candidate_pairs(rows, parse_mapping(COLUMNS, HEADINGS))) == 6


def test_large_tables_are_blocked_by_the_kinds_of_their_columns() -> None:
    rows, owners = invented(900)
    mapping = parse_mapping(COLUMNS, HEADINGS)
    pairs = candidate_pairs(rows, mapping)
    count = len(rows)
    assert count * (count - 1) / 2 > 2_000_000 > 4 * len(pairs)
    assert (pairs[:, 0] < pairs[:, 1]).all()
    together = (owners[pairs[:, 0]] == owners[pairs[:, 1]]).sum()
    sizes = np.bincount(owners)
    assert together / (sizes * (sizes - 1) // 2).sum() > 0.99


def test_larger_tables_do_with_smaller_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, owners = invented(900)
    monkeypatch.setattr(blocking, "AUTOMATIC_PAIRS", 30_000)
    pairs = candidate_pairs(rows, parse_mapping(COLUMNS, HEADINGS))
    assert len(pairs) <= 30_000
    sizes = np.bincount(owners)
    assert (owners[pairs[:, 0]] == owners[pairs[:, 1]]).sum() / (sizes * (sizes - 1) // 2).sum() > 0.9
    monkeypatch.setattr(blocking, "MOST_PAIRS", 30_000)
    with pytest.raises(MappingInvalid, match="gives more than 30,000 pairs; name narrower rules"):
        candidate_pairs(rows, parse_mapping(COLUMNS | {"blocking": [["town"]]}, HEADINGS))


def test_a_key_that_everybody_has_is_left_out() -> None:
    rows = [{"town": "x"}] * (LARGEST_BLOCK + 1)
    mapping = parse_mapping({"columns": {"town": "category"}, "blocking": [["town"]]}, ["town"])
    assert len(candidate_pairs(rows, mapping)) == 0
    with pytest.raises(MappingInvalid, match="no two rows agree on any rule; loosen the rules"):
        link(rows, mapping, seed=0)


def test_columns_of_which_nothing_is_known_say_nothing() -> None:
    rows = [{"given": "Ann", "town": ""}, {"given": "Ann", "town": "x"}]
    mapping = parse_mapping({"columns": {"given": "given_name", "town": "place"}}, ["given", "town"])
    assert [field.name for field in fields(rows, mapping)] == ["given name"]
    with pytest.raises(MappingInvalid, match="no two rows have a value"):
        link([{"given": ""}] * 3, parse_mapping({"columns": {"given": "surname"}}, ["given"]), seed=0)
    with pytest.raises(MappingInvalid, match="fewer than two rows"):
        link(rows[:1], mapping, seed=0)
