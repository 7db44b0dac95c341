"""Exclusions: what they rest on, that no pass lists the pair again, and that only named new evidence reopens it."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from models.candidate import Candidate, CandidateState
from models.case import CaseState
from models.confirmation import ConfirmationMethod
from models.exclusion import Exclusion
from models.exclusion import ExclusionEvidence as Evidence
from models.job import Job
from models.review import Opinion
from models.user import Role
from tests.factories.records import SEEN, make_case
from tests.factories.stories import Story, describe, examiners, judged_case, run_jobs
from tests.factories.world import World
from tracing import exclusions
from tracing.access import Permission, Viewer
from tracing.candidates import list_candidates
from tracing.cases import ReasonMissing, move_case
from tracing.confirmation import CandidateExcluded, OpinionsMissing, ReferenceMissing, confirm, recall
from tracing.platform import errors
from tracing.platform.db import read_only, unit_of_work
from tracing.review import commit_review
from tracing.services import Services

DNA = Evidence.DNA


@pytest.fixture
def story(any_services: Services, world: World, now: datetime) -> Story:
    """A case in review."""
    return judged_case(any_services, world, CaseState.IN_REVIEW, now=now)


def exclude(
    services: Services,
    viewer: Viewer,
    candidate_id: uuid.UUID,
    now: datetime,
    evidence: Evidence = DNA,
    reference: str | None = "D-1",
    reason: str = "无亲缘关系",
) -> Exclusion:
    with unit_of_work(services.db) as session:
        return exclusions.exclude(
            session, viewer, candidate_id, evidence, reference=reference, reason=reason, now=now
        )  # fmt: skip


def reopen(services: Services, viewer: Viewer, exclusion_id: uuid.UUID, now: datetime) -> Exclusion:
    with unit_of_work(services.db) as session:
        return exclusions.reopen(
            session, viewer, exclusion_id, Evidence.NEW_PHOTO, reference=None, reason="新照片", now=now
        )  # fmt: skip


def state(services: Services, candidate_id: uuid.UUID) -> tuple[CandidateState, bool]:
    with read_only(services.db) as session:
        found = session.get_one(Candidate, candidate_id)
        return found.state, found.listed


def test_no_pass_lists_an_excluded_pair_again(
    any_services: Services, world: World, story: Story, staff: Viewer, supervisor: Viewer, now: datetime
) -> None:
    made = exclude(any_services, examiners(world)[0], story.candidate, now)
    for minute in (1, 2):
        with unit_of_work(any_services.db) as session:
            move_case(session, any_services, staff, story.case_id, CaseState.SEARCHING, reason="再比对", now=now)
        run_jobs(any_services, now + timedelta(minutes=minute))
        assert state(any_services, story.candidate) == (CandidateState.EXCLUDED, False)
    with unit_of_work(any_services.db) as session:
        assert list_candidates(session, staff, story.case_id, now=now) == []
    with read_only(any_services.db) as session:
        assert session.scalars(select(Job.id).where(Job.kind.contains("match"))).first() is not None
    reopen(any_services, supervisor, made.id, now)
    assert state(any_services, story.candidate) == (CandidateState.OPEN, True)


def test_the_same_report_is_still_found_for_another_case(
    any_services: Services, world: World, story: Story, staff: Viewer, now: datetime
) -> None:
    exclude(any_services, examiners(world)[0], story.candidate, now)
    with unit_of_work(any_services.db) as session:
        other = make_case(session, any_services, staff, known=SEEN, now=now)
    run_jobs(any_services, now)
    with read_only(any_services.db) as session:
        found = session.scalars(
            select(Candidate.report_id).where(Candidate.case_id == other.id, Candidate.listed)
        ).all()  # fmt: skip
    assert story.report_id in found


def test_an_excluded_candidate_is_not_confirmed_until_it_is_reopened(
    any_services: Services, world: World, story: Story, supervisor: Viewer, now: datetime
) -> None:
    made = exclude(any_services, examiners(world)[0], story.candidate, now)

    def decide() -> None:
        with unit_of_work(any_services.db) as session:
            confirm(
                session, supervisor, story.case_id, story.candidate, ConfirmationMethod.FINGERPRINT,
                reference="F-1", grounds="指纹", now=now,
            )  # fmt: skip

    with pytest.raises(CandidateExcluded):
        decide()
    with pytest.raises(exclusions.ExclusionStands):
        exclude(any_services, supervisor, story.candidate, now)
    reopen(any_services, supervisor, made.id, now)
    with pytest.raises(exclusions.ExclusionReopened):
        reopen(any_services, supervisor, made.id, now)
    decide()
    with pytest.raises(exclusions.CandidateConfirmed):
        exclude(any_services, supervisor, story.candidate, now)


def test_two_examiners_exclude_and_one_does_not(
    any_services: Services, world: World, story: Story, now: datetime
) -> None:
    for examiner in examiners(world):
        with unit_of_work(any_services.db) as session:
            describe(session, any_services, examiner, story.case_id, now=now)
    with pytest.raises(OpinionsMissing):
        exclude(any_services, examiners(world)[0], story.candidate, now, Evidence.EXAMINERS_AGREED, None)
    for examiner, enough in zip(examiners(world), (False, True), strict=True):
        with unit_of_work(any_services.db) as session:
            commit_review(session, any_services, examiner, story.candidate, Opinion.OPPOSES, None, now=now)
        call: Callable[[], Exclusion] = lambda who=examiner: exclude(  # type: ignore[misc] # noqa: E731
            any_services, who, story.candidate, now, Evidence.EXAMINERS_AGREED, None
        )
        if enough:
            assert call().evidence is Evidence.EXAMINERS_AGREED
        else:
            with pytest.raises(exclusions.ExaminersMissing):
                call()


def test_what_an_exclusion_must_say(services: Services, world: World, now: datetime) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    examiner = examiners(world)[0]
    with pytest.raises(ReferenceMissing):
        exclude(services, examiner, story.candidate, now, reference=" ")
    with pytest.raises(ReasonMissing):
        exclude(services, examiner, story.candidate, now, reason=" ")
    with pytest.raises(exclusions.NotExcluding):
        exclude(services, examiner, story.candidate, now, Evidence.NEW_PHOTO)


def test_who_excludes_and_who_reopens(services: Services, world: World, supervisor: Viewer, now: datetime) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    for viewer in world.viewers():
        if not viewer.may(Permission.EXCLUDE):
            with pytest.raises(errors.Forbidden):
                exclude(services, viewer, story.candidate, now)
    made = exclude(services, examiners(world)[0], story.candidate, now)
    for viewer in world.viewers():
        mine = viewer.path.startswith(world.a.bureau.path) and viewer.may(Permission.EXCLUSION_REOPEN)
        if not mine and viewer.role is not Role.POLICE_SUPERVISOR:
            with pytest.raises(errors.Forbidden):
                reopen(services, viewer, made.id, now)
    with unit_of_work(services.db) as session:
        page = exclusions.list_exclusions(session, supervisor, story.case_id, now=now)
    assert [one.id for one in page.items] == [made.id]


def test_a_recall_leaves_what_is_excluded_excluded_and_names_what_closes_the_others(
    any_services: Services, world: World, story: Story, staff: Viewer, supervisor: Viewer, now: datetime
) -> None:
    with unit_of_work(any_services.db) as session:
        rival_case = make_case(session, any_services, staff, now=now)
        third_case = make_case(session, any_services, staff, now=now)
    run_jobs(any_services, now)
    with read_only(any_services.db) as session:
        rivals = [
            session.scalars(
                select(Candidate.id).where(Candidate.case_id == one.id, Candidate.report_id == story.report_id)
            ).one()
            for one in (rival_case, third_case)
        ]
    exclude(any_services, examiners(world)[0], rivals[0], now)
    with unit_of_work(any_services.db) as session:
        made = confirm(
            session, supervisor, story.case_id, story.candidate, ConfirmationMethod.DNA,
            reference="D-9", grounds="DNA", now=now,
        )  # fmt: skip
    with read_only(any_services.db) as session:
        closed = session.get_one(Candidate, rivals[1])
        assert (closed.state, closed.closed_by_id) == (CandidateState.CLOSED, made.id)
    with unit_of_work(any_services.db) as session:
        recall(session, any_services, supervisor, story.case_id, reason="复核不符", now=now)
    assert state(any_services, rivals[0]) == (CandidateState.EXCLUDED, False)
    with read_only(any_services.db) as session:
        restored = session.get_one(Candidate, rivals[1])
        assert (restored.state, restored.closed_by_id) == (CandidateState.OPEN, None)
