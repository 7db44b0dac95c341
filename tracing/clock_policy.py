"""Clock policies (时限政策): which clocks run where, as data: the country's file, and files of divisions over it.

A division's file names only what differs there; the file of a county goes over its city's, that over its province's.
Packaged files lie in `tracing/policies`, an installation's own in `{data_dir}/policies`, under the same names.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum
from importlib.metadata import version as package_version
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, model_validator

from matcher import divisions
from models.case import AdmissionKind, CaseState
from models.deadline import ClockKind, ClockNature, ClockParty
from models.milestone import MilestoneKind
from tracing.platform.settings import SettingsError
from tracing.policy_files import COUNTRY, PACKAGED, Mark, Row, in_words
from tracing.working_days import CalendarInvalid, WorkingDays, Year, calendar_of, read_years

STEPS_MAX = 24


class StartKind(StrEnum):
    """What starts a clock, besides a milestone."""

    ADMISSION = "admission"
    RETURN_HOME = "return_home"


class Unit(StrEnum):
    """In what a clock counts."""

    HOURS = "hours"
    DAYS = "days"
    MONTHS = "months"
    WORKING_DAYS = "working_days"


class RestDay(StrEnum):
    """What happens to a clock of days or months that ends on a day off."""

    AS_IS = "as_is"
    NEXT_WORKING_DAY = "next_working_day"


class Within(Row):
    """How long; several counts make one step each, all from the same start."""

    unit: Unit
    counts: tuple[int, ...] = Field(min_length=1, max_length=STEPS_MAX)

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if min(self.counts) < 0 or list(self.counts) != sorted(set(self.counts)):
            raise ValueError("counts must be zero or more and rise")
        return self


class ClockRule(Row):
    """One clock of a policy, with the text it rests on (`source`, `mark`: H, M, L, B or ours).

    `admissions`: of which kinds of admission it runs; nobody's family is traced whose identity is known.
    """

    kind: ClockKind
    enabled: bool
    party: ClockParty
    nature: ClockNature
    starts: StartKind | MilestoneKind
    admissions: frozenset[AdmissionKind] = frozenset(AdmissionKind)
    within: Within
    rest_day: RestDay
    met_by: tuple[MilestoneKind, ...]
    stops_in: frozenset[CaseState]
    escalate_after_hours: tuple[int, ...]
    action_zh: str = Field(min_length=1)
    action_en: str = Field(min_length=1)
    source: str = Field(min_length=1)
    mark: Mark

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.nature is ClockNature.KEEP_UNTIL) == bool(self.met_by):
            raise ValueError("a clock is met by something, and one that only keeps is met by nothing")
        if (
            list(self.escalate_after_hours) != sorted(self.escalate_after_hours)
            or min(self.escalate_after_hours, default=0) < 0
        ):
            raise ValueError("escalate_after_hours must be zero or more and rise")
        return self


@dataclass(frozen=True, slots=True)
class Policy:
    """The clocks of a jurisdiction: a division's code without trailing zeros, or CN for the country."""

    jurisdiction: str
    version: str
    rules: Mapping[ClockKind, ClockRule]


@dataclass(frozen=True, slots=True)
class Clocks:
    """Policies and calendar of a process. `fingerprint` changes when any of them, or the package, does."""

    policies: Mapping[str, Policy]
    calendar: WorkingDays
    zone: tzinfo
    fingerprint: str

    def policy_for(self, division: str) -> Policy:
        """The policy of a division: its own, or that of the nearest one above that has one."""
        code = divisions.normalise(division)
        return next((self.policies[one] for one in _chain(code) if one in self.policies), self.policies[COUNTRY])


def _chain(code: str) -> tuple[str, ...]:
    """The code and those above it, nearest first."""
    return tuple(code[:length] for length in range(len(code), 0, -2))


def load_clocks(own: Path, time_zone: str) -> Clocks:
    """The packaged policies with the installation's own over them. Raises SettingsError, naming file and field."""
    found = {path.name: path for folder in (PACKAGED, own) for path in sorted(folder.glob("deadlines-*.json"))}
    files = {name: _read(path) for name, path in found.items()}
    by_code = {_jurisdiction(name, content): (name, content) for name, content in files.items()}
    if COUNTRY not in by_code:
        raise SettingsError(f"deadlines-{COUNTRY}.json: there is no policy of the country. Put the packaged one back.")
    merged = {code: _merged([by_code[one] for one in _layers(code) if one in by_code]) for code in by_code}
    release = package_version("holidays")
    calendar = calendar_of(release, tuple(_years(folder) for folder in (PACKAGED, own)))
    content = json.dumps(
        [files, sorted(calendar.years.items()), calendar.version, time_zone], sort_keys=True, default=_set
    )
    return Clocks(
        MappingProxyType(merged), calendar, ZoneInfo(time_zone), hashlib.sha256(content.encode()).hexdigest()[:12]
    )


def _layers(code: str) -> tuple[str, ...]:
    """The country, then the codes from the province down to `code`."""
    return (COUNTRY,) if code == COUNTRY else (COUNTRY, *reversed(_chain(code)))


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path.name}: not JSON ({error}).") from None
    if not isinstance(content, dict) or not isinstance(content.get("clocks"), list) or not content.get("version"):
        raise SettingsError(f"{path.name}: a policy has `jurisdiction`, `version` and a list `clocks`.")
    return content


def _jurisdiction(name: str, content: Mapping[str, Any]) -> str:
    code = str(content.get("jurisdiction", ""))
    if code == COUNTRY:
        return code
    if not (code.isdecimal() and len(code) in (2, 4, 6) and divisions.exists(code)):
        raise SettingsError(f"{name}: `jurisdiction` is CN or a division's code (GB/T 2260).")
    return divisions.normalise(code)


def _merged(layers: list[tuple[str, dict[str, Any]]]) -> Policy:
    """The rules of several files, later ones over earlier ones field by field; each change names its own source."""
    rows: dict[str, dict[str, Any]] = {}
    for position, (name, content) in enumerate(layers):
        for row in content["clocks"]:
            kind = str(row.get("kind", ""))
            if position and not {"source", "mark"} <= row.keys():
                raise SettingsError(f"{name}: {kind}: a division's clock names its own `source` and `mark`.")
            rows[kind] = rows.get(kind, {}) | row
    name, content = layers[-1]
    rules = {}
    for kind, row in rows.items():
        try:
            rule = ClockRule.model_validate(row)
        except ValidationError as error:
            raise SettingsError(f"{name}: {kind}: {in_words(error)}.") from None
        rules[rule.kind] = rule
    versions = "/".join(str(content["version"])[:24] for _name, content in layers)
    return Policy(str(content["jurisdiction"]), versions, MappingProxyType(rules))


def _years(folder: Path) -> tuple[str, Mapping[int, Year]]:
    path = folder / f"calendar-{COUNTRY}.json"
    if not path.is_file():
        return "", {}
    try:
        return read_years(path)
    except CalendarInvalid as error:
        raise SettingsError(f"{path.name}: {error}.") from None


def _set(value: object) -> object:
    if isinstance(value, Year):
        return [sorted(value.days_off), sorted(value.worked)]
    return str(value)
