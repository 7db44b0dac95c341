"""Photographs sent with a form: each is taken in or refused by itself, so that a bad one never loses the form."""

import uuid
from dataclasses import dataclass

from starlette.datastructures import UploadFile

from api.messages import sentence
from api.web.flash import Message
from api.web.page import Page
from api.web.rendering import done, warning
from matcher.vocabulary import GalleryKind
from models.photo import PhotoView
from tracing.photo_refusals import PhotoRefused
from tracing.photos import PreparedPhoto, TooManyPhotos, add_photo, prepare_photo

FIELDS = {f"photos.{view.value}": view for view in PhotoView}
"""One file field a view, and one that takes several."""
NAME_SHOWN = 60


@dataclass(frozen=True)
class Prepared:
    """What a form's files became: photographs ready to be stored, and a message for each that was refused."""

    photos: tuple[tuple[str, PhotoView, PreparedPhoto], ...]
    refused: tuple[Message, ...]


def prepare(page: Page) -> Prepared:
    """Decode and check every file. Call it before the page's transaction is first used: decoding takes long."""
    photos: list[tuple[str, PhotoView, PreparedPhoto]] = []
    refused: list[Message] = []
    for field, view in FIELDS.items():
        for file in page.typed.files.get(field, ()):
            try:
                photos.append((_shown(file), view, prepare_photo(_read(page, file), page.services.settings)))
            except PhotoRefused as error:
                refused.append(_refusal(page, _shown(file), error))
    return Prepared(tuple(photos), tuple(refused))


def store(page: Page, kind: GalleryKind, owner_id: uuid.UUID, prepared: Prepared) -> tuple[Message, ...]:
    """Add the photographs to a case or report; a message for each that is not on record now."""
    refused = list(prepared.refused)
    for name, view, photo in prepared.photos:
        try:
            add_photo(page.session, page.services, page.viewer, kind, owner_id, photo, view=view, now=page.now)
        except TooManyPhotos as error:
            refused.append(_refusal(page, name, error))
    return tuple(refused)


def _read(page: Page, file: UploadFile) -> bytes:
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
