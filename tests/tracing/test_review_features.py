"""Features first: no candidate before the unknown person is described, by each examiner, sealed and kept."""

import uuid
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from matcher.vocabulary import GalleryKind
from models.case import CaseState
from models.review import FeatureFinding, Opinion
from models.review_protocol import FeatureBasis, FeatureNote
from models.user import Role
from tests.factories.records import attach
from tests.factories.stories import describe, examiners, judged_case
from tests.factories.world import World
from tracing.access import Viewer
from tracing.candidates import get_candidate, list_candidates
from tracing.features import (
    FeaturesMissing,
    FeatureUnknown,
    NoPhotograph,
    NotedFeatures,
    PhotographThere,
    TooFewFeatures,
    note_features,
    own_features,
)
from tracing.platform import errors
from tracing.platform.db import unit_of_work
from tracing.platform.settings import SettingsError
from tracing.review import FeatureRemark, FeatureTwice, commit_review
from tracing.review_policy import feature_lists, load_rules
from tracing.services import Services

FACE = {"hairline": "两侧后退", "ears": " 耳垂相连 ", "mouth": None}


def noted(
    services: Services,
    viewer: Viewer,
    case_id: uuid.UUID,
    now: datetime,
    basis: FeatureBasis = FeatureBasis.NON_FACIAL,
    given: dict[str, str | None] | None = None,
) -> NotedFeatures:
    with unit_of_work(services.db) as session:
        return note_features(session, services, viewer, case_id, basis, given or {}, now=now)


def test_no_candidate_before_the_features_are_noted(any_services: Services, world: World, now: datetime) -> None:
    story = judged_case(any_services, world, CaseState.IN_REVIEW, now=now)
    first, second = examiners(world)
    for viewer in (first, second):
        with pytest.raises(FeaturesMissing) as refused, unit_of_work(any_services.db) as session:
            list_candidates(session, viewer, story.case_id, now=now)
        assert refused.value.case_id == story.case_id
        with pytest.raises(FeaturesMissing), unit_of_work(any_services.db) as session:
            get_candidate(session, viewer, story.candidate, now=now)
        with pytest.raises(FeaturesMissing), unit_of_work(any_services.db) as session:
            commit_review(session, any_services, viewer, story.candidate, Opinion.SUPPORTS, None, now=now)
    noted(any_services, first, story.case_id, now, given={"stature": "瘦高"})
    with unit_of_work(any_services.db) as session:
        assert len(list_candidates(session, first, story.case_id, now=now)) == 1
    with pytest.raises(FeaturesMissing), unit_of_work(any_services.db) as session:  # not by a colleague's description
        list_candidates(session, second, story.case_id, now=now)


@pytest.mark.parametrize("role", [Role.STATION_STAFF, Role.CASEWORKER, Role.BUREAU_SUPERVISOR, Role.POLICE_SUPERVISOR])
def test_other_roles_see_what_they_saw(services: Services, world: World, role: Role, now: datetime) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    viewer = world.viewer(world.a.users[role])
    with unit_of_work(services.db) as session:
        assert len(list_candidates(session, viewer, story.case_id, now=now)) == 1
    if role is Role.POLICE_SUPERVISOR:
        with pytest.raises(FeaturesMissing), unit_of_work(services.db) as session:
            commit_review(session, services, viewer, story.candidate, Opinion.SUPPORTS, None, now=now)
    else:
        with pytest.raises(errors.Forbidden):
            noted(services, viewer, story.case_id, now, given={"stature": "瘦高"})


def test_descriptions_are_sealed_ones_own_and_amended_by_new_rows(
    any_services: Services, world: World, now: datetime
) -> None:
    story = judged_case(any_services, world, CaseState.IN_REVIEW, now=now)
    staff = world.viewer(world.a.users[Role.STATION_STAFF])
    with unit_of_work(any_services.db) as session:
        attach(session, any_services, staff, GalleryKind.CASE, story.case_id, now=now)
    first, second = examiners(world)
    made = noted(any_services, first, story.case_id, now, FeatureBasis.FACIAL, FACE)
    assert list(made.noted.items()) == [("hairline", "两侧后退"), ("ears", "耳垂相连"), ("mouth", None)]
    assert "两侧".encode() not in made.row.noted_sealed
    later = now + timedelta(hours=1)
    noted(any_services, first, story.case_id, later, FeatureBasis.FACIAL, {**FACE, "chin": "方"})
    with unit_of_work(any_services.db) as session:
        own = own_features(session, any_services, first, story.case_id, now=later)
        assert [(len(one.noted), one.row.noted_at) for one in own] == [(4, later), (3, now)]
        assert own_features(session, any_services, second, story.case_id, now=later) == []
    for statement in ("UPDATE feature_note SET count = 9", "DELETE FROM feature_note"):
        with pytest.raises(IntegrityError, match="gate: feature_note"), unit_of_work(any_services.db) as session:
            session.execute(text(statement))


def test_what_is_described_is_what_there_is(services: Services, world: World, now: datetime) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    first, _ = examiners(world)
    with pytest.raises(NoPhotograph):
        noted(services, first, story.case_id, now, FeatureBasis.FACIAL, FACE)
    with pytest.raises(FeatureUnknown):
        noted(services, first, story.case_id, now, given={"hairline": "后退"})
    with pytest.raises(FeatureUnknown):
        noted(services, first, story.case_id, now, FeatureBasis.NOTHING, {"stature": "瘦高"})
    with pytest.raises(TooFewFeatures):
        noted(services, first, story.case_id, now)
    noted(services, first, story.case_id, now, FeatureBasis.NOTHING)
    staff = world.viewer(world.a.users[Role.STATION_STAFF])
    with unit_of_work(services.db) as session:
        assert len(list_candidates(session, first, story.case_id, now=now)) == 1
        attach(session, services, staff, GalleryKind.CASE, story.case_id, now=now)
    with pytest.raises(FeaturesMissing), unit_of_work(services.db) as session:  # there is a face to describe now
        list_candidates(session, first, story.case_id, now=now)
    with pytest.raises(PhotographThere):
        noted(services, first, story.case_id, now, FeatureBasis.NOTHING)
    with pytest.raises(TooFewFeatures):
        noted(services, first, story.case_id, now, FeatureBasis.FACIAL, {"ears": "大", "chin": "方"})
    noted(services, first, story.case_id, now + timedelta(minutes=1), FeatureBasis.FACIAL, FACE)
    with unit_of_work(services.db) as session:
        assert len(list_candidates(session, first, story.case_id, now=now)) == 1
    with pytest.raises(errors.NotFound):
        noted(services, world.viewer(world.b.examiners[0]), story.case_id, now, FeatureBasis.FACIAL, FACE)


def test_only_the_police_note_features_whatever_code_runs(any_services: Services, world: World, now: datetime) -> None:
    story = judged_case(any_services, world, CaseState.IN_REVIEW, now=now)
    with pytest.raises(IntegrityError, match="gate: examiners"), unit_of_work(any_services.db) as session:
        session.add(
            FeatureNote(
                case_id=story.case_id, examiner_id=world.a.users[Role.STATION_STAFF].id, basis=FeatureBasis.NOTHING,
                list_version="features-1", count=0, noted_sealed=b"", noted_at=now,
            )
        )  # fmt: skip


def test_an_opinion_keeps_what_each_feature_came_to_and_how_long_it_took(
    any_services: Services, world: World, now: datetime
) -> None:
    story = judged_case(any_services, world, CaseState.IN_REVIEW, now=now)
    first, second = examiners(world)
    with unit_of_work(any_services.db) as session:
        describe(session, any_services, first, story.case_id, now=now)
    for minutes in (1, 2):
        with unit_of_work(any_services.db) as session:
            get_candidate(session, first, story.candidate, now=now + timedelta(minutes=minutes))
    remarks = [
        FeatureRemark("chin", FeatureFinding.DIFFERENT, " 更尖 "),
        FeatureRemark("ears", FeatureFinding.SIMILAR),
    ]
    for wrong, error in (
        ([*remarks, remarks[0]], FeatureTwice),
        ([FeatureRemark("nothing", FeatureFinding.SIMILAR)], FeatureUnknown),
    ):
        with pytest.raises(error), unit_of_work(any_services.db) as session:
            commit_review(session, any_services, first, story.candidate, Opinion.NEITHER, None, features=wrong, now=now)
    later = now + timedelta(minutes=4)
    with unit_of_work(any_services.db) as session:
        review = commit_review(
            session, any_services, first, story.candidate, Opinion.NEITHER, None, features=remarks, now=later
        )
    assert review.features == [
        {"feature": "ears", "finding": "similar", "text": None},
        {"feature": "chin", "finding": "different", "text": "更尖"},
    ]
    assert review.seconds == 180
    with pytest.raises(IntegrityError, match="gate: reviews are withdrawn"), unit_of_work(any_services.db) as session:
        session.execute(text("UPDATE review SET features = NULL"))
    with unit_of_work(any_services.db) as session:
        describe(session, any_services, second, story.case_id, now=now)
        blind = commit_review(session, any_services, second, story.candidate, Opinion.NEITHER, None, now=later)
        assert blind.seconds is None


def test_the_lists_name_their_sources_in_both_languages(services: Services) -> None:
    lists = feature_lists()
    assert [one.key for one in lists[FeatureBasis.FACIAL].features][:4] == [
        "skin", "head_outline", "composition", "hairline",
    ]  # fmt: skip
    for one in lists.values():
        assert one.source
        assert all(feature.zh and feature.en for feature in one.features)
        assert len(one.keys) == len(one.features)
    own = services.settings.data_dir / "policies"
    own.mkdir()
    (own / "review-CN.json").write_text(
        '{"version": "own-1", "source": "ours", "mark": "ours", "assignment_hours": 24}'
    )
    assert (load_rules(own).assignment_hours, services.review_rules.assignment_hours) == (24, 72)
    (own / "review-CN.json").write_text('{"assignment_hours": 24}')
    with pytest.raises(SettingsError, match="names its"):
        load_rules(own)
