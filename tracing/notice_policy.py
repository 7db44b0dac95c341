"""Notice policies (公告政策): what may be public of whom, as data, by age; a division's file goes before the country's.

Packaged files lie in `tracing/policies`, an installation's own in `{data_dir}/policies`: `notices-CN.json`, or
`notices-45.json` for a division, whole (nothing is merged).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Self

from pydantic import Field, model_validator

from matcher import divisions
from models.notice import NoticeFact
from tracing.platform.settings import SettingsError
from tracing.policy_files import COUNTRY, PACKAGED, Mark, Row, parse_policy


class AgeGroup(Row):
    """What may be told of people younger than `below` years (None: everybody else), and the text that rests on."""

    name_zh: str = Field(min_length=1)
    name_en: str = Field(min_length=1)
    below: int | None = Field(ge=1, le=120)
    facts: frozenset[NoticeFact]
    source: str = Field(min_length=1)
    mark: Mark


class NoticePolicy(Row):
    """The rule of one jurisdiction. Groups from the youngest on; an unknown age belongs to the first."""

    jurisdiction: str
    version: str = Field(min_length=1, max_length=40)
    source: str = Field(min_length=1)
    photo_side: int = Field(ge=200, le=2000)
    age_margin_years: float = Field(ge=0, le=20)
    margin_source: str = Field(min_length=1)
    groups: tuple[AgeGroup, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _rising(self) -> Self:
        limits = [one.below for one in self.groups[:-1]]
        rising = [limit for limit in limits if limit is not None]
        if self.groups[-1].below is not None or len(rising) != len(limits) or rising != sorted(set(rising)):
            raise ValueError("the limits of the groups rise, and the last group has none")
        return self

    def group_of(self, youngest: float | None) -> AgeGroup:
        """The group of somebody who is at least `youngest` years old; None when no age is known."""
        if youngest is None:
            return self.groups[0]
        return next(one for one in self.groups if one.below is None or youngest < one.below)


@dataclass(frozen=True, slots=True)
class NoticePolicies:
    """The policies of a process, by division code, CN for the country."""

    policies: Mapping[str, NoticePolicy]

    def policy_for(self, division: str) -> NoticePolicy:
        """The policy of a division: its own, or that of the nearest one above that has one."""
        code = divisions.normalise(division)
        chain = (code[:length] for length in range(len(code), 0, -2))
        return next((self.policies[one] for one in chain if one in self.policies), self.policies[COUNTRY])


def load_notice_policies(own: Path) -> NoticePolicies:
    """The packaged policies with the installation's own over them. Raises SettingsError, naming the file."""
    found = {path.name: path for folder in (PACKAGED, own) for path in sorted(folder.glob("notices-*.json"))}
    policies = {}
    for name, path in found.items():
        policy = parse_policy(path, NoticePolicy)
        code = policy.jurisdiction
        if code != COUNTRY:
            if not (code.isdecimal() and len(code) in (2, 4, 6) and divisions.exists(code)):
                raise SettingsError(f"{name}: `jurisdiction` is CN or a division's code (GB/T 2260).")
            code = divisions.normalise(code)
        policies[code] = policy
    if COUNTRY not in policies:
        raise SettingsError(f"notices-{COUNTRY}.json: there is no policy of the country. Put the packaged one back.")
    return NoticePolicies(MappingProxyType(policies))
