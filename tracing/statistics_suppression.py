"""Small numbers (小数隐藏): which cells of a table are hidden, so that neither they nor the sums tell of anybody."""

from collections.abc import Sequence

Cells = frozenset[tuple[int, int]]


def hidden_cells(table: Sequence[Sequence[int]], threshold: int) -> Cells:
    """(row, column) of the cells to hide in a table whose last row and last column are the sums of the others.

    Hidden are counts above zero and below the threshold, and then, until nothing changes, the smallest further cells
    of every line whose shown cells would let them be worked out: a line with a hidden cell has at least two, and where
    its sum is shown the hidden ones come to the threshold at least, and to more than one each. Zero tells of nobody
    and is shown. A table of one row or column has no sums in that direction.
    """
    height, width = len(table), len(table[0]) if table else 0
    hidden = {(r, c) for r in range(height) for c in range(width) if 0 < table[r][c] < threshold}
    across = [[(r, c) for c in range(width)] for r in range(height)] if width > 1 else []
    down = [[(r, c) for r in range(height)] for c in range(width)] if height > 1 else []
    changed = True
    while changed:
        changed = False
        for line in (*across, *down):
            further = _further(line, table, hidden, threshold)
            if further is not None:
                hidden.add(further)
                changed = True
    return frozenset(hidden)


def _further(
    line: list[tuple[int, int]], table: Sequence[Sequence[int]], hidden: set[tuple[int, int]], threshold: int
) -> tuple[int, int] | None:
    *inner, margin = line
    inside = [cell for cell in inner if cell in hidden]
    if margin in hidden:
        if inside:
            return None
    elif not inside or (len(inside) > 1 and sum(table[r][c] for r, c in inside) >= max(threshold, len(inside) + 1)):
        return None
    shown = [cell for cell in inner if cell not in hidden and table[cell[0]][cell[1]] > 0]
    if shown:
        return min(shown, key=lambda cell: (table[cell[0]][cell[1]], cell))
    return None if margin in hidden else margin
