"""The system (系统状态) as its administrator sees it: index, jobs, and which policies and figures are in force.

It holds versions, counts and times: nobody's data.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from models.index_place import Place
from models.index_replica import IndexReplica
from models.job import JobState
from models.parameter_set import ParameterSet
from tracing import access
from tracing.access import Permission, Viewer
from tracing.blocking_fill import KeyCoverage, key_coverage
from tracing.face_models import version_in_force
from tracing.gallery_erasure import live, pending_erasure
from tracing.gallery_faces import count_faces
from tracing.gallery_log import waiting
from tracing.gallery_place import place_of
from tracing.operations import count_jobs
from tracing.parameter_sets import list_sets
from tracing.services import Services
from tracing.trail import note


class PolicyArea(StrEnum):
    """What a policy file rules."""

    DEADLINES = "deadlines"
    KIN = "kin"
    CONTACT_SCRIPT = "contact_script"
    DOSSIER = "dossier"
    REFERRALS = "referrals"
    FOLLOW_UP = "follow_up"
    DUPLICATES = "duplicates"
    NOTICES = "notices"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class PolicyInForce:
    """One policy: `jurisdiction` is the code it holds for, None for everywhere."""

    area: PolicyArea
    version: str
    jurisdiction: str | None = None


@dataclass(frozen=True, slots=True)
class ReplicaState:
    """A process that holds the index, and how many logged changes it has yet to apply."""

    replica: IndexReplica
    behind: int


@dataclass(frozen=True)
class SystemState:
    """What is in force and how it goes.

    Attributes:
        place: whom searches ask.
        faces: searchable faces of the model version in force.
        erasing: whether an erasure waits to be done in every index.
        keys_to_wrap: data keys that a retired master key still opens (`tracing.tidying`).
        jobs: counts by state.
    """

    place: Place
    model_version: str
    faces: int
    erasing: bool
    keys_to_wrap: int
    replicas: Sequence[ReplicaState]
    jobs: Mapping[JobState, int]
    keys: KeyCoverage
    parameter_sets: Sequence[ParameterSet]
    policies: Sequence[PolicyInForce]


def read_system(session: Session, services: Services, viewer: Viewer, *, now: datetime) -> SystemState:
    """For those who run the service; the look is logged. Raises Forbidden."""
    access.require(viewer, Permission.JOBS)
    version, place = version_in_force(session, services), place_of(session)
    replicas = live(session, now, services.settings.index.replica_seconds)
    note(session, viewer, "system.view", "system", None, at=now)
    return SystemState(
        place=Place.LOCAL if place is None else place.place,
        model_version=version,
        faces=count_faces(session, version),
        erasing=pending_erasure(session, services.settings.index) is not None,
        replicas=[ReplicaState(one, waiting(session, one.model_version, one.mark)) for one in replicas],
        jobs=count_jobs(session, viewer),
        keys=key_coverage(session),
        parameter_sets=list_sets(session),
        policies=list(_policies(services)),
        keys_to_wrap=services.vault.count_retired(session),
    )


def _policies(services: Services) -> Iterator[PolicyInForce]:
    for jurisdiction, clocks in sorted(services.clocks.policies.items()):
        yield PolicyInForce(PolicyArea.DEADLINES, clocks.version, jurisdiction)
    for jurisdiction, notices in sorted(services.notices.policies.items()):
        yield PolicyInForce(PolicyArea.NOTICES, notices.version, jurisdiction)
    homeward, care = services.homeward, services.care
    yield PolicyInForce(PolicyArea.KIN, homeward.kin.version, homeward.kin.jurisdiction)
    yield PolicyInForce(PolicyArea.CONTACT_SCRIPT, homeward.script.version, homeward.script.jurisdiction)
    yield PolicyInForce(PolicyArea.DOSSIER, homeward.dossier.version, homeward.dossier.jurisdiction)
    yield PolicyInForce(PolicyArea.REFERRALS, care.referrals.version)
    yield PolicyInForce(PolicyArea.FOLLOW_UP, care.follow_up.version)
    yield PolicyInForce(PolicyArea.DUPLICATES, care.duplicates.version)
    yield PolicyInForce(PolicyArea.REVIEW, services.review_rules.version)
