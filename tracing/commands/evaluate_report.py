"""`tracing evaluate report`: one HTML page from the figures that the other commands wrote."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from matcher.evaluation.html_report import SECTIONS, render
from matcher.evaluation.plots import PlottingUnavailable
from tracing.commands import evaluate
from tracing.platform.clock import utc_now

console = Console()

REPORT_FILE = "report.html"


def evaluate_report(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help=f"Folder with what --json wrote; names begin with {', '.join(SECTIONS)} (faces-lfw.json, joint.json).",
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("--out", help=f"File to write the page to; {REPORT_FILE} in the folder without it.")
    ] = None,
) -> None:
    """Draw the figures in a folder as one page that loads nothing."""
    with evaluate.one_line():
        if not folder.is_dir():
            raise ValueError(f"{folder} is not a folder")
        figures = {path.stem: _read(path) for path in sorted(folder.glob("*.json"))}
        made = f"{utc_now().date().isoformat()}, guitu {version('guitu')}, {', '.join(figures)}"
        try:
            page = render(figures, made)
        except PlottingUnavailable as error:
            raise ValueError(str(error)) from error
        except (KeyError, TypeError) as error:
            raise ValueError(f"a file in {folder} does not hold what its command writes: {error}") from error
        target = output or folder / REPORT_FILE
        target.write_text(page, "utf-8")
    console.print(f"Written to {target}.", markup=False, highlight=False, soft_wrap=True)


def _read(path: Path) -> dict[str, object]:
    try:
        held = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"{path.name} is no JSON: {error}") from error
    if not isinstance(held, dict):
        raise ValueError(f"{path.name} holds no JSON object")
    return held
