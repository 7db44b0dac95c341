"""Rules about modules: their size, their names, what they say of themselves, what they import and where."""

import ast
import subprocess
import sys

import pytest

from tests.architecture.source import OTHERS, PACKAGES, ROOT, modules, name_of, parsed

LONGEST = 400
VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc"}
LOCAL_IMPORTS: set[str] = {
    "matcher/faces/card_embedder.py",  # as below
    "matcher/faces/onnx_engine.py",  # onnx is for building alone: 12 MB that a process with kept models does without
}
"""Modules that may import inside a function, each with its reason."""
WORLD = """
import os, socket, sys

def refuse(event, arguments):
    if event.startswith(("socket.connect", "socket.getaddrinfo", "subprocess", "os.system")):
        raise SystemExit(f"{event} {arguments}")
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        raise SystemExit(f"{event} {arguments}")
    if event == "open" and arguments[1] is None and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        raise SystemExit(f"{event} {arguments}")
    if event in {"os.mkdir", "os.remove", "os.rename"}:
        raise SystemExit(f"{event} {arguments}")

sys.dont_write_bytecode = True
sys.addaudithook(refuse)
"""


def test_modules_are_short() -> None:
    lines = {name_of(path): len(path.read_text("utf-8").splitlines()) for path in modules(*PACKAGES, *OTHERS)}
    assert len(lines) > 100
    assert {name: count for name, count in lines.items() if count > LONGEST} == {}


def test_modules_are_named_by_a_noun_of_the_domain() -> None:
    assert [name_of(path) for path in modules(*PACKAGES) if {path.stem, path.parent.name} & VAGUE] == []


def test_alembic_is_no_package() -> None:
    assert not (ROOT / "alembic" / "__init__.py").exists(), "it would shadow the library"


def test_every_public_function_and_class_says_what_it_promises() -> None:
    silent = []
    for path in modules(*PACKAGES):
        if ast.get_docstring(parsed(path)) is None:
            silent.append(name_of(path))
        for scope in ast.walk(parsed(path)):
            if not isinstance(scope, ast.Module | ast.ClassDef):
                continue
            for node in scope.body:
                if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                    continue
                if not node.name.startswith("_") and ast.get_docstring(node) is None:
                    silent.append(f"{name_of(path)}:{node.lineno} {node.name}")
    assert silent == []


def with_local_imports() -> set[str]:
    return {
        name_of(path)
        for path in modules(*PACKAGES)
        for function in ast.walk(parsed(path))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }


def test_imports_stand_at_the_top() -> None:
    assert with_local_imports() - LOCAL_IMPORTS == set()


def test_the_allow_list_of_local_imports_is_no_longer_than_needed() -> None:
    assert LOCAL_IMPORTS - with_local_imports() == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_does_nothing_to_the_world(package: str) -> None:
    """Every module of the package: no connection, no child process, no file written."""
    names = [
        name_of(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for path in modules(package)
        if path.stem != "__main__"
    ]
    program = f"{WORLD}\nimport importlib\nfor name in {names!r}:\n    importlib.import_module(name)\n"
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]


def test_imports_point_down() -> None:
    """The contracts of import-linter."""
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    ran = subprocess.run(
        [sys.executable, "-c", program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout
    assert "0 broken" in ran.stdout
