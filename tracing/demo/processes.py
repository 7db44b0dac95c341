"""Real processes of the service, started, killed and stopped: for the story, the drills and the tests of the docs."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

START_SECONDS = 60.0


class NotReady(Exception):
    """A process that did not come up; the text is the end of its log."""


def free_port() -> int:
    """A port of the loopback address that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Installation:
    """A server and, in Celery mode, a worker and beat, with the `GUITU_…` variables of this process."""

    logs: Path
    celery: bool
    port: int = field(default_factory=free_port)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where the server listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def names(self) -> tuple[str, ...]:
        """The processes that belong to this installation."""
        return ("server", "worker", "beat") if self.celery else ("server",)

    def start(self, name: str) -> None:
        """Start one of `names`."""
        celery = [sys.executable, "-m", "celery", "-A", "tracing.platform.celery_app:app"]
        command = {
            "server": [sys.executable, "-m", "tracing", "serve", "--port", str(self.port)],
            "worker": [*celery, "worker", "--concurrency", "2", "--loglevel", "WARNING"],
            "beat": [*celery, "beat", "--loglevel", "WARNING", "--pidfile", ""],
        }[name]
        self.logs.mkdir(parents=True, exist_ok=True)
        with (self.logs / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def start_all(self) -> None:
        """Start everything and wait until the server is ready. Raises NotReady."""
        for name in self.names:
            self.start(name)
        self.wait_ready()

    def wait_ready(self, seconds: float = START_SECONDS) -> None:
        """Wait until the server says that it is ready. Raises NotReady with the end of its log."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.running["server"].poll() is not None:
                break
            try:
                if httpx2.get(f"{self.url}/ready", timeout=2).status_code == httpx2.codes.OK:
                    return
            except httpx2.TransportError:
                pass
            time.sleep(0.1)
        raise NotReady((self.logs / "server.log").read_text(errors="replace")[-4000:])

    def kill(self, name: str) -> None:
        """`kill -9` of a process with its children, as a power cut would."""
        process = self.running.pop(name, None)
        if process is not None:
            _signal(process, signal.SIGKILL)
            process.wait()

    def stop_all(self) -> None:
        """Stop everything, politely at first."""
        for process in self.running.values():
            _signal(process, signal.SIGTERM)
        for process in self.running.values():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                _signal(process, signal.SIGKILL)
                process.wait()
        self.running.clear()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return


@contextmanager
def running(logs: Path, *, celery: bool) -> Iterator[Installation]:
    """An installation that is ready, and stopped at the end whatever happens."""
    installation = Installation(logs, celery)
    try:
        installation.start_all()
        yield installation
    finally:
        installation.stop_all()
