"""Pace: an opinion needs a look of its own that lasted, and there are only so many in an hour."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from models.case import CaseState
from models.review import Opinion, Review
from tests.factories.stories import describe, examiners, judged_case
from tests.factories.world import World
from tracing.candidates import get_candidate
from tracing.platform import errors
from tracing.platform.db import unit_of_work
from tracing.platform.setting_groups import ReviewSettings
from tracing.review import commit_review, withdraw_review
from tracing.review_pace import LookTooShort, PaceTooFast
from tracing.services import Services


@pytest.fixture
def paced(services: Services) -> Services:
    """As installed: ten seconds a look, but three opinions an hour."""
    settings = services.settings.model_copy(update={"review": ReviewSettings(seeds=False)})
    rules = services.review_rules.model_copy(update={"most_opinions_an_hour": 3})
    return replace(services, settings=settings, review_rules=rules)


def test_the_packaged_figures_hold_where_nothing_is_set(services: Services) -> None:
    assert ReviewSettings().pace
    assert services.review_rules.least_look_seconds >= 10
    assert services.review_rules.most_opinions_an_hour <= 60


def test_an_opinion_needs_a_look_that_lasted(paced: Services, world: World, now: datetime) -> None:
    story = judged_case(paced, world, CaseState.IN_REVIEW, now=now)
    first, _ = examiners(world)
    least = timedelta(seconds=paced.review_rules.least_look_seconds)

    def commit(at: datetime) -> Review:
        with unit_of_work(paced.db) as session:
            return commit_review(session, paced, first, story.candidate, Opinion.SUPPORTS, None, now=at)

    def look(at: datetime) -> None:
        with unit_of_work(paced.db) as session:
            get_candidate(session, first, story.candidate, now=at)

    with unit_of_work(paced.db) as session:
        describe(session, paced, first, story.case_id, now=now)
    with pytest.raises(LookTooShort):
        commit(now + least)
    look(now)
    with pytest.raises(LookTooShort) as refused:
        commit(now + least - timedelta(seconds=1))
    assert refused.value.params == {"seconds": paced.review_rules.least_look_seconds}
    # A later look of the same candidate does not begin it anew.
    look(now + least - timedelta(seconds=1))
    assert commit(now + least).seconds == least.total_seconds()
    # After taking it back the next opinion needs a look of its own.
    with unit_of_work(paced.db) as session:
        withdraw_review(session, first, story.candidate, now=now + 2 * least)
    with pytest.raises(LookTooShort):
        commit(now + 3 * least)


def test_only_so_many_opinions_in_an_hour(paced: Services, world: World, now: datetime) -> None:
    story = judged_case(paced, world, CaseState.IN_REVIEW, now=now)
    first, second = examiners(world)

    def judge(viewer_number: int, at: datetime) -> None:
        viewer = (first, second)[viewer_number]
        with unit_of_work(paced.db) as session:
            get_candidate(session, viewer, story.candidate, now=at - timedelta(minutes=1))
            commit_review(session, paced, viewer, story.candidate, Opinion.SUPPORTS, None, now=at)

    with unit_of_work(paced.db) as session:
        for viewer in (first, second):
            describe(session, paced, viewer, story.case_id, now=now)
    for number in range(paced.review_rules.most_opinions_an_hour):
        at = now + timedelta(minutes=5 * number + 5)
        judge(0, at)
        with unit_of_work(paced.db) as session:
            withdraw_review(session, first, story.candidate, now=at + timedelta(minutes=1))
    with pytest.raises(PaceTooFast):
        judge(0, now + timedelta(minutes=30))
    # Of one examiner: the other one is not held up, and the first goes on when the hour is over.
    judge(1, now + timedelta(minutes=31))
    judge(0, now + timedelta(minutes=66))
    assert issubclass(PaceTooFast, errors.Conflict)
