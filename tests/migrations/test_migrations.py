"""The migrations: from nothing, back to nothing and up again, without a difference to the models, on both databases."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from models import Base
from tracing.platform import migrations
from tracing.platform.audit import verify
from tracing.platform.db import Database, create_database, read_only
from tracing.platform.settings import Settings

GATED_TABLES = {"audit_event", "case_file", "case_transition", "confirmation", "contact_release", "review"}
KEPT_TABLES = {
    "milestone",
    "deadline_pause",
    "deadline_escalation",
    "interview",
    "interview_audio",
    "clue",
    "identity_claim",
    "candidate",
    "exclusion",
    "contact_attempt",
    "contact_screening",
    "contact_plan",
    "contact_exception",
    "kin_verification",
    "outcome",
    "handover",
    "escort_trip",
    "dossier_item",
    "home_notice",
    "referral",
    "referral_move",
    "follow_up_visit",
    "follow_up_end",
    "wandering_link",
    "duplicate_pair",
    "duplicate_decision",
    "duplicate_closure",
    "notice",
    "notice_version",
    "tip",
    "tip_decision",
    "sighting",
    "sighting_link",
    "lookout",
    "lookout_ring",
    "lookout_answer",
    "patrol",
    "patrol_aid",
    "admission_record",
    "identity_disproof",
    "hospital_handover",
    "feature_note",
    "review_look",
    "review_seed",
    "seed_review",
    "seed_exclusion",
    "review_request",
    "review_assignment",
}
LOGGED_TABLES = {"face", "photo", "profile", "subject", "case_file", "report"}
VERSIONS = Path(migrations.__file__).parents[2] / "alembic" / "versions"


def tables(db: Database) -> set[str]:
    return set(inspect(db.engine).get_table_names()) - {"alembic_version"}


def triggers(db: Database) -> set[tuple[str, str]]:
    """Trigger and table."""
    if db.engine.dialect.name == "sqlite":
        query = "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'"
    else:
        query = "SELECT tgname, relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid WHERE NOT tgisinternal"
    with db.engine.connect() as connection:
        return {(str(name), str(table)) for name, table in connection.execute(text(query))}


def functions(db: Database) -> int:
    if db.engine.dialect.name == "sqlite":
        return 0
    query = "SELECT count(*) FROM pg_proc JOIN pg_namespace n ON n.oid = pronamespace WHERE nspname = 'public'"
    with db.engine.connect() as connection:
        return int(connection.execute(text(query)).scalar_one())


def test_up_down_and_up_again(any_empty: Settings) -> None:
    db = create_database(any_empty)
    migrations.upgrade(any_empty)
    first = triggers(db)
    assert tables(db) == set(Base.metadata.tables)
    assert {table for _, table in first} == GATED_TABLES | KEPT_TABLES | LOGGED_TABLES
    migrations.downgrade(any_empty, "base")
    assert tables(db) == set()
    assert triggers(db) == set()
    assert functions(db) == 0
    migrations.upgrade(any_empty)
    assert tables(db) == set(Base.metadata.tables)
    assert triggers(db) == first
    db.dispose()


def test_each_step_down_can_be_taken_up_again(any_empty: Settings) -> None:
    db = create_database(any_empty)
    migrations.upgrade(any_empty)
    revisions = sorted(path.stem[:4] for path in VERSIONS.glob("[0-9]*.py"))
    assert len(revisions) >= 5
    for revision in reversed(revisions[:-1]):
        migrations.downgrade(any_empty, revision)
        migrations.upgrade(any_empty)
    assert tables(db) == set(Base.metadata.tables)
    db.dispose()


def test_models_and_migrations_agree(any_empty: Settings) -> None:
    migrations.upgrade(any_empty)
    migrations.check(any_empty)


def test_upgrading_again_changes_nothing(any_empty: Settings) -> None:
    db = create_database(any_empty)
    for _ in range(2):
        migrations.upgrade(any_empty)
    with read_only(db) as session:
        found = verify(session)
    assert (found.ok, found.events, found.head_seq) == (True, 0, 0)
    db.dispose()


START = """
from tracing.platform.migrations import upgrade
from tracing.platform.settings import load_settings
upgrade(load_settings())
"""


@pytest.mark.postgres
def test_two_processes_that_start_at_once_take_turns(empty_postgres: Settings) -> None:
    environment = os.environ | {
        "GUITU_DATABASE__URL": empty_postgres.database.url.get_secret_value(),
        "GUITU_DATA_DIR": str(empty_postgres.data_dir),
    }
    started = [subprocess.Popen([sys.executable, "-c", START], env=environment) for _ in range(2)]
    assert [process.wait(timeout=60) for process in started] == [0, 0]
    db = create_database(empty_postgres)
    assert tables(db) == set(Base.metadata.tables)
    db.dispose()
