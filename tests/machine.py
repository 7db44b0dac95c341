"""What this machine lacks for the whole of the tests, in one line each; `make test` prints it first."""

import os
import shutil
import socket
from pathlib import Path
from urllib.parse import urlsplit

SHARED = Path(__file__).parents[2] / "shared"


def listens(variable: str, port: int) -> bool:
    """Whether a server answers where the variable points, or at its usual port of this machine."""
    parts = urlsplit(os.environ.get(variable, ""))
    try:
        with socket.create_connection((parts.hostname or "127.0.0.1", parts.port or port), timeout=2):
            return True
    except OSError:
        return False


def missing() -> list[str]:
    """One sentence for each thing that is not here, with the remedy."""
    lacks = []
    if not listens("GUITU_TEST_POSTGRES_URL", 5432):
        lacks.append("No PostgreSQL: its tests are skipped. Start one, or set GUITU_TEST_POSTGRES_URL.")
    if not listens("GUITU_TEST_REDIS_URL", 6379):
        lacks.append("No Redis: its tests are skipped. Start one, or set GUITU_TEST_REDIS_URL.")
    if not any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")):
        lacks.append("No Chromium: browser tests are skipped. On Debian: apt-get install chromium fonts-noto-cjk.")
    if not SHARED.is_dir():
        lacks.append("No shared data beside the repository: its tests are skipped.")
    return lacks


if __name__ == "__main__":
    for sentence in missing():
        print(sentence)
