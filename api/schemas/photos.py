"""Photographs and faces over the wire; the pictures themselves are at `image`."""

import uuid
from datetime import datetime

from pydantic import ConfigDict, Field

from api.schemas.base import Input, Output
from models.photo import AnalysisState, Photo, PhotoView


class FaceOut(Output):
    """A face found in a photograph; the box in pixels of the full-size picture. Embeddings never leave the service."""

    id: uuid.UUID
    box: dict[str, int] = Field(examples=[{"top": 40, "right": 180, "bottom": 200, "left": 60}])
    quality: int
    chosen: bool


class PhotoOut(Output):
    """A photograph's record."""

    id: uuid.UUID
    view: PhotoView
    width: int
    height: int
    captured_at: datetime | None
    uploaded_at: datetime
    analysis: AnalysisState
    faces: tuple[FaceOut, ...]
    image: str = Field(examples=["/api/v1/photos/0b8f…/image"])


class FaceChoice(Input):
    """Which of several faces is the person's."""

    face_id: uuid.UUID

    model_config = ConfigDict(json_schema_extra={"examples": [{"face_id": "5d6f2c3e-8a3b-4f6a-8d43-3a0c8a5c1b22"}]})


def photo_out(photo: Photo) -> PhotoOut:
    """A photograph that was loaded with its faces; those of other model versions are left out."""
    return PhotoOut(
        id=photo.id,
        view=photo.view,
        width=photo.width,
        height=photo.height,
        captured_at=photo.captured_at,
        uploaded_at=photo.uploaded_at,
        analysis=photo.analysis,
        faces=tuple(
            FaceOut(id=face.id, box=face.box, quality=face.quality_overall, chosen=face.chosen)
            for face in photo.shown_faces
        ),
        image=f"/api/v1/photos/{photo.id}/image",
    )
