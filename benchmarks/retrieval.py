"""Retrieval without a face at a million records: is the true record among those weighed, and how long does it take?

    python -m benchmarks.retrieval [--records 1000000] [--probes 200] [--passes 20] [--sqlite] [--data DIR]

Fills a throw-away database (PostgreSQL at GUITU_TEST_POSTGRES_URL, or a SQLite file) with open reports of synthetic
people, with the keys that the service itself would store, and asks for each probe, a person as a station would see one
of them, which records are worth weighing. Beside it stands what was there before: the newest 2,000. Then whole passes
are timed: retrieval, reading, weighing and ranking. DIR holds familyname.csv and givenname.csv of the Chinese Name
Database. The last line is one JSON object; the database is dropped, whatever happens.
"""

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Engine, text

from benchmarks.drill_index import database, settings_of
from benchmarks.names import DATA, People
from benchmarks.synthetic_gallery import services_for
from benchmarks.synthetic_people import BLOCK, TODAY, Missing, Town, seen
from matcher.blocking import keys_version, stored_keys
from matcher.evidence.base import load_parameters
from matcher.evidence.batch import prepare
from matcher.profile import Profile
from matcher.vocabulary import GalleryKind
from tests.factories.gallery import Ground, make_ground
from tracing.blocking import Limits, retrieve
from tracing.gallery import gallery_size
from tracing.matching_proposals import propose
from tracing.matching_records import Record
from tracing.platform import migrations
from tracing.platform.db import read_only, unit_of_work
from tracing.platform.settings import IndexSettings
from tracing.profiles import for_matcher
from tracing.services import Services

POOL = 2000
"""Newest records that were weighed before there were keys."""
AT = datetime.fromisoformat("2026-03-02T02:00")
"""Without a zone, as the databases keep it."""
DRAWN_BLOCKS = 4
NULL = r"\N"
COLUMNS = {
    "subject": ("id", "wrapped_key", "master_key_id", "created_at"),
    "profile": ("id", "subject_id", "revision", "no_marks", "keys_version"),
    "report": (
        "id", "number", "organisation_id", "created_by_id", "profile_id", "state", "last_seen_on",
        "last_seen_division", "created_at", "updated_at", "version",
    ),
    "profile_attribute": ("id", "profile_id", "kind", "value", "as_of", "basis", "recorded_by_id", "recorded_at"),
    "profile_name": ("id", "profile_id", "kind", "text", "basis", "recorded_by_id", "recorded_at"),
    "profile_place": ("id", "profile_id", "kind", "division", "basis", "recorded_by_id", "recorded_at"),
    "profile_mark": ("id", "profile_id", "kind", "region", "side", "basis", "recorded_by_id", "recorded_at"),
    "blocking_key": ("profile_id", "key", "gallery", "born"),
}  # fmt: skip
Rows = dict[str, list[tuple[str, ...]]]


@dataclass(frozen=True)
class Drawing:
    """What a drawing process needs: the town, and to whom its records belong."""

    town: Town
    ground: Ground
    records: int

    def block(self, number: int) -> Rows:
        """One block as rows of text."""
        rows: Rows = {table: [] for table in COLUMNS}
        count = min(BLOCK, self.records - number * BLOCK)
        for place, person in enumerate(self.town.people(number, count)):
            self._add(rows, number * BLOCK + place, person)
        return rows

    def _add(self, rows: Rows, number: int, person: Missing) -> None:
        profile, owner, by = identity("profile", number).hex, identity("report", number).hex, self.ground.user_id.hex
        when = (AT - timedelta(seconds=number % 7919 * 3600 + number)).isoformat(" ", "microseconds")
        known = (by, AT.isoformat(" ", "microseconds"))
        subject = identity("subject", number).hex
        rows["subject"].append((subject, "x", "none", when))
        rows["profile"].append((profile, subject, "1", "0", keys_version()))
        rows["report"].append((
            owner, f"R{number}", self.ground.organisation_id.hex, by, profile, "open", person.last_seen.isoformat(),
            person.native, when, when, "1",
        ))  # fmt: skip
        for table, fields in person_rows(person):
            rows[table].append((uuid.uuid4().hex, profile, *fields, *known))
        keys = stored_keys(described(person), load_parameters())
        rows["blocking_key"].extend((profile, key, "report", str(keys.born)) for key in sorted(keys.keys))


def identity(what: str, number: int) -> uuid.UUID:
    """The id of a record's row, in no order."""
    return uuid.uuid5(uuid.NAMESPACE_OID, f"{what}:{number}")


def person_rows(person: Missing) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Table and own columns of each fact."""
    facts = person.facts
    for fact in facts.attributes:
        as_of = fact.as_of.isoformat() if fact.as_of else NULL
        yield "profile_attribute", (fact.kind.value, fact.value, as_of, fact.basis.value)
    for name in facts.names:
        yield "profile_name", (name.kind.value, name.text, name.basis.value)
    for spot in facts.places:
        yield "profile_place", (spot.kind.value, spot.division, spot.basis.value)
    for mark in facts.marks:
        side = mark.side.value if mark.side else NULL
        yield "profile_mark", (mark.kind.value, mark.region.value, side, mark.basis.value)


def described(person: Missing) -> Profile:
    """As the service describes a report to the matcher."""
    return for_matcher(
        person.facts, kind=GalleryKind.REPORT, seen_on=person.last_seen, seen_at=person.native, templates=()
    )


def fill(engine: Engine, drawing: Drawing) -> int:
    """Every record into the database; how many keys."""
    blocks = range(-(-drawing.records // BLOCK))
    keys = 0
    postgresql = engine.dialect.name == "postgresql"
    with multiprocessing.get_context("fork").Pool(2) as pool, engine.begin() as connection:
        if postgresql:
            # No triggers and no foreign keys while loading, and the index of the keys is built at the end.
            connection.execute(text("SET session_replication_role = replica"))
            connection.execute(text("SET maintenance_work_mem = '1GB'"))
            connection.execute(text("SET statement_timeout = 0"))
            connection.execute(text("ALTER TABLE blocking_key SET UNLOGGED"))
            connection.execute(text("DROP INDEX ix_blocking_key_lookup"))
            connection.execute(text("ALTER TABLE blocking_key DROP CONSTRAINT pk_blocking_key"))
        for number, rows in enumerate(pool.imap(drawing.block, blocks), start=1):
            for table, columns in COLUMNS.items():
                _write(connection.connection.cursor(), table, columns, rows[table], postgresql=postgresql)
            keys += len(rows["blocking_key"])
            print(f"{min(number * BLOCK, drawing.records):,} of {drawing.records:,} records", end="\r", flush=True)
        if postgresql:
            connection.execute(
                text("ALTER TABLE blocking_key ADD CONSTRAINT pk_blocking_key PRIMARY KEY (profile_id, key)")
            )
            connection.execute(
                text("CREATE INDEX ix_blocking_key_lookup ON blocking_key (gallery, key, born, profile_id)")
            )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if postgresql:
            connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("VACUUM ANALYZE" if postgresql else "ANALYZE"))
    return keys


def _write(cursor: Any, table: str, columns: Sequence[str], rows: list[tuple[str, ...]], *, postgresql: bool) -> None:
    names = ", ".join(columns)
    if postgresql:
        with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            copy.write("".join("\t".join(row) + "\n" for row in rows))
    else:
        marks = ", ".join("?" for _ in columns)
        values = [tuple(None if value == NULL else value for value in row) for row in rows]
        cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", values)


@dataclass(frozen=True)
class Probe:
    """A person as a station sees one of the reported."""

    truth: uuid.UUID
    named: bool
    record: Record


def probes(town: Town, records: int, count: int, seed: int) -> list[Probe]:
    """Drawn from the reported people, each as a station would describe them."""
    rng = np.random.default_rng(seed)
    speakers = People(town.folder, rng)
    # From a few blocks alone: a block is drawn anew as a whole.
    blocks = rng.choice(-(-records // BLOCK), size=min(DRAWN_BLOCKS, -(-records // BLOCK)), replace=False)
    numbers = np.concatenate([np.arange(block * BLOCK, min(records, (block + 1) * BLOCK)) for block in blocks])
    chosen = sorted(rng.choice(numbers, size=count, replace=False).tolist())
    found = []
    for block in sorted({number // BLOCK for number in chosen}):
        wanted = {number % BLOCK for number in chosen if number // BLOCK == block}
        for place, person in enumerate(town.people(block, min(BLOCK, records - block * BLOCK))):
            if place in wanted:
                facts = seen(person, speakers)
                profile = for_matcher(facts, kind=GalleryKind.CASE, seen_on=TODAY, seen_at="450702", templates=())
                record = Record(
                    GalleryKind.CASE,
                    uuid.uuid4(),
                    datetime.now(UTC),
                    uuid.uuid4(),
                    1,
                    prepare(profile, load_parameters()),
                )
                found.append(Probe(identity("report", block * BLOCK + place), bool(facts.names), record))
    return found


def measure(services: Services, asked: list[Probe], passes: int) -> dict[str, float]:
    """Recall and latency of retrieval, and whole passes."""
    settings = services.settings.matching
    limits = Limits(settings.attribute_hits, settings.attribute_common, settings.attribute_budget)
    times, found, brought = [], [], []
    with read_only(services.db) as session:
        started = time.perf_counter()
        size = gallery_size(session)
        counted = time.perf_counter() - started
        pool = set(session.scalars(text("SELECT id FROM report ORDER BY created_at DESC LIMIT :pool"), {"pool": POOL}))
        pool = {uuid.UUID(str(one)) for one in pool}
        for probe in (asked[0], *asked):
            started = time.perf_counter()
            ids = retrieve(session, services.parameters, probe.record.profile, GalleryKind.REPORT, size, limits)
            times.append(time.perf_counter() - started)
            found.append(probe.truth in ids)
            brought.append(len(ids))
    times, found, brought = times[1:], found[1:], brought[1:]
    named = [hit for hit, probe in zip(found, asked, strict=True) if probe.named]
    figures = {
        "p50_ms": float(np.percentile(times, 50) * 1000),
        "p95_ms": float(np.percentile(times, 95) * 1000),
        "slowest_ms": max(times) * 1000,
        "recall": float(np.mean(found)),
        "recall_named": float(np.mean(named)),
        "recall_unnamed": float((sum(found) - sum(named)) / max(1, len(found) - len(named))),
        "pool_recall": float(np.mean([probe.truth in pool for probe in asked])),
        "brought": float(np.mean(brought)),
        "gallery_size_ms": counted * 1000,
    }
    return figures | _passes(services, asked[:passes], size)


def _passes(services: Services, asked: list[Probe], size: int) -> dict[str, float]:
    """Whole passes, the first of each twice: cold, then with what the process has kept."""
    cold: list[float] = []
    warm: list[float] = []
    first: list[bool] = []
    for probe in asked:
        for times in (cold, warm):
            started = time.perf_counter()
            with read_only(services.db) as session:
                (proposals,) = propose(session, services, [probe.record], size, "none")
            times.append(time.perf_counter() - started)
        first.append(any(one.report_id == probe.truth for one in proposals))
    return {
        "pass_ms": float(np.percentile(cold, 50) * 1000),
        "pass_again_ms": float(np.percentile(warm, 50) * 1000),
        "in_list": float(np.mean(first)),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--probes", type=int, default=200)
    parser.add_argument("--passes", type=int, default=20)
    parser.add_argument("--seed", type=int, default=20261125)
    parser.add_argument("--sqlite", action="store_true")
    options = parser.parse_args(arguments)
    if not (options.data / "familyname.csv").is_file():
        print(f"{options.data} holds no familyname.csv: give the folder with --data", file=sys.stderr)
        return 2
    town = Town(options.data, options.seed)
    print(f"{len(town.counties)} counties")  # once here, not in every drawing process
    with tempfile.TemporaryDirectory() as folder, database(Path(folder), postgresql=not options.sqlite) as url:
        settings = settings_of(Path(folder) / "var", url)
        settings.data_dir.mkdir(mode=0o700)
        migrations.upgrade(settings)
        with services_for(settings, IndexSettings()) as services:
            with unit_of_work(services.db) as session:
                ground = make_ground(session)
            started = time.perf_counter()
            keys = fill(services.db.engine, Drawing(town, ground, options.records))
            print(f"{options.records:,} records with {keys:,} keys in {time.perf_counter() - started:.0f} s")
            figures = measure(services, probes(town, options.records, options.probes, options.seed), options.passes)
    rounded = {name: round(value, 4 if "recall" in name else 1) for name, value in figures.items()}
    for name, value in rounded.items():
        print(f"{name:18} {value}")
    database_name = "sqlite" if options.sqlite else "postgresql"
    print(json.dumps({"records": options.records, "probes": options.probes, "database": database_name, **rounded}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
