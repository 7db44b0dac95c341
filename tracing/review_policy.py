"""The figures of the review protocol (复核规程参数) and the list of features (特征清单), both data with their source.

The packaged figures may be replaced, in part, by `{data_dir}/policies/review-CN.json`; the feature list is the field's.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

from pydantic import Field, ValidationError, model_validator

from matcher.vocabulary import Strength
from models.review_protocol import FeatureBasis
from tracing.platform.settings import SettingsError
from tracing.policy_files import PACKAGED, Mark, Row, in_words

FILE = "review-CN.json"
FEATURES = "features-1.json"


class UrgencyPoints(Row):
    """What brings a case up in the queue; points add up."""

    overdue: int = Field(ge=0)
    soon: int = Field(ge=0)
    near: int = Field(ge=0)
    vulnerable: int = Field(ge=0)
    strong: int = Field(ge=0)


class UrgencyRule(Row):
    """Bands of the clock in hours, ages in years, the strength from which a candidate counts as strong."""

    soon_hours: int = Field(ge=1)
    near_hours: int = Field(ge=1)
    minor_below: int = Field(ge=1, le=30)
    elder_from: int = Field(ge=40, le=120)
    strong_from: Strength
    points: UrgencyPoints


class ReviewRules(Row):
    """The figures of the protocol.

    Attributes:
        least_features: features an examiner has to note before candidates are shown, "cannot be seen" counts.
        assignment_hours: time an examiner has for a case before it is given to the next.
        least_look_seconds: from opening a candidate to an opinion on it.
        most_opinions_an_hour: of one examiner, withdrawn ones too.
        seed_rate: share of the candidates shown that is sown as known non-matches.
        seed_overlap_days: days for which both persons must have been in care at once to be known as two.
        seed_pool: resolved reports that are weighed to find one that looks alike.
        small_number: below it a count says little, and is marked.
    """

    version: str = Field(min_length=1, max_length=40)
    source: str = Field(min_length=1)
    mark: Mark
    least_features: int = Field(ge=1, le=18)
    assignment_hours: int = Field(ge=1, le=24 * 90)
    least_look_seconds: int = Field(ge=1, le=3600)
    most_opinions_an_hour: int = Field(ge=1)
    seed_rate: float = Field(ge=0, le=1)
    seed_overlap_days: int = Field(ge=1)
    seed_pool: int = Field(ge=1, le=1000)
    small_number: int = Field(ge=1)
    urgency: UrgencyRule

    @model_validator(mode="after")
    def _bands_rise(self) -> Self:
        if self.urgency.soon_hours >= self.urgency.near_hours:
            raise ValueError("urgency.soon_hours must be below urgency.near_hours")
        return self


class Feature(Row):
    """One feature of the list: its key and its name in both languages."""

    key: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class FeatureList:
    """The features of one basis, top to bottom."""

    version: str
    basis: FeatureBasis
    source: str
    mark: str
    features: tuple[Feature, ...]

    @property
    def keys(self) -> frozenset[str]:
        """The keys of its features."""
        return frozenset(one.key for one in self.features)


def load_rules(folder: Path) -> ReviewRules:
    """The packaged figures with the installation's own over them. Raises SettingsError, naming file and field."""
    content = _read(PACKAGED / FILE)
    own = folder / FILE
    if own.is_file():
        given = _read(own)
        if not {"version", "source", "mark"} <= given.keys():
            raise SettingsError(f"{FILE}: a policy of one's own names its `version`, `source` and `mark`.")
        content |= given
    try:
        return ReviewRules.model_validate(content)
    except ValidationError as error:
        raise SettingsError(f"{FILE}: {in_words(error)}.") from None


@cache
def feature_lists() -> dict[FeatureBasis, FeatureList]:
    """The lists that this version works with, by basis."""
    content = _read(PACKAGED / FEATURES)
    return {
        FeatureBasis(one["basis"]): FeatureList(
            content["version"],
            FeatureBasis(one["basis"]),
            one["source"],
            one["mark"],
            tuple(Feature.model_validate(feature) for feature in one["features"]),
        )
        for one in content["lists"]
    }


def features_named() -> dict[str, Feature]:
    """Every feature by its key."""
    return {feature.key: feature for one in feature_lists().values() for feature in one.features}


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path.name}: not JSON ({error}).") from None
    if not isinstance(content, dict):
        raise SettingsError(f"{path.name}: not a JSON object.")
    return content
