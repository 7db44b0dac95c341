"""What a process is made of: settings, database, vault, store, face engine, gallery. Built once, passed down."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from matcher.evidence.base import Parameters, load_parameters
from matcher.faces.dlib_engine import DlibFaceEngine
from matcher.faces.engine import FaceEngine
from matcher.faces.onnx_engine import OnnxFaceEngine
from matcher.faces.weights import FaceEngineUnavailable, check_installed, model_version, onnx_model_version
from tracing.gallery import Gallery
from tracing.gallery_store import PURPOSE, SnapshotStore
from tracing.platform.crypto import Vault, load_keyring
from tracing.platform.db import Database, create_database
from tracing.platform.keyring import derived_keys
from tracing.platform.settings import FaceSettings, Settings
from tracing.platform.storage import BlobStore, FileBlobStore

log = structlog.stdlib.get_logger(__name__)

ONNX_ENGINE = "dlib_onnx"
GALLERY_CONNECTIONS = 2
NO_ENGINE = "none"
"""Model version of an installation without a face engine: everything works, by attributes alone."""


@dataclass(frozen=True)
class FaceSource:
    """The configured face engine, loaded at first use: a web process that runs no jobs never loads it."""

    model_version: str
    settings: FaceSettings
    models: Path

    def load(self) -> FaceEngine | None:
        """The engine, or None when there is none."""
        if self.model_version == NO_ENGINE:
            return None
        return _engine(self.settings.engine, self.settings.max_detection_side, self.models)


@cache
def _engine(name: str, detection_side: int, models: Path) -> FaceEngine:
    if name == ONNX_ENGINE:
        return OnnxFaceEngine(detection_side, cache=models)
    return DlibFaceEngine(detection_side)


@dataclass(frozen=True)
class Services:
    """Everything a use case may need besides its session."""

    settings: Settings
    db: Database
    vault: Vault
    store: BlobStore
    faces: FaceSource
    gallery: Gallery
    parameters: Parameters

    def local_day(self, now: datetime) -> date:
        """The calendar day in the service's time zone."""
        return now.astimezone(ZoneInfo(self.settings.time_zone)).date()


def build_services(settings: Settings) -> Services:
    """Services of a process. Makes the key file in development; connects to nothing yet."""
    keyring = load_keyring(settings)
    vault, db = Vault(keyring), create_database(settings)
    snapshots = SnapshotStore(settings.data_dir / "index", derived_keys(keyring, PURPOSE))
    return Services(
        settings=settings,
        db=db,
        vault=vault,
        store=FileBlobStore(settings.data_dir / "photos"),
        faces=find_faces(settings.faces, settings.data_dir / "models"),
        gallery=Gallery(vault, db, create_database(settings.with_pool(GALLERY_CONNECTIONS)), snapshots, settings.index),
        parameters=load_parameters(),
    )


def find_faces(settings: FaceSettings, models: Path) -> FaceSource:
    """The face source of the settings; what it builds is kept in the folder `models`.

    Without the packages it says so in the log and goes on without faces.
    """
    version = NO_ENGINE
    if settings.engine != NO_ENGINE:
        try:
            if settings.engine == ONNX_ENGINE:
                version = onnx_model_version(mirrored=True)
            else:
                check_installed()
                version = model_version()
        except FaceEngineUnavailable as error:
            log.warning("no_face_engine", remedy=str(error))
    return FaceSource(version, settings, models)
