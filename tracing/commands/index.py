"""`tracing index …`: how the face index stands, whether it is right, and making it anew."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from tracing.face_models import version_in_force
from tracing.gallery_erasure import live, pending_erasure
from tracing.gallery_faces import count_faces
from tracing.gallery_log import break_off, waiting
from tracing.gallery_replica import Replica
from tracing.gallery_verify import verify
from tracing.platform import logs
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only, unit_of_work
from tracing.platform.settings import load_settings
from tracing.services import Services, build_services

app = typer.Typer(no_args_is_help=True, help="The face index.")
console = Console()
PATIENCE_SECONDS = 24 * 3600.0
NO_FACES = "There is no searchable face of the model version in force: nothing to index."


def _services() -> Services:
    settings = load_settings()
    logs.configure(settings)
    return build_services(settings)


@contextmanager
def _bar(title: str) -> Iterator[Callable[[int, int], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task(title, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)


def _in_force(services: Services) -> str:
    with read_only(services.db) as session:
        return version_in_force(session, services)


def _loaded(services: Services) -> Replica | None:
    """This command's own replica: from the newest snapshot and the log, or rebuilt, as any process starts."""
    replica = services.gallery.warm_known(_in_force(services))
    if replica is None:
        return None
    with _bar("loading") as progress:
        started = time.monotonic()
        while replica.loading and time.monotonic() - started < PATIENCE_SECONDS:
            progress(*replica.progress)
            time.sleep(0.05)
    replica.wait(0, services.settings.index.retry_seconds)
    return replica


@app.command()
def status() -> None:
    """Faces, snapshots, the change log, and every process that holds an index. Exit code 1 when one is far behind."""
    services, now = _services(), utc_now()
    settings, version = services.settings.index, _in_force(services)
    with read_only(services.db) as session:
        console.print(f"model version     {version}")
        console.print(f"searchable faces  {count_faces(session, version)}")
        console.print(f"changes logged    {waiting(session, version, 0)}")
        number = pending_erasure(session)
        console.print(f"erasures pending  {'none' if number is None else f'up to change {number}'}")
        table = Table("process", "model version", "faces", "changes behind", "seen", title="Replicas")
        silent = False
        for one in live(session, now, settings.replica_seconds):
            seconds = (now - one.seen_at).total_seconds()
            silent |= seconds > settings.replica_seconds / 2
            behind = waiting(session, one.model_version, one.mark)
            table.add_row(one.process, one.model_version, str(one.faces), str(behind), f"{seconds:.0f} s ago")
    console.print(table)
    files = Table("file", "model version", "faces", "MB", "written", title="Snapshots of this machine")
    for file in services.gallery.store.files():
        files.add_row(
            file.path.name,
            file.model_version,
            str(file.faces),
            f"{file.size / 1e6:.1f}",
            f"{file.written_at:%F %T} UTC",
        )
    console.print(files)
    services.db.dispose()
    raise typer.Exit(1 if silent else 0)


@app.command()
def rebuild() -> None:
    """Make the index anew from the database and write a snapshot; running processes then make theirs anew as well."""
    services = _services()
    replica = services.gallery.warm_known(_in_force(services))
    if replica is None:
        console.print(NO_FACES)
        return
    with unit_of_work(services.db) as session:
        break_off(session, utc_now())
    with _bar("rebuilding") as progress:
        replica.wait(PATIENCE_SECONDS, services.settings.index.retry_seconds)
        faces = replica.rebuild(progress)
    written = services.gallery.snapshot(replica, utc_now())
    console.print(f"{faces} faces indexed; {'a snapshot is written' if written else 'no snapshot was written'}.")
    services.db.dispose()


@app.command(name="verify")
def verify_index(
    repair: Annotated[bool, typer.Option("--repair", help="Mend what differs, here and in every process.")] = False,
) -> None:
    """Compare the index that a process would start with, row by row, with the database. Exit code 1 on differences."""
    services = _services()
    replica = _loaded(services)
    if replica is None:
        console.print(NO_FACES)
        return
    with read_only(services.db) as session, _bar("verifying") as progress:
        found = verify(session, services.vault, replica.exactly(session), progress=progress)
    console.print(
        f"{found.faces} faces compared: {found.missing} missing, {found.altered} altered,"
        f" {found.foreign} that should not be there, {found.unreadable} unreadable in the database."
    )
    if repair and not found.clean:
        # What was written down is as wrong as what was read from it, and the other processes may have read it too.
        services.gallery.store.drop_versions(frozenset())
        with unit_of_work(services.db) as session:
            break_off(session, utc_now())
        replica.rebuild()
        services.gallery.snapshot(replica, utc_now())
        console.print("Mended: a new snapshot is written, and every running process makes its index anew.")
    services.db.dispose()
    raise typer.Exit(0 if found.clean or repair else 1)


@app.command()
def bench(
    queries: Annotated[int, typer.Option(help="Searches to time.")] = 200,
    hits: Annotated[int, typer.Option(help="Nearest faces asked for.")] = 50,
) -> None:
    """Time searches of this installation's own faces: catching up, one query, a batch of 64."""
    services = _services()
    replica = _loaded(services)
    if replica is None:
        console.print(NO_FACES)
        return
    chance = np.random.default_rng(1)
    vectors = chance.standard_normal((max(queries, 64), replica.dimension)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    with read_only(services.db) as session:
        index = replica.caught_up(session, 1)
        caught = [_timed(lambda: replica.caught_up(session, 1)) for _ in range(queries)]
        single = [_timed(partial(index.search, vectors[row : row + 1], hits)) for row in range(queries)]
        batch = _timed(lambda: index.search(vectors[:64], hits)) / 64
    console.print(f"{len(index)} faces, {index.version}, {replica.dimension} values")
    for name, times in (("catching up", caught), ("one query", single)):
        p50, p99 = np.percentile(times, [50, 99]) * 1000
        console.print(f"{name:14} p50 {p50:8.3f} ms   p99 {p99:8.3f} ms")
    console.print(f"{'in a batch':14} {batch * 1000:12.3f} ms a query")
    services.db.dispose()


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
