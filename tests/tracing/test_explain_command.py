"""`tracing explain` and `tracing blocking` from the console: what they print, and how they refuse."""

import pytest
from typer.testing import CliRunner

from tracing.cli import app
from tracing.platform import migrations
from tracing.platform.settings import Settings


@pytest.fixture
def console(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """The commands on an empty installation of their own."""
    monkeypatch.setenv("GUITU_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("GUITU_FACES__ENGINE", "none")
    migrations.upgrade(settings)
    return CliRunner()


def test_an_unknown_record_is_named_and_an_empty_installation_has_all_its_keys(console: CliRunner) -> None:
    refused = console.invoke(app, ["explain", "450702-2026-000001-1", "R350203-2026-000001-4"])
    assert refused.exit_code == 1
    assert "There is no case or report “450702-2026-000001-1”" in refused.stderr
    found = console.invoke(app, ["blocking", "status"])
    assert (found.exit_code, "0 of 0 records" in found.stdout) == (0, True)
    asked = console.invoke(app, ["blocking", "fill"])
    assert (asked.exit_code, "0 of 0 records" in asked.stdout) == (0, True)
