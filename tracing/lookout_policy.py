"""Lookout policy (协查规则): how far and how fast a lookout widens, when it ends by itself, what is plausible; as data.

The packaged file is `tracing/policies/lookouts-CN.json`; an installation's own of the same name in
`{data_dir}/policies` takes its place as a whole.
"""

from functools import cache
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from matcher import divisions
from models.lookout import RingLevel
from tracing.policy_files import COUNTRY, Mark, Row, read_policy
from tracing.services import Services

NAME = f"lookouts-{COUNTRY}.json"


class Ring(Row):
    """One ring, and how long after the opening it opens."""

    level: RingLevel
    after_hours: float = Field(ge=0)


class LookoutPolicy(Row):
    """The policy, with the text it rests on.

    `proposal_log10_lr`: from which weight on the engine proposes a link; `unlinked_kept_days`: how long the photograph
    of a sighting that led to nothing is kept; speeds in km/h between two sightings of one person.
    """

    jurisdiction: str
    version: str = Field(min_length=1, max_length=80)
    source: str = Field(min_length=1)
    mark: Mark
    rings: tuple[Ring, ...] = Field(min_length=1)
    expires_after_days: int = Field(ge=1)
    unlinked_kept_days: int = Field(ge=1)
    walking_kmh: float = Field(gt=0)
    vehicle_kmh: float = Field(gt=0)
    proposal_log10_lr: float
    proposals_max: int = Field(ge=1, le=50)

    @model_validator(mode="after")
    def _rising(self) -> Self:
        hours = [ring.after_hours for ring in self.rings]
        if hours[0] != 0 or hours != sorted(set(hours)):
            raise ValueError("the first ring opens at 0 hours, each other one later than the one before")
        if self.vehicle_kmh <= self.walking_kmh:
            raise ValueError("vehicle_kmh is more than walking_kmh")
        return self


def lookout_policy(services: Services) -> LookoutPolicy:
    """The policy of this installation. Raises SettingsError, naming file and field."""
    return _read(services.settings.data_dir / "policies")


@cache
def _read(own: Path) -> LookoutPolicy:
    return read_policy(own, NAME, LookoutPolicy)


def divisions_of(level: RingLevel, division: str) -> tuple[str, ...]:
    """The codes (without trailing zeros) that a ring around a division covers, each with all that is below it.

    A county directly under its province has no city around it: there the city's ring is the province.
    """
    code = divisions.normalise(division)
    if level is RingLevel.COUNTY:
        return (code,)
    if level is RingLevel.CITY:
        related = len(code) > 2 and not divisions.numbers(code).unrelated
        return (code[:4],) if related else (code[:2],)
    if level is RingLevel.PROVINCE:
        return (code[:2],)
    return divisions.neighbours(code[:2])
