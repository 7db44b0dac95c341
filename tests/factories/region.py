"""A region for the statistics: stays, patrols and all that is taken back, drawn from a seed, through the use cases."""

import random
import uuid
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.candidate import Candidate
from models.case import AdmissionKind, Case, CaseState
from models.confirmation import ConfirmationMethod
from models.contact import ContactChannel, ContactResult, DangerScreen, PersonWish
from models.milestone import MilestoneKind
from models.outcome import OutcomeKind, OutcomeRoute
from models.referral import ReferralKind, ReferralState
from models.user import Role
from tests.factories.records import make_case, make_report
from tests.factories.stories import KIN, papers_for
from tests.factories.world import World
from tracing.access import Viewer
from tracing.admission import Admission, StatedIdentity, disprove_identity, record_admission, take_into_care
from tracing.confirmation import confirm, recall
from tracing.contact import record_attempt, release_contact
from tracing.dossier import missing_papers, tick_paper
from tracing.handovers import hand_over, withdraw_handover
from tracing.kin import verify_kin
from tracing.milestones import record_milestone
from tracing.outcomes import record_outcome, withdraw_outcome
from tracing.patrols import Walk, record_patrol, withdraw_patrol
from tracing.platform.db import unit_of_work
from tracing.referrals import ReferralText, answer_referral, create_referral, send_referral, withdraw_referral
from tracing.services import Services
from tracing.transitions import move
from tracing.wandering import link_earlier, withdraw_link

BEGIN = datetime(2026, 3, 5, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
METHODS = [ConfirmationMethod.DNA, ConfirmationMethod.FINGERPRINT, ConfirmationMethod.HOUSEHOLD_REGISTER]
ROUTES = list(OutcomeRoute)


class Region:
    """Stays in two stations of province a, each with a way of its own, drawn from a seed."""

    def __init__(self, services: Services, world: World, seed: int) -> None:
        self.services, self.world, self.draw = services, world, random.Random(seed)
        self.staff = [world.viewer(world.a.users[Role.STATION_STAFF]), world.viewer(world.a.sister_staff)]
        self.police = world.viewer(world.a.users[Role.POLICE_SUPERVISOR])
        self.caseworker = world.viewer(world.a.users[Role.CASEWORKER])
        self.doctor = world.viewer(world.a.users[Role.HEALTH_LIAISON])
        self.liaison = world.viewer(world.a.users[Role.COMMUNITY_LIAISON])

    def live(self, stays: int) -> None:
        for _ in range(stays):
            self._stay(BEGIN + timedelta(hours=self.draw.randint(0, 24 * 70)))
        for _ in range(stays // 3):
            at = BEGIN + timedelta(hours=self.draw.randint(0, 24 * 70))
            self._short_stay(at)
            self._patrol(at)

    def _patrol(self, at: datetime) -> None:
        walker = self.draw.choice([*self.staff, self.liaison])
        with unit_of_work(self.services.db) as session:
            made = record_patrol(
                session, walker, Walk("火车站", at - timedelta(hours=10), at, members=2, people_met=3), now=at
            )
            if self.draw.random() < 0.3:
                withdraw_patrol(session, walker, made.id, reason="多记", now=at)

    def _short_stay(self, at: datetime) -> None:
        """Known identity: into care, thrown away, or false after all."""
        staff = self.draw.choice(self.staff)
        known = Admission(AdmissionKind.KNOWN_IDENTITY, fingerprint_reason="身份明确", identity=StatedIdentity("梁某"))
        with unit_of_work(self.services.db) as session:
            case = make_case(session, self.services, staff, submitted=False, now=at)
            record_admission(session, self.services, staff, case.id, known, version=None, now=at)
            way = self.draw.choice(["stays", "stays", "false", "thrown away"])
            if way == "thrown away":
                move(session, case, CaseState.CLOSED, staff, now=at)
                return
            take_into_care(session, self.services, staff, case.id, now=at)
            self._to_hospital(session, staff, case, at)
            if way == "false":
                later = at + timedelta(days=3)
                disprove_identity(session, self.services, staff, case.id, reason="他人证件", now=later)

    def _to_hospital(self, session: Session, staff: Viewer, case: Case, at: datetime) -> None:
        """Now and then a handover, a referral, or both; now and then taken back or refused."""
        hospital, undone = self.world.a.health.id, self.draw.random() < 0.4
        if self.draw.random() < 0.4:
            made = hand_over(
                session, self.services, staff, case.id, hospital, officer="陈某", complaint="水肿", handed_at=at, now=at
            )
            if undone:
                withdraw_handover(session, self.services, staff, made.id, reason="登记到他人名下", now=at)
        if self.draw.random() < 0.4:
            text = ReferralText(ReferralKind.MEDICAL, hospital, "肾衰竭")
            referral = create_referral(session, self.services, staff, case.id, text, now=at)
            if self.draw.random() < 0.8:
                send_referral(session, self.services, staff, referral.id, now=at + timedelta(days=4))
            answer = self.draw.choice([None, ReferralState.ACCEPTED, ReferralState.REJECTED])
            if undone:
                later = at + timedelta(days=5)
                withdraw_referral(session, self.services, staff, referral.id, reason="已出院", now=later)
            elif answer is not None and referral.state is ReferralState.SENT:
                answer_referral(
                    session, self.services, self.doctor, referral.id, answer, text="无床位", now=at + timedelta(days=6)
                )

    def _stay(self, at: datetime) -> None:
        own = self.draw.random() < 0.6
        staff = self.staff[0 if own else 1]
        with unit_of_work(self.services.db) as session:
            case = make_case(session, self.services, staff, submitted=self.draw.random() < 0.9, now=at)
            if case.state is CaseState.DRAFT:
                return
            move(session, case, CaseState.SEARCHING, None, now=at)
            move(session, case, CaseState.IN_REVIEW, None, now=at)
            session.flush()
            if self.draw.random() < 0.7:
                later = at + timedelta(hours=self.draw.choice([2, 10, 60]))
                record_milestone(
                    session, self.services, staff, case.id, MilestoneKind.NOTICE_PUBLISHED, occurred_at=later, now=later
                )
            if self.draw.random() < 0.2:
                self._outcome(session, staff, case, OutcomeKind.HOSPITAL, None, at)
            self._to_hospital(session, staff, case, at)
            self._wandered_again(session, staff, case, at)
            way = self.draw.choice(["stays", "settled", "home", "home", "identified", "recalled", "home again"])
            if way == "settled":
                self._settle(session, staff, case, at + timedelta(days=95))
            if way not in ("stays", "settled"):
                self._identify(session, case, way, at + timedelta(hours=self.draw.randint(1, 800)), own)

    def _wandered_again(self, session: Session, staff: Viewer, case: Case, at: datetime) -> None:
        """Recognised as one or two of the station's earlier people; a link in three is taken back."""
        earlier = session.scalars(
            select(Case.id)
            .where(
                Case.organisation_id == case.organisation_id,
                Case.created_at < case.created_at,
                Case.state != CaseState.DRAFT,
            )
            .order_by(Case.created_at)
        ).all()
        if not earlier or self.draw.random() < 0.5:
            return
        for one in self.draw.sample(earlier, min(len(earlier), self.draw.choice([1, 2]))):
            link = link_earlier(session, staff, case.id, one, reason="门卫认出", now=at)
            if self.draw.random() < 0.4:
                withdraw_link(session, staff, link.id, reason="认错人", now=at)

    def _settle(self, session: Session, staff: Viewer, case: Case, at: datetime) -> None:
        for item in missing_papers(session, self.services, case.id):
            day = self.services.local_day(at)
            tick_paper(session, self.services, staff, case.id, item, done_on=day, reference=None, now=at)
        self._outcome(session, staff, case, OutcomeKind.SETTLED, None, at)

    def _outcome(
        self, session: Session, staff: Viewer, case: Case, kind: OutcomeKind, route: OutcomeRoute | None, at: datetime
    ) -> None:
        """Recorded, and in one of four cases taken back."""
        made = record_outcome(
            session, self.services, staff, case.id, kind, route, occurred_on=self.services.local_day(at),
            note_text=None, papers=papers_for(self.services, kind, at), now=at,
        )  # fmt: skip
        if self.draw.random() < 0.25:
            withdraw_outcome(session, self.services, staff, made.id, reason="录错", now=at)

    def _confirm(self, session: Session, case: Case, at: datetime) -> None:
        report = make_report(session, self.services, self.world.viewer(self.world.b.users[Role.STATION_STAFF]), now=at)
        candidate = Candidate(
            id=uuid.uuid4(), pair=f"{case.id}:{report.id}", case_id=case.id, report_id=report.id, log10_lr=3.0,
            posterior=0.5, terms=[], model_version="none", index_version="none", parameters_version="none",
            proposed_at=at, updated_at=at,
        )  # fmt: skip
        session.add(candidate)
        session.flush()
        confirm(
            session, self.police, case.id, candidate.id, self.draw.choice(METHODS),
            reference="X-1", grounds="查明", now=at,
        )  # fmt: skip

    def _identify(self, session: Session, case: Case, way: str, at: datetime, own: bool) -> None:
        self._confirm(session, case, at)
        if way == "identified" or not own:  # the caseworker is the first station's
            return
        release_contact(session, self.police, case.id, PersonWish.WANTS_CONTACT, DangerScreen.NO_SIGN, now=at)
        if way == "recalled":
            recall(session, self.services, self.police, case.id, reason="误认", now=at + timedelta(days=9))
            return
        record_attempt(
            session, self.services, self.caseworker, case.id, ContactChannel.LOCAL_POLICE, ContactResult.REACHED,
            note_text=None, attempted_at=at, now=at,
        )  # fmt: skip
        verify_kin(session, self.services, self.caseworker, case.id, KIN, now=at)
        worker, later = self.caseworker, at + timedelta(days=2)
        self._outcome(session, worker, case, OutcomeKind.REUNITED, self.draw.choice(ROUTES), later)
        if way == "home again":  # entered twice, then recalled now and then
            self._outcome(session, worker, case, OutcomeKind.ESCORTED_HOME, ROUTES[0], at + timedelta(days=3))
            if self.draw.random() < 0.5:
                recall(session, self.services, self.police, case.id, reason="误认", now=at + timedelta(days=9))
