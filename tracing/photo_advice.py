"""Advice on a photograph (拍照提示) while the person still sits there: looked at once, and not kept."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from matcher.faces.engine import DetectedFace
from tracing.access import Permission, Viewer
from tracing.face_models import versions_to_analyse
from tracing.photos import open_upload
from tracing.platform import errors
from tracing.platform.db import unit_of_work
from tracing.services import Services
from tracing.trail import note

GOOD, USABLE = 70, 40
"""Overall quality from which a face is called good, and below which another photograph is asked for."""


class PhotoVerdict(StrEnum):
    """What is to be done with a photograph."""

    UNCHECKED = "unchecked"  # there is no engine
    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    GOOD = "good"
    USABLE = "usable"
    POOR = "poor"


@dataclass(frozen=True, slots=True, eq=False)
class PhotoAdvice:
    """What the engine in force sees: faces largest first, in a picture of this size; None without an engine."""

    width: int
    height: int
    faces: tuple[DetectedFace, ...] | None

    @property
    def verdict(self) -> PhotoVerdict:
        """By the number of faces, and the quality of a single one."""
        if self.faces is None:
            return PhotoVerdict.UNCHECKED
        if len(self.faces) != 1:
            return PhotoVerdict.SEVERAL_FACES if self.faces else PhotoVerdict.NO_FACE
        quality = self.faces[0].quality.overall
        if quality >= GOOD:
            return PhotoVerdict.GOOD
        return PhotoVerdict.USABLE if quality >= USABLE else PhotoVerdict.POOR


def advise(services: Services, viewer: Viewer, upload: bytes, *, now: datetime) -> PhotoAdvice:
    """Look at a photograph for somebody who may add one to a record. The look is on record, the picture is not.

    Two short transactions of its own: none is held while the engine works. Raises Forbidden, a PhotoRefused.
    """
    if not (viewer.may(Permission.CASE_WRITE) or viewer.may(Permission.REPORT_WRITE)):
        raise errors.Forbidden(permission=Permission.CASE_WRITE.value)
    pixels = open_upload(upload, services.settings).pixels
    with unit_of_work(services.db) as session:
        version = versions_to_analyse(session, services, now=now)[0]
    engine = services.faces.load(version)
    faces = None if engine is None else tuple(engine.detect(pixels))
    with unit_of_work(services.db) as session:
        note(session, viewer, "photo.advise", "photo", None, at=now, faces=len(faces or ()))
    return PhotoAdvice(pixels.shape[1], pixels.shape[0], faces)
