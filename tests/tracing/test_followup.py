"""Follow-up: visits meet the clocks, danger is told, a decision ends the plan and is taken back; who wandered again."""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given as holding
from hypothesis import strategies as st
from sqlalchemy import select

from models.case import CaseState
from models.deadline import CancelReason, ClockKind, Deadline, DeadlineStatus
from models.followup import (
    FollowUpEndReason,
    FollowUpVisit,
    PresentParty,
    StabilityGrade,
    VisitMethod,
    VisitResult,
)
from models.notification import Notification, NotificationKind
from models.outcome import OutcomeKind, OutcomeRoute
from models.referral import ReferralKind
from models.user import Role
from tests.factories.records import make_case
from tests.factories.stories import Story, end_story, judged_case
from tests.factories.world import World
from tracing import followup, referrals, wandering
from tracing.access import Permission, Viewer
from tracing.care_policy import load_care
from tracing.cases import ReasonMissing
from tracing.confirmation import recall
from tracing.facts import InvalidFacts
from tracing.followup import VisitReport
from tracing.followup_view import FollowUp, get_follow_up
from tracing.outcomes import list_outcomes, withdraw_outcome
from tracing.platform import errors
from tracing.platform.db import read_only, unit_of_work
from tracing.policy_files import PACKAGED
from tracing.services import Services

POLICY = load_care(PACKAGED).follow_up
G = StabilityGrade
FINE = dict.fromkeys(POLICY.keys, G.GOOD)


@pytest.fixture
def home(any_services: Services, world: World, now: datetime) -> Story:
    """A case whose person went home."""
    return judged_case(any_services, world, CaseState.REUNIFIED, now=now)


def met(at: datetime, grades: Mapping[str, G] | None = None, **more: Any) -> VisitReport:
    values: dict[str, Any] = {
        "method": VisitMethod.HOME,
        "result": VisitResult.MET,
        "visited_at": at,
        "visitor": "陈社工",
    }
    return VisitReport(**{**values, "assessment": {**FINE, **(grades or {})}, **more})


def visited(services: Services, viewer: Viewer, case_id: uuid.UUID, given: VisitReport, now: datetime) -> FollowUpVisit:
    with unit_of_work(services.db) as session:
        return followup.record_visit(session, services, viewer, case_id, given, now=now)


def shown(services: Services, viewer: Viewer, case_id: uuid.UUID, now: datetime) -> FollowUp:
    with unit_of_work(services.db) as session:
        return get_follow_up(session, services, viewer, case_id, now=now)


def statuses(services: Services, case_id: uuid.UUID, now: datetime) -> list[DeadlineStatus]:
    with read_only(services.db) as session:
        rows = session.scalars(
            select(Deadline).where(Deadline.case_id == case_id, Deadline.kind == ClockKind.FOLLOW_UP)
        ).all()
        return [one.status(now) for one in sorted(rows, key=lambda one: one.step)]


def end(
    services: Services,
    viewer: Viewer,
    case_id: uuid.UUID,
    reason: FollowUpEndReason,
    now: datetime,
    why: str | None = None,
) -> uuid.UUID:
    with unit_of_work(services.db) as session:
        return followup.end_follow_up(session, services, viewer, case_id, reason, explanation=why, now=now).id


def told(services: Services, kind: NotificationKind) -> set[tuple[uuid.UUID, uuid.UUID]]:
    with read_only(services.db) as session:
        rows = session.execute(
            select(Notification.recipient_id, Notification.object_id).where(Notification.kind == kind)
        )
        return {(recipient, about) for recipient, about in rows}


def test_a_visit_meets_its_clock_and_an_attempt_does_not(
    any_services: Services, caseworker: Viewer, home: Story, now: datetime
) -> None:
    week = now + timedelta(days=6)
    missed = VisitReport(VisitMethod.PHONE, VisitResult.UNREACHABLE, week, "陈社工", notes="两次无人接听")
    visited(any_services, caseworker, home.case_id, missed, week)
    assert statuses(any_services, home.case_id, week) == [DeadlineStatus.UPCOMING] * 4
    given = met(week, present=frozenset({PresentParty.PERSON}), next_step="月底上门", notes="与姐姐同住")
    visited(any_services, caseworker, home.case_id, given, week)
    assert statuses(any_services, home.case_id, week) == [DeadlineStatus.MET] + [DeadlineStatus.UPCOMING] * 3
    found = shown(any_services, caseworker, home.case_id, week)
    assert [(one.visit.result, one.notes, one.next_step) for one in found.visits if one.next_step] == [
        (VisitResult.MET, "与姐姐同住", "月底上门")
    ]
    assert len(found.plan) == 4


def test_a_withdrawn_visit_gives_the_clock_back(
    any_services: Services, caseworker: Viewer, home: Story, now: datetime
) -> None:
    week = now + timedelta(days=6)
    visit = visited(any_services, caseworker, home.case_id, met(week), week)
    with pytest.raises(ReasonMissing), unit_of_work(any_services.db) as session:
        followup.withdraw_visit(session, any_services, caseworker, visit.id, reason=" ", now=week)
    with unit_of_work(any_services.db) as session:
        followup.withdraw_visit(session, any_services, caseworker, visit.id, reason="另一人的回访", now=week)
    with pytest.raises(followup.VisitWithdrawn), unit_of_work(any_services.db) as session:
        followup.withdraw_visit(session, any_services, caseworker, visit.id, reason="再次", now=week)
    assert statuses(any_services, home.case_id, week) == [DeadlineStatus.UPCOMING] * 4
    assert [one.visit.withdrawal_reason for one in shown(any_services, caseworker, home.case_id, week).visits] == [
        "另一人的回访"
    ]


def test_what_is_missing_in_a_visit_is_named(
    any_services: Services, world: World, caseworker: Viewer, home: Story, now: datetime
) -> None:
    def slugs(given: VisitReport) -> set[tuple[str | None, str]]:
        with pytest.raises(InvalidFacts) as refused:
            visited(any_services, caseworker, home.case_id, given, now)
        return {(one.field, one.slug) for one in refused.value.problems}

    assert slugs(met(now + timedelta(days=3), visitor=" ")) == {
        ("visitor", "empty_value"), ("visited_at", "date_in_future"),
    }  # fmt: skip
    assert slugs(met(now - timedelta(days=2))) == {("visited_at", "visit_before_return")}
    half = VisitReport(VisitMethod.HOME, VisitResult.MET, now, "陈社工", assessment={"housing": G.GOOD})
    assert slugs(half) == {("assessment", "assessment_incomplete")}
    assert slugs(met(now, {"weather": G.GOOD})) == {("assessment", "assessment_incomplete")}
    nobody = VisitReport(VisitMethod.HOME, VisitResult.UNREACHABLE, now, "陈社工", assessment=FINE)
    assert slugs(nobody) == {("assessment", "assessment_incomplete")}
    story = judged_case(any_services, world, CaseState.UNRESOLVED, now=now)
    with pytest.raises(followup.NotHome):
        visited(any_services, caseworker, story.case_id, met(now), now)


def test_danger_is_told_and_can_open_a_referral(
    any_services: Services, world: World, caseworker: Viewer, home: Story, now: datetime
) -> None:
    people = world.a.users
    visited(any_services, caseworker, home.case_id, met(now), now)
    assert told(any_services, NotificationKind.FOLLOW_UP_DANGER) == set()
    soon = now + timedelta(minutes=1)
    visit = visited(any_services, caseworker, home.case_id, met(soon, {"safety": G.POOR}), soon)
    assert visit.danger
    roles = (Role.STATION_STAFF, Role.CASEWORKER, Role.BUREAU_SUPERVISOR)
    expected = {(people[role].id, home.case_id) for role in roles}
    assert told(any_services, NotificationKind.FOLLOW_UP_DANGER) == expected
    given = referrals.ReferralText(
        ReferralKind.LEGAL_AID, world.b.receiving.id, "家中有暴力，请提供法律援助", visit_id=visit.id
    )
    with unit_of_work(any_services.db) as session:
        made = referrals.create_referral(session, any_services, caseworker, home.case_id, given, now=now)
    assert made.visit_id == visit.id
    with pytest.raises(followup.NotStable) as refused:
        end(any_services, caseworker, home.case_id, FollowUpEndReason.STABLE, now)
    assert set(refused.value.params["missing"]) == {POLICY.words("danger"), POLICY.words("safety")}  # type: ignore[call-overload]


def test_stable_ends_the_plan_and_the_decision_can_be_taken_back(
    any_services: Services, caseworker: Viewer, home: Story, now: datetime
) -> None:
    first, second = now + timedelta(days=6), now + timedelta(days=29)
    before = visited(any_services, caseworker, home.case_id, met(first), first)
    with pytest.raises(followup.NotStable) as refused:
        end(any_services, caseworker, home.case_id, FollowUpEndReason.STABLE, first)
    assert refused.value.params["missing"] == [POLICY.words("visits")]
    last = visited(any_services, caseworker, home.case_id, met(second), second)
    made = end(any_services, caseworker, home.case_id, FollowUpEndReason.STABLE, second)
    met_twice = [DeadlineStatus.MET] * 2
    assert statuses(any_services, home.case_id, second) == met_twice + [DeadlineStatus.ENDED] * 2
    with read_only(any_services.db) as session:
        reasons = set(session.scalars(select(Deadline.cancel_reason).where(Deadline.cancelled_at == second)))
    assert reasons == {CancelReason.DECISION}
    with pytest.raises(followup.FollowUpEnded):
        end(any_services, caseworker, home.case_id, FollowUpEndReason.OTHER, second, "再次")
    for one in (before, last):  # it rests on both
        with pytest.raises(followup.VisitInUse), unit_of_work(any_services.db) as session:
            followup.withdraw_visit(session, any_services, caseworker, one.id, reason="x", now=second)
    resumed = second + timedelta(days=40)
    with unit_of_work(any_services.db) as session:
        followup.resume_follow_up(session, any_services, caseworker, made, reason="家属来电求助", now=resumed)
    assert statuses(any_services, home.case_id, resumed) == met_twice + [DeadlineStatus.UPCOMING] * 2
    with read_only(any_services.db) as session:
        due = session.scalars(
            select(Deadline.due_at).where(Deadline.step == 3, Deadline.kind == ClockKind.FOLLOW_UP)
        ).one()
    assert due >= now + timedelta(days=130)  # ninety days, and the forty in which nobody was to visit
    with pytest.raises(followup.FollowUpRuns), unit_of_work(any_services.db) as session:
        followup.resume_follow_up(session, any_services, caseworker, made, reason="x", now=resumed)
    end(any_services, caseworker, home.case_id, FollowUpEndReason.HANDED_OVER, resumed, "由思明区民政局跟进")


def test_another_reason_is_explained(any_services: Services, caseworker: Viewer, home: Story, now: datetime) -> None:
    with pytest.raises(ReasonMissing):
        end(any_services, caseworker, home.case_id, FollowUpEndReason.REFUSED, now)
    end(any_services, caseworker, home.case_id, FollowUpEndReason.REFUSED, now, "本人不愿再接电话")
    assert statuses(any_services, home.case_id, now) == [DeadlineStatus.ENDED] * 4
    ((made, why),) = shown(any_services, caseworker, home.case_id, now).ends
    assert (made.reason, why) == (FollowUpEndReason.REFUSED, "本人不愿再接电话")


@holding(st.lists(st.dictionaries(st.sampled_from(POLICY.keys), st.sampled_from(list(G)), min_size=6), max_size=4))
def test_stability_never_overlooks_a_poor_grade(found: list[dict[str, G]]) -> None:
    visits = [FollowUpVisit(assessment=grades, danger=POLICY.shows_danger(grades)) for grades in found]
    missing = followup.what_is_missing(POLICY, visits)
    last = found[: POLICY.stable.visits]
    poor = {key for grades in last for key, grade in grades.items() if grade is G.POOR}
    assert poor <= set(missing)
    assert ("visits" in missing) == (len(found) < POLICY.stable.visits)
    if not missing:
        assert all(last[0][key] in grades for key, grades in POLICY.stable.required.items())


def test_who_follows_up_and_who_reads_the_notes(services: Services, world: World, now: datetime) -> None:
    home = judged_case(services, world, CaseState.REUNIFIED, now=now)
    caseworker = world.viewer(world.a.users[Role.CASEWORKER])
    visit = visited(services, caseworker, home.case_id, met(now, notes="住址保密"), now)
    made = end(services, caseworker, home.case_id, FollowUpEndReason.OTHER, now, "x")
    for viewer in world.viewers():
        if viewer.may(Permission.FOLLOW_UP) and viewer.path.startswith(world.a.station.path):
            continue
        with pytest.raises((errors.Forbidden, errors.NotFound)):
            visited(services, viewer, home.case_id, met(now), now)
        with pytest.raises((errors.Forbidden, errors.NotFound)):
            end(services, viewer, home.case_id, FollowUpEndReason.OTHER, now, "x")
        with pytest.raises((errors.Forbidden, errors.NotFound)), unit_of_work(services.db) as session:
            followup.withdraw_visit(session, services, viewer, visit.id, reason="x", now=now)
        with pytest.raises((errors.Forbidden, errors.NotFound)), unit_of_work(services.db) as session:
            followup.resume_follow_up(session, services, viewer, made, reason="x", now=now)
    bureau = shown(services, world.viewer(world.a.users[Role.BUREAU_SUPERVISOR]), home.case_id, now)
    assert [one.notes for one in bureau.visits] == [None]
    stored = services.settings.data_dir.joinpath("guitu.sqlite3").read_bytes()
    stored += services.settings.data_dir.joinpath("guitu.sqlite3-wal").read_bytes()
    assert "住址保密".encode() not in stored


def test_after_a_recall_nobody_is_followed_up(
    any_services: Services, supervisor: Viewer, caseworker: Viewer, home: Story, now: datetime
) -> None:
    with unit_of_work(any_services.db) as session:
        recall(session, any_services, supervisor, home.case_id, reason="DNA 不符", now=now)
    with pytest.raises(followup.NotHome):
        visited(any_services, caseworker, home.case_id, met(now), now)


def test_a_withdrawn_return_home_is_not_followed_up(
    any_services: Services, world: World, staff: Viewer, caseworker: Viewer, home: Story, now: datetime
) -> None:
    for _ in range(POLICY.stable.visits):
        visited(any_services, caseworker, home.case_id, met(now), now)
    assert not shown(any_services, caseworker, home.case_id, now).missing
    with unit_of_work(any_services.db) as session:
        (outcome,) = list_outcomes(session, home.case_id)
        withdraw_outcome(session, any_services, caseworker, outcome.id, reason="录错日期", now=now)
    with pytest.raises(followup.NotHome):
        visited(any_services, caseworker, home.case_id, met(now), now)
    later = now + timedelta(days=100)
    with unit_of_work(any_services.db) as session:
        case = make_case(session, any_services, staff, now=later).id
        wandering.link_earlier(session, staff, case, home.case_id, reason="门卫认出", now=later)
        assert [one.outcomes for one in wandering.get_history(session, staff, case, now=later).earlier] == [()]
    end_story(any_services, world, home.case_id, OutcomeKind.REUNITED, OutcomeRoute.INTERVIEW, now=later)
    assert shown(any_services, caseworker, home.case_id, now).missing, "the visit was of a return that did not happen"
    visit = visited(any_services, caseworker, home.case_id, met(later), later)
    with read_only(any_services.db) as session:
        standing = [one.id for one in list_outcomes(session, home.case_id) if one.withdrawn_at is None]
    assert [visit.outcome_id] == standing


def test_staff_link_an_earlier_case_and_take_it_back(
    any_services: Services, world: World, staff: Viewer, caseworker: Viewer, home: Story, now: datetime
) -> None:
    visited(any_services, caseworker, home.case_id, met(now, {"income": G.POOR}), now)
    later = now + timedelta(days=100)
    with unit_of_work(any_services.db) as session:
        case = make_case(session, any_services, staff, now=later).id

    def link(case_id: uuid.UUID, earlier_id: uuid.UUID, reason: str = "门卫认出") -> uuid.UUID:
        with unit_of_work(any_services.db) as session:
            return wandering.link_earlier(session, staff, case_id, earlier_id, reason=reason, now=later).id

    for wrong in ((home.case_id, case), (case, case)):
        with pytest.raises(wandering.NotEarlier):
            link(*wrong)
    with pytest.raises(ReasonMissing):
        link(case, home.case_id, " ")
    made = link(case, home.case_id)
    with pytest.raises(wandering.AlreadyLinked):
        link(case, home.case_id)
    people = {world.a.users[Role.STATION_STAFF].id, world.a.users[Role.CASEWORKER].id}
    assert told(any_services, NotificationKind.WANDERED_AGAIN) == {
        (one, about) for one in people for about in (case, home.case_id)
    }
    with unit_of_work(any_services.db) as session:
        history = wandering.get_history(session, staff, case, now=later)
        assert [(one.case.id, len(one.outcomes), one.visits[0].assessment) for one in history.earlier] == [
            (home.case_id, 1, {**FINE, "income": G.POOR})
        ]
        before = wandering.get_history(session, staff, home.case_id, now=later)
        assert [one.id for _, one in before.later] == [case]
        wandering.withdraw_link(session, staff, made, reason="认错人", now=later)
    with pytest.raises(wandering.LinkWithdrawn), unit_of_work(any_services.db) as session:
        wandering.withdraw_link(session, staff, made, reason="x", now=later)
    with unit_of_work(any_services.db) as session:
        assert wandering.get_history(session, staff, case, now=later).earlier == ()
    link(case, home.case_id)
    sister = world.viewer(world.a.sister_staff)
    with pytest.raises(errors.NotFound), unit_of_work(any_services.db) as session:
        wandering.link_earlier(session, sister, case, home.case_id, reason="x", now=later)
