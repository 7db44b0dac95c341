"""`tracing index …`, and a short run of the drill in processes of its own."""

import json
import os
import signal
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


KILLED_HALF_WAY = """
import os, signal
import tracing.gallery_shared as shared
from tracing.cli import app
whole = shared.move

def move(source, target, token, note):
    def killed(progress):
        note(progress)
        if progress.done == 4:
            os.kill(os.getpid(), signal.SIGKILL)
    whole(source, target, token, killed, faces_at_once=2)

shared.move = move
app(["index", "move", "--to", "milvus"])
"""


# A file of Milvus Lite; short waits, for a feeder that was killed must be followed soon.
IN_MILVUS = {
    "GUITU_INDEX__MILVUS_LEASE_SECONDS": "2",
    "GUITU_INDEX__MILVUS_TIMEOUT_SECONDS": "1",
}


def run(folder: Path, *arguments: str, milvus: bool = True) -> Result:
    url = {"GUITU_INDEX__MILVUS_URL": str(folder / "milvus.db")} if milvus else {}
    return tracing(folder, "index", *arguments, GUITU_FACES__ENGINE=NO_ENGINE, **IN_MILVUS, **url)


def run_alone(folder: Path, program: str) -> subprocess.CompletedProcess[str]:
    """The program in a process of its own."""
    own = {"GUITU_DATA_DIR": str(folder), "GUITU_FACES__ENGINE": NO_ENGINE, **IN_MILVUS}
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("GUITU_")}
        | {**own, "GUITU_INDEX__MILVUS_URL": str(folder / "milvus.db")},
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


def test_an_operator_moves_the_index_into_milvus_and_back(folder: Path) -> None:
    killed = run_alone(folder, KILLED_HALF_WAY)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    status = run(folder, "status").output
    assert "a move to milvus, begun at" in status
    assert "being filled" in status
    moved = run(folder, "move", "--to", "milvus")
    assert moved.exit_code == 0, moved.output
    assert "Going on with the move begun at" in moved.output
    assert "none: 5 faces are in Milvus and equal those of the database." in moved.output
    with sqlite3.connect(folder / "guitu.sqlite3") as database:  # behind the back of the triggers
        database.execute("DROP TRIGGER face_log_face_changed")
        database.execute("UPDATE face SET chosen = FALSE WHERE rowid IN (SELECT rowid FROM face LIMIT 1)")
    for arguments, code, sentence in (
        (["verify"], 1, "4 faces compared: 0 missing, 0 altered, 1 that should not"),
        (["verify", "--repair"], 0, "were put right in Milvus"),
        (["verify"], 0, "4 faces compared: 0 missing, 0 altered, 0 that"),
        (["bench", "--queries", "5"], 0, "4 faces, milvus-flat-1"),
        (["rebuild"], 0, "none: 4 faces are in Milvus"),
        (["status"], 0, "searches ask      Milvus at"),
        (["move", "--back"], 0, "No face is left in Milvus."),
        (["status"], 0, "each process's own index"),
        (["move"], 2, "say where to"),
    ):
        told = run(folder, *arguments)
        assert (told.exit_code, sentence in told.output) == (code, True), told.output


def test_without_milvus_in_the_settings_the_remedy_is_said(folder: Path) -> None:
    told = run(folder, "move", "--to", "milvus", milvus=False)
    assert (told.exit_code, "GUITU_INDEX__MILVUS_URL is not set" in told.output) == (1, True), told.output


def test_bench_times_the_installation(folder: Path) -> None:
    timed = run(folder, "bench", "--queries", "5")
    assert (timed.exit_code, "5 faces, exact-fp16-" in timed.stdout) == (0, True), timed.stderr
    assert "catching up" in timed.stdout


def test_an_installation_without_faces_says_so(tmp_path: Path) -> None:
    migrations.upgrade(Settings(_env_file=None, data_dir=tmp_path))
    for command in ("rebuild", "verify", "bench"):
        told = run(tmp_path, command)
        assert (told.exit_code, "no searchable face" in told.stdout) == (0, True), told.stderr


@pytest.mark.parametrize("more", [(), ("--approximate", "compressed")], ids=["exact", "compressed"])
def test_killed_again_and_again_the_index_is_right_each_time(more: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "benchmarks.drill_index", "--kills", "6", "--faces", "60", "--seed", "7", *more]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    figures = json.loads(ran.stdout.splitlines()[-1])
    assert (ran.returncode, figures["kills"], figures["not_clean"]) == (0, 6, 0), ran.stdout
    assert figures["faces_compared"] > 150
