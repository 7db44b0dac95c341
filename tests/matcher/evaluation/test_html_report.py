"""`matcher.evaluation.html_report` and its drawings: one page that loads nothing."""

import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from matcher.calibration import load_calibrations
from matcher.evaluation import calibration_report, joint_report, plots
from matcher.evaluation.calibration_pairs import pairs_of
from matcher.evaluation.face_report import evaluate
from matcher.evaluation.html_report import render
from tests.matcher.evaluation.sources import templates_of
from tests.matcher.evaluation.test_face_report import perfect
from tests.matcher.evaluation.test_joint_report import made

pytest.importorskip(plots.PACKAGE)


class Reader(HTMLParser):
    """Collects what a page would load, and checks that elements close."""

    VOID = frozenset({"meta"})

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.open: list[str] = []
        self.headings: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loaded += [value or "" for name, value in attrs if name in {"src", "href", "xlink:href"}]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "h2":
            self.headings.append(data)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    return reader


def face_figures() -> dict[str, Any]:
    dataset, rows = perfect(20, single=30)
    return evaluate(dataset, templates_of(rows), None, 0) | {"set": "a<b"}


def joint_figures() -> dict[str, Any]:
    fused = np.random.default_rng(0).normal(-1, 1, (30, 40))
    fused[np.arange(25), np.arange(25)] += 4
    world = made(fused.tolist(), [*range(25), *[-1] * 5], face=fused.tolist())
    return {
        "sets": ["made"], "photos": 50, "people": 30, "model": "made-1", "names": "none", "simulation": "s",
        "parameters": "p", "seed": 0, "severities": {"usual": joint_report.report([world], 0)},
    }  # fmt: skip


def calibration_figures() -> dict[str, Any]:
    dataset, rows = perfect(20, single=30)
    noise = np.random.default_rng(1).normal(0, 0.2, (70, 50))
    templates = templates_of((np.array(rows) + noise).tolist())
    calibration = next(iter(load_calibrations().values()))
    return calibration_report.report([pairs_of(dataset, templates, 0)], calibration, 0)


def test_a_page_of_everything_loads_nothing() -> None:
    figures = {
        "faces-a": face_figures(),
        "joint": joint_figures(),
        "linkage-people": {"precision": 0.9, "recall": 0.8, "f1": 0.847, "rank_1": None, "roc": [[0, 0], [0.1, 0.8]]},
        "calibration": calibration_figures(),
        "unrelated": {},
    }  # fmt: skip
    page = render(figures, "2026-11-25 <now>")
    reader = read(page)
    assert len(reader.headings) == 4
    assert all(target.startswith("#") for target in reader.loaded)
    assert "<script" not in page
    assert "default-src 'none'" in page
    assert "a&lt;b" in page
    assert "a<b" not in page
    assert page.count("<svg") == page.count("<figcaption>") == 6
    assert "人脸" in page


def test_sections_appear_when_their_figures_do() -> None:
    page = render({"joint": joint_figures()}, "now")
    assert read(page).headings == ["Faces and facts together 综合评测"]
    assert "not met 未达标" in page or "met 达标" in page
    with pytest.raises(ValueError, match="no figures to show"):
        render({"other": {}}, "now")


def test_drawings_are_the_same_each_time() -> None:
    one, other = (plots.lines({"a": [(1, 2), (2, 3)], "b": [(1, 1)]}, ("x", "y")) for _ in range(2))
    assert one == other
    assert re.search(r">\s*a\s*<", one)
    drawn = plots.bars(["one", "two"], {"a": [0.5, None]}, "share")
    assert drawn.startswith("<svg")
    with pytest.raises(ValueError, match="argument"):
        plots.bars(["one", "two"], {"a": [0.5]}, "share")
