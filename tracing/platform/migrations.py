"""Migrations: bringing a database to the newest schema, from the command line, at start, and in tests."""

from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory

import tracing
from alembic import command
from tracing.platform.settings import Settings


def configuration(settings: Settings) -> Config:
    """Alembic's configuration for the database of the settings; scripts lie beside the packages or in the wheel."""
    package = Path(tracing.__file__).parent
    installed = package / "alembic"
    config = Config()
    config.set_main_option("script_location", str(installed if installed.is_dir() else package.parent / "alembic"))
    config.attributes["settings"] = settings
    return config


def upgrade(settings: Settings, revision: str = "head") -> None:
    """Bring the database up to a revision; safe to run from several processes at once."""
    command.upgrade(configuration(settings), revision)


def downgrade(settings: Settings, revision: str) -> None:
    """Take the database back to a revision ("base" for nothing)."""
    command.downgrade(configuration(settings), revision)


def check(settings: Settings) -> None:
    """Raise alembic.util.CommandError when the models and the migrations differ."""
    command.check(configuration(settings))


def write(settings: Settings, message: str) -> None:
    """Write the next migration, numbered, from the difference between the models and the (upgraded) database."""
    config = configuration(settings)
    head = ScriptDirectory.from_config(config).get_current_head() or "0"
    command.revision(config, message=message, autogenerate=True, rev_id=f"{int(head) + 1:04d}")
