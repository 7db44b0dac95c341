"""Geometry of plots (统计图), drawn by templates as SVG on the server: columns by month, bars by kind."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tracing.statistics import Cell

WIDTH, HEIGHT = 640.0, 230.0
LEFT, RIGHT, TOP, BOTTOM = 34.0, 8.0, 18.0, 26.0
HIDDEN_HEIGHT = 14.0
"""Of the dashed column that stands for a number that is not told: the same whatever the number is."""
_STEPS = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `text` is empty for nothing, which is not drawn."""

    x: float
    y: float
    width: float
    height: float
    series: int
    hidden: bool
    text: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of an axis: where, and its text."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Columns:
    """A plot of columns side by side, one group a label."""

    columns: tuple[Column, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    width: float = WIDTH
    height: float = HEIGHT
    left: float = LEFT
    right: float = WIDTH - RIGHT
    base: float = HEIGHT - BOTTOM


def step_of(largest: float, ticks: int = 4) -> int:
    """The smallest of 1, 2, 5, 10, 20 … of which `ticks` reach the largest number."""
    wanted = max(1.0, largest / ticks)
    power = 10 ** math.floor(math.log10(wanted))
    return next(int(power * one) for one in (*_STEPS, 10) if power * one >= wanted)


def columns_of(labels: Sequence[str], series: Sequence[Sequence[Cell]]) -> Columns:
    """Every series has one cell a label. Hidden cells are dashed and of one height."""
    shown = [cell.value or 0 for cells in series for cell in cells]
    step = step_of(max(shown, default=0))
    top = step * max(1, math.ceil(max(shown, default=0) / step))
    base, room = HEIGHT - BOTTOM, HEIGHT - BOTTOM - TOP
    slot = (WIDTH - LEFT - RIGHT) / max(1, len(labels))
    width = min(26.0, slot * 0.76 / max(1, len(series)))
    found = []
    for number, cells in enumerate(series):
        for place, cell in enumerate(cells):
            x = LEFT + slot * place + (slot - width * len(series)) / 2 + width * number
            height = HIDDEN_HEIGHT if cell.hidden else (cell.value or 0) / top * room
            if height:
                text = "∗" if cell.hidden else f"{cell.value:g}"
                found.append(Column(x, base - height, width - 1, height, number, cell.hidden, text))
    every = max(1, math.ceil(len(labels) / 12))
    across = tuple(
        Tick(LEFT + slot * (place + 0.5), text) for place, text in enumerate(labels) if place % every == 0
    )  # fmt: skip
    up = tuple(Tick(base - value / top * room, str(value)) for value in range(0, top + 1, step))
    return Columns(tuple(found), across, up)
