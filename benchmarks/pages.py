"""The main pages over 100,000 cases: how long the server takes for each, and how many statements it asks.

    python -m benchmarks.pages [--cases 100000] [--rounds 40] [--keep FOLDER] [--only WORD] [--show]

Fills a throw-away PostgreSQL database (on the server of GUITU_TEST_POSTGRES_URL): one case in each state is walked
there by the use cases, with its report, candidates, opinions, deadlines and outcome; the rest are copies of these rows
with other ids, numbers, names and earlier times, of a hundred stations in two provinces. Then each page is asked for as
the user whose page it is, in this process, without a network: what is timed is the server's own work. A page whose
statements grow with its rows would show here. The last line is one JSON object; the database is dropped, whatever
happens. `--keep` leaves it there, with its keys and its name in the folder, to be measured again the next time.
`--show` lists the statements of each page with their milliseconds.
"""

import argparse
import json
import sys
import tempfile
import time
import uuid
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from fastapi.testclient import TestClient
from sqlalchemy import Column, DateTime, Engine, Table, Uuid, select, text

from api.app import create_app
from benchmarks.drill_index import database, settings_of
from models.base import Base
from models.case import CaseState
from models.organisation import OrganisationKind
from models.user import Role, User
from tests.factories.statements import heard
from tests.factories.stories import Story, describe, judged_case
from tests.factories.world import PASSWORD, World, build_world
from tests.web.conftest import Browser
from tracing.organisations import place
from tracing.platform import migrations
from tracing.platform.db import read_only, unit_of_work
from tracing.services import Services, build_services

STATES = tuple(state for state in CaseState if state is not CaseState.IN_CARE)
KEPT = frozenset({
    "audit_event", "audit_head", "duplicate_closure", "duplicate_decision", "duplicate_pair", "face_change",
    "face_model", "idempotency_record", "identity_digest", "index_place", "index_replica", "job",
    "notification_preference", "number_sequence", "organisation", "parameter_set", "shared_index", "token",
    "user_account", "webhook_attempt", "webhook_delivery", "webhook_endpoint",
})  # fmt: skip
"""Tables of the service, not of a case: not copied."""
HOURS_APART = 5
STATIONS = 100
SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢"
GIVEN = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂华玉梅建国志红海燕春生文凤林金福贵水木火土山河"
SPELLED = {
    ("case_file", "number"): "left(number, 7) || substr(md5(number || n), 1, 16)",
    ("report", "number"): "left(number, 7) || substr(md5(number || n), 1, 16)",
    ("case_file", "organisation_id"): "(CAST(:stations AS uuid[]))[1 + n % cardinality(CAST(:stations AS uuid[]))]",
    ("candidate", "pair"): "left(pair, 36) || md5(pair || n)",
    ("notice", "token"): "md5(token || n)",
    ("profile_name", "text"): (
        f"substr('{SURNAMES}', 1 + n * 7 % {len(SURNAMES)}, 1) || substr('{GIVEN}', 1 + n * 11 % {len(GIVEN)}, 1)"
        f" || substr('{GIVEN}', 1 + n / {len(GIVEN)} % {len(GIVEN)}, 1)"
    ),
}
"""What a copy has of its own besides ids and times, as SQL over the original row and the copy's number `n`."""


@dataclass(frozen=True)
class Asked:
    """A page, and whose it is."""

    name: str
    path: str
    role: Role


@dataclass(frozen=True)
class Ground:
    """A filled database: a case in review and its candidate, a case whose family may be called, and who asks."""

    url: str
    case: str
    candidate: str
    released: str
    usernames: dict[str, str]


def pages(ground: Ground) -> tuple[Asked, ...]:
    """The main pages."""
    return (
        Asked("home of staff", "/", Role.STATION_STAFF),
        Asked("home of an examiner", "/", Role.POLICE_EXAMINER),
        Asked("cases", "/cases", Role.STATION_STAFF),
        Asked("cases in review", "/cases?state=in_review", Role.BUREAU_SUPERVISOR),
        Asked("cases by sex and age", "/cases?sex=male&age_from=30&age_to=60", Role.BUREAU_SUPERVISOR),
        Asked("case", f"/cases/{ground.case}", Role.STATION_STAFF),
        Asked("candidate", f"/candidates/{ground.candidate}", Role.POLICE_EXAMINER),
        Asked("review queue", "/review", Role.POLICE_EXAMINER),
        Asked("reports", "/reports", Role.STATION_STAFF),
        Asked("deadlines", "/deadlines", Role.STATION_STAFF),
        Asked("contact", f"/cases/{ground.released}/contact", Role.CASEWORKER),
        Asked("lookouts", "/lookouts", Role.STATION_STAFF),
        Asked("follow-up", "/followup", Role.CASEWORKER),
        Asked("statistics", "/statistics", Role.BUREAU_SUPERVISOR),
        Asked("audit log", "/audit", Role.AUDITOR),
    )


def walked(services: Services, world: World, now: datetime) -> dict[CaseState, Story]:
    """A case in each state."""
    return {state: judged_case(services, world, state, now=now) for state in STATES}


def more_stations(services: Services, world: World, now: datetime) -> list[uuid.UUID]:
    """The station of the walked cases and others like it, each under a centre of its own, half of them elsewhere."""
    stations = [world.a.station.id]
    with unit_of_work(services.db) as session:
        for number in range(STATIONS - 1):
            bureau = (world.a if number % 2 else world.b).bureau
            above = place(
                bureau, kind=OrganisationKind.REGION_CENTRE, name_zh=f"中心{number}", name_en=f"Centre {number}",
                division=bureau.division, now=now,
            )  # fmt: skip
            session.add(above)
            session.flush()
            station = place(
                above, kind=OrganisationKind.STATION, name_zh=f"站{number}", name_en=f"Station {number}",
                division=bureau.division, now=now,
            )  # fmt: skip
            session.add(station)
            stations.append(station.id)
    return stations


def copied_tables() -> list[Table]:
    """Tables with rows of a case, those that others refer to first."""
    return [table for table in Base.metadata.sorted_tables if table.name not in KEPT]


def copy_rows(engine: Engine, copies: int, stations: list[uuid.UUID]) -> None:
    """Each row of a case once more for each copy, with that copy's ids, numbers, names, times and station."""
    tables = copied_tables()
    names = {table.name for table in tables}
    with engine.begin() as connection:
        # No triggers and no foreign keys while loading.
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text("SET statement_timeout = 0"))
        for table in tables:
            columns = ", ".join(column.name for column in table.columns)
            values = ", ".join(_value(column, names) for column in table.columns)
            source = f'FROM "{table.name}" CROSS JOIN generate_series(1, :copies) AS n'
            connection.execute(
                text(f'INSERT INTO "{table.name}" ({columns}) SELECT {values} {source}'),
                {"copies": copies} | ({"stations": stations} if ":stations" in values else {}),
            )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("VACUUM ANALYZE"))


def _value(column: Column[object], copied: set[str]) -> str:
    spelled = SPELLED.get((column.table.name, column.name))
    if spelled is not None:
        return spelled
    of_a_case = column.primary_key or any(key.column.table.name in copied for key in column.foreign_keys)
    if isinstance(column.type, Uuid) and of_a_case:
        return f"md5({column.name}::text || n)::uuid"
    if isinstance(getattr(column.type, "impl", column.type), DateTime):
        return f"{column.name} - n * interval '{HOURS_APART} hours'"
    return f'"{column.name}"'


def measure(
    services: Services, users: dict[Role, User], asked: tuple[Asked, ...], rounds: int, *, show: bool
) -> dict[str, dict[str, float]]:
    """Milliseconds (p50, p95; of this process's processor and of the database p50), statements and size of each page.

    The first look at each is not counted.
    """
    app = create_app(services.settings)
    engine = app.state.services.db.engine
    signed_in: dict[Role, Browser] = {}
    figures = {}
    for page in asked:
        if page.role not in signed_in:
            browser = Browser(TestClient(app, follow_redirects=False))
            signed_in[page.role] = browser.sign_in(users[page.role], PASSWORD)
        times, processor, database_times = [], [], []
        for number in range(rounds + 1):
            with heard(engine) as statements:
                began, busy = time.perf_counter(), time.process_time()
                response = signed_in[page.role].get(page.path)
                times.append((time.perf_counter() - began) * 1000)
                processor.append((time.process_time() - busy) * 1000)
                database_times.append(sum(taken for taken, _ in statements))
            if response.status_code != 200:
                raise RuntimeError(f"{page.name}: {response.status_code}")
            if number == 0:
                for taken in (times, processor, database_times):
                    taken.clear()
        figures[page.name] = {
            "p50_ms": round(float(np.percentile(times, 50)), 1), "p95_ms": round(float(np.percentile(times, 95)), 1),
            "processor_ms": round(float(np.median(processor)), 1),
            "database_ms": round(float(np.median(database_times)), 1),
            "statements": len(statements), "kilobytes": round(len(response.content) / 1000, 1),
        }  # fmt: skip
        print(f"{page.name:22} {figures[page.name]}", flush=True)
        if show:
            for milliseconds, statement in statements:
                print(f"    {milliseconds:7.1f} ms  {' '.join(statement.split())}")
    app.state.services.db.dispose()
    return figures


def filled(services: Services, url: str, cases: int) -> Ground:
    """Fill an empty database."""
    world, now = build_world(services, datetime.now(UTC)), datetime.now(UTC)
    stories = walked(services, world, now)
    searched, released = stories[CaseState.IN_REVIEW], stories[CaseState.CONTACT_RELEASED]
    with unit_of_work(services.db) as session:
        examiner = world.viewer(world.a.users[Role.POLICE_EXAMINER])
        describe(session, services, examiner, searched.case_id, now=now)
    copy_rows(services.db.engine, cases // len(STATES), more_stations(services, world, now))
    return Ground(
        url, str(searched.case_id), str(searched.candidate), str(released.case_id),
        {role.value: user.username for role, user in world.a.users.items()},
    )  # fmt: skip


def users_of(services: Services, ground: Ground) -> dict[Role, User]:
    """Whose pages are asked for."""
    with read_only(services.db) as session:
        by_name = {user.username: user for user in session.scalars(select(User))}
    return {Role(role): by_name[name] for role, name in ground.usernames.items()}


def main() -> int:
    """Fill, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the filled database, or measure a kept one")
    parser.add_argument("--only", default="", metavar="WORD", help="the pages whose names contain it")
    parser.add_argument("--show", action="store_true", help="list the statements")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        noted = folder / "ground.json"
        kept = Ground(**json.loads(noted.read_text())) if noted.exists() else None
        url = kept.url if kept else stack.enter_context(database(folder, postgresql=True, keep=bool(options.keep)))
        settings = settings_of(folder / "var", url)
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        migrations.upgrade(settings)
        services = build_services(settings)
        stack.callback(services.db.dispose)
        ground = kept or filled(services, url, options.cases)
        if options.keep and not kept:
            noted.write_text(json.dumps(asdict(ground)))
        with services.db.engine.connect() as connection:
            cases = connection.scalar(text("SELECT count(*) FROM case_file"))
        print(f"{cases:,} cases in {time.process_time():.0f} s of processor time", flush=True)
        asked = tuple(page for page in pages(ground) if options.only in page.name)
        figures = measure(services, users_of(services, ground), asked, options.rounds, show=options.show)
    print(json.dumps({
        "bench": "pages", "cases": cases, "p95_ms": {name: row["p95_ms"] for name, row in figures.items()},
        "statements": {name: int(row["statements"]) for name, row in figures.items()},
    }))  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
