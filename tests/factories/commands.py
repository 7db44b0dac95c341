"""The console command run in this process: a process of its own takes seconds to start, and tests ask for many."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from typer.testing import CliRunner, Result

from tracing.cli import app


def tracing(folder: Path, *arguments: str, answers: str = "", **variables: str) -> Result:
    """`tracing …` on the installation in that folder, with no setting of this process but the variables given.

    `answers` are typed at its prompts. `Result` has exit_code, stdout and stderr.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GUITU_")}
    environment = {**kept, "GUITU_DATA_DIR": str(folder), "COLUMNS": "160", **variables}
    with patch.dict(os.environ, environment, clear=True), _own_logging():
        return CliRunner().invoke(app, list(arguments), input=answers)


@contextmanager
def _own_logging() -> Iterator[None]:
    """The command points the log at its own stderr, which is gone when it ends."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    try:
        yield
    finally:
        root.handlers, root.level = handlers, level
