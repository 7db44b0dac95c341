"""Photographs (照片): taking them in, sealing them, choosing the face, showing them to those who may look."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, selectinload

from matcher.faces.alignment import portrait
from matcher.faces.engine import Box
from matcher.faces.intake import ImageRefused, Photograph, decode, encode, resize_to_fit
from matcher.vocabulary import GalleryKind
from models.candidate import Candidate
from models.case import Case, CaseState
from models.face import Face
from models.photo import Photo, PhotoView
from models.profile import Profile
from models.report import Report, ReportState
from models.review_protocol import ReviewSeed
from tracing import access
from tracing.access import Permission, Viewer
from tracing.faces import carry_choice, intake_limits, photo_purpose, request_analysis, same_place
from tracing.gallery_erasure import request_erasure
from tracing.matching import request_match
from tracing.photo_refusals import REFUSALS
from tracing.platform import errors
from tracing.platform.settings import Settings
from tracing.services import Services
from tracing.trail import note


class TooManyPhotos(errors.Conflict):
    """The person has as many photographs as are kept."""

    slug = "too_many_photos"
    message = "A person has at most {limit} photographs. Remove one before you add another."


class OwnerClosed(errors.Conflict):
    """The case or report no longer takes photographs."""

    slug = "owner_closed"
    message = "This record is closed and takes no more changes."


class PhotoSize(StrEnum):
    """In which size a photograph is shown."""

    FULL = "full"
    THUMBNAIL = "thumbnail"
    FACE = "face"  # the chosen face with a margin, for side-by-side comparison
    ALIGNED = "aligned"  # the same upright, the eyes where every other aligned face has them


THUMBNAIL_SIDE = 320
FACE_SIDE = 640
LANDMARKS = 5
"""Points that a face can be aligned by."""
FACE_MARGIN = 0.6
"""Share of the box added on each side: hairline, ears and chin belong to the comparison (FISWG feature list)."""


@dataclass(frozen=True, slots=True, eq=False)
class PreparedPhoto:
    """An upload after all checks: re-encoded, stripped of everything but its capture time."""

    original: bytes
    data: bytes
    width: int
    height: int
    captured_at: datetime | None


def open_upload(data: bytes, settings: Settings) -> Photograph:
    """Decode and check an upload. Raises a PhotoRefused."""
    limits = settings.photos
    try:
        return decode(data, intake_limits(limits))
    except ImageRefused as refused:
        raise REFUSALS[refused.reason](
            field="photo",
            max_megabytes=limits.max_bytes // 2**20,
            max_megapixels=limits.max_pixels // 1_000_000,
            min_side=limits.min_side,
        ) from None


def prepare_photo(data: bytes, settings: Settings) -> PreparedPhoto:
    """Decode, check, shrink and re-encode an upload; touches no database. Raises a PhotoRefused."""
    photograph = open_upload(data, settings)
    pixels = resize_to_fit(photograph.pixels, settings.photos.max_side)
    return PreparedPhoto(
        original=data,
        data=encode(pixels, photograph.captured_at),
        width=pixels.shape[1],
        height=pixels.shape[0],
        captured_at=_in_zone(photograph.captured_at, settings),
    )


def _in_zone(moment: datetime | None, settings: Settings) -> datetime | None:
    """A camera's clock has no time zone: it is taken for the service's own."""
    return None if moment is None else moment.replace(tzinfo=ZoneInfo(settings.time_zone))


def add_photo(
    session: Session,
    services: Services,
    viewer: Viewer,
    kind: GalleryKind,
    owner_id: uuid.UUID,
    prepared: PreparedPhoto,
    *,
    view: PhotoView = PhotoView.FRONT,
    pointed_at: Box | None = None,
    now: datetime,
) -> Photo:
    """Store a photograph of a case's or report's person and ask for its analysis, in the caller's transaction.

    `pointed_at`: the person's face among several, in pixels of the prepared photograph. The same file given again is
    the same row. Raises TooManyPhotos, OwnerClosed, NotFound, Forbidden.
    """
    owner = _owner_for_writing(session, viewer, kind, owner_id)
    measured = not isinstance(owner, Case) or owner.traced  # nobody's face is measured without need
    photo = store_photo(
        session, services, viewer, owner.profile_id, prepared,
        view=view, pointed_at=pointed_at, owner_id=owner_id, analyse=measured, now=now,
    )  # fmt: skip
    request_match(session, services, kind, owner_id, now=now)
    return photo


def store_photo(
    session: Session,
    services: Services,
    viewer: Viewer,
    profile_id: uuid.UUID,
    prepared: PreparedPhoto,
    *,
    owner_id: uuid.UUID,
    view: PhotoView = PhotoView.FRONT,
    pointed_at: Box | None = None,
    analyse: bool = True,
    now: datetime,
) -> Photo:
    """Seal and store a photograph of a person whose record the viewer may write; `owner_id` is the record's.

    The same file given again is the same row. Raises TooManyPhotos.
    """
    profile = session.get_one(Profile, profile_id, with_for_update=True, populate_existing=True)
    digest = services.vault.digest(session, profile.subject_id, prepared.original)
    present = session.scalars(
        select(Photo).where(Photo.profile_id == profile.id, Photo.digest == digest).options(selectinload(Photo.faces))
    ).one_or_none()
    if present is not None and present.removed_at is None:
        return present
    count = session.scalar(
        select(func.count()).select_from(Photo).where(Photo.profile_id == profile.id, Photo.removed_at.is_(None))
    )
    limit = services.settings.photos.max_per_person
    if (count or 0) >= limit:
        raise TooManyPhotos(field="photo", limit=limit)
    photo = present or Photo(
        id=uuid.uuid4(),
        profile_id=profile.id,
        digest=digest,
        view=view,
        width=prepared.width,
        height=prepared.height,
        bytes_stored=len(prepared.data),
        captured_at=prepared.captured_at,
        pointed_at=pointed_at._asdict() if pointed_at else None,
        uploaded_by_id=viewer.user_id,
        uploaded_at=now,
        faces=[],
    )
    photo.removed_at = None
    sealed = services.vault.seal(session, profile.subject_id, photo_purpose(photo.id), prepared.data)
    services.store.put(str(photo.id), sealed)
    session.add(photo)
    profile.revision += 1
    session.flush()
    note(session, viewer, "photo.add", "photo", photo.id, at=now, owner=owner_id, bytes=len(prepared.data))
    if analyse:
        request_analysis(session, services, photo.id, now=now)
    session.refresh(photo, ["analysis", "analysed_with"])
    return photo


def remove_photo(session: Session, services: Services, viewer: Viewer, photo_id: uuid.UUID, *, now: datetime) -> None:
    """Take a photograph out of the record and out of the search; again does nothing. The sealed file is kept until
    the case's retention ends, so that a photograph removed by mistake comes back by sending it again.
    """
    photo, kind, owner = _photo_for_writing(session, viewer, photo_id)
    if photo.removed_at is not None:
        return
    photo.removed_at = now
    session.get_one(Profile, photo.profile_id, with_for_update=True, populate_existing=True).revision += 1
    session.flush()
    note(session, viewer, "photo.remove", "photo", photo.id, at=now, owner=owner.id)
    request_erasure(session, photo.id, now=now)
    request_match(session, services, kind, owner.id, now=now)


class FaceUnknown(errors.Invalid):
    """A face that the photograph does not show."""

    slug = "face_unknown"
    message = "This photograph has no such face. Choose one of the marked faces."


def choose_face(
    session: Session, services: Services, viewer: Viewer, photo_id: uuid.UUID, face_id: uuid.UUID, *, now: datetime
) -> Photo:
    """Say which of several faces is the person's; the match runs again. Raises FaceUnknown.

    A face that was shown before the model version changed stands for the one at the same place now.
    """
    photo, kind, owner = _photo_for_writing(session, viewer, photo_id)
    profile = session.get_one(Profile, photo.profile_id, with_for_update=True, populate_existing=True)
    photo = session.scalars(
        select(Photo)
        .where(Photo.id == photo_id)
        .options(selectinload(Photo.faces))
        .execution_options(populate_existing=True)
    ).one()
    chosen = next((face for face in photo.faces if face.id == face_id), None)
    if chosen is None:
        raise FaceUnknown(field="face_id")
    if chosen.chosen and chosen in photo.shown_faces:
        return photo
    if same_place([face.box for face in photo.shown_faces], chosen.box) is None:
        raise FaceUnknown(field="face_id")
    carry_choice(session, photo, chosen)
    profile.revision += 1
    session.flush()
    session.refresh(photo, ["analysis", "analysed_with"])
    note(session, viewer, "photo.choose_face", "photo", photo.id, at=now, face=face_id)
    request_match(session, services, kind, owner.id, now=now)
    return photo


def list_photos(session: Session, profile_id: uuid.UUID) -> list[Photo]:
    """Photographs of a profile that the caller has already been allowed to see, oldest first, with their faces."""
    return photos_of(session, [profile_id])[profile_id]


def photos_of(session: Session, profile_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[Photo]]:
    """The same of several profiles at once."""
    found: dict[uuid.UUID, list[Photo]] = {profile_id: [] for profile_id in profile_ids}
    for photo in session.scalars(
        select(Photo)
        .where(Photo.profile_id.in_(found), Photo.removed_at.is_(None))
        .options(selectinload(Photo.faces))
        .order_by(Photo.uploaded_at, Photo.id)
        .execution_options(populate_existing=True)
    ):
        found[photo.profile_id].append(photo)
    return found


def has_photo(session: Session, profile_id: uuid.UUID) -> bool:
    """Whether the profile has a photograph."""
    return bool(
        session.scalar(select(Photo.id).where(Photo.profile_id == profile_id, Photo.removed_at.is_(None)).limit(1))
    )


def get_photo(session: Session, viewer: Viewer, photo_id: uuid.UUID, *, now: datetime) -> Photo:
    """A photograph's record (its analysis, its faces). Raises NotFound outside the viewer's scope."""
    photo = _visible(session, viewer, photo_id)
    note(session, viewer, "photo.view_record", "photo", photo.id, at=now)
    return photo


def open_photo(
    session: Session,
    services: Services,
    viewer: Viewer,
    photo_id: uuid.UUID,
    *,
    size: PhotoSize = PhotoSize.FULL,
    now: datetime,
) -> bytes:
    """The photograph as a JPEG file, opened for somebody who may look; the look is logged."""
    photo = _visible(session, viewer, photo_id)
    data = photo_file(session, services, photo, size)
    note(session, viewer, "photo.view", "photo", photo.id, at=now, size=size.value)
    return data


def photo_file(session: Session, services: Services, photo: Photo, size: PhotoSize) -> bytes:
    """A photograph that the viewer may look at, as a JPEG file; the caller logs the look. Its faces are loaded."""
    subject_id = session.scalars(select(Profile.subject_id).where(Profile.id == photo.profile_id)).one()
    data = services.vault.open(session, subject_id, photo_purpose(photo.id), services.store.get(str(photo.id)))
    if size is PhotoSize.FULL:
        return data
    pixels = decode(data, intake_limits(services.settings.photos)).pixels
    if size is PhotoSize.THUMBNAIL:
        return encode(resize_to_fit(pixels, THUMBNAIL_SIDE), None)
    face = next((face for face in photo.shown_faces if face.chosen), None)
    if size is PhotoSize.ALIGNED and face is not None and can_align(face):
        return encode(portrait(pixels, [(x, y) for x, y in face.landmarks], FACE_SIDE), None)
    return encode(resize_to_fit(around_face(pixels, face), FACE_SIDE), None)


def can_align(face: Face) -> bool:
    """Whether the face's landmarks say how it stands; an engine may have found others than dlib's five."""
    return len(face.landmarks) == LANDMARKS and len({(x, y) for x, y in face.landmarks}) > 1


def around_face(pixels: NDArray[np.uint8], face: Face | None) -> NDArray[np.uint8]:
    """The face with its margin; the whole picture for None."""
    if face is None:
        return pixels
    box = face.box
    across, down = (box["right"] - box["left"]) * FACE_MARGIN, (box["bottom"] - box["top"]) * FACE_MARGIN
    top, left = max(0, int(box["top"] - down)), max(0, int(box["left"] - across))
    return pixels[top : int(box["bottom"] + down), left : int(box["right"] + across)]


def _visible(session: Session, viewer: Viewer, photo_id: uuid.UUID) -> Photo:
    """A photograph of a case, report or candidate that exists for the viewer."""
    cases = select(Case.profile_id).where(access.case_scope(viewer))
    reports = select(Report.profile_id).where(access.report_scope(viewer))
    candidates = select(Candidate).where(access.candidate_scope(viewer)).subquery()
    reported = select(Report.profile_id).join(candidates, candidates.c.report_id == Report.id)
    others = select(Case.profile_id).join(
        candidates, or_(candidates.c.other_case_id == Case.id, candidates.c.case_id == Case.id)
    )
    sown = select(Report.profile_id).join(ReviewSeed, ReviewSeed.report_id == Report.id)
    sown = sown.where(access.seed_scope(viewer))
    photo: Photo = access.find(
        session,
        select(Photo)
        .where(
            Photo.id == photo_id,
            Photo.removed_at.is_(None),
            or_(*(Photo.profile_id.in_(scope) for scope in (cases, reports, reported, others, sown))),
        )
        .options(selectinload(Photo.faces)),
    )
    return photo


def _owner_for_writing(session: Session, viewer: Viewer, kind: GalleryKind, owner_id: uuid.UUID) -> Case | Report:
    owner: Case | Report
    if kind is GalleryKind.CASE:
        access.require(viewer, Permission.CASE_WRITE)
        owner = access.find(session, select(Case).where(Case.id == owner_id, access.case_scope(viewer)))
        if owner.state is CaseState.CLOSED:
            raise OwnerClosed()
    else:
        access.require(viewer, Permission.REPORT_WRITE)
        owner = access.find(session, select(Report).where(Report.id == owner_id, access.report_scope(viewer)))
        if owner.state not in (ReportState.DRAFT, ReportState.OPEN):
            raise OwnerClosed()
    return owner


def _photo_for_writing(
    session: Session, viewer: Viewer, photo_id: uuid.UUID
) -> tuple[Photo, GalleryKind, Case | Report]:
    photo = _visible(session, viewer, photo_id)
    case_id = session.scalars(select(Case.id).where(Case.profile_id == photo.profile_id)).one_or_none()
    if case_id is not None:
        return photo, GalleryKind.CASE, _owner_for_writing(session, viewer, GalleryKind.CASE, case_id)
    report_id = session.scalars(select(Report.id).where(Report.profile_id == photo.profile_id)).one()
    return photo, GalleryKind.REPORT, _owner_for_writing(session, viewer, GalleryKind.REPORT, report_id)
