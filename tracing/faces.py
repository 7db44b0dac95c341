"""Faces (人脸): what the engine finds in a photograph, stored once a photograph and model version.

The face that is the person's under the version in force is looked for under every other version too.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from matcher.faces.engine import DetectedFace
from matcher.faces.intake import IntakeLimits, decode
from models.face import Face
from models.photo import AnalysisState, Photo, PhotoAnalysis
from models.profile import Profile
from tracing.face_engines import NO_ENGINE
from tracing.face_models import is_live, versions_to_analyse
from tracing.gallery import embedding_purpose
from tracing.platform import jobs
from tracing.platform.clock import utc_now
from tracing.platform.db import dialect_insert, unit_of_work
from tracing.platform.jobs import ClaimedJob, DeferJob
from tracing.platform.settings import PhotoSettings
from tracing.services import Services
from tracing.trail import note

ANALYSE = "photo.analyse"
SAME_FACE_OVERLAP = 0.3
"""Least overlap (intersection over union) of one face's boxes under two detectors; their margins differ widely."""
_WAIT_FOR_ENGINE = timedelta(minutes=1)


def photo_purpose(photo_id: uuid.UUID) -> str:
    """Purpose under which the vault seals a photograph's file."""
    return f"photo:{photo_id}"


def intake_limits(settings: PhotoSettings) -> IntakeLimits:
    """The settings as the matcher's intake takes them."""
    return IntakeLimits(max_bytes=settings.max_bytes, max_pixels=settings.max_pixels, min_side=settings.min_side)


def request_analysis(session: Session, services: Services, photo_id: uuid.UUID, *, now: datetime) -> None:
    """Ask, in the caller's transaction, for a photograph to be looked at under every version that is alive."""
    for version in versions_to_analyse(session, services, now=now):
        jobs.enqueue(
            session,
            kind=ANALYSE,
            key=f"photo:{photo_id}:{version}",
            payload={"photo_id": photo_id, "model_version": version},
            now=now,
            again=True,  # one that was taken out and comes back may have been passed over in between
        )


def analyse_job(services: Services, job: ClaimedJob, complete: Callable[[Session], None]) -> None:
    """Task: find the faces of one photograph."""
    version = job.payload.get("model_version")
    if version is None:  # asked for before there were versions side by side
        with unit_of_work(services.db) as session:
            version = versions_to_analyse(session, services, now=utc_now())[0]
    analyse_photo(services, uuid.UUID(job.payload["photo_id"]), version, complete)


def analyse_photo(services: Services, photo_id: uuid.UUID, version: str, complete: Callable[[Session], None]) -> None:
    """Detect and embed the faces of a photograph, unless this model version has done so; safe to run twice at once.

    `complete` is called in the transaction that stores the faces. A version that is neither in force nor being built
    is passed over. Raises DeferJob when the version is being built by an engine that this process does not have.
    """
    engine = services.faces.load(version)
    with unit_of_work(services.db) as session:
        photo = session.get(Photo, photo_id)
        versions = versions_to_analyse(session, services, now=utc_now())
        known = session.scalars(
            select(PhotoAnalysis.id).where(PhotoAnalysis.photo_id == photo_id, PhotoAnalysis.model_version == version)
        ).one_or_none()
        if photo is None or photo.removed_at is not None or version not in (*versions, NO_ENGINE) or known is not None:
            complete(session)
            return
        if engine is None:
            if version not in (versions[0], NO_ENGINE):
                services.faces.say_once("face_model_not_installed", version, "install it where jobs run, and restart")
                raise DeferJob(_WAIT_FOR_ENGINE)
            _record(session, photo_id, NO_ENGINE, AnalysisState.UNAVAILABLE, utc_now())
            complete(session)
            return
        subject_id = session.scalars(select(Profile.subject_id).where(Profile.id == photo.profile_id)).one()
        sealed = services.store.get(str(photo_id))
        data = services.vault.open(session, subject_id, photo_purpose(photo_id), sealed)
    found = engine.detect(decode(data, intake_limits(services.settings.photos)).pixels)
    now = utc_now()
    with unit_of_work(services.db) as session:
        # A choice that is made at this moment either is seen here or sees these faces.
        session.get_one(Profile, photo.profile_id, with_for_update=True)
        if is_live(session, services, version, now=now):
            chosen, state = _chosen(found, _standing_choice(session, photo_id, version))
            if _record(session, photo_id, version, state, now):
                for ordinal, face in enumerate(found):
                    _store(
                        session, services, photo_id, subject_id, version, ordinal, face,
                        chosen=ordinal == chosen, now=now,
                    )  # fmt: skip
                note(session, None, "photo.analyse", "photo", photo_id, at=now, faces=len(found), model=version)
        complete(session)


def carry_choice(session: Session, photo: Photo, chosen: Face) -> None:
    """Make `chosen` the person's face, and under every other version the face at the same place, if there is one.

    `photo` has its faces loaded; the caller holds its profile.
    """
    for version in {face.model_version for face in photo.faces}:
        faces = [face for face in photo.faces if face.model_version == version]
        if version == chosen.model_version:
            same: Face | None = chosen
        else:
            place = same_place([face.box for face in faces], chosen.box)
            same = None if place is None else faces[place]
        if same is None:
            continue
        for face in faces:
            face.chosen = face is same
        analysis = session.scalars(
            select(PhotoAnalysis).where(PhotoAnalysis.photo_id == photo.id, PhotoAnalysis.model_version == version)
        ).one()
        analysis.state = AnalysisState.READY


def same_place(boxes: Sequence[Mapping[str, int]], wanted: Mapping[str, int]) -> int | None:
    """Index of the box that overlaps most with the one wanted, None when none reaches SAME_FACE_OVERLAP."""
    overlaps = [overlap(box, wanted) for box in boxes]
    best = max(range(len(boxes)), key=lambda index: overlaps[index], default=None)
    return best if best is not None and overlaps[best] >= SAME_FACE_OVERLAP else None


def overlap(one: Mapping[str, int], other: Mapping[str, int]) -> float:
    """Intersection over union of two boxes (top, right, bottom, left), 0 to 1."""
    across = min(one["right"], other["right"]) - max(one["left"], other["left"])
    down = min(one["bottom"], other["bottom"]) - max(one["top"], other["top"])
    if across <= 0 or down <= 0:
        return 0.0
    common = across * down
    areas = sum((box["right"] - box["left"]) * (box["bottom"] - box["top"]) for box in (one, other))
    return common / (areas - common)


def _standing_choice(session: Session, photo_id: uuid.UUID, version: str) -> tuple[Mapping[str, int], bool] | None:
    """Box of the person's face, and whether somebody chose it: under the version in force, if that is another one;
    before the first analysis, where somebody pointed at it.
    """
    photo = session.get_one(Photo, photo_id, populate_existing=True)
    if photo.analysed_with in (None, version):
        return None if photo.pointed_at is None else (photo.pointed_at, True)
    faces = session.scalars(
        select(Face).where(Face.photo_id == photo_id, Face.model_version == photo.analysed_with)
    ).all()
    box = next((face.box for face in faces if face.chosen), None)
    return None if box is None else (box, len(faces) > 1)


def _chosen(
    found: Sequence[DetectedFace], standing: tuple[Mapping[str, int], bool] | None
) -> tuple[int | None, AnalysisState]:
    """Which of the faces is the person's (None: somebody has to say), and the state of the analysis.

    A single face is the person's, unless somebody chose among several under the version in force and this is not it.
    """
    if standing is not None:
        box, by_hand = standing
        same = same_place([face.box._asdict() for face in found], box)
        if same is not None:
            return same, AnalysisState.READY
        if by_hand and len(found) == 1:
            return None, AnalysisState.NO_FACE
    if len(found) == 1:
        return 0, AnalysisState.READY
    return None, AnalysisState.SEVERAL_FACES if found else AnalysisState.NO_FACE


def _record(session: Session, photo_id: uuid.UUID, version: str, state: AnalysisState, now: datetime) -> bool:
    """Keep that the version has looked at the photograph; False when that was kept already."""
    statement = dialect_insert(session)(PhotoAnalysis).values(
        id=uuid.uuid4(), photo_id=photo_id, model_version=version, state=state, analysed_at=now
    )
    added = statement.on_conflict_do_nothing(
        index_elements=[PhotoAnalysis.photo_id, PhotoAnalysis.model_version]
    ).returning(PhotoAnalysis.id)
    return session.execute(added).scalar_one_or_none() is not None


def _store(
    session: Session,
    services: Services,
    photo_id: uuid.UUID,
    subject_id: uuid.UUID,
    version: str,
    ordinal: int,
    face: DetectedFace,
    *,
    chosen: bool,
    now: datetime,
) -> None:
    vector = face.embedding.astype("<f4").tobytes()
    session.execute(
        dialect_insert(session)(Face)
        .values(
            id=uuid.uuid4(),
            photo_id=photo_id,
            model_version=version,
            ordinal=ordinal,
            box=face.box._asdict(),
            landmarks=[[round(x), round(y)] for x, y in face.landmarks],
            quality={
                "overall": face.quality.overall,
                "components": dict(face.quality.components),
                "advice": list(face.quality.advice),
            },
            quality_overall=face.quality.overall,
            embedding_sealed=services.vault.seal(session, subject_id, embedding_purpose(photo_id), vector),
            chosen=chosen,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=[Face.photo_id, Face.model_version, Face.ordinal])
    )
