"""Commands of `tracing faces` that change the face model: reembed, models, switch, prune."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Event
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

from models.face_model import FaceModelState
from tracing.face_models import begin, list_models, progress, prune, state_of, switch
from tracing.platform import logs
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only, unit_of_work
from tracing.platform.settings import load_settings
from tracing.platform.worker import EmbeddedWorker
from tracing.reembedding import request_reembedding, work
from tracing.services import Services, build_services
from tracing.tasks import REGISTRY

LOOK_SECONDS = 0.5
PATIENCE = timedelta(seconds=2)
"""A server that runs jobs takes one within its poll; after this long nobody is there, and the command runs them."""
PRUNE_BATCH = 500
LEAVE_SECONDS = 1.0
console = Console()


def register(app: typer.Typer) -> None:
    """Add the commands to the group `tracing faces`."""
    app.command()(reembed)
    app.command()(models)
    app.command(name="switch")(switch_to)
    app.command(name="prune")(prune_version)


def reembed(
    to: Annotated[str | None, typer.Option(help="Engine or model version; the setting's without it.")] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Ask for the work and leave; switch later.")] = False,
) -> None:
    """Analyse every photograph under another face model while the service goes on, then switch to it.

    Interrupted, it leaves the work going; run again, it resumes.
    """
    with _services() as services:
        with unit_of_work(services.db) as session:
            model = begin(session, services, to, now=utc_now())
        version, in_force = model.model_version, model.state is FaceModelState.IN_FORCE
        try:
            asked = request_reembedding(services, version, now=utc_now())
            console.print(f"{version}: {asked} pieces of work asked for.")
            if detach:
                console.print(f"When “tracing faces models” shows all photographs done: tracing faces switch {version}")
                return
            _watch(services, version)
        except KeyboardInterrupt:
            console.print("The work stays asked for, and goes on where jobs run. Run the command again to resume.")
            raise typer.Exit(130) from None
        if in_force:
            with read_only(services.db) as session:
                missing = progress(session, version).missing
            console.print(f"{version} is in force already; {missing} photographs could not be analysed.")
            raise typer.Exit(1 if missing else 0)
        _switch(services, version)


def models() -> None:
    """List the face models: which is in force, which is being built, how many photographs each has analysed."""
    with _services() as services, read_only(services.db) as session:
        views = list_models(session, services)
    # Whole in a narrow window too: it is what `switch` and `prune` are given.
    version = Column("model version", overflow="fold")
    table = Table(version, "engine", "state", "photographs", "missing in the search")
    for view in views:
        name = (view.name or "not installed") + (" (wanted)" if view.wanted else "")
        table.add_row(
            view.model_version,
            name,
            view.state.value if view.state else "unused",
            f"{view.progress.done}/{view.progress.total}",
            str(view.progress.searchable_missing),
        )
    console.print(table)


def switch_to(version: Annotated[str, typer.Argument(help="Model version, or the name of its engine.")]) -> None:
    """Bring a complete face model into force, forward or back; everybody in the search is matched again."""
    with _services() as services:
        _switch(services, version)


def prune_version(version: Annotated[str, typer.Argument(help="Model version that is not in force.")]) -> None:
    """Remove the faces of a face model that is not in force."""
    removed = 0
    with _services() as services:
        while True:
            with unit_of_work(services.db) as session:
                count = prune(session, version, limit=PRUNE_BATCH, now=utc_now())
            removed += count
            if not count:
                break
    console.print(f"The faces of {removed} photographs under {version} are removed.")


def _switch(services: Services, version: str) -> None:
    with unit_of_work(services.db) as session:
        model = switch(session, services, version, now=utc_now())
    console.print(f"{model.model_version} is in force. Everybody in the search is matched again in the background.")


def _watch(services: Services, version: str) -> None:
    """Show how far the version is until nothing is missing or nobody will do the rest; run the jobs if nobody does."""
    worker: EmbeddedWorker[Services] | None = None
    pause = Event()
    quiet_since = utc_now()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=console) as bar:
            task = bar.add_task("photographs", total=None)
            while True:
                now = utc_now()
                with read_only(services.db) as session:
                    found, jobs = progress(session, version), work(session, version, now=now)
                    gone = state_of(session, version) in (None, FaceModelState.RETIRED)
                bar.update(task, completed=found.done, total=found.total)
                if gone or not found.missing or (not jobs.open and not _ask_again(services, version, now)):
                    return
                if jobs.running:
                    quiet_since = now
                if worker is None and services.settings.jobs.mode == "embedded" and now - quiet_since > PATIENCE:
                    worker = EmbeddedWorker(services.db, services.settings, REGISTRY, services, utc_now)
                    worker.start()
                pause.wait(LOOK_SECONDS)
    finally:
        if worker is not None:
            # What it was doing is recovered by its lease.
            worker.stop(LEAVE_SECONDS)


def _ask_again(services: Services, version: str, now: datetime) -> bool:
    """Photographs that came meanwhile have jobs of their own, and those that were passed over are asked for again.

    False when some was set aside, or there is nothing to ask for.
    """
    with read_only(services.db) as session:
        set_aside = work(session, version, now=now).set_aside
    if set_aside:
        console.print(f"{set_aside} pieces of work failed as often as they are tried; the log of the jobs says why.")
        return False
    return request_reembedding(services, version, now=now) > 0


@contextmanager
def _services() -> Iterator[Services]:
    settings = load_settings()
    logs.configure(settings)
    settings.check()
    services = build_services(settings)
    try:
        yield services
    finally:
        services.db.dispose()
