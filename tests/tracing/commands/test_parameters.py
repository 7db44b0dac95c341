"""`tracing parameters …`, as it is called."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.tracing.test_parameters import changed, file_of
from tracing.cli import app
from tracing.platform import migrations
from tracing.platform.settings import load_settings
from tracing.services import build_services

PLAIN = {"COLUMNS": "200"}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Calls a command on an installation without records."""
    monkeypatch.setenv("GUITU_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("GUITU_FACES__ENGINE", "none")
    monkeypatch.chdir(tmp_path)
    settings = load_settings()
    migrations.upgrade(settings)
    build_services(settings).db.dispose()  # makes the master key, and says so

    def call(*arguments: object, exit_code: int = 0) -> Any:
        result = CliRunner().invoke(app, ["parameters", *map(str, arguments)], env=PLAIN)
        assert result.exit_code == exit_code, (result.output, result.exception)
        return result

    return call


def test_comparing_trying_and_using(run: Any, tmp_path: Path) -> None:
    name = file_of(changed("trial", sex__same=0.6), tmp_path / "mine")
    shown = run("compare", "packaged", name).stdout
    assert "sex.same" in shown
    assert "0.6" in shown
    assert "sex.chance" not in shown
    assert "The figures are the same." in run("compare", "packaged", "in-force").stdout
    assert "fewer than 10 confirmed or excluded" in run("backtest", name, exit_code=1).stdout
    refused = run("use", name, exit_code=2)
    assert "The back-test speaks against these parameters: fewer than 10" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
    assert "trial is in force" in run("use", name, "--despite", "试用").stdout
    listed = run("list").stdout
    assert "trial" in listed
    assert "试用" in listed
    assert "The figures are the same." in run("compare", name, "in-force").stdout
    assert "packaged is in force" in run("use", "packaged", "--despite", "结束").stdout


def test_what_cannot_be_used_is_said_in_one_line(run: Any, tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps(changed("a+b")), "utf-8")
    for arguments, message in (
        (("use", "nowhere"), "There are no parameters of this name."),
        (("compare", "packaged", broken), "its version has 1 to 31 characters and no +"),
        (("learn",), "Only 0 candidates are confirmed; 5 are needed"),
    ):
        result = run(*arguments, exit_code=2)
        assert message in result.stderr
        assert len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "parameters").exists()
