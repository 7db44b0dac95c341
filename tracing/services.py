"""What a process is made of: settings, database, vault, store, face engine, gallery. Built once, passed down."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

from matcher.calibration import FaceCalibration
from matcher.evidence.base import Parameters, load_parameters
from matcher.evidence.batch import Prepared
from tracing.care_policy import CarePolicies, load_care
from tracing.clock_policy import Clocks, load_clocks
from tracing.face_engines import NO_ENGINE, FaceEngines, calibrations, find_faces
from tracing.gallery import Gallery
from tracing.gallery_store import PURPOSE, SnapshotStore
from tracing.homeward_policy import HomewardPolicy, load_homeward
from tracing.notice_policy import NoticePolicies, load_notice_policies
from tracing.platform.crypto import Vault, load_keyring
from tracing.platform.db import Database, create_database
from tracing.platform.keyring import derived_keys
from tracing.platform.settings import Settings
from tracing.platform.storage import BlobStore, FileBlobStore
from tracing.record_cache import RecordCache
from tracing.review_policy import ReviewRules, load_rules

GALLERY_CONNECTIONS = 2

__all__ = ["NO_ENGINE", "FaceEngines", "Services", "build_services", "find_faces"]


@dataclass(frozen=True)
class Services:
    """Everything a use case may need besides its session."""

    settings: Settings
    db: Database
    vault: Vault
    store: BlobStore
    faces: FaceEngines
    gallery: Gallery
    parameters: Parameters
    records: RecordCache[Prepared]
    clocks: Clocks
    homeward: HomewardPolicy
    care: CarePolicies
    notices: NoticePolicies
    review_rules: ReviewRules

    def local_day(self, now: datetime) -> date:
        """The calendar day in the service's time zone."""
        return now.astimezone(ZoneInfo(self.settings.time_zone)).date()


def build_services(settings: Settings) -> Services:
    """Services of a process. Makes the key file in development; connects to nothing yet.

    Raises SettingsError for a face engine that there is not, or a policy file that cannot be right.
    """
    keyring = load_keyring(settings)
    vault, db = Vault(keyring), create_database(settings)
    snapshots = SnapshotStore(settings.data_dir / "index", derived_keys(keyring, PURPOSE))
    faces = find_faces(settings.faces, settings.data_dir / "models")
    return Services(
        settings=settings,
        db=db,
        vault=vault,
        store=FileBlobStore(settings.data_dir / "photos"),
        faces=faces,
        gallery=Gallery(vault, db, create_database(settings.with_pool(GALLERY_CONNECTIONS)), snapshots, settings.index),
        parameters=with_calibrations(load_parameters(), calibrations(faces)),
        records=RecordCache(settings.matching.cached_records, settings.matching.cached_seconds),
        clocks=load_clocks(settings.data_dir / "policies", settings.time_zone),
        homeward=load_homeward(settings.data_dir / "policies"),
        care=load_care(settings.data_dir / "policies"),
        notices=load_notice_policies(settings.data_dir / "policies"),
        review_rules=load_rules(settings.data_dir / "policies"),
    )


def with_calibrations(parameters: Parameters, own: Mapping[str, FaceCalibration]) -> Parameters:
    """The parameters with the operator's calibrations beside the packaged ones.

    Their version ends in a digest of all of them, so that what was weighed by other calibrations is weighed again.
    """
    calibrations = {**parameters.calibrations, **own}
    told = [parameters.version, *sorted(map(repr, calibrations.values()))]
    digest = hashlib.sha256(repr(told).encode()).hexdigest()
    return replace(
        parameters,
        version=f"{parameters.version}+{digest[:8]}",
        calibrations=MappingProxyType(calibrations),
    )
