"""The figures of the simulation: shares, spreads and tables, each with its source, at a stated severity."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType

from matcher.evidence.base import Parameters, parse_parameters

SIMULATION_FILE = "simulation-1.json"

MOST_KNOWN = 0.995
"""No field is always filled in."""


class Severity(StrEnum):
    """How much is missing and wrong in the records (严重程度)."""

    MILD = "mild"
    USUAL = "usual"
    SEVERE = "severe"


@dataclass(frozen=True, slots=True)
class SpeakerGroup:
    """Provinces whose speakers share habits of speech (口音习惯)."""

    provinces: tuple[str, ...]
    habits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Habit:
    """What a speaker with the habit makes of initials, finals and whole syllables of toneless pinyin."""

    initials: Mapping[str, str]
    finals: Mapping[str, str]
    syllables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Rates:
    """Contents of the simulation's file at one severity.

    Attributes:
        figures: by key; `known`, `error` and `spread` read them at the severity.
        provinces: population in thousands by division code.
        ethnicities: share by code of GB/T 3304.
        near: pairs of initials and of finals that a listener confuses.
    """

    figures: Parameters
    severity: Severity
    provinces: Mapping[str, float]
    ethnicities: Mapping[str, float]
    habits: Mapping[str, Habit]
    speakers: tuple[SpeakerGroup, ...]
    near: Mapping[str, tuple[tuple[str, str], ...]]

    @property
    def version(self) -> str:
        """Version of the file."""
        return self.figures.version

    def __getitem__(self, key: str) -> float:
        """The figure as it stands, whatever the severity. Raises KeyError when the file does not have it."""
        return self.figures[key]

    def curve(self, key: str, x: float) -> float:
        """Value of a curve at `x`, as it stands."""
        return self.figures.curve(key, x)

    def known(self, key: str) -> float:
        """Share of records in which the field is filled in, at the severity: 0 to `MOST_KNOWN`."""
        return min(MOST_KNOWN, self.figures[key] * self.figures[f"severity.{self.severity.value}.known"])

    def error(self, key: str) -> float:
        """Share of errors at the severity, 0 to .9."""
        return min(0.9, self.figures[key] * self.spread_factor)

    def spread(self, key: str) -> float:
        """Standard deviation of an error at the severity."""
        return self.figures[key] * self.spread_factor

    @property
    def spread_factor(self) -> float:
        """Factor on errors at the severity."""
        return self.figures[f"severity.{self.severity.value}.error"]

    def shares(self, prefix: str) -> Mapping[str, float]:
        """Figures whose key is `prefix` and one more word, by that word, brought to a sum of 1."""
        found = {
            key.removeprefix(prefix): value
            for key, value in self.figures.numbers.items()
            if key.startswith(prefix) and "." not in key.removeprefix(prefix)
        }
        total = sum(found.values())
        return {word: value / total for word, value in found.items()}


def parse_rates(text: str, severity: Severity) -> Rates:
    """Rates from the text of a JSON file. Raises ValueError or KeyError for one that is not whole."""
    data = json.loads(text)
    speech = data["speech"]
    return Rates(
        figures=parse_parameters(text),
        severity=severity,
        provinces=MappingProxyType({code: float(people) for code, people in data["shares"]["provinces"].items()}),
        ethnicities=MappingProxyType({code: float(share) for code, share in data["shares"]["ethnicities"].items()}),
        habits=MappingProxyType(
            {
                name: Habit(row.get("initials", {}), row.get("finals", {}), row.get("syllables", {}))
                for name, row in speech["habits"].items()
            }
        ),
        speakers=tuple(SpeakerGroup(tuple(row["provinces"]), tuple(row["habits"])) for row in speech["speakers"]),
        near=MappingProxyType(
            {part: tuple((one, other) for one, other in pairs) for part, pairs in speech["near"].items()}
        ),
    )


@lru_cache(maxsize=len(Severity))
def load_rates(severity: Severity = Severity.USUAL) -> Rates:
    """The rates that come with the package, at that severity."""
    return parse_rates(files("matcher.parameters").joinpath(SIMULATION_FILE).read_text("utf-8"), severity)
