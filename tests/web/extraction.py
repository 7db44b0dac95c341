"""Every sentence and every enum member that the pages may show, taken from the source itself."""

import ast
import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from enum import StrEnum
from importlib import resources
from pathlib import Path

from jinja2 import nodes

import models
from api.web import body_map, list_columns, navigation, record_form
from api.web.appearance import Theme
from api.web.pages import deadlines, home
from api.web.rendering import TEMPLATES, environment
from matcher import vocabulary
from matcher.faces.quality import QualityAdvice, QualityComponent
from tracing.platform.errors import TracingError
from tracing.system_state import PolicyArea

WEB = TEMPLATES.parent
LATIN = re.compile("[A-Za-z]")
CALLS = {"done": 1, "warning": 1, "text": 0}
"""Functions that take a msgid, and its position."""


def template_msgids() -> Iterator[tuple[str, str]]:
    """(where, msgid) of every `_("…")` in a template. A msgid that is no plain text raises ValueError."""
    for path in sorted(TEMPLATES.rglob("*.html")):
        tree = environment().parse(path.read_text("utf-8"))
        for call in tree.find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "_":
                yield from ((path.name, text) for text in _constants(call.args[0], path))


def _constants(argument: nodes.Expr, path: Path) -> Iterator[str]:
    if isinstance(argument, nodes.Const):
        yield str(argument.value)
    elif not isinstance(argument, nodes.Getattr):  # `_(group.heading)`: collected from the page's module below
        raise ValueError(f"{path}: a sentence must be plain text to be found")


def python_msgids() -> Iterator[tuple[str, str]]:
    """(where, msgid) of every sentence in the Python of the pages."""
    for path in sorted(WEB.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            position = CALLS.get(name)
            if position is not None and len(node.args) > position:
                argument = node.args[position]
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str) and " " in argument.value:
                    yield path.name, argument.value
    for error in _errors(TracingError):
        if error.__module__.startswith("api.web"):
            yield error.__name__, error.message
    for groups in home.WAITING.values():
        yield from (("home.py", heading) for heading, _ in groups)
    yield from (("navigation.py", entry.text) for entry in navigation.ENTRIES)
    yield from (("list_columns.py", column.heading) for column in list_columns.CASE_COLUMNS)
    yield from (("list_columns.py", column.heading) for column in list_columns.REPORT_COLUMNS)
    yield from (("deadlines.py", one.text) for one in deadlines.FILTERS)
    yield from (("body_map.py", figure.name) for figure in body_map.FIGURES)
    for labels in (record_form.CIRCUMSTANCES, record_form.LAST_SEEN, record_form.GROUPS):
        yield from (("record_form.py", msgid) for msgid in labels.values())


def _errors(base: type[TracingError]) -> Iterator[type[TracingError]]:
    for child in base.__subclasses__():
        yield child
        yield from _errors(child)


def policy_msgids() -> Iterator[tuple[str, str]]:
    """(where, msgid) of every source in the packaged policies that the pages name, unless it is in Chinese alone."""
    for name in ("deadlines-CN.json", "dossier-CN.json", "features-1.json"):
        policy = json.loads(resources.files("tracing.policies").joinpath(name).read_text("utf-8"))
        rows = [*policy.get("clocks", ()), *policy.get("items", ()), *policy.get("lists", ())]
        assert rows, name
        yield from ((name, row["source"]) for row in rows if LATIN.search(row["source"]))


def enum_msgids() -> Iterator[str]:
    """ "ClassName.value" of every member of the enums of the models, the vocabulary and the photographs' advice."""
    modules = [importlib.import_module(f"models.{one.name}") for one in pkgutil.iter_modules(models.__path__)]
    found: set[type[StrEnum]] = {QualityAdvice, QualityComponent, Theme, PolicyArea}
    for module in (vocabulary, *modules):
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, StrEnum) and value is not StrEnum:
                found.add(value)
    for members in sorted(found, key=lambda one: one.__name__):
        for member in members:
            yield f"{members.__name__}.{member.value}"
