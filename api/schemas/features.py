"""The features of an unknown person over the wire: the list, and what an examiner noted before any candidate."""

import uuid
from collections.abc import Mapping
from datetime import datetime

from pydantic import ConfigDict, Field

from api.schemas.base import Input, Line, Output
from models.review_protocol import FeatureBasis
from tracing.features import NotedFeatures
from tracing.review_policy import FeatureList


class FeatureOut(Output):
    """One feature of the list, top to bottom."""

    key: str
    name_zh: str
    name_en: str


class FeatureListOut(Output):
    """A list of features with the text it rests on."""

    version: str
    basis: FeatureBasis
    source: str
    mark: str
    features: tuple[FeatureOut, ...]


class NotedFeatureIn(Input):
    """One feature as it was seen; without a text, it cannot be seen."""

    feature: Line
    text: str | None = Field(None, max_length=500, pattern=r"^[^\x00]*$")


class FeaturesIn(Input):
    """What the examiner sees of the unknown person."""

    basis: FeatureBasis
    features: tuple[NotedFeatureIn, ...] = Field((), max_length=40)

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "basis": "facial",
                    "features": [
                        {"feature": "hairline", "text": "receding at both temples"},
                        {"feature": "ears", "text": "attached lobe, left"},
                        {"feature": "mouth", "text": None},
                    ],
                }
            ]
        }
    )

    def noted(self) -> Mapping[str, str | None]:
        """By key; of two entries for one feature, the last."""
        return {one.feature: one.text for one in self.features}


class NotedFeatureOut(Output):
    """One feature as it was seen; `text` null: it cannot be seen."""

    feature: str
    text: str | None


class FeaturesOut(Output):
    """One description. An amendment is a description of its own, with a later time."""

    id: uuid.UUID
    case_id: uuid.UUID
    basis: FeatureBasis
    list_version: str
    features: tuple[NotedFeatureOut, ...]
    noted_at: datetime


def feature_list_out(one: FeatureList) -> FeatureListOut:
    """A list of features."""
    return FeatureListOut(
        version=one.version,
        basis=one.basis,
        source=one.source,
        mark=one.mark,
        features=tuple(FeatureOut(key=row.key, name_zh=row.zh, name_en=row.en) for row in one.features),
    )


def features_out(noted: NotedFeatures) -> FeaturesOut:
    """A description of one's own."""
    return FeaturesOut(
        id=noted.row.id,
        case_id=noted.row.case_id,
        basis=noted.row.basis,
        list_version=noted.row.list_version,
        features=tuple(NotedFeatureOut(feature=key, text=text) for key, text in noted.noted.items()),
        noted_at=noted.row.noted_at,
    )
