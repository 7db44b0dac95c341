"""`tracing parameters …`: evidence figures learned, compared, back-tested and put in force."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from matcher.evaluation.parameter_backtest import Backtest, Measured
from tracing.parameter_learning import backtest_parameters, propose_parameters, use_parameters, write_proposal
from tracing.parameter_sets import IN_FORCE, content_named, list_sets
from tracing.platform import logs
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only, unit_of_work
from tracing.platform.errors import TracingError
from tracing.platform.settings import load_settings
from tracing.services import Services, build_services

app = typer.Typer(no_args_is_help=True, help="The figures that evidence is weighed by.")
console = Console()

Name = Annotated[str, typer.Argument(help="A file, a version that was in force, “packaged”, or “in-force”.")]


@app.command()
def learn(
    start: Annotated[str, typer.Option("--from", help="Figures to start from; named as in the other commands.")] = (
        IN_FORCE
    ),
    prior_pairs: Annotated[float, typer.Option(min=1, help="How many pairs the figures to start from are worth.")] = 50,
    seed: Annotated[int, typer.Option(help="Seed of the random pairs.")] = 0,
) -> None:
    """Learn figures from the service's own candidates and write them to a file. Nothing comes into force."""
    with _services() as services:
        with unit_of_work(services.db) as session:
            base = content_named(session, start)
            found = propose_parameters(session, services, base, prior_pairs=prior_pairs, seed=seed, now=utc_now())
        path = write_proposal(found.content, services.settings.data_dir / "parameters")
    _print_changes(base, found.content)
    console.print(
        f"From {found.confirmed} confirmed, {found.excluded} excluded and {found.undecided} undecided candidates, "
        f"in {found.rounds} rounds."
    )
    console.print(f"Written to {path}. Next: tracing parameters backtest {path}", soft_wrap=True)


@app.command()
def compare(a: Name, b: Name) -> None:
    """What differs between two sets of figures."""
    with _services() as services, read_only(services.db) as session:
        before, after = content_named(session, a), content_named(session, b)
    _print_changes(before, after)


@app.command()
def backtest(name: Name) -> None:
    """Weigh the judged candidates by these figures and by those in force. Exit code 1 when something speaks against."""
    with _services() as services, unit_of_work(services.db) as session:
        before, after = content_named(session, IN_FORCE), content_named(session, name)
        found = backtest_parameters(session, services, before, after, now=utc_now())
    _print_backtest(found)
    if found.objections:
        raise typer.Exit(1)


@app.command()
def use(
    name: Name,
    despite: Annotated[
        str | None, typer.Option(metavar="REASON", help="Although the back-test speaks against it; the reason is kept.")
    ] = None,
) -> None:
    """Put figures in force in every process, if their back-test is not worse, and have the gallery matched again."""
    with _services() as services, unit_of_work(services.db) as session:
        found, judged = use_parameters(session, services, name, despite=despite, now=utc_now())
        version = found.version
    _print_backtest(judged)
    console.print(f"{version} is in force. Workers match every record again under it.")


@app.command(name="list")
def list_all() -> None:
    """Every set of figures that is or was in force."""
    with _services() as services, read_only(services.db) as session:
        rows = list_sets(session)
    shown = Table("version", "state", "in force since", "until", "despite its back-test, because")
    for row in rows:
        times = [f"{at:%Y-%m-%d %H:%M}" if at else "" for at in (row.in_force_at, row.retired_at)]
        shown.add_row(row.version, row.state.value, *times, row.reason or "")
    console.print(shown)


def _print_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    shown = Table("figure", before["version"], after["version"], title="What differs")
    ours, theirs = before["parameters"], after["parameters"]
    for key in [*ours, *(key for key in theirs if key not in ours)]:
        one, other = (rows.get(key, {}).get("value") for rows in (ours, theirs))
        if one != other:
            shown.add_row(key, *("-" if value is None else str(value) for value in (one, other)))
    console.print(shown if shown.row_count else "The figures are the same.")


def _print_backtest(found: Backtest) -> None:
    shown = Table("", "in force", "new", title="Back-test")
    for label, figure in (("rank 1", "rank_1"), ("Cllr", "cllr"), ("confirmed but not listed", "unlisted")):
        shown.add_row(label, *(_text(one, figure) for one in (found.before, found.after)))
    console.print(shown)
    console.print(
        f"{found.confirmed} confirmed and {found.excluded} excluded candidates; "
        f"{found.changed} are called by another word."
    )
    for objection in found.objections:
        console.print(f"Against the new figures: {objection}.")


def _text(measured: Measured, figure: str) -> str:
    value = getattr(measured, figure)
    return "-" if value is None else f"{value:.4f}" if isinstance(value, float) else str(value)


@contextmanager
def _services() -> Iterator[Services]:
    """The services; an expected error is one line on stderr and exit code 2."""
    settings = load_settings()
    logs.configure(settings)
    services = build_services(settings)
    try:
        yield services
    except TracingError as error:
        Console(stderr=True).print(error.message.format(**error.params), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(2) from None
    finally:
        services.db.dispose()
