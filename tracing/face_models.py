"""Face models (人脸模型): which version is in force, building another beside it, and the switch between them.

Whatever compares or shows faces asks for the version in force in its own transaction. A switch is one transaction,
taken while no upload is half-way, so that no photograph is left behind.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, delete, func, or_, select
from sqlalchemy.orm import Session

from models.case import Case
from models.face import Face
from models.face_model import FaceModel, FaceModelState
from models.photo import Photo, PhotoAnalysis
from models.profile import Profile
from models.report import Report
from models.subject import Subject
from tracing.face_engines import NO_ENGINE, KnownEngine
from tracing.gallery import searchable_case, searchable_report
from tracing.platform import errors, jobs
from tracing.platform.db import dialect_insert
from tracing.services import Services
from tracing.trail import note

REMATCH = "face_model.rematch"
CHANGE = "tracing faces reembed"


class FaceModelUnknown(errors.NotFound):
    """There is no such engine or version."""

    slug = "face_model_unknown"
    message = "There is no face model of this name. The command “tracing faces models” lists those that there are."


class FaceModelIncomplete(errors.Conflict):
    """Photographs of people who are searched for have not been looked at under the version."""

    slug = "face_model_incomplete"
    message = (
        "{missing} photographs of people in the search have not been analysed with this face model, such as {examples}."
        " Run “tracing faces reembed --to {version}” first."
    )


class FaceModelBusy(errors.Conflict):
    """Another version is being built."""

    slug = "face_model_busy"
    message = (
        "The face model {version} is being built. Let it finish, or remove it with “tracing faces prune {version}”."
    )


class FaceModelInForce(errors.Conflict):
    """The version that the search uses cannot be removed."""

    slug = "face_model_in_force"
    message = "The search uses this face model. Switch to another one before you remove it."


@dataclass(frozen=True, slots=True)
class Progress:
    """Photographs analysed under a version, of all that are kept; `searchable_missing` of people in the search."""

    done: int
    total: int
    searchable_missing: int

    @property
    def missing(self) -> int:
        """Photographs without an analysis."""
        return self.total - self.done


@dataclass(frozen=True, slots=True)
class ModelView:
    """One version as an operator sees it. `state` None: known here, never used. `name` None: not installed here."""

    model_version: str
    name: str | None
    state: FaceModelState | None
    wanted: bool
    progress: Progress


def version_in_force(session: Session, services: Services) -> str:
    """The model version to compare faces under; NO_ENGINE: by attributes alone.

    Without a version in force that is the one which the settings want. When that in force cannot be had here, or is not
    the one wanted, the log says so once, with the remedy.
    """
    faces = services.faces
    if faces.switched_off:
        return NO_ENGINE
    current = session.scalars(
        select(FaceModel.model_version).where(FaceModel.state == FaceModelState.IN_FORCE)
    ).one_or_none()
    if current is None:
        return faces.wanted
    if faces.wanted not in (current, NO_ENGINE):
        faces.say_once("face_model_not_switched", current, CHANGE)
    if current not in faces.known:
        faces.say_once("face_model_not_installed", current, f"install it again, or choose another and {CHANGE}")
        return NO_ENGINE
    return current


def live_versions(session: Session, services: Services) -> frozenset[str]:
    """The version in force and one that is being built, as far as this process has their engines."""
    building = session.scalars(select(FaceModel.model_version).where(FaceModel.state == FaceModelState.BUILDING)).all()
    versions = {version_in_force(session, services), *(one for one in building if one in services.faces.known)}
    return frozenset(versions - {NO_ENGINE})


def state_of(session: Session, version: str) -> FaceModelState | None:
    """Where a version stands; None when the database does not know it."""
    return session.scalars(select(FaceModel.state).where(FaceModel.model_version == version)).one_or_none()


def versions_to_analyse(session: Session, services: Services, *, now: datetime) -> tuple[str, ...]:
    """Versions under which a new photograph is looked at: the one in force first, then one that is being built.

    A switch waits until the caller's transaction ends. On a new installation the version wanted comes into force here.
    """
    if services.faces.switched_off:
        return (NO_ENGINE,)
    rows = _held(session)
    if not any(row.state is FaceModelState.IN_FORCE for row in rows) and services.faces.wanted != NO_ENGINE:
        _adopt(session, services.faces.known[services.faces.wanted], now)
        rows = _held(session)
    in_force = [row.model_version for row in rows if row.state is FaceModelState.IN_FORCE]
    building = [row.model_version for row in rows if row.state is FaceModelState.BUILDING]
    return (*(in_force or [NO_ENGINE]), *building)


def is_live(session: Session, services: Services, version: str, *, now: datetime) -> bool:
    """Whether the version is in force or being built, and stays so until the transaction ends."""
    return version in versions_to_analyse(session, services, now=now)


def begin(session: Session, services: Services, name: str | None, *, now: datetime) -> FaceModel:
    """The version of that engine (default: the one that the settings want), being built if it is not in force.

    Raises FaceModelUnknown, and FaceModelBusy while another one is being built.
    """
    engine = services.faces.named(name or services.faces.wanted)
    if engine is None:
        raise FaceModelUnknown(field="name")
    rows = _held(session, for_update=True)
    if not any(row.state is FaceModelState.IN_FORCE for row in rows):
        _adopt(session, engine, now)
        rows = _held(session, for_update=True)
    other = next((row for row in rows if row.state is FaceModelState.BUILDING), None)
    found = next((row for row in rows if row.model_version == engine.model_version), None)
    if found is not None and found.state is not FaceModelState.RETIRED:
        return found
    if other is not None:
        raise FaceModelBusy(version=other.model_version)
    if found is None:
        found = FaceModel(
            id=uuid.uuid4(),
            model_version=engine.model_version,
            state=FaceModelState.BUILDING,
            dimension=engine.dimension,
            created_at=now,
        )
        session.add(found)
    else:
        found.move_to(FaceModelState.BUILDING, at=now)
    session.flush()
    note(session, None, "face_model.build", "face_model", found.id, at=now, version=found.model_version, console=True)
    return found


def switch(session: Session, services: Services, name: str, *, now: datetime) -> FaceModel:
    """Bring a complete version into force, and ask for everybody in the search to be matched under it.

    Doing it again does nothing. Raises FaceModelUnknown, FaceModelIncomplete.
    """
    rows = _held(session, for_update=True)
    engine = services.faces.named(name)
    wanted = next((row for row in rows if engine is not None and row.model_version == engine.model_version), None)
    if wanted is None:
        raise FaceModelUnknown(field="version")
    if wanted.state is FaceModelState.IN_FORCE:
        return wanted
    missing = progress(session, wanted.model_version).searchable_missing
    if missing:
        examples = session.scalars(_missing(wanted.model_version).where(_searchable()).order_by(Photo.id).limit(3))
        shown = ", ".join(str(photo_id) for photo_id in examples)
        raise FaceModelIncomplete(missing=missing, examples=shown, version=wanted.model_version)
    previous = next((row for row in rows if row.state is FaceModelState.IN_FORCE), None)
    if previous is not None:
        previous.move_to(FaceModelState.RETIRED, at=now)
        session.flush()  # before the other: at no moment are there two
    wanted.move_to(FaceModelState.IN_FORCE, at=now)
    session.flush()
    note(
        session, None, "face_model.switch", "face_model", wanted.id, at=now, console=True,
        version=wanted.model_version, previous=previous.model_version if previous else None,
    )  # fmt: skip
    jobs.enqueue(
        session,
        kind=REMATCH,
        key=f"rematch:{wanted.model_version}:{now.isoformat()}",
        payload={"model_version": wanted.model_version, "since": now},
        now=now,
    )
    return wanted


def prune(session: Session, version: str, *, limit: int, now: datetime) -> int:
    """Remove the faces of up to `limit` photographs under a version that is not in force; how many they were.

    With the last of them the version itself goes: repeat until it returns 0. Raises FaceModelUnknown, FaceModelInForce.
    """
    found = next((row for row in _held(session, for_update=True) if row.model_version == version), None)
    if found is None:
        raise FaceModelUnknown(field="version")
    if found.state is FaceModelState.IN_FORCE:
        raise FaceModelInForce()
    photos = session.scalars(
        select(PhotoAnalysis.photo_id)
        .where(PhotoAnalysis.model_version == version)
        .order_by(PhotoAnalysis.photo_id)
        .limit(limit)
    ).all()
    for table in (Face, PhotoAnalysis):
        session.execute(
            delete(table).where(table.photo_id.in_(photos), table.model_version == version),
            execution_options={"synchronize_session": False},
        )
    if not photos:
        session.delete(found)
        session.flush()
    note(session, None, "face_model.prune", "face_model", found.id, at=now, version=version, photos=len(photos),
         console=True)  # fmt: skip
    return len(photos)


def list_models(session: Session, services: Services) -> list[ModelView]:
    """Versions that the database knows, in the order in which they came, then engines that were never used."""
    rows = session.scalars(select(FaceModel).order_by(FaceModel.created_at, FaceModel.model_version)).all()
    states: dict[str, FaceModelState | None] = {row.model_version: row.state for row in rows}
    states |= {version: None for version in services.faces.known if version not in states}
    return [
        ModelView(
            model_version=version,
            name=services.faces.known[version].name if version in services.faces.known else None,
            state=state,
            wanted=version == services.faces.wanted,
            progress=progress(session, version),
        )
        for version, state in states.items()
    ]


def progress(session: Session, version: str) -> Progress:
    """How far a version has come."""
    total = session.scalar(select(func.count()).select_from(_kept().subquery())) or 0
    missing = session.scalar(select(func.count()).select_from(_missing(version).subquery())) or 0
    searchable = session.scalar(select(func.count()).select_from(_missing(version).where(_searchable()).subquery()))
    return Progress(total - missing, total, searchable or 0)


def analysed(version: str) -> ColumnElement[bool]:
    """Condition on `Photo`: it was looked at under the version."""
    return (
        select(PhotoAnalysis.id)
        .where(PhotoAnalysis.photo_id == Photo.id, PhotoAnalysis.model_version == version)
        .correlate(Photo)
        .exists()
    )


def kept() -> ColumnElement[bool]:
    """Condition on `Photo` joined to its `Subject`: not taken out, and its person's data key is not destroyed."""
    return Photo.removed_at.is_(None) & Subject.destroyed_at.is_(None)


def _kept() -> Select[uuid.UUID]:
    return (
        select(Photo.id)
        .join(Profile, Profile.id == Photo.profile_id)
        .join(Subject, Subject.id == Profile.subject_id)
        .where(kept())
    )


def _missing(version: str) -> Select[uuid.UUID]:
    return _kept().where(~analysed(version))


def _searchable() -> ColumnElement[bool]:
    """Condition on `Photo`: its person stands in the search."""
    return or_(
        Photo.profile_id.in_(select(Case.profile_id).where(searchable_case())),
        Photo.profile_id.in_(select(Report.profile_id).where(searchable_report())),
    )


def _held(session: Session, *, for_update: bool = False) -> Sequence[FaceModel]:
    """Every version, as it stays until the transaction ends. All rows: one that is waited for may have moved since."""
    return session.scalars(
        select(FaceModel)
        .order_by(FaceModel.id)
        .with_for_update(read=not for_update)
        .execution_options(populate_existing=True)
    ).all()


def _adopt(session: Session, engine: KnownEngine, now: datetime) -> None:
    """Bring the first version into force, unless somebody else just did."""
    statement = dialect_insert(session)(FaceModel).values(
        id=uuid.uuid4(),
        model_version=engine.model_version,
        state=FaceModelState.IN_FORCE,
        dimension=engine.dimension,
        created_at=now,
        in_force_at=now,
    )
    added = session.scalar(statement.on_conflict_do_nothing().returning(FaceModel.id))
    if added is not None:
        note(session, None, "face_model.adopt", "face_model", added, at=now, version=engine.model_version)
