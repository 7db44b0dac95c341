"""Ethnic groups of China (民族), GB/T 3304: two-digit codes and names."""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType


@cache
def all_names() -> Mapping[str, str]:
    """Every code ("01" to "56") with its Chinese name, in the standard's order."""
    text = (resources.files("matcher") / "data" / "ethnicities.tsv").read_text("utf-8")
    names: dict[str, str] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            code, name = line.split("\t")
            names[code] = name
    return MappingProxyType(names)


def exists(code: str) -> bool:
    """Whether the standard has the code."""
    return code in all_names()


def name(code: str) -> str:
    """Chinese name of a code; raises KeyError for one that the standard does not have."""
    return all_names()[code]
