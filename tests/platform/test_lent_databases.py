"""The tests' own PostgreSQL databases: emptied they are as the template was; bent ones are not used again."""

from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from tests.conftest import settings_for
from tests.factories.postgres import Databases, url_of
from tests.factories.world import build_world
from tracing.services import build_services

pytestmark = pytest.mark.postgres
COUNTS = (
    "SELECT (SELECT count(*) FROM user_account), (SELECT seq FROM audit_head), (SELECT count(*) FROM alembic_version)"
)


def counts(server: Engine, name: str, tmp_path: Path, now: datetime | None = None) -> tuple[int, ...]:
    services = build_services(settings_for(tmp_path, url_of(server, name)))
    with services.db.engine.begin() as connection:
        found = tuple(connection.execute(text(COUNTS)).one())
    if now:
        build_world(services, now)
    services.db.dispose()
    return found


def test_what_a_test_wrote_is_gone_and_what_the_migrations_wrote_is_there(
    postgres_server: Engine, postgres_databases: Databases, tmp_path: Path, now: datetime
) -> None:
    with postgres_databases.lent() as name:
        assert counts(postgres_server, name, tmp_path, now) == (0, 0, 1)
    with postgres_databases.lent() as again:
        assert again == name, "it was emptied and lent again"
        assert counts(postgres_server, again, tmp_path) == (0, 0, 1)


@pytest.mark.parametrize(
    "bent",
    [
        "ALTER TABLE case_file ADD COLUMN bent integer",
        "ALTER TABLE review DISABLE TRIGGER ALL",
        "ALTER TABLE case_file DROP CONSTRAINT ck_case_file_casestate",
        "CREATE FUNCTION bent() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    ],
)
def test_a_bent_database_is_not_lent_again(
    postgres_server: Engine, postgres_databases: Databases, tmp_path: Path, bent: str
) -> None:
    with postgres_databases.lent() as name:
        services = build_services(settings_for(tmp_path, url_of(postgres_server, name)))
        with services.db.engine.begin() as connection:
            connection.execute(text(bent))
        services.db.dispose()
    with postgres_databases.lent() as other:
        assert other != name
