"""One record of every kind that a page can show, and their ids by the names that the addresses of pages use."""

import uuid
from datetime import timedelta

from sqlalchemy import select

from matcher.vocabulary import GalleryKind
from models.case import CaseState
from models.claim import ClaimMethod
from models.clue import Clue, ClueConfidence, ClueKind
from models.deadline import ClockKind, Deadline
from models.interview import InterviewMethod
from models.milestone import MilestoneKind
from models.notification import Notification, NotificationKind
from models.outcome import OutcomeKind
from models.referral import ReferralKind
from models.tip import Tip
from models.user import Role
from tests.factories.faces import BLUE, GREEN, RED, make_photo_bytes
from tests.factories.network import network_records
from tests.factories.notices import add_photo, draft_of, publish, token_of
from tests.factories.records import attach, make_case
from tests.factories.stories import Story, judged_case
from tests.factories.webhooks import stored_webhook
from tests.factories.world import World
from tracing.claims import ClaimResult, record_claim
from tracing.clues import ClueText
from tracing.dossier import tick_paper
from tracing.duplicates import link_records
from tracing.interviews import Talk, add_audio, prepare_audio, record_interview
from tracing.milestones import record_milestone
from tracing.notifications import notify
from tracing.outcome_papers import Papers, Receiver
from tracing.outcomes import record_outcome
from tracing.platform.clock import utc_now
from tracing.platform.db import unit_of_work
from tracing.referrals import ReferralText, create_referral, send_referral
from tracing.review_queue import take_case
from tracing.services import Services
from tracing.tips import TipText, prepare_tip_photo, receive_tip
from tracing.wandering import link_earlier


def everything(services: Services, world: World) -> dict[str, object]:
    """Ids of a case in review of province a, of the report of province b that it is matched with, and of all the rest.

    `photo_id` is that of the case, `report_photo_id` that of the report.
    """
    story = judged_case(services, world, CaseState.IN_REVIEW, now=utc_now())
    values = {
        "case_id": story.case_id, "report_id": story.report_id, "candidate_id": story.candidate_id,
        "job_id": story.case_id, "filter_id": story.case_id,
        **_clocks(services, world, story), **_street(services, world, story),
        **_after_the_match(services, world, story),
    }  # fmt: skip
    of_case, of_report = _photos(services, world, story)
    return {**values, "photo_id": of_case, "report_photo_id": of_report}


def _clocks(services: Services, world: World, story: Story) -> dict[str, uuid.UUID]:
    """A milestone of the case, a deadline that runs, and an interview with a recording and a clue."""
    staff = world.viewer(world.a.users[Role.STATION_STAFF])
    with unit_of_work(services.db) as session:
        milestone = record_milestone(
            session,
            services,
            staff,
            story.case_id,
            MilestoneKind.NOTICE_PUBLISHED,
            occurred_at=utc_now(),
            now=utc_now(),
        )
        settlement = select(Deadline.id).where(Deadline.case_id == story.case_id, Deadline.kind == ClockKind.SETTLEMENT)
        interview = record_interview(
            session, services, staff, story.case_id, Talk(utc_now(), InterviewMethod.TALK),
            [ClueText(ClueKind.FOOD, "沙茶面", ClueConfidence.SURE)], now=utc_now(),
        )  # fmt: skip
        flac = prepare_audio(b"fLaC\x00\x00\x00\x22" + bytes(64), services.settings)
        audio = add_audio(session, services, staff, interview.id, flac, now=utc_now())
        clue_id = session.scalars(select(Clue.id).where(Clue.case_id == story.case_id)).one()
        lead = ClaimResult(ClaimMethod.NAME, services.local_day(utc_now()), "王警官", name="李某")
        examiner = world.viewer(world.a.users[Role.POLICE_EXAMINER])
        claim = record_claim(session, services, examiner, story.case_id, lead, now=utc_now())
        taken = take_case(session, services, examiner, story.case_id, now=utc_now())
        entry = tick_paper(
            session, services, staff, story.case_id, "photos",
            done_on=services.local_day(utc_now()), reference=None, now=utc_now(),
        )  # fmt: skip
        notify(session, [staff.user_id], NotificationKind.REVIEW_WAITING, "case", story.case_id, now=utc_now())
        notified = {
            "notification_id": session.scalars(
                select(Notification.id).where(Notification.recipient_id == staff.user_id).limit(1)
            ).one()
        }
        heard = {
            **notified,
            "claim_id": claim.id,
            "entry_id": entry.id,
            "assignment_id": taken.id,
            "interview_id": interview.id,
            "audio_id": audio.id,
            "clue_id": clue_id,
        }
        return {**heard, "milestone_id": milestone.id, "deadline_id": session.scalars(settlement).one()}


def _street(services: Services, world: World, story: Story) -> dict[str, object]:
    """One record of each kind of the network in the street, a public notice with a photograph of its own, and a tip."""
    now = utc_now()
    staff = world.viewer(world.a.users[Role.STATION_STAFF])
    photo_id = add_photo(services, staff, story.case_id, make_photo_bytes(GREEN), now)
    version = publish(services, world, story.case_id, draft_of(photo_id=photo_id), now=now)
    picture = prepare_tip_photo(make_photo_bytes(BLUE), services.settings)
    with unit_of_work(services.db) as session:
        receive_tip(session, services, token_of(services, story.case_id), TipText("见过"), picture, now=now)
        tip_id = session.scalars(select(Tip.id).where(Tip.case_id == story.case_id)).one()
        records = network_records(session, services, world, story.case_id, now=now)
    return {**records, "version_id": version.id, "tip_id": tip_id}


def _after_the_match(services: Services, world: World, story: Story) -> dict[str, uuid.UUID]:
    """An outcome that somebody signed for, a referral, an earlier case, a pair, a webhook; ids of what is not there."""
    staff, now = world.viewer(world.a.users[Role.STATION_STAFF]), utc_now()
    with unit_of_work(services.db) as session:
        signed = Papers(handover=Receiver("李医生", unit="市医院"))
        outcome = record_outcome(
            session, services, staff, story.case_id, OutcomeKind.HOSPITAL, None, occurred_on=services.local_day(now),
            note_text=None, papers=signed, now=now,
        )  # fmt: skip
        text = ReferralText(ReferralKind.LOW_INCOME, world.a.receiving.id, "无收入")
        referral = create_referral(session, services, staff, story.case_id, text, now=now)
        send_referral(session, services, staff, referral.id, now=now)
        earlier = make_case(session, services, staff, now=now - timedelta(days=9))
        link = link_earlier(session, staff, story.case_id, earlier.id, reason="认出", now=now)
        pair = link_records(
            session, services, staff, GalleryKind.CASE, story.case_id, earlier.id, reason="同一疤痕", now=now
        )  # fmt: skip
        webhook = stored_webhook(session, services, world.a, now=now)
    missing = dict.fromkeys(("verification_id", "visit_id", "end_id", "exclusion_id", "notice_id"), uuid.uuid4())
    return {
        "outcome_id": outcome.id, "referral_id": referral.id, "link_id": link.id, "pair_id": pair.id,
        "webhook_id": webhook, **missing,
    }  # fmt: skip


def _photos(services: Services, world: World, story: Story) -> tuple[uuid.UUID, uuid.UUID]:
    """A photograph of the case, and one of the report."""
    report_id = story.report_id
    assert report_id is not None
    staff, police = world.a.users[Role.STATION_STAFF], world.b.users[Role.POLICE_EXAMINER]
    owners = ((staff, GalleryKind.CASE, story.case_id), (police, GalleryKind.REPORT, report_id))
    with unit_of_work(services.db) as session:
        first, second = (
            attach(session, services, world.viewer(user), kind, owner, make_photo_bytes(RED), now=utc_now()).id
            for user, kind, owner in owners
        )
    return first, second
