"""Figures drawn as SVG, by matplotlib where it is installed: no screen, no network, the same data the same drawing."""

import warnings
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from io import StringIO
from typing import Any

PACKAGE = "matplotlib"

# Okabe and Ito's colours, which people who see colours differently tell apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_STYLE = {
    "svg.fonttype": "none",  # text stays text: readable, searchable, and any script the reader's fonts know
    "svg.hashsalt": "guitu",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
}

Points = Sequence[tuple[float, float]]


class PlottingUnavailable(Exception):
    """matplotlib is not installed; the message names the remedy."""


def lines(
    series: Mapping[str, Points],
    labels: tuple[str, str],
    *,
    logarithmic: bool = False,
    diagonal: bool = False,
    limits: tuple[float, float] | None = None,
) -> str:
    """Lines through points as an SVG element, one a name.

    Args:
        series: points (x, y) by name.
        labels: of both axes.
        logarithmic: the x axis in decades.
        diagonal: also where x equals y, for reliability diagrams.
        limits: of the y axis.

    Raises PlottingUnavailable.
    """
    with _styled():
        figure, axes = _canvas(6.4, 3.8)
        for (name, points), colour in zip(series.items(), _colours(len(series)), strict=True):
            axes.plot(
                [x for x, _ in points], [y for _, y in points], marker="o", markersize=3, label=name, color=colour
            )
        if diagonal:
            known = [value for points in series.values() for x, y in points for value in (x, y)]
            ends = [min(known, default=0), max(known, default=1)]
            axes.plot(ends, ends, linestyle=":", color="#888888", linewidth=1)
        if logarithmic:
            axes.set_xscale("log")
        if limits is not None:
            axes.set_ylim(*limits)
        axes.set_xlabel(labels[0])
        axes.set_ylabel(labels[1])
        axes.grid(visible=True, color="#e4e4e4", linewidth=0.6)
        if len(series) > 1:
            axes.legend(frameon=False, fontsize=9)
        return _svg(figure)


def bars(groups: Sequence[str], series: Mapping[str, Sequence[float | None]], label: str) -> str:
    """Bars lying down as an SVG element: `series` holds one value a group, None where there is none.

    Raises PlottingUnavailable, ValueError when a series has another number of values than there are groups.
    """
    with _styled():
        count = max(1, len(series))
        figure, axes = _canvas(6.4, 0.7 + 0.26 * len(groups) * max(1, count * 0.7))
        height = 0.8 / count
        for at, ((name, values), colour) in enumerate(zip(series.items(), _colours(count), strict=True)):
            places = [row + (at - (count - 1) / 2) * height for row, _ in zip(range(len(groups)), values, strict=True)]
            axes.barh(places, [value or 0.0 for value in values], height=height, label=name, color=colour)
        axes.set_yticks(range(len(groups)), groups)
        axes.invert_yaxis()
        axes.set_xlabel(label)
        axes.grid(visible=True, axis="x", color="#e4e4e4", linewidth=0.6)
        axes.set_axisbelow(True)
        if len(series) > 1:
            axes.legend(frameon=False, fontsize=9)
        return _svg(figure)


def _styled() -> Any:
    if find_spec(PACKAGE) is None:
        raise PlottingUnavailable(f"The report needs {PACKAGE}. Install it with pip install 'guitu[report]'.")
    return import_module(PACKAGE).rc_context(_STYLE)


def _canvas(width: float, height: float) -> tuple[Any, Any]:
    # Figure without pyplot: nothing global is kept, and no screen is looked for.
    figure = import_module("matplotlib.figure").Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def _colours(count: int) -> list[str]:
    return [COLOURS[at % len(COLOURS)] for at in range(count)]


def _svg(figure: Any) -> str:
    text = StringIO()
    with warnings.catch_warnings():
        # Text stays text, so that a script which matplotlib's own font lacks is drawn by the reader's.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    drawn = text.getvalue()
    return drawn[drawn.index("<svg") :]
