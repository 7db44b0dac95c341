"""Photographs sent with a form: each is taken in or refused by itself, so that a bad one never loses the form."""

import re
import uuid
from dataclasses import dataclass

from starlette.datastructures import UploadFile

from api.messages import sentence
from api.web.flash import Message
from api.web.page import Page
from api.web.rendering import done, warning
from matcher.faces.engine import Box
from matcher.vocabulary import GalleryKind
from models.photo import PhotoView
from tracing.photo_refusals import PhotoRefused
from tracing.photos import PreparedPhoto, TooManyPhotos, add_photo, prepare_photo

FIELDS = {f"{taken}.{view.value}": view for view in PhotoView for taken in ("photos", "camera")}
"""Two file fields a view: photographs chosen, and those taken at once with the camera."""
NAME_SHOWN = 60
_SHARES = re.compile(r"(?:[01]\.\d{4} ){3}[01]\.\d{4}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Upload:
    """One photograph under the name of its file; `face` is the box that was pointed at among several."""

    name: str
    view: PhotoView
    photo: PreparedPhoto
    face: Box | None


@dataclass(frozen=True)
class Prepared:
    """What a form's files became: photographs ready to be stored, and a message for each that was refused."""

    photos: tuple[Upload, ...]
    refused: tuple[Message, ...]


def prepare(page: Page) -> Prepared:
    """Decode and check every file. Call it before the page's transaction is first used: decoding takes long."""
    photos: list[Upload] = []
    refused: list[Message] = []
    for field, view in FIELDS.items():
        for position, file in enumerate(page.typed.files.get(field, ())):
            try:
                photo = prepare_photo(read(page, file), page.services.settings)
                face = _pointed_at(page.typed.text(f"face.{field}.{position}"), photo)
                photos.append(Upload(_shown(file), view, photo, face))
            except PhotoRefused as error:
                refused.append(_refusal(page, _shown(file), error))
    return Prepared(tuple(photos), tuple(refused))


def store(page: Page, kind: GalleryKind, owner_id: uuid.UUID, prepared: Prepared) -> tuple[Message, ...]:
    """Add the photographs to a case or report; a message for each that is not on record now."""
    refused = list(prepared.refused)
    for one in prepared.photos:
        try:
            add_photo(
                page.session, page.services, page.viewer, kind, owner_id, one.photo,
                view=one.view, pointed_at=one.face, now=page.now,
            )  # fmt: skip
        except TooManyPhotos as error:
            refused.append(_refusal(page, one.name, error))
    return tuple(refused)


def shares(box: Box, width: int, height: int) -> str:
    """A face as a form sends it: top, right, bottom, left as shares of the picture, whatever its size."""
    return " ".join(f"{pixels / side:.4f}" for pixels, side in zip(box, (height, width, height, width), strict=True))


def _pointed_at(text: str, photo: PreparedPhoto) -> Box | None:
    """None where nobody pointed, or not within the picture: the question is asked again after the analysis."""
    if not _SHARES.fullmatch(text):
        return None
    sides = (photo.height, photo.width, photo.height, photo.width)
    return Box(*(round(float(share) * side) for share, side in zip(text.split(), sides, strict=True)))


def read(page: Page, file: UploadFile) -> bytes:
    """The bytes of a file, one more than is taken at the most."""
    return file.file.read(page.services.settings.photos.max_bytes + 1)


def _shown(file: UploadFile) -> str:
    return (file.filename or "")[-NAME_SHOWN:]


def _refusal(page: Page, name: str, error: PhotoRefused | TooManyPhotos) -> Message:
    return warning(
        page,
        "The photograph “{name}” was not taken in, everything else is saved. {reason}",
        name=name,
        reason=sentence(page.locale, error),
    )


def taken(page: Page, prepared: Prepared, refused: tuple[Message, ...]) -> tuple[Message, ...]:
    """A message that photographs were taken in, or that none was chosen."""
    count = len(prepared.photos) + len(prepared.refused) - len(refused)
    if count > 0:
        return (done(page, "Photographs added: {count}.", count=count),)
    return () if refused else (warning(page, "No photograph was chosen."),)
