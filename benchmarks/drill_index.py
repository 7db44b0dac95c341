"""The index drill: processes that add, remove, snapshot and rebuild are killed with -9; afterwards the index is right.

    python -m benchmarks.drill_index [--kills 300] [--seed 1] [--faces 400] [--postgresql] [--approximate compressed]

Each cycle forks a process that works as fast as it can on the installation's database and index folder, kills it at a
random moment, and then starts another as any process starts (newest whole snapshot, then the log; else a rebuild) that
compares its index with the database row by row. A worker is killed after a random time, or just when it has begun to
write a snapshot, to rebuild, or to commit, so that the short moments are met too. `--approximate` has that index in
place of the exact one from a few faces on. The last line is one JSON object.
"""

import argparse
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import create_engine, make_url, select, text, update

from benchmarks.synthetic_gallery import embedding, services_for
from matcher.index.choice import SORTS
from matcher.vocabulary import GalleryKind
from models.face import Face
from models.photo import Photo
from models.report import Report, ReportState
from tests.factories.gallery import AT, VERSION, Ground, make_ground, make_person
from tracing.gallery_log import head, trim
from tracing.gallery_verify import Verification, verify
from tracing.platform import migrations
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only, unit_of_work
from tracing.platform.settings import DatabaseSettings, FaceSettings, IndexSettings, Settings
from tracing.services import Services

# Forked, so that a cycle does not spend a second on imports; this process itself never touches an index.
FORK = multiprocessing.get_context("fork")
FEW = 40
"""Faces from which the index is approximate, where the drill is told to."""
TRIED = ("add", "remove", "restore", "choose", "close", "search", "snapshot", "rebuild", "trim")
APPROXIMATE: dict[str | None, dict[str, Any]] = {None: {}} | {
    sort: {"approximate_from": FEW, "approximate": sort} for sort in SORTS
}
LONGEST_LIFE_SECONDS = 0.25
NAMED = ("snapshot", "rebuild", "trim", "add", "remove")


def settings_of(folder: Path, url: str, approximate: str | None = None) -> Settings:
    """Settings of the throw-away installation."""
    return Settings(
        _env_file=None,
        data_dir=folder,
        log_level="ERROR",
        database=DatabaseSettings(url=SecretStr(url)),
        faces=FaceSettings(engine="none"),
        index=IndexSettings.model_validate({"wait_seconds": 30} | APPROXIMATE[approximate]),
    )


def work(settings: Settings, ground: Ground, seed: int, say: Connection) -> None:
    """What the victim does until it is killed: one thing after another, each announced first."""
    chance = random.Random(seed)
    with services_for(settings, settings.index) as services:
        replica = services.gallery.warm_known(VERSION)
        while True:
            what = chance.choice(TRIED)
            say.send(what)
            if replica is None or what == "add":
                _add(services, ground, chance)
                replica = services.gallery.warm_known(VERSION)
            elif what == "search":
                with read_only(services.db) as session:
                    services.gallery.search(session, VERSION, embedding(chance.randrange(10**6))[None], 10)
            elif what == "snapshot":
                replica.wait(30, 1)
                services.gallery.snapshot(replica, utc_now())
            elif what == "rebuild":
                replica.wait(30, 1)
                replica.rebuild()
                services.gallery.snapshot(replica, utc_now())
            elif what == "trim":
                _trim(services)
            else:
                _change(services, what, chance)


def _add(services: Services, ground: Ground, chance: random.Random) -> None:
    with unit_of_work(services.db) as session:
        for _ in range(chance.randint(1, 5)):
            kind = chance.choice(list(GalleryKind))
            make_person(session, services.vault, ground, embedding(chance.randrange(10**6)), kind)


def _change(services: Services, what: str, chance: random.Random) -> None:
    with unit_of_work(services.db) as session:
        photos = session.execute(select(Photo.id, Photo.profile_id, Photo.removed_at)).all()
        some = [photo for photo in photos if (photo.removed_at is None) == (what != "restore")]
        for photo in chance.sample(some, min(len(some), chance.randint(1, 5))):
            if what == "choose":
                statement = update(Face).where(Face.photo_id == photo.id).values(chosen=~Face.chosen)
            elif what == "close":
                state = chance.choice((ReportState.OPEN, ReportState.RESOLVED, ReportState.WITHDRAWN))
                session.execute(update(Report).where(Report.profile_id == photo.profile_id).values(state=state))
                continue
            else:
                removed = AT if what == "remove" else None
                statement = update(Photo).where(Photo.id == photo.id).values(removed_at=removed)
            session.execute(statement)


def _trim(services: Services) -> None:
    """As the keeper does: below every kept snapshot."""
    oldest = services.gallery.store.oldest_mark(VERSION)
    with unit_of_work(services.db) as session:
        trim(session, head(session).xmin if oldest is None else oldest, utc_now())


def check(settings: Settings, say: Connection) -> None:
    """Start as any process does, and compare; sends the verification, and whether a snapshot was the start."""
    with services_for(settings, settings.index) as services:
        replica = services.gallery.warm_known(VERSION)
        if replica is None:
            say.send((Verification(0, 0, 0, 0, 0), False))
            return
        replica.wait(60, 1)
        with read_only(services.db) as session:
            found = verify(session, services.vault, replica.exactly(session))
        rebuilds = services.gallery.metrics.registry.get_sample_value("guitu_index_rebuilds_total")
        say.send((found, not rebuilds))


def cycle(settings: Settings, ground: Ground, chance: random.Random) -> tuple[str, Verification, bool]:
    """One kill and one look: what was under way, what was found, whether the look began from a snapshot."""
    hear, say = FORK.Pipe(duplex=False)
    victim = FORK.Process(target=work, args=(settings, ground, chance.randrange(2**32), say))
    victim.start()
    say.close()
    doing = _await_moment(hear, chance)
    if victim.pid is not None:
        os.kill(victim.pid, signal.SIGKILL)
    victim.join()
    if victim.exitcode != -signal.SIGKILL:
        raise RuntimeError(f"the victim ended by itself during {doing}")
    hear.close()
    hear, say = FORK.Pipe(duplex=False)
    looker = FORK.Process(target=check, args=(settings, say))
    looker.start()
    say.close()
    found, from_snapshot = hear.recv()
    looker.join()
    return doing, found, from_snapshot


def _await_moment(hear: Connection, chance: random.Random) -> str:
    """Until the kill: some time after the work began, or a few milliseconds into the work that was chosen."""
    wanted = chance.choice((None, *NAMED))
    deadline = time.monotonic() + chance.uniform(0.01, LONGEST_LIFE_SECONDS)
    doing = "start"
    while hear.poll(max(0.0, (deadline if wanted is None else deadline + 0.4) - time.monotonic())):
        doing = hear.recv()
        if doing == wanted:
            time.sleep(chance.uniform(0, 0.012))
            break
    return doing


def drill(kills: int, seed: int, faces: int, *, postgresql: bool, approximate: str | None) -> dict[str, Any]:
    """Run the drill; its figures."""
    chance, started = random.Random(seed), time.monotonic()
    during: Counter[str] = Counter()
    wrong: list[dict[str, int]] = []
    from_snapshot = compared = 0
    with tempfile.TemporaryDirectory() as folder, database(Path(folder), postgresql=postgresql) as url:
        settings = settings_of(Path(folder) / "var", url, approximate)
        migrations.upgrade(settings)
        with services_for(settings, settings.index) as services, unit_of_work(services.db) as session:
            ground = make_ground(session)
            for number in range(faces):
                make_person(session, services.vault, ground, embedding(number), list(GalleryKind)[number % 2])
        for _ in range(kills):
            doing, found, began_from_snapshot = cycle(settings, ground, chance)
            during[doing] += 1
            from_snapshot += began_from_snapshot
            compared += found.faces
            if not found.clean or found.unreadable:
                wrong.append(vars(found))
    return {
        "database": "postgresql" if postgresql else "sqlite",
        "index": approximate or "exact",
        "kills": kills,
        "not_clean": len(wrong),
        "faces_compared": compared,
        "starts_from_snapshot": from_snapshot,
        "starts_by_rebuild": kills - from_snapshot,
        "killed_during": dict(sorted(during.items())),
        "seconds_a_cycle": round((time.monotonic() - started) / kills, 2),
        "good": not wrong,
    }


@contextmanager
def database(folder: Path, *, postgresql: bool, keep: bool = False) -> Iterator[str]:
    """The URL of a SQLite file in the folder, or of a PostgreSQL database that is dropped afterwards unless kept."""
    if not postgresql:
        yield f"sqlite:///{folder}/var/guitu.sqlite3"
        return
    given = os.environ.get("GUITU_TEST_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")
    name = f"guitu_drill_{uuid.uuid4().hex[:8]}"
    server = create_engine(given, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    try:
        yield make_url(given).set(database=name).render_as_string(hide_password=False)
    finally:
        if not keep:
            with server.connect() as connection:
                connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
        server.dispose()


def main() -> int:
    """Run from the command line; exit code 1 when any index was not as the database after its process was killed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faces", type=int, default=400)
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--approximate", choices=SORTS)
    given = parser.parse_args()
    figures = drill(given.kills, given.seed, given.faces, postgresql=given.postgresql, approximate=given.approximate)
    for name, value in figures.items():
        print(f"{name:22} {value}")
    print(json.dumps(figures))
    return 0 if figures["good"] else 1


if __name__ == "__main__":
    sys.exit(main())
