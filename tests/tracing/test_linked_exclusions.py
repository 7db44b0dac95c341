"""Where links and exclusions meet: what a link closed stays closed when its exclusion is reopened."""

import uuid
from datetime import datetime

from matcher.vocabulary import GalleryKind
from models.candidate import Candidate, CandidateState
from models.confirmation import ConfirmationMethod
from models.exclusion import ExclusionEvidence
from models.user import Role
from tests.factories.rivals import make_rivals
from tracing import confirmation, duplicates, exclusions
from tracing.platform.db import read_only, unit_of_work
from tracing.services import Services


def test_reopened_it_stays_closed_until_the_link_lifts(any_services: Services, now: datetime) -> None:
    rivals = make_rivals(any_services, now)
    world, (first, _), (sister, uncle) = rivals.world, rivals.cases, rivals.reports
    supervisor = world.viewer(world.a.users[Role.POLICE_SUPERVISOR])
    reporter = world.viewer(world.b.users[Role.STATION_STAFF])
    rival = rivals.candidates[1][1]

    def state(candidate_id: uuid.UUID) -> CandidateState:
        with read_only(any_services.db) as session:
            return session.get_one(Candidate, candidate_id).state

    with unit_of_work(any_services.db) as session:
        duplicates.link_records(
            session, any_services, reporter, GalleryKind.REPORT, sister, uncle, reason="同一人", now=now
        )
    with unit_of_work(any_services.db) as session:
        confirmation.confirm(
            session, supervisor, first, rivals.candidates[0][0], ConfirmationMethod.DNA,
            reference="D-1", grounds="亲缘关系成立", now=now,
        )  # fmt: skip
    assert state(rival) is CandidateState.CLOSED
    with unit_of_work(any_services.db) as session:
        record = ExclusionEvidence.OFFICIAL_RECORD
        made = exclusions.exclude(session, supervisor, rival, record, reference="D-9", reason="户籍不符", now=now)
    with unit_of_work(any_services.db) as session:
        photo = ExclusionEvidence.NEW_PHOTO
        exclusions.reopen(session, supervisor, made.id, photo, reference=None, reason="新照片", now=now)
    assert state(rival) is CandidateState.CLOSED
    with unit_of_work(any_services.db) as session:
        confirmation.recall(session, any_services, supervisor, first, reason="样本弄混", now=now)
    assert state(rival) is CandidateState.OPEN
