"""Photographs (照片): sending, listing, looking, removing, choosing the face."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Query, Request, Response, UploadFile
from sqlalchemy.orm import Session

from api.deps import NowDep, ServicesDep, SessionDep, ViewerDep, created
from api.idempotency import KeyDep, Once, digest_of
from api.openapi import problems
from api.schemas.base import ItemsOut, items_out
from api.schemas.photos import FaceChoice, PhotoOut, photo_out
from matcher.vocabulary import GalleryKind
from models.photo import PhotoView
from tracing import photos
from tracing.cases import get_case
from tracing.photos import PhotoSize, PreparedPhoto, prepare_photo
from tracing.reports import get_report
from tracing.services import Services

router = APIRouter(tags=["photos"], responses=problems(403, 404))
_REFUSED = problems(409, 413)
PHOTOS_AT_ONCE = 4
"""A photograph unfolds to as much as 200 MB while it is decoded; others wait, without holding a thread."""
_VIEW = Form(description="Which side it shows.")


@dataclass(frozen=True, eq=False)
class Upload:
    """A photograph that was sent, decoded and checked."""

    prepared: PreparedPhoto
    view: PhotoView
    once: Once


def _read(
    request: Request,
    response: Response,
    services: ServicesDep,
    viewer: ViewerDep,
    key: KeyDep,
    photo: Annotated[UploadFile, File(description="JPEG, PNG, WebP, HEIC, BMP or TIFF.")],
    view: Annotated[PhotoView, _VIEW] = PhotoView.FRONT,
) -> Upload:
    """The upload, decoded and checked before the request's transaction has begun."""
    data = photo.file.read(services.settings.photos.max_bytes + 1)
    once = Once(viewer, key, digest_of(request, view.encode() + b"\n" + data), response)
    return Upload(prepare_photo(data, services.settings), view, once)


UploadDep = Annotated[Upload, Depends(_read, max_concurrency=PHOTOS_AT_ONCE)]


def _add(
    session: Session, services: Services, kind: GalleryKind, owner_id: uuid.UUID, upload: Upload, now: datetime
) -> PhotoOut:
    once = upload.once
    earlier = once.earlier(session, now=now)
    if earlier is not None:
        photo = photos.get_photo(session, once.viewer, earlier, now=now)
    else:
        photo = photos.add_photo(
            session, services, once.viewer, kind, owner_id, upload.prepared, view=upload.view, now=now
        )
        once.remember(session, photo.id)
    created(once.response, f"/api/v1/photos/{photo.id}")
    return photo_out(photo)


@router.post("/cases/{case_id}/photos", summary="Add a photograph to a case", status_code=201, responses=_REFUSED)
def add_to_case(
    case_id: uuid.UUID, upload: UploadDep, session: SessionDep, services: ServicesDep, now: NowDep
) -> PhotoOut:
    """Re-encoded without metadata and sealed. The same file again is the same photograph."""
    return _add(session, services, GalleryKind.CASE, case_id, upload, now)


@router.post("/reports/{report_id}/photos", summary="Add a photograph to a report", status_code=201, responses=_REFUSED)
def add_to_report(
    report_id: uuid.UUID, upload: UploadDep, session: SessionDep, services: ServicesDep, now: NowDep
) -> PhotoOut:
    """Re-encoded without metadata and sealed. The same file again is the same photograph."""
    return _add(session, services, GalleryKind.REPORT, report_id, upload, now)


@router.get("/cases/{case_id}/photos", summary="The photographs of a case")
def list_of_case(case_id: uuid.UUID, session: SessionDep, viewer: ViewerDep, now: NowDep) -> ItemsOut[PhotoOut]:
    """Oldest first."""
    case = get_case(session, viewer, case_id, now=now)
    return items_out(photo_out(photo) for photo in photos.list_photos(session, case.profile_id))


@router.get("/reports/{report_id}/photos", summary="The photographs of a report")
def list_of_report(report_id: uuid.UUID, session: SessionDep, viewer: ViewerDep, now: NowDep) -> ItemsOut[PhotoOut]:
    """Oldest first."""
    report = get_report(session, viewer, report_id, now=now)
    return items_out(photo_out(photo) for photo in photos.list_photos(session, report.profile_id))


@router.get("/photos/{photo_id}", summary="A photograph's record")
def read(photo_id: uuid.UUID, session: SessionDep, viewer: ViewerDep, now: NowDep) -> PhotoOut:
    """What the face engine made of it."""
    return photo_out(photos.get_photo(session, viewer, photo_id, now=now))


@router.get(
    "/photos/{photo_id}/image",
    summary="The photograph itself",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}, "description": "A JPEG file."}},
)
def image(
    photo_id: uuid.UUID,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    size: Annotated[
        PhotoSize, Query(description="`face`: the chosen face with a margin; `aligned`: upright.")
    ] = PhotoSize.FULL,
) -> Response:
    """Unsealed for this viewer; the look is on record. Never to be cached."""
    data = photos.open_photo(session, services, viewer, photo_id, size=size, now=now)
    return Response(data, media_type="image/jpeg")


@router.delete("/photos/{photo_id}", summary="Take a photograph out of the record and the search", status_code=204)
def remove(photo_id: uuid.UUID, session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep) -> None:
    """The sealed file is kept until the record's retention ends."""
    photos.remove_photo(session, services, viewer, photo_id, now=now)


@router.post("/photos/{photo_id}/face", summary="Say which of several faces is the person's", responses=problems(409))
def choose_face(
    photo_id: uuid.UUID,
    body: FaceChoice,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
) -> PhotoOut:
    """The search runs again. The same choice again is harmless."""
    return photo_out(photos.choose_face(session, services, viewer, photo_id, body.face_id, now=now))
