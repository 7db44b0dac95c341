"""The console command, run as an operator runs it."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.factories.commands import tracing

PASSWORD = "a-long-enough-password"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The data folder of an installation with an administrator."""
    assert tracing(tmp_path, "migrate").exit_code == 0
    made = tracing(
        tmp_path, "accounts", "create-admin", "Chief", "--organisation", "某市民政局", "--division", "4507",
        answers=f"{PASSWORD}\n{PASSWORD}\n",
    )  # fmt: skip
    assert made.exit_code == 0, made.stderr
    return tmp_path


def test_an_altered_audit_log_is_found(folder: Path) -> None:
    good = tracing(folder, "audit", "verify")
    assert good.exit_code == 0
    assert "1 events, the chain is whole" in good.stdout
    with sqlite3.connect(folder / "guitu.sqlite3") as database:
        database.execute("DROP TRIGGER audit_event_no_update")
        database.execute("UPDATE audit_event SET action = 'nothing'")
    broken = tracing(folder, "audit", "verify")
    assert broken.exit_code == 1
    assert "broken at event 1" in broken.stdout


def test_expected_errors_are_one_line_with_the_remedy(folder: Path) -> None:
    again = tracing(
        folder, "accounts", "create-admin", "second", "--organisation", "x", "--division", "4507",
        answers=f"{PASSWORD}\n{PASSWORD}\n",
    )  # fmt: skip
    assert again.exit_code == 1
    assert "There are accounts already" in again.stderr
    assert "Traceback" not in again.stderr
    short = tracing(folder, "accounts", "reset-password", "chief", answers="short\nshort\n")
    assert short.exit_code == 1
    assert "at least 10 characters" in short.stderr
    nobody = tracing(folder, "accounts", "reset-password", "nobody", answers=f"{PASSWORD}\n{PASSWORD}\n")
    assert nobody.exit_code == 1


def test_a_password_can_be_reset(folder: Path) -> None:
    done = tracing(folder, "accounts", "reset-password", "chief", answers=f"{PASSWORD}2\n{PASSWORD}2\n")
    assert done.exit_code == 0, done.stderr
    assert PASSWORD not in done.stdout


def test_jobs_are_counted(folder: Path) -> None:
    shown = tracing(folder, "jobs", "status")
    assert shown.exit_code == 0
    assert "due now    0" in shown.stdout


def test_a_misspelt_setting_is_refused(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tracing", "migrate"],
        env={**os.environ, "GUITU_DATA_DIR": str(tmp_path), "GUITU_ENVIROMENT": "production"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "GUITU_ENVIROMENT" in done.stderr
