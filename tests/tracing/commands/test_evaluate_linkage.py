"""`tracing evaluate linkage`, as it is called."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.matcher.linkage.test_model import COLUMNS, HEADINGS, invented
from tracing.cli import app

REPOSITORY = Path(__file__).parents[3]
RECORDS = REPOSITORY.parent / "shared" / "data" / "linkage"
KEYS = {"precision", "recall", "f1", "rank_1", "rank_20", "roc", "threshold", "pairs", "rows"}


def run(*arguments: object, exit_code: int = 0) -> Any:
    result = CliRunner().invoke(app, ["evaluate", "linkage", *map(str, arguments)])
    assert result.exit_code == exit_code, (result.output, result.exception)
    return result


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table of invented people, who stands in the column `person`."""
    rows, owners = invented(30)
    path = tmp_path / "people.csv"
    lines = [",".join([*HEADINGS, "person"])]
    lines += [
        ",".join([*(row[name] for name in HEADINGS), str(owner)]) for row, owner in zip(rows, owners, strict=True)
    ]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    """The mapping of that table."""
    path = tmp_path / "mapping.json"
    path.write_text(json.dumps(COLUMNS), "utf-8")
    return path


def test_figures_are_shown_and_written(table: Path, mapping: Path, tmp_path: Path) -> None:
    target = tmp_path / "figures.json"
    result = run(table, "--truth", "person", "--mapping", mapping, "--json", target)
    figures = json.loads(target.read_text("utf-8"))
    assert set(figures) >= KEYS
    assert figures["f1"] > 0.95
    assert figures["rank_1"] > 0.95
    assert figures["rank_20"] == 1.0
    assert figures["rows"] == len(table.read_text("utf-8").splitlines()) - 1
    assert f"{figures['f1']:.4f}" in result.stdout
    run(table, "--truth", "person", "--mapping", mapping, "--json", target)
    assert json.loads(target.read_text("utf-8")) == figures


def test_what_cannot_be_used_is_said_in_one_line(table: Path, mapping: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text('[columns]\nnome = "surname"\n', "utf-8")
    leaking = tmp_path / "leaking.toml"
    leaking.write_text('[columns]\nperson = "identifier"\n', "utf-8")
    for arguments, message in (
        ((tmp_path / "none.csv", "--truth", "person", "--mapping", mapping), "cannot be read"),
        ((table, "--truth", "who", "--mapping", mapping), "--truth who: the table has no such column; it has given,"),
        ((table, "--truth", "person", "--mapping", tmp_path / "none.toml"), "name a TOML or JSON file"),
        ((table, "--truth", "person", "--mapping", wrong), "columns.nome: the table has no such column"),
        ((table, "--truth", "person", "--mapping", leaking), "columns.person: holds the truth; take it out"),
    ):
        result = run(*arguments, exit_code=2)
        assert message in result.stderr
        assert len(result.stderr.strip().splitlines()) == 1
        assert result.stdout == ""


@pytest.mark.shared
def test_real_records_without_labels(tmp_path: Path) -> None:
    """Splink's sample, on which its own published models reach .81 at their threshold and .87 at the best one."""
    if not RECORDS.is_dir():
        pytest.skip("the shared records are not here")
    target = tmp_path / "figures.json"
    mapping = REPOSITORY / "benchmarks" / "mappings" / "fake_1000.toml"
    run(RECORDS / "fake_1000.csv", "--truth", "cluster", "--mapping", mapping, "--json", target)
    figures = json.loads(target.read_text("utf-8"))
    assert figures["f1"] > 0.93
    assert figures["rank_1"] > 0.98
    assert abs(figures["expected_f1"] - figures["f1"]) < 0.03
