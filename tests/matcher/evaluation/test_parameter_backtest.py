"""A back-test speaks against figures that do worse, and only against those."""

from dataclasses import replace

import pytest

from matcher.evaluation.parameter_backtest import LEAST_OF_EACH, JudgedScore, backtest

# Ten cases, each with its confirmed candidate at 2 and an excluded one at -1.
ROWS = [
    JudgedScore(str(case), confirmed, score, score)
    for case in range(LEAST_OF_EACH)
    for confirmed, score in ((True, 2.0), (False, -1.0))
]


def changed(confirmed: float, excluded: float, cases: int = LEAST_OF_EACH) -> list[JudgedScore]:
    """The same with other scores after, in so many cases."""
    return [
        replace(row, after=confirmed if row.confirmed else excluded) if int(row.case) < cases else row for row in ROWS
    ]


def test_the_same_figures_have_nothing_against_them() -> None:
    found = backtest(ROWS, 0.0)
    assert (found.confirmed, found.excluded, found.changed, found.objections) == (LEAST_OF_EACH, LEAST_OF_EACH, 0, ())
    assert found.before == found.after
    assert found.before.rank_1 == 1.0


@pytest.mark.parametrize(
    ("rows", "objections"),
    [
        (changed(3.0, -2.0), ()),
        (changed(2.0, -2.0, cases=1), ()),
        (changed(1.5, -1.0), ("Cllr is higher",)),
        (changed(2.0, 2.0, cases=1), ("confirmed candidates come first less often", "Cllr is higher")),
        (changed(-0.1, -1.0, cases=1), ("Cllr is higher", "confirmed candidates fall out of the list")),
        (changed(3.0, -2.0)[:-2], ("fewer than 10 confirmed or excluded candidates",)),
        ([], ("fewer than 10 confirmed or excluded candidates",)),
    ],
)
def test_objections(rows: list[JudgedScore], objections: tuple[str, ...]) -> None:
    assert backtest(rows, 0.0).objections == objections


def test_words_that_change_are_counted() -> None:
    assert backtest(changed(3.5, -1.0, cases=4), 0.0).changed == 4
    assert backtest(changed(2.1, -1.0), 0.0).changed == 0
