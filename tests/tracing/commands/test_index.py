"""`tracing index …` in processes of its own, and a short run of the drill."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.architecture.source import ROOT
from tests.factories.gallery import make_ground, make_person, unit
from tracing.platform import migrations
from tracing.platform.db import unit_of_work
from tracing.platform.settings import FaceSettings, Settings
from tracing.services import NO_ENGINE, build_services

FACES = 5


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GUITU_")}
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env={**environment, "GUITU_DATA_DIR": str(folder), "GUITU_FACES__ENGINE": NO_ENGINE, "COLUMNS": "160"},
        capture_output=True,
        text=True,
        check=False,
    )


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
    rebuilt = run(folder, "tracing", "index", "rebuild")
    assert (rebuilt.returncode, "5 faces indexed; a snapshot is written" in rebuilt.stdout) == (0, True), rebuilt.stderr
    (snapshot,) = folder.glob("index/*.index")
    good = run(folder, "tracing", "index", "verify")
    assert (good.returncode, "5 faces compared: 0 missing, 0 altered, 0 that" in good.stdout) == (0, True)
    assert snapshot.is_file()
    with sqlite3.connect(folder / "guitu.sqlite3") as database:  # behind the back of the triggers
        database.execute("DROP TRIGGER face_log_face_changed")
        database.execute("UPDATE face SET chosen = FALSE WHERE rowid IN (SELECT rowid FROM face LIMIT 1)")
    bad = run(folder, "tracing", "index", "verify")
    assert (bad.returncode, "4 faces compared: 0 missing, 0 altered, 1 that should not" in bad.stdout) == (1, True)
    mended = run(folder, "tracing", "index", "verify", "--repair")
    assert (mended.returncode, "Mended" in mended.stdout) == (0, True), mended.stderr
    assert run(folder, "tracing", "index", "verify").returncode == 0
    status = run(folder, "tracing", "index", "status")
    assert status.returncode == 0
    assert "searchable faces  4" in status.stdout
    assert "erasures pending  none" in status.stdout


def test_bench_times_the_installation(folder: Path) -> None:
    timed = run(folder, "tracing", "index", "bench", "--queries", "5")
    assert (timed.returncode, "5 faces, exact-fp16-" in timed.stdout) == (0, True), timed.stderr
    assert "catching up" in timed.stdout


def test_an_installation_without_faces_says_so(tmp_path: Path) -> None:
    migrations.upgrade(Settings(_env_file=None, data_dir=tmp_path))
    for command in ("rebuild", "verify", "bench"):
        told = run(tmp_path, "tracing", "index", command)
        assert (told.returncode, "no searchable face" in told.stdout) == (0, True), told.stderr


@pytest.mark.parametrize("more", [(), ("--approximate", "compressed")], ids=["exact", "compressed"])
def test_killed_ten_times_the_index_is_right_each_time(tmp_path: Path, more: tuple[str, ...]) -> None:
    ran = run(tmp_path, "benchmarks.drill_index", "--kills", "10", "--faces", "60", "--seed", "7", *more)
    figures = json.loads(ran.stdout.splitlines()[-1])
    assert (ran.returncode, figures["kills"], figures["not_clean"]) == (0, 10, 0), ran.stdout
    assert figures["faces_compared"] > 300
