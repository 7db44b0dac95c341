"""`tracing index …`: how the face index stands, whether it is right, making it anew, and moving it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from matcher.index.base import IndexUnreachable, VectorIndex
from models.index_place import Place
from tracing.commands.index_tables import print_status
from tracing.face_models import version_in_force
from tracing.gallery_log import break_off, look_again
from tracing.gallery_move import MoveRefused, Watcher, await_loaded, refill, to_local, to_milvus
from tracing.gallery_place import in_milvus
from tracing.gallery_replica import Replica
from tracing.gallery_shared import SharedReplica
from tracing.gallery_verify import Verification, verify, verify_shared
from tracing.platform import logs
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only, unit_of_work
from tracing.platform.errors import IndexWarming
from tracing.platform.settings import load_settings
from tracing.services import Services, build_services

app = typer.Typer(no_args_is_help=True, help="The face index.")
console = Console()
PATIENCE_SECONDS = 24 * 3600.0
NO_FACES = "There is no searchable face of the model version in force: nothing to index."


@contextmanager
def _services() -> Iterator[Services]:
    """What the command works with; whatever stops the command is said in a sentence, with exit code 1."""
    settings = load_settings()
    logs.configure(settings)
    services = build_services(settings)
    try:
        yield services
    except (MoveRefused, IndexUnreachable) as error:
        console.print(str(error))
        raise typer.Exit(1) from None
    except IndexWarming:
        console.print("The index is being filled or fed by another process. Try again in a while.")
        raise typer.Exit(1) from None
    finally:
        services.gallery.close_shared()
        services.db.dispose()


@contextmanager
def _bar(title: str) -> Iterator[Callable[[int, int], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task(title, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)


def _say(sentence: str) -> None:
    console.print(sentence, soft_wrap=True)


def _in_force(services: Services) -> tuple[str, bool]:
    """The model version that is searched, and whether the index that all processes share answers."""
    with read_only(services.db) as session:
        return version_in_force(session, services), in_milvus(session)


def _known(services: Services) -> Replica | SharedReplica | None:
    version, shared = _in_force(services)
    return services.gallery.shared_known(version) if shared else services.gallery.warm_known(version)


def _loaded(replica: Replica, services: Services) -> Replica:
    """This command's own replica: from the newest snapshot and the log, or rebuilt, as any process starts."""
    with _bar("loading") as progress:
        await_loaded(replica, progress, PATIENCE_SECONDS)
    replica.wait(0, services.settings.index.retry_seconds)
    return replica


@app.command()
def status() -> None:
    """Where the index is, faces, snapshots, the change log, and every process that answers. Exit code 1 when one is
    far behind, or Milvus does not answer.
    """
    with _services() as services:
        raise typer.Exit(0 if print_status(console, services, _in_force(services)[0], utc_now()) else 1)


@app.command()
def rebuild() -> None:
    """Make the index anew from the database, for every running process. In Milvus: delete it there and fill it anew,
    while searches answer 503; `verify --repair` mends one there without that.
    """
    with _services() as services:
        index = _known(services)
        if index is None:
            console.print(NO_FACES)
        elif isinstance(index, SharedReplica):
            refill(services, index, Watcher(_bar, _say), PATIENCE_SECONDS)
        else:
            _rebuild(services, index)


def _rebuild(services: Services, replica: Replica) -> None:
    with unit_of_work(services.db) as session:
        break_off(session, utc_now())
    with _bar("rebuilding") as progress:
        replica.wait(PATIENCE_SECONDS, services.settings.index.retry_seconds)
        faces = replica.rebuild(progress)
    written = services.gallery.snapshot(replica, utc_now())
    console.print(f"{faces} faces indexed; {'a snapshot is written' if written else 'no snapshot was written'}.")


@app.command(name="verify")
def verify_index(
    repair: Annotated[bool, typer.Option("--repair", help="Mend what differs, here and in every process.")] = False,
) -> None:
    """Compare the index that a process would start with, or the one in Milvus, row by row, with the database. Exit code
    1 on differences.
    """
    with _services() as services:
        index = _known(services)
        if index is None:
            console.print(NO_FACES)
            return
        if isinstance(index, SharedReplica):
            clean = _verify_shared(services, index, repair=repair)
        else:
            clean = _verify_own(services, _loaded(index, services), repair=repair)
        raise typer.Exit(0 if clean or repair else 1)


def _verify_own(services: Services, replica: Replica, *, repair: bool) -> bool:
    with read_only(services.db) as session, _bar("verifying") as progress:
        found = verify(session, services.vault, replica.exactly(session), progress=progress)
    _print_found(found)
    if repair and not found.clean:
        # What was written down is as wrong as what was read from it, and the other processes may have read it too.
        services.gallery.store.drop_versions(frozenset())
        with unit_of_work(services.db) as session:
            break_off(session, utc_now())
        replica.rebuild()
        services.gallery.snapshot(replica, utc_now())
        console.print("Mended: a new snapshot is written, and every running process makes its index anew.")
    return found.clean


def _verify_shared(services: Services, shared: SharedReplica, *, repair: bool) -> bool:
    with _bar("verifying") as progress:
        found = verify_shared(services.db, services.vault, shared, progress)
    _print_found(found.counted)
    if repair and found.ids:
        with unit_of_work(services.db) as session:
            look_again(session, shared.model_version, found.ids, utc_now())
        if not shared.feed():
            raise IndexWarming(retry_after=services.settings.index.retry_seconds)
        console.print("Mended: the faces that differed were put right in Milvus.")
    return not found.ids


def _print_found(found: Verification) -> None:
    console.print(
        f"{found.faces} faces compared: {found.missing} missing, {found.altered} altered,"
        f" {found.foreign} that should not be there, {found.unreadable} unreadable in the database."
    )


@app.command()
def move(
    to: Annotated[Place | None, typer.Option(help="Where the index shall be.")] = None,
    back: Annotated[bool, typer.Option("--back", help="The same as --to local.")] = False,
    wait: Annotated[float, typer.Option(help="Seconds to wait for running processes to be ready.")] = 120,
) -> None:
    """Move the index into Milvus, or back into the processes, while the service goes on. Killed, it goes on where it
    was when it is asked for again; asking for the place where the index is calls a move off.
    """
    if (to is None) is not back:
        raise typer.BadParameter("say where to: --to milvus, --to local or --back")
    with _services() as services:
        watcher = Watcher(_bar, _say)
        if to is Place.MILVUS:
            to_milvus(services, watcher, wait)
        else:
            to_local(services, watcher, wait)


@app.command()
def bench(
    queries: Annotated[int, typer.Option(help="Searches to time.")] = 200,
    hits: Annotated[int, typer.Option(help="Nearest faces asked for.")] = 50,
) -> None:
    """Time searches of this installation's own faces: catching up, one query, a batch of 64."""
    with _services() as services:
        index = _known(services)
        if index is None:
            console.print(NO_FACES)
            return
        if isinstance(index, Replica):
            _loaded(index, services)
        with read_only(services.db) as session:
            caught_up = partial(services.gallery.index, session, index.model_version, index.dimension)
            _time(caught_up, queries, hits)


def _time(caught_up: Callable[[], VectorIndex], queries: int, hits: int) -> None:
    index, chance = caught_up(), np.random.default_rng(1)
    vectors = chance.standard_normal((max(queries, 64), index.dimension)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    caught = [_timed(caught_up) for _ in range(queries)]
    single = [_timed(partial(index.search, vectors[row : row + 1], hits)) for row in range(queries)]
    batch = _timed(lambda: index.search(vectors[:64], hits)) / 64
    console.print(f"{len(index)} faces, {index.version}, {index.dimension} values")
    for name, times in (("catching up", caught), ("one query", single)):
        p50, p99 = np.percentile(times, [50, 99]) * 1000
        console.print(f"{name:14} p50 {p50:8.3f} ms   p99 {p99:8.3f} ms")
    console.print(f"{'in a batch':14} {batch * 1000:12.3f} ms a query")


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
