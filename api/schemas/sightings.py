"""Sightings and their links over the wire."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from pydantic import ConfigDict, Field

from api.schemas.base import Day, Division, Input, Line, Moment, Output, Text
from api.schemas.facts import FactsIn, division_name
from api.schemas.lookouts import LookoutRef, lookout_ref
from models.photo import AnalysisState, Photo
from models.sighting import (
    Condition,
    Heading,
    LinkState,
    PhotoBasis,
    Sighting,
    SightingLink,
    SightingSource,
)
from tracing.sighted_cases import CaseStory
from tracing.sightings import Seen


class SightingIn(Input):
    """What somebody saw."""

    source: SightingSource
    seen_at: Moment
    division: Division
    place: Line | None = None
    latitude: float | None = Field(None, description="WGS-84, degrees; with `longitude`.")
    longitude: float | None = None
    heading: Heading | None = None
    road: Line | None = Field(None, description="Towards which road.")
    conditions: frozenset[Condition] = frozenset()
    words: Text | None = Field(None, description="Sealed under the key of the person who was seen.")
    photo_basis: PhotoBasis | None = Field(None, description="Needed before a photograph is sent.")
    patrol_id: uuid.UUID | None = None

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "source": "community",
                    "seen_at": "2026-03-02T10:00:00+08:00",
                    "division": "450702",
                    "place": "梦园小区南门",
                    "heading": "east",
                    "road": "金海湾东大街",
                    "conditions": ["confused"],
                }
            ]
        }
    )

    def seen(self) -> Seen:
        """As the use case takes it."""
        return Seen(**dict(self))


class AnswerIn(Input):
    """An answer to a lookout: the sighting, or nothing for “not seen here”."""

    sighting: SightingIn | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"sighting": None}]})

    def seen(self) -> Seen | None:
        """As the use case takes it."""
        return self.sighting.seen() if self.sighting else None


class SightingPhotoOut(Output):
    """A photograph of a sighting."""

    id: uuid.UUID
    width: int
    height: int
    analysis: AnalysisState
    image: str


class SightingOut(Output):
    """A sighting without its words and photographs."""

    id: uuid.UUID
    organisation_id: uuid.UUID
    recorded_by_id: uuid.UUID
    recorded_at: datetime
    source: SightingSource
    patrol_id: uuid.UUID | None
    seen_at: datetime
    division: str
    division_name: str | None
    place: str | None
    latitude: float | None
    longitude: float | None
    heading: Heading | None
    road: str | None
    conditions: tuple[Condition, ...]
    photo_basis: PhotoBasis | None
    withdrawn_at: datetime | None
    withdrawal_reason: str | None
    erased_at: datetime | None


class SightingDetail(SightingOut):
    """With its words, opened for this viewer, and its photographs."""

    words: str | None
    photos: tuple[SightingPhotoOut, ...]


class LinkIn(Input):
    """A link by hand, to a lookout or to a case."""

    lookout_id: uuid.UUID | None = None
    case_id: uuid.UUID | None = None
    reason: Line

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"case_id": "77f0b4a4-5f0b-4c6e-b7f4-6d1f2a9f5c31", "reason": "same coat, same scar"}]
        }
    )


class DecisionIn(Input):
    """What a human makes of a proposal."""

    accept: bool
    reason: Line | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"accept": True}]})


class LinkOut(Output):
    """A link. `log10_lr` is the weight of the faces alone, under the model's calibration; null for a human's link."""

    id: uuid.UUID
    sighting_id: uuid.UUID
    lookout_id: uuid.UUID | None
    case_id: uuid.UUID | None
    state: LinkState
    origin: bool
    similarity: float | None
    log10_lr: float | None
    model_version: str | None
    created_at: datetime
    decided_at: datetime | None
    decided_by_id: uuid.UUID | None
    reason: str | None
    withdrawn_at: datetime | None
    withdrawal_reason: str | None


class SightedCaseIn(FactsIn):
    """The admission of who was seen; facts that are left out are unknown."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"admitted_on": "2026-03-02"}]})

    admitted_on: Day | None = None


class StorySightingOut(SightingOut):
    """A sighting of a case's story. `origin`: the case began with it."""

    words: str | None
    origin: bool


class CaseStoryOut(Output):
    """What happened before the admission, oldest first."""

    sightings: tuple[StorySightingOut, ...]
    lookouts: tuple[LookoutRef, ...]


def sighting_out(sighting: Sighting) -> SightingOut:
    """A sighting."""
    return SightingOut(**_fields(sighting))


def sighting_detail(sighting: Sighting, words: str | None, photos: Sequence[Photo]) -> SightingDetail:
    """A sighting with what is sealed."""
    shown = tuple(
        SightingPhotoOut(
            id=one.id,
            width=one.width,
            height=one.height,
            analysis=one.analysis,
            image=f"/api/v1/sightings/{sighting.id}/photos/{one.id}",
        )
        for one in photos
    )
    return SightingDetail(**_fields(sighting), words=words, photos=shown)


def _fields(sighting: Sighting) -> dict[str, object]:
    own = {name: getattr(sighting, name) for name in SightingOut.model_fields if name != "division_name"}
    return own | {"division_name": division_name(sighting.division)}


def link_out(link: SightingLink) -> LinkOut:
    """A link."""
    return LinkOut(**{name: getattr(link, name) for name in LinkOut.model_fields})


def story_out(story: CaseStory) -> CaseStoryOut:
    """A case's story."""
    return CaseStoryOut(
        sightings=tuple(
            StorySightingOut(**_fields(one.sighting), words=one.words, origin=one.origin) for one in story.sightings
        ),
        lookouts=tuple(lookout_ref(one) for one in story.lookouts),
    )
