"""The repository's own text, as the rules below read it."""

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("api", "matcher", "models", "tracing")
OTHERS = ("alembic", "benchmarks", "tests", "tools")


@cache
def modules(*folders: str) -> tuple[Path, ...]:
    """Python files under these folders of the repository."""
    return tuple(sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py")))


@cache
def parsed(path: Path) -> ast.Module:
    """The file's syntax tree."""
    return ast.parse(path.read_text("utf-8"), str(path))


def name_of(path: Path) -> str:
    """The file as the repository names it."""
    return path.relative_to(ROOT).as_posix()


def tracked_files() -> list[Path]:
    """Files that git has, and those that it would take."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    found = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for name in found.stdout.split("\0") if name and (path := ROOT / name).is_file()]
