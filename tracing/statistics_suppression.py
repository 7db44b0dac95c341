"""Small numbers (小数隐藏): which cells of a table are hidden, so that neither they nor the sums tell of anybody."""

import heapq
from collections.abc import Sequence

Place = tuple[int, int]
"""(row, column)."""
Line = tuple[str, int] | None
"""A row or a column by its number; None for all those that have no sum."""


def hidden_cells(table: Sequence[Sequence[int]], threshold: int) -> frozenset[Place]:
    """The cells to hide in a table whose last row and last column are the sums of the others.

    Hidden are counts above zero and below the threshold, and then, until nothing changes, the smallest further cells
    without which they could be worked out: where the sum of a line is shown, its hidden ones come to the threshold at
    least; and no hidden cell follows from the sums of all lines together, also for whoever knows that zero tells of
    nobody and is always shown. A table of one row or column has no sums in that direction.
    """
    height, width = len(table), len(table[0]) if table else 0
    count = {(r, c): table[r][c] for r in range(height) for c in range(width) if table[r][c] > 0}
    hidden = {place for place, number in count.items() if number < threshold}
    across = [[(r, c) for c in range(width)] for r in range(height)] if width > 1 else []
    down = [[(r, c) for r in range(height)] for c in range(width)] if height > 1 else []
    while True:
        before = len(hidden)
        for line in (*across, *down):
            _hide_enough(line, count, hidden, threshold)
        _leave_open(count, hidden, height, width)
        if len(hidden) == before:
            return frozenset(hidden)


def _hide_enough(line: list[Place], count: dict[Place, int], hidden: set[Place], threshold: int) -> None:
    *inner, margin = line
    inside = [place for place in inner if place in hidden]
    shown = sorted((count[place], place) for place in inner if place in count and place not in hidden)
    while inside and margin not in hidden and sum(count[place] for place in inside) < threshold:
        further = shown.pop(0)[1] if shown else margin
        inside.append(further)
        hidden.add(further)


def _leave_open(count: dict[Place, int], hidden: set[Place], height: int, width: int) -> None:
    """Hide what keeps every hidden cell from being determined by the sums.

    Lines are the nodes of a graph and cells its edges. The numbers of a closed round of edges can be one more and one
    less by turns without a sum being changed, and other solutions of the sums differ by such rounds alone; so a cell
    is determined exactly if it is on no round of hidden cells whose falling ones are above one.
    """
    steps: dict[Line, list[tuple[Place, Line]]] = {}
    ends: dict[Place, tuple[Line, Line]] = {}
    for place, number in count.items():
        # A line that has no sum may hold any number: all of these are one node.
        row = ("row", place[0]) if width > 1 else None
        column = ("column", place[1]) if height > 1 else None
        is_sum = (place[0] == height - 1 and height > 1) != (place[1] == width - 1 and width > 1)
        start, end = ends[place] = (column, row) if is_sum else (row, column)
        steps.setdefault(start, []).append((place, end))
        if number > 1:
            steps.setdefault(end, []).append((place, start))
    open_ones: set[Place] = set()
    for place in sorted(hidden):
        if place in open_ones:
            continue
        start, end = ends[place]
        rounds = [_cheapest(count, hidden, steps, place, end, start)]
        if count[place] > 1:
            rounds.append(_cheapest(count, hidden, steps, place, start, end))
        # None at all: only where some of a sum is in no line.
        _, way = min((found for found in rounds if found is not None), default=(0, ()))
        hidden.update(way)
        open_ones.update(way, [place])


def _cheapest(
    count: dict[Place, int],
    hidden: set[Place],
    steps: dict[Line, list[tuple[Place, Line]]],
    without: Place,
    start: Line,
    goal: Line,
) -> tuple[int, tuple[Place, ...]] | None:
    """The way between two lines over cells that costs the least shown numbers, and its cost; None if there is none."""
    waiting: list[tuple[int, int, tuple[Place, ...], Line]] = [(0, 0, (), start)]
    reached: set[Line] = set()
    pushed = 0
    while waiting:
        so_far, _, way, line = heapq.heappop(waiting)
        if line == goal:
            return so_far, way
        if line in reached:
            continue
        reached.add(line)
        for place, other in steps.get(line, ()):
            if other not in reached and place != without:
                pushed += 1
                cost = 0 if place in hidden else count[place]
                heapq.heappush(waiting, (so_far + cost, pushed, (*way, place), other))
    return None
