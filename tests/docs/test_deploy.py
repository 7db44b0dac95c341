"""Every command of docs/deploy.md, in its order, against real PostgreSQL and Redis."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.machine import listens
from tracing.demo.environments import environment
from tracing.demo.processes import free_port

DEPLOY = Path(__file__).parents[2] / "docs" / "deploy.md"
LASTING = ("tracing serve", "celery ")
PASSWORD = "a-long-enough-password"


def commands(page: Path) -> list[str]:
    """The lines of the page's `sh` blocks."""
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


@pytest.fixture
def production(tmp_path: Path) -> Iterator[str]:
    """An empty production installation in this process's environment; the server's URL."""
    for variable, port in (("GUITU_TEST_POSTGRES_URL", 5432), ("GUITU_TEST_REDIS_URL", 6379)):
        if not listens(variable, port):
            pytest.skip(f"nothing listens where {variable} points")
    port = free_port()
    with environment(tmp_path, production=True, extra={"GUITU_WEB__PORT": str(port)}):
        yield f"http://127.0.0.1:{port}"


def _is_ready(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/ready", timeout=2).is_success
    except httpx2.TransportError:
        return False


@pytest.mark.postgres
@pytest.mark.redis
def test_every_command_of_the_page_works(production: str, tmp_path: Path) -> None:
    path = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    lasting: list[subprocess.Popen[bytes]] = []
    try:
        for command in commands(DEPLOY):
            if command.startswith(LASTING):
                process = subprocess.Popen(command, shell=True, env=path, start_new_session=True)
                lasting.append(process)
                continue
            if lasting:
                _wait(production, lasting)
            done = subprocess.run(
                command,
                shell=True,
                env=path,
                input=f"{PASSWORD}\n{PASSWORD}\n",
                capture_output=True,
                text=True,
                start_new_session=True,
                check=False,
            )
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        assert len(lasting) == 3
    finally:
        for process in lasting:
            subprocess.run(["pkill", "-TERM", "-s", str(process.pid)], check=False)
            process.wait(20)


def _wait(url: str, processes: list[subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + 60
    while not _is_ready(url):
        assert time.monotonic() < deadline, "the server did not get ready"
        assert all(process.poll() is None for process in processes)
        time.sleep(0.2)
