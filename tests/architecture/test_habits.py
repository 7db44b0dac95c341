"""Habits that reviews keep asking for: who commits, who reads the clock, who may query, what is mapped and written."""

import ast
import importlib
import re

from tests.architecture.source import OTHERS, PACKAGES, ROOT, modules, name_of, parsed, tracked_files
from tracing.platform.errors import TracingError
from tracing.platform.settings import Settings, settings_table

COMMITTERS = {"tracing/platform/db.py"}
CLOCKS = {"tracing/platform/clock.py", "tracing/limits.py"}
WALL_CLOCKS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns"}
# Built in pieces, so that this file does not hold them.
MACHINE = [
    re.compile("/" + folder + r"/[a-z0-9_.-]+/", re.IGNORECASE) for folder in ("home", "root", "Users", "work")
] + [re.compile("pypi" + r"\.org/simple"), re.compile("files." + "pythonhosted"), re.compile("extra-index" + "-url")]
TEXT = {".py", ".md", ".toml", ".txt", ".html", ".css", ".js", ".json", ".yaml", ".yml", ".cfg", ".ini", ".mako", ".po"}


def calls(tree: ast.AST) -> list[tuple[int, str]]:
    """Line and dotted name (the last two parts) of every call."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            parts = ast.unparse(node.func).split(".")
            found.append((node.lineno, ".".join(parts[-2:])))
    return found


def where(names: set[str], folders: tuple[str, ...], *, last_part: bool = False) -> set[str]:
    """Places that call one of the names."""
    return {
        f"{name_of(path)}:{line} {name}"
        for path in modules(*folders)
        for line, name in calls(parsed(path))
        if (name.split(".")[-1] if last_part else name) in names
    }


def test_only_the_unit_of_work_commits() -> None:
    found = where({"commit", "rollback"}, PACKAGES, last_part=True)
    assert {place for place in found if place.split(":")[0] not in COMMITTERS} == set()
    # The rule can see: the unit of work begins, and so do the tests' own probes of it.
    assert where({"begin"}, ("tracing",), last_part=True)


def test_the_api_holds_no_query() -> None:
    found = where({"select", "query", "scalars", "execute", "exec_driver_sql"}, ("api",), last_part=True)
    assert found == set()


def test_the_wall_clock_is_read_in_one_place() -> None:
    found = where(WALL_CLOCKS, PACKAGES)
    assert {place for place in found if place.split(":")[0] not in CLOCKS} == set()
    assert {place.split(":")[0] for place in found} == CLOCKS


def subclasses(kind: type[TracingError]) -> set[type[TracingError]]:
    return {kind} | {below for child in kind.__subclasses__() for below in subclasses(child)}


def every_error() -> list[type[TracingError]]:
    for path in modules(*PACKAGES):
        if path.stem != "__main__":
            importlib.import_module(name_of(path).removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    found = [kind for kind in subclasses(TracingError) if kind.__module__.split(".")[0] in PACKAGES]
    return sorted(found, key=lambda kind: kind.slug)


def test_every_error_is_mapped_to_a_problem() -> None:
    problems = importlib.import_module("api.problems")
    unmapped = [
        kind.__name__
        for kind in every_error()
        if (kind is not TracingError and not 400 <= problems.status_of(kind) < 600)
        or (kind is not TracingError and problems.status_of(kind) == problems.STATUS[TracingError])
    ]
    assert unmapped == []


def test_every_error_has_a_slug_and_a_sentence_of_its_own() -> None:
    errors = every_error()
    assert len(errors) > 40
    slugs = [kind.slug for kind in errors]
    assert [slug for slug in slugs if slugs.count(slug) > 1] == []
    assert [kind.__name__ for kind in errors if not kind.message.endswith((".", ":"))] == []
    assert [slug for slug in slugs if re.fullmatch(r"[a-z][a-z0-9_]*", slug) is None] == []


def test_every_setting_is_documented() -> None:
    assert (ROOT / "docs" / "settings.md").read_text("utf-8") == settings_table()
    for name, field in Settings.model_fields.items():
        assert field.description, name
    assert settings_table().count("\n| `GUITU_") >= 40
    assert " | None |" not in settings_table()


def test_the_text_speaks_of_no_machine() -> None:
    found = set()
    for path in tracked_files():
        if path.suffix not in TEXT and path.name not in {"Makefile", "LICENSE", "run"}:
            continue
        for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), start=1):
            if any(pattern.search(line) for pattern in MACHINE):
                found.add(f"{name_of(path)}:{number}")
    assert found == set()


def test_the_patterns_would_find_a_machine() -> None:
    samples = ["see /" + "home/someone/x", "/" + "work/main/x", "https://pypi" + ".org/simple/x"]
    assert all(any(pattern.search(sample) for pattern in MACHINE) for sample in samples)


def test_folders_are_where_the_map_says() -> None:
    assert [folder for folder in (*PACKAGES, *OTHERS) if not (ROOT / folder).is_dir()] == []
