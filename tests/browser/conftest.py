"""A real server with its worker on a database of the test's own, and a real browser."""

import os
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, expect, sync_playwright

from api.app import create_app
from matcher.faces.weights import FaceEngineUnavailable, model_version
from tests.conftest import settings_for
from tests.factories.world import World, build_world
from tracing.demo.processes import free_port
from tracing.platform.clock import utc_now
from tracing.platform.migrations import upgrade
from tracing.platform.settings import FaceSettings
from tracing.services import Services

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
PHOTOS = Path(__file__).parents[2] / "var" / "demo-photos"
OPTIONS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
START_SECONDS = 60
expect.set_options(timeout=20_000)  # a machine that does other work too


@dataclass
class StoryClock:
    """The wall clock, and how far a story has gone ahead of it."""

    ahead: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        """The moment at which the story is."""
        return utc_now() + self.ahead


@dataclass(frozen=True)
class Ground:
    """The service before it is served: nothing runs its jobs yet but the test."""

    app: FastAPI
    world: World
    photos: dict[str, list[Path]]
    clock: StoryClock

    @property
    def services(self) -> Services:
        """The application's own."""
        services: Services = self.app.state.services
        return services


@dataclass(frozen=True)
class Site:
    """Where the pages are, who lives there, and the sample photographs by person (none when they are not here)."""

    url: str
    zone: ZoneInfo
    world: World
    photos: dict[str, list[Path]]
    clock: StoryClock


def _photos() -> dict[str, list[Path]]:
    folders = sorted(path for path in PHOTOS.iterdir() if path.is_dir()) if PHOTOS.is_dir() else []
    found = {folder.name: sorted(folder.glob("*.jpg")) for folder in folders}
    return {name: files for name, files in found.items() if len(files) > 1}


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A browser. Skips when there is none."""
    program = os.environ.get("GUITU_TEST_CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip("no Chromium: apt-get install chromium fonts-noto-cjk, or set GUITU_TEST_CHROMIUM to one")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    """The service with its two provinces. A test that prepares records asks for this before it asks for the site."""
    photos = _photos()
    settings = settings_for(tmp_path / "var")
    try:
        model_version()
    except FaceEngineUnavailable:
        photos = {}
    if photos:
        settings = settings.model_copy(update={"faces": FaceSettings(engine="face_recognition")})
    upgrade(settings)
    clock = StoryClock()
    app = create_app(settings, clock)
    return Ground(app, build_world(app.state.services, clock()), photos, clock)


@pytest.fixture
def site(ground: Ground) -> Iterator[Site]:
    """The service with its embedded worker, in a thread."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(ground.app, port=port, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + START_SECONDS
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.05)
    assert server.started, "the server did not start"
    yield Site(f"http://127.0.0.1:{port}", ground.services.settings.zone, ground.world, ground.photos, ground.clock)
    server.should_exit = True
    thread.join(START_SECONDS)
