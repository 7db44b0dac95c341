"""Who may open and send what on the pages: every route, every role, records of the own province and of another."""

import uuid
from collections.abc import Callable, Mapping
from datetime import timedelta

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from matcher.vocabulary import GalleryKind
from models import Base
from models.case import Case, CaseState
from models.claim import ClaimMethod
from models.clue import Clue, ClueConfidence, ClueKind
from models.deadline import ClockKind, Deadline
from models.interview import InterviewMethod
from models.milestone import MilestoneKind
from models.notification import Notification, NotificationKind
from models.outcome import OutcomeKind
from models.referral import ReferralKind
from models.report import Report
from models.tip import Tip
from models.user import Role, User
from tests.factories.faces import BLUE, GREEN, RED, make_photo_bytes
from tests.factories.network import network_records
from tests.factories.notices import add_photo, draft_of, publish, token_of
from tests.factories.records import attach, make_case
from tests.factories.stories import Story, judged_case
from tests.factories.webhooks import stored_webhook
from tests.factories.world import World
from tests.web.conftest import Browser
from tests.web.test_security import page_routes
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
from tracing.platform.db import read_only, unit_of_work
from tracing.referrals import ReferralText, create_referral, send_referral
from tracing.review_queue import take_case
from tracing.services import Services
from tracing.tips import TipText, prepare_tip_photo, receive_tip
from tracing.wandering import link_earlier

ALL = frozenset(Role)
STAFF = frozenset({Role.STATION_STAFF})
POLICE = frozenset({Role.POLICE_EXAMINER, Role.POLICE_SUPERVISOR})
SUPERVISOR = frozenset({Role.POLICE_SUPERVISOR})
CASEWORKER = frozenset({Role.CASEWORKER})
ADMINISTRATOR = frozenset({Role.ADMINISTRATOR})
AUDITOR = frozenset({Role.AUDITOR})
CASE_READERS = STAFF | POLICE | CASEWORKER | {Role.BUREAU_SUPERVISOR}
REPORT_READERS = STAFF | POLICE | {Role.BUREAU_SUPERVISOR}
EXPORTERS = STAFF | SUPERVISOR | {Role.BUREAU_SUPERVISOR}
REPORT_WRITERS = STAFF | POLICE
STATION = STAFF | CASEWORKER
DOERS = STATION | POLICE
PAUSERS = STATION | {Role.BUREAU_SUPERVISOR}
DECIDERS = STAFF | POLICE
SIGHTERS = DECIDERS | {Role.COMMUNITY_LIAISON}
SIGHTING_READERS = SIGHTERS | {Role.BUREAU_SUPERVISOR}
WALKERS = STAFF | {Role.COMMUNITY_LIAISON}
APPROVERS = SUPERVISOR | {Role.BUREAU_SUPERVISOR}
DOCTOR = frozenset({Role.HEALTH_LIAISON})
RECEIVERS = frozenset({Role.RECEIVING_UNIT})
ANSWERERS = RECEIVERS | {Role.HEALTH_LIAISON}
COUNTERS = STAFF | SUPERVISOR | {Role.BUREAU_SUPERVISOR}

MAY: Mapping[tuple[str, str], frozenset[Role]] = {
    ("GET", "/"): ALL,
    ("GET", "/login"): ALL,
    ("POST", "/login"): ALL,
    ("POST", "/locale"): ALL,
    ("POST", "/theme"): ALL,
    ("GET", "/design"): ALL,
    ("GET", "/divisions"): ALL,
    ("GET", "/organisations"): ALL,
    ("GET", "/organisations/new"): ADMINISTRATOR,
    ("POST", "/organisations/new"): ADMINISTRATOR,
    ("GET", "/users"): ADMINISTRATOR,
    ("GET", "/users/new"): ADMINISTRATOR,
    ("POST", "/users/new"): ADMINISTRATOR,
    ("GET", "/users/{user_id}"): ADMINISTRATOR,
    ("POST", "/users/{user_id}/role"): ADMINISTRATOR,
    ("POST", "/users/{user_id}/password"): ADMINISTRATOR,
    ("POST", "/users/{user_id}/close"): ADMINISTRATOR,
    ("POST", "/users/{user_id}/reopen"): ADMINISTRATOR,
    ("GET", "/jobs"): ADMINISTRATOR,
    ("POST", "/jobs/{job_id}/retry"): ADMINISTRATOR,
    ("GET", "/system"): ADMINISTRATOR,
    ("GET", "/audit"): AUDITOR,
    ("POST", "/audit/verify"): AUDITOR,
    ("GET", "/intake/outbox"): STAFF,
    ("POST", "/photos/advice"): REPORT_WRITERS,
    ("GET", "/cases"): CASE_READERS,
    ("POST", "/cases"): CASE_READERS,
    ("POST", "/cases/export"): EXPORTERS,
    ("POST", "/cases/filters"): CASE_READERS,
    ("POST", "/cases/filters/{filter_id}/remove"): CASE_READERS,
    ("GET", "/cases/new"): STAFF,
    ("POST", "/cases/new"): STAFF,
    ("GET", "/cases/{case_id}"): CASE_READERS,
    ("GET", "/cases/{case_id}/changes"): CASE_READERS,
    ("GET", "/cases/{case_id}/progress"): CASE_READERS,
    ("GET", "/cases/{case_id}/timeline"): CASE_READERS,
    ("GET", "/cases/{case_id}/edit"): STAFF,
    ("POST", "/cases/{case_id}/edit"): STAFF,
    ("POST", "/cases/{case_id}/submit"): STAFF,
    ("POST", "/cases/{case_id}/move"): STATION,
    ("POST", "/cases/{case_id}/photos"): STAFF,
    ("GET", "/photos/{photo_id}"): CASE_READERS,
    ("POST", "/cases/{case_id}/photos/{photo_id}/face"): STAFF,
    ("POST", "/cases/{case_id}/photos/{photo_id}/remove"): STAFF,
    ("GET", "/reports"): REPORT_READERS,
    ("POST", "/reports"): REPORT_READERS,
    ("POST", "/reports/export"): EXPORTERS,
    ("POST", "/reports/filters"): REPORT_READERS,
    ("POST", "/reports/filters/{filter_id}/remove"): REPORT_READERS,
    ("GET", "/reports/new"): REPORT_WRITERS,
    ("POST", "/reports/new"): REPORT_WRITERS,
    ("GET", "/reports/{report_id}"): REPORT_READERS,
    ("GET", "/reports/{report_id}/edit"): REPORT_WRITERS,
    ("POST", "/reports/{report_id}/edit"): REPORT_WRITERS,
    ("POST", "/reports/{report_id}/publish"): REPORT_WRITERS,
    ("POST", "/reports/{report_id}/withdraw"): REPORT_WRITERS,
    ("POST", "/reports/{report_id}/photos"): REPORT_WRITERS,
    ("POST", "/reports/{report_id}/photos/{photo_id}/face"): REPORT_WRITERS,
    ("POST", "/reports/{report_id}/photos/{photo_id}/remove"): REPORT_WRITERS,
    ("GET", "/review"): POLICE,
    ("GET", "/review/quality"): SUPERVISOR,
    ("GET", "/cases/{case_id}/review"): POLICE,
    ("POST", "/cases/{case_id}/review"): POLICE,
    ("GET", "/cases/{case_id}/assignments"): SUPERVISOR,
    ("POST", "/cases/{case_id}/assignments/{assignment_id}/reassign"): SUPERVISOR,
    ("GET", "/cases/{case_id}/features"): POLICE,
    ("POST", "/cases/{case_id}/features"): POLICE,
    ("POST", "/candidates/{candidate_id}/request"): POLICE,
    ("GET", "/candidates/{candidate_id}"): CASE_READERS,
    ("POST", "/candidates/{candidate_id}/opinion"): POLICE,
    ("POST", "/candidates/{candidate_id}/withdraw"): POLICE,
    ("GET", "/cases/{case_id}/confirmation"): POLICE,
    ("POST", "/cases/{case_id}/confirmation"): POLICE,
    ("GET", "/cases/{case_id}/release"): POLICE,
    ("POST", "/cases/{case_id}/release"): POLICE,
    ("GET", "/cases/{case_id}/recall"): SUPERVISOR,
    ("POST", "/cases/{case_id}/recall"): SUPERVISOR,
    ("GET", "/cases/{case_id}/contact"): CASEWORKER,
    ("POST", "/cases/{case_id}/attempts"): CASEWORKER,
    ("POST", "/cases/{case_id}/contact-plan"): CASEWORKER,
    ("POST", "/cases/{case_id}/kin"): CASEWORKER,
    ("GET", "/cases/{case_id}/screenings"): DOERS,
    ("POST", "/cases/{case_id}/screenings"): DOERS,
    ("GET", "/cases/{case_id}/claims"): CASE_READERS,
    ("POST", "/cases/{case_id}/claims"): POLICE,
    ("GET", "/cases/{case_id}/claims/{claim_id}"): POLICE,
    ("GET", "/cases/{case_id}/claims/{claim_id}/identity"): POLICE,
    ("POST", "/cases/{case_id}/claims/{claim_id}/withdraw"): POLICE,
    ("POST", "/cases/{case_id}/claims/{claim_id}/settle"): SUPERVISOR,
    ("POST", "/cases/{case_id}/exclusions"): POLICE,
    ("GET", "/cases/{case_id}/outcome"): STATION,
    ("POST", "/cases/{case_id}/outcome"): STATION,
    ("GET", "/cases/{case_id}/dossier"): CASE_READERS,
    ("POST", "/cases/{case_id}/dossier"): STATION,
    ("POST", "/cases/{case_id}/dossier/{entry_id}/withdraw"): STATION,
    ("GET", "/cases/{case_id}/contact-exception"): SUPERVISOR,
    ("POST", "/cases/{case_id}/contact-exception"): SUPERVISOR,
    ("GET", "/cases/{case_id}/kin"): CASEWORKER,
    ("GET", "/cases/{case_id}/kin/{verification_id}/withdraw"): CASEWORKER,
    ("POST", "/cases/{case_id}/kin/{verification_id}/withdraw"): CASEWORKER,
    ("GET", "/cases/{case_id}/handover-form"): STATION,
    ("GET", "/cases/{case_id}/outcomes/{outcome_id}/handover"): STATION,
    ("GET", "/cases/{case_id}/outcomes/{outcome_id}/withdraw"): STATION,
    ("POST", "/cases/{case_id}/outcomes/{outcome_id}/withdraw"): STATION,
    ("GET", "/home-notices"): STATION | {Role.BUREAU_SUPERVISOR},
    ("POST", "/home-notices/{notice_id}/answer"): STATION | {Role.BUREAU_SUPERVISOR},
    ("GET", "/return-ledger"): CASE_READERS,
    ("GET", "/return-ledger.csv"): CASE_READERS,
    ("GET", "/referrals"): CASE_READERS | ANSWERERS,
    ("GET", "/cases/{case_id}/referrals"): CASE_READERS,
    ("GET", "/cases/{case_id}/referrals/new"): STATION,
    ("POST", "/cases/{case_id}/referrals/new"): STATION,
    ("GET", "/referrals/{referral_id}"): CASE_READERS | RECEIVERS,
    ("GET", "/referrals/{referral_id}/edit"): STATION,
    ("POST", "/referrals/{referral_id}/edit"): STATION,
    ("POST", "/referrals/{referral_id}/send"): STATION,
    ("GET", "/referrals/{referral_id}/withdraw"): STATION,
    ("POST", "/referrals/{referral_id}/withdraw"): STATION,
    ("GET", "/referrals/{referral_id}/reject"): RECEIVERS,
    ("POST", "/referrals/{referral_id}/reject"): RECEIVERS,
    ("GET", "/referrals/{referral_id}/done"): RECEIVERS,
    ("POST", "/referrals/{referral_id}/done"): RECEIVERS,
    ("POST", "/referrals/{referral_id}/accept"): RECEIVERS,
    ("GET", "/followup"): CASE_READERS,
    ("GET", "/cases/{case_id}/follow-up"): CASE_READERS,
    ("POST", "/cases/{case_id}/visits"): STATION,
    ("GET", "/cases/{case_id}/visits/{visit_id}/withdraw"): STATION,
    ("POST", "/cases/{case_id}/visits/{visit_id}/withdraw"): STATION,
    ("POST", "/cases/{case_id}/follow-up/end"): STATION,
    ("GET", "/cases/{case_id}/follow-up/{end_id}/resume"): STATION,
    ("POST", "/cases/{case_id}/follow-up/{end_id}/resume"): STATION,
    ("GET", "/cases/{case_id}/earlier-cases"): CASE_READERS,
    ("POST", "/cases/{case_id}/earlier-cases"): STATION,
    ("GET", "/cases/{case_id}/earlier-cases/{link_id}/withdraw"): STATION,
    ("POST", "/cases/{case_id}/earlier-cases/{link_id}/withdraw"): STATION,
    ("GET", "/duplicates"): CASE_READERS,
    ("POST", "/duplicates"): STAFF | POLICE,
    ("GET", "/duplicates/{pair_id}"): CASE_READERS,
    ("POST", "/duplicates/{pair_id}/decision"): STAFF | POLICE,
    ("GET", "/duplicates/{pair_id}/withdraw"): STAFF | POLICE,
    ("POST", "/duplicates/{pair_id}/withdraw"): STAFF | POLICE,
    ("GET", "/cases/{case_id}/exclusions"): CASE_READERS,
    ("GET", "/cases/{case_id}/exclusions/{exclusion_id}/reopen"): SUPERVISOR,
    ("POST", "/cases/{case_id}/exclusions/{exclusion_id}/reopen"): SUPERVISOR,
    ("GET", "/statistics"): COUNTERS,
    ("GET", "/statistics/file"): COUNTERS,
    ("GET", "/statistics/cases"): COUNTERS,
    ("GET", "/webhooks"): ADMINISTRATOR,
    ("POST", "/webhooks"): ADMINISTRATOR,
    ("GET", "/webhooks/{webhook_id}"): ADMINISTRATOR,
    ("POST", "/webhooks/{webhook_id}/disable"): ADMINISTRATOR,
    ("POST", "/webhooks/{webhook_id}/enable"): ADMINISTRATOR,
    ("POST", "/webhooks/{webhook_id}/rotate"): ADMINISTRATOR,
    ("POST", "/webhooks/{webhook_id}/remove"): ADMINISTRATOR,
    ("GET", "/deadlines"): CASE_READERS,
    ("GET", "/cases/{case_id}/deadlines"): CASE_READERS,
    ("POST", "/cases/{case_id}/milestones"): DOERS,
    ("GET", "/cases/{case_id}/milestones/{milestone_id}"): DOERS,
    ("POST", "/cases/{case_id}/milestones/{milestone_id}/withdraw"): DOERS,
    ("GET", "/cases/{case_id}/deadlines/{deadline_id}"): CASE_READERS,
    ("POST", "/cases/{case_id}/deadlines/{deadline_id}/met"): DOERS,
    ("GET", "/cases/{case_id}/deadlines/{deadline_id}/pause"): PAUSERS,
    ("POST", "/cases/{case_id}/deadlines/{deadline_id}/pause"): PAUSERS,
    ("POST", "/cases/{case_id}/deadlines/{deadline_id}/resume"): PAUSERS,
    ("GET", "/cases/{case_id}/interviews"): CASE_READERS,
    ("POST", "/cases/{case_id}/interviews"): STATION,
    ("GET", "/audio/{audio_id}"): CASE_READERS,
    ("POST", "/cases/{case_id}/audio/{audio_id}/remove"): STATION,
    ("GET", "/cases/{case_id}/clues/{clue_id}"): STATION,
    ("POST", "/cases/{case_id}/clues/{clue_id}/correct"): STATION,
    ("GET", "/cases/{case_id}/clues/{clue_id}/withdraw"): STATION,
    ("POST", "/cases/{case_id}/clues/{clue_id}/withdraw"): STATION,
    ("GET", "/cases/{case_id}/interviews/{interview_id}/withdraw"): STATION,
    ("POST", "/cases/{case_id}/interviews/{interview_id}/withdraw"): STATION,
    ("GET", "/cases/{case_id}/admission"): CASE_READERS,
    ("GET", "/cases/{case_id}/admission/sealed"): STATION,
    ("GET", "/cases/{case_id}/admission/edit"): STAFF,
    ("POST", "/cases/{case_id}/admission/edit"): STAFF,
    ("POST", "/cases/{case_id}/care"): STAFF,
    ("POST", "/cases/{case_id}/identity-disproved"): STAFF,
    ("POST", "/cases/{case_id}/handovers"): STAFF,
    ("POST", "/cases/{case_id}/handovers/{handover_id}/withdraw"): STAFF,
    ("GET", "/handovers"): DOCTOR,
    ("POST", "/handovers/{handover_id}/receive"): DOCTOR,
    ("GET", "/notices"): CASE_READERS,
    ("GET", "/cases/{case_id}/notices"): CASE_READERS,
    ("POST", "/cases/{case_id}/notices"): STAFF,
    ("GET", "/notices/{version_id}"): CASE_READERS,
    ("GET", "/notices/{version_id}/photo"): CASE_READERS,
    ("GET", "/notices/{version_id}/pdf"): CASE_READERS,
    ("POST", "/notices/{version_id}/approve"): APPROVERS,
    ("POST", "/notices/{version_id}/reject"): APPROVERS,
    ("POST", "/notices/{version_id}/withdraw"): STAFF | APPROVERS,
    ("GET", "/tips"): STATION,
    ("GET", "/tips/{tip_id}"): STATION,
    ("GET", "/tips/{tip_id}/photo"): STATION,
    ("POST", "/tips/{tip_id}/accept"): STATION,
    ("POST", "/tips/{tip_id}/reject"): STATION,
    ("GET", "/patrols"): WALKERS | {Role.BUREAU_SUPERVISOR},
    ("GET", "/patrols/new"): WALKERS,
    ("POST", "/patrols/new"): WALKERS,
    ("GET", "/patrols/{patrol_id}"): WALKERS | {Role.BUREAU_SUPERVISOR},
    ("POST", "/patrols/{patrol_id}/withdraw"): WALKERS,
    ("GET", "/lookouts"): SIGHTING_READERS,
    ("GET", "/lookouts/{lookout_id}"): SIGHTING_READERS,
    ("GET", "/lookouts/{lookout_id}/photo"): SIGHTING_READERS,
    ("POST", "/lookouts/{lookout_id}/answers"): SIGHTERS,
    ("POST", "/lookouts/{lookout_id}/widen"): DECIDERS,
    ("POST", "/lookouts/{lookout_id}/end"): DECIDERS,
    ("GET", "/cases/{case_id}/sightings"): CASE_READERS,
    ("POST", "/cases/{case_id}/lookout"): DECIDERS,
    ("GET", "/sightings"): SIGHTING_READERS,
    ("GET", "/sightings/new"): SIGHTERS,
    ("POST", "/sightings/new"): SIGHTERS,
    ("GET", "/sightings/{sighting_id}"): SIGHTING_READERS,
    ("GET", "/sightings/{sighting_id}/photos/{sighting_photo_id}"): SIGHTING_READERS,
    ("POST", "/sightings/{sighting_id}/photos"): SIGHTERS,
    ("POST", "/sightings/{sighting_id}/withdraw"): SIGHTERS,
    ("POST", "/sightings/{sighting_id}/links"): DECIDERS,
    ("POST", "/sightings/{sighting_id}/links/{link_id}/decision"): DECIDERS,
    ("POST", "/sightings/{sighting_id}/links/{link_id}/withdraw"): DECIDERS,
    ("POST", "/sightings/{sighting_id}/lookout"): DECIDERS,
    ("POST", "/sightings/{sighting_id}/case"): STAFF,
    ("GET", "/inbox"): ALL,
    ("POST", "/inbox/read"): ALL,
    ("GET", "/inbox/mail"): ALL,
    ("POST", "/inbox/mail"): ALL,
    ("GET", "/inbox/{notification_id}"): STAFF,
    ("POST", "/logout"): ALL,  # last: it ends the session of the walk below
}
"""What a role outside the set meets is a refusal, and the same is met by everybody where the record is another's."""


NOT_THERE = frozenset(
    {
        "/cases/{case_id}/visits/{visit_id}/withdraw",
        "/cases/{case_id}/follow-up/{end_id}/resume",
        "/cases/{case_id}/exclusions/{exclusion_id}/reopen",
        "/statistics/cases",
    }
)
"""Pages about what the walk's case does not have, or that ask for more in their address."""


def test_every_page_route_is_in_the_table(app: FastAPI) -> None:
    routes = {(method, route.path) for route in page_routes() for method in route.methods or () if method != "HEAD"}
    assert routes == set(MAY)


def _stored(services: Services) -> dict[str, object]:
    """Rows of every table but the trail of the requests themselves, and the states that matter."""
    trail = {"audit_event", "audit_head", "token"}
    with read_only(services.db) as session:
        counts: dict[str, object] = {
            table.name: session.scalar(select(func.count()).select_from(table))
            for table in Base.metadata.tables.values()
            if table.name not in trail
        }
        states = list(session.execute(select(Case.id, Case.state, Case.version)).all())
        reports = list(session.execute(select(Report.id, Report.state, Report.version)).all())
        users = list(session.execute(select(User.id, User.active, User.role, User.password_hash)).all())
    return {**counts, "states": states, "report states": reports, "users": users}


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("own", [True, False], ids=["own", "other"])
def test_the_table_holds(
    role: Role, own: bool, services: Services, world: World, browser_of: Callable[..., Browser]
) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=utc_now())
    here, there = (world.a, world.b) if own else (world.b, world.a)
    values = {
        "case_id": story.case_id,
        "report_id": story.report_id,
        "candidate_id": story.candidate_id,
        "job_id": story.case_id,
        "filter_id": story.case_id,
        **_clocks(services, world, story),
        **_street(services, world, story),
        **_after_the_match(services, world, story),
    }
    photos = _photos(services, world, story)
    browser = browser_of(here.users[role])

    def answer(method: str, template: str, user_id: object) -> int:
        path = template.format(**values, user_id=user_id, photo_id=photos["report_id" in template])
        files = [("photos.front", ("p.jpg", make_photo_bytes(RED), "image/jpeg"))] if path.endswith("/photos") else None
        status = (browser.get(path) if method == "GET" else browser.send(path, {}, files=files)).status_code
        assert status < 500, (method, template)
        return status

    # The case is province a's, the report province b's; accounts are those of the viewer's province, then the other's.
    before = _stored(services)
    for (method, template), may in MAY.items():
        mine = "{" not in template or (("report_id" in template) != own)
        user_id = (there if role in may else here).users[Role.STATION_STAFF].id
        if role in may and mine and "user_id" not in template:
            continue
        refused = answer(method, template, user_id)
        # An empty form may be told that it is empty before it is told whose it is.
        assert refused in ((403, 404) if method == "GET" else (403, 404, 422)), (method, template, refused)
    assert _stored(services) == before
    for (method, template), may in MAY.items():
        mine = "{" not in template or "user_id" in template or (("report_id" in template) != own)
        if role in may and mine:
            allowed = answer(method, template, here.users[Role.CASEWORKER].id)
            assert allowed != 403, (method, template)
            answers = {404} if template in NOT_THERE else {200, 204, 303}
            assert method != "GET" or allowed in answers, (method, template)


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
