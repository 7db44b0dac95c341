"""`tracing index …`, and a short run of the drill in processes of its own."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import Result

from tests.architecture.source import ROOT
from tests.factories.commands import tracing
from tests.factories.gallery import make_ground, make_person, unit
from tracing.platform import migrations
from tracing.platform.db import unit_of_work
from tracing.platform.settings import FaceSettings, Settings
from tracing.services import NO_ENGINE, build_services

FACES = 5


def run(folder: Path, *arguments: str) -> Result:
    return tracing(folder, "index", *arguments, GUITU_FACES__ENGINE=NO_ENGINE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The data folder of an installation with a few faces."""
    settings = Settings(_env_file=None, data_dir=tmp_path, faces=FaceSettings(engine=NO_ENGINE))
    migrations.upgrade(settings)
    services = build_services(settings)
    with unit_of_work(services.db) as session:
        ground = make_ground(session)
        for number in range(FACES):
            embedding = unit(np.array([1, number, 2], np.float32))
            make_person(session, services.vault, ground, embedding, version=NO_ENGINE)
    services.db.dispose()
    return tmp_path


def test_an_operator_rebuilds_verifies_and_repairs(folder: Path) -> None:
    rebuilt = run(folder, "rebuild")
    assert (rebuilt.exit_code, "5 faces indexed; a snapshot is written" in rebuilt.stdout) == (0, True), rebuilt.stderr
    (snapshot,) = folder.glob("index/*.index")
    good = run(folder, "verify")
    assert (good.exit_code, "5 faces compared: 0 missing, 0 altered, 0 that" in good.stdout) == (0, True)
    assert snapshot.is_file()
    with sqlite3.connect(folder / "guitu.sqlite3") as database:  # behind the back of the triggers
        database.execute("DROP TRIGGER face_log_face_changed")
        database.execute("UPDATE face SET chosen = FALSE WHERE rowid IN (SELECT rowid FROM face LIMIT 1)")
    bad = run(folder, "verify")
    assert (bad.exit_code, "4 faces compared: 0 missing, 0 altered, 1 that should not" in bad.stdout) == (1, True)
    mended = run(folder, "verify", "--repair")
    assert (mended.exit_code, "Mended" in mended.stdout) == (0, True), mended.stderr
    assert run(folder, "verify").exit_code == 0
    status = run(folder, "status")
    assert status.exit_code == 0
    assert "searchable faces  4" in status.stdout
    assert "erasures pending  none" in status.stdout


def test_bench_times_the_installation(folder: Path) -> None:
    timed = run(folder, "bench", "--queries", "5")
    assert (timed.exit_code, "5 faces, exact-fp16-" in timed.stdout) == (0, True), timed.stderr
    assert "catching up" in timed.stdout


def test_an_installation_without_faces_says_so(tmp_path: Path) -> None:
    migrations.upgrade(Settings(_env_file=None, data_dir=tmp_path))
    for command in ("rebuild", "verify", "bench"):
        told = run(tmp_path, command)
        assert (told.exit_code, "no searchable face" in told.stdout) == (0, True), told.stderr


def test_killed_ten_times_the_index_is_right_each_time() -> None:
    command = [sys.executable, "-m", "benchmarks.drill_index", "--kills", "10", "--faces", "60", "--seed", "7"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    figures = json.loads(ran.stdout.splitlines()[-1])
    assert (ran.returncode, figures["kills"], figures["not_clean"]) == (0, 10, 0), ran.stdout
    assert figures["faces_compared"] > 300
