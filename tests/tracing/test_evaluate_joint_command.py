"""`tracing evaluate joint` and `tracing evaluate report`, as they are called."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from matcher.evaluation import plots
from tests.tracing.test_evaluate_command import portraits
from tracing.cli import app


def run(*arguments: object, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(app, [*map(str, arguments)])
    assert result.exit_code == exit_code, (result.output, result.exception)
    return result


@pytest.mark.demo_photos
def test_the_sample_portraits_among_simulated_families(tmp_path: Path) -> None:
    """One person with several photographs, and two with one, of whom one is enrolled."""
    figures_file = tmp_path / "joint.json"
    arguments = ("evaluate", "joint", "--faces", portraits(), "--json", figures_file, "--cache", tmp_path / "cache")
    small = ("--worlds", 2, "--distractors", 6, "--severity", "usual", "--severity", "severe", "--seed", 5)
    result = run(*arguments, *small)
    figures = json.loads(figures_file.read_text("utf-8"))
    assert list(figures["severities"]) == ["usual", "severe"]
    usual = figures["severities"]["usual"]
    assert (usual["worlds"], usual["gallery"], usual["mated"], usual["non_mated"]) == (2, 8, 2, 2)
    assert set(usual["fused"]) >= {
        "rank_1",
        "rank_20",
        "fnir_at_fpir_1e-1",
        "fnir_at_fpir_1e-2",
        "cmc",
        "cllr",
        "min_cllr",
    }
    assert "| rank 1 |" in result.stdout
    assert "Fused rank 1" in result.stdout
    run(*arguments, *small)
    assert json.loads(figures_file.read_text("utf-8")) == figures
    pytest.importorskip(plots.PACKAGE)
    result = run("evaluate", "report", tmp_path)
    assert "report.html" in result.stdout
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "综合评测" in page
    assert str(portraits().parent) not in page


def test_what_cannot_be_used_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "joint.json").write_text("{", "utf-8")
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "joint.json").write_text('{"figures": 1}', "utf-8")
    wrong: list[tuple[list[object], str]] = [
        (["joint", "--faces", tmp_path / "nowhere"], "is not a folder"),
        (["joint", "--faces", tmp_path, "--names", tmp_path], "familyname.csv"),
        (["report", tmp_path / "nowhere"], "is not a folder"),
        (["report", tmp_path / "empty"], "no figures to show"),
        (["report", tmp_path / "broken"], "joint.json is no JSON"),
        (["report", tmp_path / "odd"], "does not hold what its command writes"),
    ]
    for arguments, message in wrong:
        result = run("evaluate", *arguments, exit_code=2)
        assert message in result.stderr
        assert len(result.stderr.strip().splitlines()) == 1
        assert result.stdout == ""
