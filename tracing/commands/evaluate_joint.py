"""`tracing evaluate joint`: the face alone, everything but the face, and all together, on simulated families."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from matcher.calibration import read_calibration
from matcher.evaluation import joint_report
from matcher.evaluation.joint import FacePerson, build_world, people_of
from matcher.evaluation.joint_fusion import fit_sum, fit_terms
from matcher.evaluation.joint_scores import JointScores, score_world
from matcher.evaluation.population_names import DatabaseNames, NameSource, PackagedNames
from matcher.evaluation.population_rates import Rates, Severity, load_rates
from matcher.evaluation.templates import EngineSource
from matcher.evidence.base import Parameters, load_parameters
from tracing.commands import evaluate
from tracing.commands.evaluate import DLIB_ONNX, Cache, Model, Views, ViewsOption
from tracing.commands.joint_tables import markdown

console = Console()

SEED = 20261125
"""The reported worlds; what is tuned on simulated worlds uses other seeds and severities (docs/accuracy.md)."""


DEVELOPMENT = 10_000
"""Added to the seed for the worlds, one a severity, on which the sum's calibration is fitted and never reported."""


def evaluate_joint(
    faces: Annotated[list[Path], typer.Option(help="A set, or a folder of sets; may be given several times.")],
    model: Model = DLIB_ONNX,
    views: ViewsOption = Views.MIRROR,
    output: Annotated[Path | None, typer.Option("--json", help="File to write the figures to.")] = None,
    cache: Cache = None,
    seed: Annotated[int, typer.Option(help="Seed of the first world; the next ones count up from it.")] = SEED,
    worlds: Annotated[int, typer.Option(min=1, help="Worlds to simulate: the same faces, other identities.")] = 3,
    distractors: Annotated[int, typer.Option(min=0, help="Reports without a photograph in each gallery.")] = 300,
    severity: Annotated[
        list[Severity] | None,
        typer.Option(help="How much is missing and wrong; may be given several times. Without it all three."),
    ] = None,
    calibration: Annotated[
        Path | None,
        typer.Option(help="File of the face's calibration (`tracing calibrate`); the packaged one without it."),
    ] = None,
    names: Annotated[
        Path | None, typer.Option(help="Folder of the Chinese Name Database's tables, for likelier names.")
    ] = None,
) -> None:
    """Simulate families and stations around real faces and measure who is found. See docs/accuracy.md."""
    with evaluate.one_line():
        figures = measure(
            faces,
            model,
            views,
            cache,
            seed,
            worlds,
            distractors,
            severity or list(Severity),
            source_of(names),
            calibration,
        )
        if output is not None:
            output.write_text(json.dumps(figures, indent=2, ensure_ascii=False, allow_nan=False) + "\n", "utf-8")
    # Plain text, so that it can be copied into a document.
    console.print(markdown(figures), markup=False, highlight=False, soft_wrap=True)


def source_of(folder: Path | None) -> NameSource:
    """Names from that folder, or the packaged ones. Raises OSError or ValueError for a folder without the tables."""
    return PackagedNames() if folder is None else DatabaseNames(folder)


def measure(
    faces: Sequence[Path],
    model: str,
    views: Views,
    cache: Path | None,
    seed: int,
    worlds: int,
    distractors: int,
    severities: Sequence[Severity],
    names: NameSource,
    calibration: Path | None = None,
) -> dict[str, Any]:
    """Figures by severity, with what they were measured on. Raises what `evaluate.one_line` tells."""
    sets = evaluate.sets_in(list(faces))
    engine = evaluate.engine_of(model, views, cache)
    people = [
        person for one in sets for person in people_of(one, evaluate.templates_of(one, EngineSource(engine), cache))
    ]
    parameters = _parameters(calibration)
    if engine.model_version not in parameters.calibrations:
        raise ValueError(f"{engine.model_version} has no calibration: `tracing calibrate` fits one")
    model_version = engine.model_version

    def scored(severity: Severity, seeds: Sequence[int]) -> list[JointScores]:
        return _scored(people, model_version, names, load_rates(severity), seeds, distractors, parameters)

    development = [world for severity in Severity for world in scored(severity, [seed + DEVELOPMENT])]
    fit, terms = fit_sum(development), fit_terms(development)
    del development
    by_severity = {
        severity.value: joint_report.report(scored(severity, range(seed, seed + worlds)), seed, fit)
        for severity in severities
    }
    return {
        "sets": [one.name for one in sets],
        "photos": sum(len(one.photos) for one in sets),
        "people": len(people),
        "model": engine.model_version,
        "names": names.name,
        "simulation": load_rates().version,
        "parameters": parameters.version,
        "calibration": parameters.calibrations[model_version].source,
        "seed": seed,
        "distractors": distractors,
        "severities": by_severity,
        "development": {"seed": seed + DEVELOPMENT, "slope": fit.slope, "neutral": fit.neutral, "terms": terms},
    }


def _parameters(calibration: Path | None) -> Parameters:
    """Those in force, with this calibration instead of the packaged one of its model. Raises as `read_calibration`."""
    parameters = load_parameters()
    if calibration is None:
        return parameters
    found = read_calibration(calibration)
    return replace(parameters, calibrations=MappingProxyType({**parameters.calibrations, found.model_version: found}))


def _scored(
    people: Sequence[FacePerson],
    model: str,
    names: NameSource,
    rates: Rates,
    seeds: Sequence[int],
    distractors: int,
    parameters: Parameters,
) -> list[JointScores]:
    found: list[JointScores] = []
    with _progress(f"{rates.severity.value} worlds") as (start, advance):
        for seed in seeds:
            world = build_world(people, model, names, rates, seed, distractors)
            start(len(world.probes) * len(seeds), len(world.probes) * len(found))
            found.append(score_world(world, parameters, advance))
    return found


@contextmanager
def _progress(words: str) -> Iterator[tuple[Callable[[int, int], None], Callable[[int], None]]]:
    """(start, advance): `start` says how many searches there are and how many are behind, `advance` how many since."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(words, total=None)
        behind = 0

        def start(total: int, done: int) -> None:
            nonlocal behind
            behind = done
            bar.update(task, total=total, completed=done)

        yield start, lambda done: bar.update(task, completed=behind + done)
