"""The group `tracing evaluate`, and `tracing calibrate`: how good faces are, and what a likeness is worth."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import numpy as np
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from matcher.calibration import FaceCalibration, load_calibrations, read_calibration, write_calibration
from matcher.evaluation import calibration_report, face_report
from matcher.evaluation.baseline import FaceRecognitionDefault
from matcher.evaluation.calibration_fit import fit_calibration
from matcher.evaluation.calibration_pairs import PairSet, pairs_of
from matcher.evaluation.datasets import Dataset, DatasetInvalid, pool, read_pairs, read_sets
from matcher.evaluation.templates import EngineSource, Metric, Templates, TemplateSource, embed
from matcher.faces.card import read_card
from matcher.faces.card_embedder import CardEmbedder
from matcher.faces.card_fields import CardInvalid
from matcher.faces.dlib_engine import DlibFaceEngine
from matcher.faces.engine import FaceEngine
from matcher.faces.onnx_engine import OnnxFaceEngine
from matcher.faces.weights import FaceEngineUnavailable
from tracing.commands.face_tables import print_calibration, print_fit, print_report
from tracing.platform.clock import utc_now

evaluate_app = typer.Typer(no_args_is_help=True, help="Measure how well people are found.")
console = Console()

FACE_RECOGNITION = "face_recognition"
DLIB_ONNX = "dlib_onnx"

_USUAL = (DatasetInvalid, CardInvalid, FaceEngineUnavailable, ValueError, OSError)


class Views(StrEnum):
    """How many views of a face dlib's embedding is the mean of."""

    ONE = "one"
    MIRROR = "mirror"


Model = Annotated[str, typer.Option(help="face_recognition, dlib_onnx, or the path of a model's card (TOML).")]
ViewsOption = Annotated[Views, typer.Option(help="Views that dlib_onnx averages; a card says its own.")]
Cache = Annotated[Path | None, typer.Option(help="Folder in which templates and built models are kept.")]
Population = Annotated[
    str | None,
    typer.Option(help="Name of the set whose people are like those searched; it weighs as much as all others."),
]
Seed = Annotated[int, typer.Option(help="Seed of every choice that is drawn.")]


@evaluate_app.callback()
def evaluate() -> None:
    """A group, even while it has one command."""


@evaluate_app.command(name="faces")
def evaluate_faces(
    folders: Annotated[
        list[Path],
        typer.Argument(
            metavar="DIR...",
            help="One folder a person, or the layouts of FG-NET (labels.csv) and CFP; several are pooled.",
        ),
    ],
    pairs: Annotated[Path | None, typer.Option(help="Pairs in LFW's format, for the ten folds.")] = None,
    model: Model = DLIB_ONNX,
    views: ViewsOption = Views.MIRROR,
    output: Annotated[Path | None, typer.Option("--json", help="File to write the figures to.")] = None,
    cache: Cache = None,
    seed: Seed = 0,
) -> None:
    """Verification, closed-set and open-set identification, and what the labels allow besides. See docs/accuracy.md."""
    with _one_line():
        sets = _sets(folders)
        if pairs is not None and len(sets) > 1:
            raise DatasetInvalid("--pairs goes with one set")
        dataset = pool(sets)
        listed = None if pairs is None else np.array(read_pairs(pairs, dataset), np.int64)
        source = FaceRecognitionDefault() if model == FACE_RECOGNITION else EngineSource(_engine(model, views, cache))
        figures = face_report.evaluate(dataset, _templates(dataset, source, cache), listed, seed)
        if output is not None:
            output.write_text(json.dumps(figures, indent=2, ensure_ascii=False, allow_nan=False) + "\n", "utf-8")
    print_report(console, figures)


def calibrate(
    faces: Annotated[list[Path], typer.Option(help="A set, or a folder of sets; may be given several times.")],
    output: Annotated[Path, typer.Option("--out", help="File to write the calibration to.")],
    model: Model = DLIB_ONNX,
    population: Population = None,
    views: ViewsOption = Views.MIRROR,
    cache: Cache = None,
    seed: Seed = 0,
) -> None:
    """Fit what a face's likeness is worth as evidence, on labelled photographs. See docs/accuracy.md."""
    with _one_line():
        sets = _sets(faces)
        engine, pairs, metric = _pairs(sets, model, views, cache, seed)
        names = " ".join(f"--faces {one.name}" for one in sets)
        asked = "" if population is None else f" --population {population}"
        day = utc_now().date().isoformat()
        text = f"Fitted on {day} with `tracing calibrate {names} --model {Path(model).name}{asked} --seed {seed}`."
        found = fit_calibration(pairs, metric, engine.model_version, text, population)
        output.write_text(write_calibration(found.calibration), "utf-8")
    print_fit(console, found)
    console.print(f"Written to {output}.")


@evaluate_app.command(name="calibration")
def evaluate_calibration(
    faces: Annotated[list[Path], typer.Option(help="A set, or a folder of sets; may be given several times.")],
    model: Model = DLIB_ONNX,
    calibration: Annotated[
        Path | None, typer.Option(help="File to judge; without it the packaged one, or the card's.")
    ] = None,
    population: Population = None,
    views: ViewsOption = Views.MIRROR,
    output: Annotated[Path | None, typer.Option("--json", help="File to write the figures to.")] = None,
    cache: Cache = None,
    seed: Seed = 0,
) -> None:
    """How honest the likelihood ratios of faces are, by cohort, also with the judged people held out of the fit."""
    with _one_line():
        sets = _sets(faces)
        engine, pairs, metric = _pairs(sets, model, views, cache, seed)
        if metric is not Metric.COSINE:
            raise ValueError("a calibration is of cosines; this model is compared by another measure")
        judged = _calibration(calibration, model, engine.model_version)
        figures = calibration_report.report(pairs, judged, seed, population)
        if output is not None:
            output.write_text(json.dumps(figures, indent=2, ensure_ascii=False, allow_nan=False) + "\n", "utf-8")
    print_calibration(console, figures)


def _pairs(
    sets: tuple[Dataset, ...], model: str, views: Views, cache: Path | None, seed: int
) -> tuple[FaceEngine, list[PairSet], Metric]:
    engine = _engine(model, views, cache)
    source = EngineSource(engine)
    rows = [(one, _templates(one, source, cache)) for one in sets]
    return engine, [pairs_of(one, templates, seed) for one, templates in rows], rows[0][1].metric


def _calibration(file: Path | None, model: str, version: str) -> FaceCalibration | None:
    """The one to judge: the file, else the card's, else the packaged one; None when the model has none."""
    if file is None and model.endswith(".toml"):
        file = read_card(Path(model)).calibration
    if file is None:
        return load_calibrations().get(version)
    found = read_calibration(file)
    if found.model_version != version:
        raise ValueError(f"{file.name} was fitted on {found.model_version}, not on {version}")
    return found


def _sets(folders: list[Path]) -> tuple[Dataset, ...]:
    return tuple(one for folder in folders for one in read_sets(folder))


def _engine(model: str, views: Views, cache: Path | None) -> FaceEngine:
    built = None if cache is None else cache / "models"
    if model == FACE_RECOGNITION:
        return DlibFaceEngine()
    if model == DLIB_ONNX:
        return OnnxFaceEngine(mirrored=views is Views.MIRROR, cache=built)
    if not model.endswith(".toml"):
        raise ValueError(f"--model {model} is neither {FACE_RECOGNITION} nor {DLIB_ONNX} nor a card (a .toml file)")
    return OnnxFaceEngine(embedder=CardEmbedder(read_card(Path(model)), cache=built), cache=built)


def _templates(dataset: Dataset, source: TemplateSource, cache: Path | None) -> Templates:
    with _progress(dataset) as advance:
        return embed(dataset.photos, source, kept=None if cache is None else cache / "templates", progress=advance)


@contextmanager
def _progress(dataset: Dataset) -> Iterator[Callable[[int], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(dataset.name, total=len(dataset.photos))
        yield lambda done: bar.update(task, completed=done)


@contextmanager
def _one_line() -> Iterator[None]:
    """What the caller can put right is one line on stderr and exit code 2."""
    try:
        yield
    except _USUAL as error:
        _refuse(error)


def _refuse(error: Exception) -> NoReturn:
    Console(stderr=True).print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(2) from None
