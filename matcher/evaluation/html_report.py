"""One page of figures with drawings, from the JSON that the commands of `tracing evaluate` write. English, with the
Chinese term beside each heading; it loads nothing and holds no photograph and no name.
"""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from matcher.evaluation import html_report_sections as sections

PAGE_FILE = "evaluation.html"

Figures = Mapping[str, Any]
Section = Callable[[Sequence[tuple[str, Figures]]], str]

SECTIONS: Mapping[str, tuple[str, Section]] = {
    "faces": ("Faces 人脸", sections.faces),
    "linkage": ("Records linked 记录比对", sections.linkage),
    "joint": ("Faces and facts together 综合评测", sections.joint),
    "calibration": ("What a likeness is worth 似然比校准", sections.calibration),
}
"""Sections in their order: prefix of the files' names, heading, and what draws it."""


def render(figures: Mapping[str, Figures], made: str) -> str:
    """The page.

    Args:
        figures: of each measurement by the name of its file, without ".json": "faces-lfw", "joint", "linkage-people".
            A name that begins with no section's word is left out.
        made: when, by which version; stands under the title.

    Raises PlottingUnavailable, and ValueError when there is nothing to show.
    """
    parts, contents = [], []
    for word, (heading, draw) in SECTIONS.items():
        held = [(name, found) for name, found in sorted(figures.items()) if name.split("-")[0] == word]
        if held:
            parts.append(f'<section id="{word}"><h2>{escape(heading)}</h2>\n{draw(held)}\n</section>')
            contents.append(f'<a href="#{word}">{escape(heading)}</a>')
    if not parts:
        raise ValueError(f"no figures to show; a file's name begins with one of {', '.join(SECTIONS)}")
    page = Template(files("matcher.data").joinpath(PAGE_FILE).read_text("utf-8"))
    return page.substitute(made=escape(made), contents=" · ".join(contents), sections="\n".join(parts))
