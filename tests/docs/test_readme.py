"""Every command that the README names, run as a reader would run it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx2
import pytest

from tests.machine import listens
from tracing.demo.processes import free_port

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
# Run by what runs this test: `make test` is this run, `make check` stands in .ci/run, `make clean` would end both.
# `make evaluate` takes minutes on data that are not in the repository; its commands are run one by one elsewhere.
ELSEWHERE = {"make test", "make check", "make clean", "make evaluate"}
RUN_HERE = {
    "make run", "make story", "make story-production", "make drill-jobs", "make drill-index", "make help",
    "make run PHOTOS=folder",
}  # fmt: skip


DEMO = ROOT / "var" / "demo-photos"
# What stands in the README, and the same with photographs that are here.
COMMANDS: dict[str, tuple[str, ...]] = {
    "tracing faces inspect PHOTO": ("faces", "inspect", str(DEMO / "obama" / "obama.jpg")),
    "tracing faces compare A B": (
        "faces", "compare", str(DEMO / "obama" / "obama.jpg"), str(DEMO / "biden" / "biden.jpg"),
    ),
    "tracing faces reembed": ("faces", "reembed"),
    "tracing evaluate faces DIR": ("evaluate", "faces", str(DEMO)),
    "tracing evaluate joint --faces DIR": (
        "evaluate", "joint", "--faces", str(DEMO), "--worlds", "1", "--distractors", "20", "--severity", "usual",
    ),
    "tracing story --list": ("story", "--list"),
    "tracing audit verify": ("audit", "verify"),
}  # fmt: skip


def _make(*arguments: str, extra: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=ROOT,
        env={**os.environ, **(extra or {})},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def test_every_command_of_the_readme_is_run() -> None:
    text = README.read_text("utf-8")
    named = set(re.findall(r"`(make [^`]+)`", text)) | set(re.findall(r"^    (make \w+)", text, re.MULTILINE))
    assert named == ELSEWHERE | RUN_HERE
    ci = (ROOT / ".ci" / "run").read_text("utf-8")
    assert "make test" in ci
    assert "make check" in ci
    assert _make("-n", "clean").returncode == 0
    assert set(re.findall(r"`(tracing [^`]+)`", text)) == set(COMMANDS)


@pytest.mark.demo_photos
@pytest.mark.parametrize("command", COMMANDS)
def test_commands_of_the_readme(command: str, tmp_path: Path) -> None:
    env = {**os.environ, "GUITU_DATA_DIR": str(tmp_path), "COLUMNS": "120"}
    tracing = str(Path(sys.executable).with_name("tracing"))
    subprocess.run([tracing, "migrate"], cwd=tmp_path, env=env, check=True, capture_output=True, timeout=120)
    done = subprocess.run(
        [tracing, *COMMANDS[command]], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_every_link_of_the_documents_leads_somewhere() -> None:
    for page in (README, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_help_lists_every_target() -> None:
    shown = _make("help")
    assert shown.returncode == 0
    for target in ("run", "story", "test", "check", "fmt", "migrate", "migration", "worker", "bench", "clean"):
        assert f"make {target} " in shown.stdout


@pytest.mark.parametrize("photos", [None, "sample"])
def test_make_run_seeds_and_serves(photos: str | None, tmp_path: Path) -> None:
    port = free_port()
    variables = {"GUITU_DATA_DIR": str(tmp_path / "data"), "GUITU_WEB__PORT": str(port)}
    if photos:
        (tmp_path / "photos" / "nobody").mkdir(parents=True)
        variables["PHOTOS"] = str(tmp_path / "photos")
    process = subprocess.Popen(
        ["make", "run"],
        cwd=ROOT,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        _wait(f"http://127.0.0.1:{port}/ready", process)
        note = (tmp_path / "data" / "demo-accounts.txt").read_text("utf-8")
        username, password, _role = note.splitlines()[0].split("\t")
        form = {"grant_type": "password", "username": username, "password": password}
        answer = httpx2.post(f"http://127.0.0.1:{port}/api/v1/oauth/token", data=form)
        assert answer.is_success, answer.text
        assert httpx2.get(f"http://127.0.0.1:{port}/login").is_success
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            if httpx2.get(url, timeout=2).is_success:
                return
        except httpx2.TransportError:
            pass
        assert process.poll() is None, "make run ended"
        assert time.monotonic() < deadline, "make run did not serve"
        time.sleep(0.2)


def test_the_story_is_the_same_in_both_modes() -> None:
    embedded = _make("story")
    assert embedded.returncode == 0, embedded.stdout + embedded.stderr
    if not (listens("GUITU_TEST_POSTGRES_URL", 5432) and listens("GUITU_TEST_REDIS_URL", 6379)):
        pytest.skip("the embedded story passed; no PostgreSQL and Redis for the other")
    production = _make("story-production")
    assert production.returncode == 0, production.stdout + production.stderr
    assert production.stdout == embedded.stdout


@pytest.mark.parametrize("mode", ["embedded", "production"])
def test_a_short_jobs_drill(mode: str) -> None:
    if mode == "production" and not (
        listens("GUITU_TEST_POSTGRES_URL", 5432) and listens("GUITU_TEST_REDIS_URL", 6379)
    ):
        pytest.skip("no PostgreSQL and Redis")
    arguments = "--cases 8 --kills 3" + (" --production" if mode == "production" else "")
    done = _make("drill-jobs", f"ARGS={arguments}")
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["cases"] == 8
    assert figures["kills"] == 3
    assert figures["good"]


def test_a_short_index_drill() -> None:
    done = _make("drill-index", "ARGS=--kills 4 --faces 40 --seed 3")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["kills"] == 4
