"""A case whose candidate has a seed beside it, and what examiners and supervisors see of both."""

import uuid
from datetime import datetime, timedelta

from sqlalchemy import select

from matcher.vocabulary import GalleryKind
from models.candidate import Candidate
from models.confirmation import ConfirmationMethod
from models.review import Opinion, Review
from models.review_protocol import ReviewSeed
from models.user import Role
from tests.factories.faces import GREEN, make_photo_bytes
from tests.factories.records import attach, make_case, make_report
from tests.factories.stories import describe, examiners, run_jobs
from tests.factories.world import World
from tracing.access import Viewer
from tracing.candidates import CandidateView, get_candidate, list_candidates
from tracing.confirmation import confirm
from tracing.platform.db import read_only, unit_of_work
from tracing.review import commit_review
from tracing.review_quality import Quality, list_quality
from tracing.services import Services


class Field:
    """A case of province a with one candidate, and a report of province b that was confirmed for a case of b while
    both persons were in care.
    """

    def __init__(self, services: Services, world: World, now: datetime) -> None:
        self.services, self.world = services, world
        there = world.viewer(world.b.users[Role.STATION_STAFF])
        here = world.viewer(world.a.users[Role.STATION_STAFF])
        with unit_of_work(services.db) as session:
            self.elsewhere = make_case(session, services, there, now=now).id
            known = make_report(session, services, there, now=now)
            self.known_photo = attach(
                session, services, there, GalleryKind.REPORT, known.id, make_photo_bytes(GREEN), now=now
            ).id
            self.known = known.id
        run_jobs(services, now)
        police = world.viewer(world.b.users[Role.POLICE_SUPERVISOR])
        with unit_of_work(services.db) as session:
            pair = select(Candidate.id).where(Candidate.case_id == self.elsewhere, Candidate.report_id == self.known)
            self.confirmed = confirm(
                session, police, self.elsewhere, session.scalars(pair).one(), ConfirmationMethod.DNA,
                reference="D-9", grounds="DNA", now=now,
            ).id  # fmt: skip
            self.report = make_report(session, services, there, now=now).id
            self.case = make_case(session, services, here, now=now).id
        run_jobs(services, now)
        self.later = now + timedelta(days=5)
        self.first, self.second = examiners(world)
        with read_only(services.db) as session:
            self.real = session.scalars(select(Candidate.id).where(Candidate.case_id == self.case)).one()

    def describe(self, *viewers: Viewer) -> None:
        for viewer in viewers:
            with unit_of_work(self.services.db) as session:
                describe(session, self.services, viewer, self.case, now=self.later)

    def listed(self, viewer: Viewer) -> list[CandidateView]:
        with unit_of_work(self.services.db) as session:
            return list_candidates(session, viewer, self.case, now=self.later)

    def seed(self) -> uuid.UUID:
        with read_only(self.services.db) as session:
            return session.scalars(select(ReviewSeed.id)).one()

    def judge(self, viewer: Viewer, candidate: uuid.UUID, opinion: Opinion = Opinion.SUPPORTS) -> Review:
        with unit_of_work(self.services.db) as session:
            get_candidate(session, viewer, candidate, now=self.later)
            at = self.later + timedelta(seconds=90)
            return commit_review(session, self.services, viewer, candidate, opinion, "耳廓一致", now=at)

    def quality(self, viewer: Viewer) -> dict[uuid.UUID, Quality]:
        with unit_of_work(self.services.db) as session:
            since = self.later - timedelta(days=1)
            page = list_quality(session, self.services, viewer, since=since, now=self.later)
            return {one.examiner.id: one for one in page.items}
