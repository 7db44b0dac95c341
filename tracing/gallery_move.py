"""Moving the index (迁移): from the processes into Milvus, or back, while searches go on where they were.

Every step may be repeated. A move that was killed stays begun (`IndexPlace.moving_to`) and goes on when it is asked for
again; asking for the place in force calls it off. The switch is one row, and comes when the new place holds what the
database has and every running process has said that it reaches it.
"""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from sqlalchemy.orm import Session

from matcher.index.base import IndexUnreachable
from models.index_place import IndexPlace, Place
from tracing.face_models import live_versions, version_in_force
from tracing.gallery_erasure import live
from tracing.gallery_log import look_again
from tracing.gallery_milvus import checked_location, drop_milvus
from tracing.gallery_place import location_of, locked, shared_rows, wanted
from tracing.gallery_replica import Progress, Replica
from tracing.gallery_shared import SharedReplica
from tracing.gallery_verify import verify, verify_shared
from tracing.platform.clock import Clock, utc_now
from tracing.platform.db import read_only, unit_of_work
from tracing.services import Services
from tracing.trail import note

POLL_SECONDS = 0.5
TRIES = 5


class MoveRefused(Exception):
    """The move cannot be made, or not now; the message names the remedy."""


@dataclass(frozen=True)
class Watcher:
    """Whoever looks on: `bar` shows (done, total) of a step while it lasts, `say` a sentence."""

    bar: Callable[[str], AbstractContextManager[Progress]]
    say: Callable[[str], None]


def to_milvus(services: Services, watcher: Watcher, patience_seconds: float, clock: Clock = utc_now) -> None:
    """Fill Milvus, follow the log, compare, wait for every process, switch. Raises MoveRefused and IndexUnreachable."""
    shared = _shared(services)
    with unit_of_work(services.db) as session:
        if not _begin_to_milvus(session, services, watcher, clock):
            return
    for one in shared:
        _complete(services, one, watcher, patience_seconds, clock)
    _wait(services, Place.LOCAL, Place.MILVUS, watcher, patience_seconds, clock)
    for one in shared:
        one.feed()
    _switch(services, Place.MILVUS, clock)
    watcher.say("Searches are answered by Milvus from now on. To go back: tracing index move --to local")


def to_local(services: Services, watcher: Watcher, patience_seconds: float, clock: Clock = utc_now) -> None:
    """Make replicas, compare, wait for every process, switch, take the faces out of Milvus. Raises MoveRefused.

    Milvus is not asked for anything before the switch: this is also the way out when it is broken.
    """
    with unit_of_work(services.db) as session:
        row = locked(session, clock())
        in_force = row.place
        if in_force is Place.MILVUS:
            _begin(session, row, Place.LOCAL, watcher, clock)
        else:
            called_off, row.moving_to, row.moving_since = row.moving_to, None, None
            watcher.say("The move is called off." if called_off else "Each process keeps its own index already.")
    if in_force is Place.MILVUS:
        for version in _versions(services):
            _make_local(services, version, watcher, patience_seconds, clock)
        _wait(services, Place.MILVUS, Place.LOCAL, watcher, patience_seconds, clock)
        _switch(services, Place.LOCAL, clock)
        watcher.say("Searches are answered by each process's own index from now on.")
    services.gallery.close_shared()
    try:
        left = drop_unwanted(services)
    except IndexUnreachable as error:
        watcher.say(f"{error}. The running processes take the faces out of Milvus when it answers; erasures wait.")
    else:
        watcher.say("Faces are still in Milvus: run this again." if left else "No face is left in Milvus.")


def refill(
    services: Services, shared: SharedReplica, watcher: Watcher, patience_seconds: float, clock: Clock = utc_now
) -> None:
    """Delete the shared index of a model version and fill it anew, of the plan that the settings name, while it is in
    force: searches answer 503 meanwhile. Raises MoveRefused and IndexUnreachable.
    """
    shared.give_up(shared.row())
    if shared.row() is not None and not drop_shared(services, shared, lambda _: False):
        raise MoveRefused("Another process is filling it or feeding it. Run this again in a minute.")
    _complete(services, shared, watcher, patience_seconds, clock)


def drop_unwanted(services: Services) -> int:
    """Take out of Milvus what no search wants there, when the place is LOCAL; how many model versions are left there.
    Raises IndexUnreachable.
    """

    def is_wanted(session: Session) -> bool:
        return Place.MILVUS in wanted(session)

    with read_only(services.db) as session:
        rows = [] if is_wanted(session) else shared_rows(session)
    for row in rows:
        drop_shared(services, services.gallery.shared(row.model_version, row.dimension), is_wanted)
    with unit_of_work(services.db) as session:
        place = locked(session, utc_now())
        left = len(shared_rows(session))
        if not left and Place.MILVUS not in (place.place, place.moving_to):
            place.location = None
    return left


def drop_shared(services: Services, shared: SharedReplica, unless: Callable[[Session], bool]) -> bool:
    """Take one model version out of Milvus, `unless` that is true of a session. Raises IndexUnreachable."""

    def drop(model_version: str) -> None:
        with read_only(services.db) as session:
            drop_milvus(session, services.settings.index, model_version)

    return shared.drop(unless, drop)


def _begin_to_milvus(session: Session, services: Services, watcher: Watcher, clock: Clock) -> bool:
    settings, now = services.settings.index, clock()
    location = location_of(settings)
    if location is None or settings.milvus_url is None:
        raise MoveRefused("GUITU_INDEX__MILVUS_URL is not set: give every process the address of Milvus first.")
    row = locked(session, now)
    if row.location not in (None, location) and (row.place is Place.MILVUS or shared_rows(session)):
        raise MoveRefused(
            f"Faces are kept in Milvus at {row.location} (address and prefix). Move them back first, with settings that"
            " name it: tracing index move --to local"
        )
    if row.place is Place.MILVUS:
        called_off, row.moving_to, row.moving_since = row.moving_to, None, None
        watcher.say("The move back is called off." if called_off else "The index is in Milvus already.")
        return False
    running = sorted({one.process for one in live(session, now, settings.replica_seconds)})
    if "://" not in settings.milvus_url and running:
        raise MoveRefused(
            "A Milvus Lite file can be open in one process at a time. Stop these first, or use a Milvus server: "
            + ", ".join(running)
        )
    row.location = location
    _begin(session, row, Place.MILVUS, watcher, clock)
    session.flush()
    checked_location(session, settings)
    return True


def _begin(session: Session, row: IndexPlace, to: Place, watcher: Watcher, clock: Clock) -> None:
    now = clock()
    if row.moving_to is to and row.moving_since is not None:
        watcher.say(f"Going on with the move begun at {row.moving_since:%F %T} UTC.")
        return
    row.moving_to, row.moving_since = to, now
    note(session, None, "index.move_begun", "index", None, at=now, to=to.value)


def _complete(
    services: Services, shared: SharedReplica, watcher: Watcher, patience_seconds: float, clock: Clock
) -> None:
    """Filled, fed to the end of the log, and equal to the database."""
    version, started = shared.model_version, time.monotonic()
    for _ in range(TRIES):
        while True:
            with watcher.bar(f"copying {version}") as progress:
                if _filled(shared, progress) and shared.feed():
                    break
            if time.monotonic() - started > patience_seconds:
                raise MoveRefused(f"Another process holds the lease on {version}. Run this again when it has ended.")
            time.sleep(POLL_SECONDS)
        with watcher.bar(f"comparing {version}") as progress:
            found = verify_shared(services.db, services.vault, shared, progress)
        if not found.ids:
            watcher.say(f"{version}: {found.faces} faces are in Milvus and equal those of the database.")
            return
        with unit_of_work(services.db) as session:
            look_again(session, version, found.ids, clock())
    raise MoveRefused(f"{version}: {len(found.ids)} faces in Milvus differ from the database again and again.")


def _filled(shared: SharedReplica, progress: Progress) -> bool:
    try:
        return shared.fill(progress)
    except TimeoutError as error:
        raise MoveRefused(f"{error}. See docs/scale.md on what a server needs, then run this again.") from error


def _make_local(services: Services, version: str, watcher: Watcher, patience_seconds: float, clock: Clock) -> None:
    replica = services.gallery.warm_known(version)
    if replica is None:
        return
    with watcher.bar(f"loading {version}") as progress:
        await_loaded(replica, progress, patience_seconds)
    replica.wait(0, services.settings.index.retry_seconds)
    with watcher.bar(f"comparing {version}") as progress, read_only(services.db) as session:
        found = verify(session, services.vault, replica.exactly(session), progress)
    if not found.clean:
        raise MoveRefused(f"{version}: the index made here differs from the database. Run tracing index verify.")
    services.gallery.snapshot(replica, clock())
    watcher.say(f"{version}: {found.faces} faces are indexed here and equal those of the database.")


def await_loaded(replica: Replica, progress: Progress, patience_seconds: float) -> None:
    """Until a replica is loaded, or its loading failed."""
    started = time.monotonic()
    while replica.loading and time.monotonic() - started < patience_seconds:
        progress(*replica.progress)
        time.sleep(0.05)


def _wait(
    services: Services, now_in: Place, to: Place, watcher: Watcher, patience_seconds: float, clock: Clock
) -> None:
    """Until every process that answers from the one place has said that it could answer from the other."""
    started, seconds = time.monotonic(), services.settings.index.replica_seconds
    with watcher.bar("waiting for every process") as progress:
        while True:
            with read_only(services.db) as session:
                rows = live(session, clock(), seconds)
            here = {(one.process, one.model_version) for one in rows if one.place is now_in}
            missing = here - {(one.process, one.model_version) for one in rows if one.place is to}
            progress(len(here) - len(missing), len(here))
            if not missing:
                return
            if time.monotonic() - started > patience_seconds:
                names = ", ".join(sorted({process for process, _ in missing}))
                remedy = (
                    "Give each GUITU_INDEX__MILVUS_URL and _TOKEN, see its log, restart it"
                    if to is Place.MILVUS
                    else "See their logs"
                )
                raise MoveRefused(f"These processes are not ready for it: {names}. {remedy}, then run this again.")
            time.sleep(POLL_SECONDS)


def _switch(services: Services, to: Place, clock: Clock) -> None:
    now = clock()
    with unit_of_work(services.db) as session:
        row = locked(session, now)
        if row.moving_to is not to:
            raise MoveRefused("The move was called off by another command.")
        row.place, row.changed_at, row.moving_to, row.moving_since = to, now, None, None
        note(session, None, "index.moved", "index", None, at=now, to=to.value)


def _versions(services: Services) -> list[str]:
    with read_only(services.db) as session:
        return sorted(live_versions(session, services) | {version_in_force(session, services)})


def _shared(services: Services) -> list[SharedReplica]:
    found = [one for version in _versions(services) if (one := services.gallery.shared_known(version)) is not None]
    if not found:
        raise MoveRefused("There is no searchable face: nothing to move.")
    return found
