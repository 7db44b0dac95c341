"""Small numbers: whatever a table holds, no small count can be read off or worked out from what is shown."""

from hypothesis import given
from hypothesis import strategies as st

from tracing.statistics_suppression import hidden_cells

THRESHOLD = 5


def with_sums(inner: list[list[int]]) -> list[list[int]]:
    rows = [[*row, sum(row)] for row in inner]
    return [*rows, [sum(column) for column in zip(*rows, strict=True)]]


TABLES = st.integers(1, 5).flatmap(
    lambda width: st.lists(
        st.lists(st.integers(0, 12), min_size=width, max_size=width), min_size=1, max_size=5
    ).map(with_sums)
)  # fmt: skip


def lines_of(table: list[list[int]]) -> list[list[tuple[int, int]]]:
    height, width = len(table), len(table[0])
    return [
        *([(r, c) for c in range(width)] for r in range(height)),
        *([(r, c) for r in range(height)] for c in range(width)),
    ]


@given(TABLES)
def test_no_small_count_is_shown_or_follows_from_one_line(table: list[list[int]]) -> None:
    hidden = hidden_cells(table, THRESHOLD)
    for row, line in enumerate(table):
        for column, value in enumerate(line):
            assert not 0 < value < THRESHOLD or (row, column) in hidden
            assert value or (row, column) not in hidden
    for cells in lines_of(table):
        inside = [cell for cell in cells if cell in hidden]
        assert len(inside) != 1, (table, hidden)  # one unknown in a sum is known
        if inside and cells[-1] not in hidden:
            # Zeros are shown, so each hidden one is at least 1: a sum of as many as there are would tell them all.
            assert sum(table[r][c] for r, c in inside) >= max(THRESHOLD, len(inside) + 1)


@given(TABLES)
def test_what_is_worked_out_line_by_line_is_never_small(table: list[list[int]]) -> None:
    """An attacker who solves every line with one unknown, again and again, learns no small count."""
    hidden = set(hidden_cells(table, THRESHOLD))
    learned = True
    while learned:
        learned = False
        for cells in lines_of(table):
            unknown = [cell for cell in cells if cell in hidden]
            if len(unknown) == 1:
                hidden.discard(unknown[0])
                learned = True
    small = {(r, c) for r, line in enumerate(table) for c, value in enumerate(line) if 0 < value < THRESHOLD}
    assert small <= hidden


def test_an_example() -> None:
    table = with_sums([[20, 3, 9], [30, 40, 50]])
    assert hidden_cells(table, THRESHOLD) == {(0, 1), (0, 2), (1, 1), (1, 2)}
    assert hidden_cells(with_sums([[20, 8], [9, 7]]), THRESHOLD) == frozenset()
    assert hidden_cells([[3]], THRESHOLD) == {(0, 0)}
    assert hidden_cells([[7, 0, 7]], THRESHOLD) == frozenset()
    assert (0, 5) in hidden_cells([[1, 1, 1, 1, 1, 5]], THRESHOLD)  # five hidden ones that come to five
