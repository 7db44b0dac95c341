"""Alembic's environment: one online mode, the database of the service's own settings."""

from sqlalchemy import text

from alembic import context
from models import Base
from models.base import UTCDateTime
from tracing.platform.db import create_database
from tracing.platform.settings import Settings, load_settings

LOCK = 7_140_263_945
"""Any constant: two processes that start at once take turns instead of running one migration twice."""


def render_item(kind: str, item: object, _context: object) -> str | bool:
    """Migrations name plain types: they must still run when the models have moved on."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UTCDateTime) else False


def run() -> None:
    """Migrate in one transaction; on PostgreSQL give up soon rather than queue up behind a long lock."""
    settings: Settings = context.config.attributes.get("settings") or load_settings()
    database = create_database(settings)
    with database.engine.connect() as connection:
        postgresql = connection.dialect.name == "postgresql"
        with connection.begin():
            if postgresql:
                connection.execute(text("SET LOCAL lock_timeout = '10s'"))
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
            context.configure(
                connection=connection,
                target_metadata=Base.metadata,
                render_as_batch=not postgresql,
                compare_type=True,
                render_item=render_item,
                transaction_per_migration=False,
            )
            with context.begin_transaction():
                context.run_migrations()
    database.dispose()


run()
