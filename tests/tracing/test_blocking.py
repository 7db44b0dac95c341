"""Keys in the database: they follow every change of the facts, and find people without a face."""

import uuid
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import delete, select, update

from matcher.blocking import keys_version, stored_keys
from matcher.vocabulary import BodyRegion, GalleryKind, MarkKind, NameKind, Sex
from models.blocking import BlockingKey
from models.candidate import Candidate
from models.case import Case, CaseState
from models.profile import Profile
from models.report import Report, ReportState
from tests.factories.records import facts, make_case, make_report
from tests.factories.stories import judged_case, run_jobs
from tests.factories.world import World
from tracing import blocking_fill
from tracing.access import Viewer
from tracing.blocking import Limits, retrieve
from tracing.blocking_fill import KeyCoverage, key_coverage, request_keys
from tracing.cases import Circumstances, edit_case
from tracing.facts import Facts, MarkFact
from tracing.matching_records import described
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only, unit_of_work
from tracing.profiles import for_matcher, with_profile
from tracing.services import Services

HEARD = facts(sex=Sex.MALE, age=50, name="林见国", name_kind=NameKind.HEARD, accent="45")
WIDE = Limits(hits=100, common=1000, budget=10_000)


def report(services: Services, viewer: Viewer, now: datetime, known: Facts) -> uuid.UUID:
    with unit_of_work(services.db) as session:
        return make_report(session, services, viewer, known=known, now=now).id


def found(
    services: Services, known: Facts, limits: Limits = WIDE, kind: GalleryKind = GalleryKind.REPORT
) -> list[uuid.UUID]:
    probe = for_matcher(known, kind=GalleryKind.CASE, seen_on=date(2026, 3, 2), seen_at=None, templates=())
    with read_only(services.db) as session:
        return retrieve(session, services.parameters, probe, kind, 1000, limits)


def test_an_erased_person_has_no_keys_and_gets_none_again(any_services: Services, staff: Viewer, now: datetime) -> None:
    services = any_services
    gone, stays = (report(services, staff, now, facts(sex=Sex.MALE, age=50, name="林建国")) for _ in range(2))
    assert set(found(services, HEARD)) == {gone, stays}
    with unit_of_work(services.db) as session:
        profile = session.get_one(Report, gone, options=with_profile(Report.profile)).profile
        services.vault.destroy(session, profile.subject_id, now)
        profile_id, profile.keys_version = profile.id, None
    with unit_of_work(services.db) as session:
        request_keys(session, now=now)
    run_jobs(services, utc_now() + timedelta(minutes=1))
    assert found(services, HEARD) == [stays]
    with read_only(services.db) as session:
        assert session.scalars(select(BlockingKey).where(BlockingKey.profile_id == profile_id)).first() is None
        assert key_coverage(session) == KeyCoverage(filled=2, total=2), "an erased person lacks nothing"


def assert_keys_are_those_of_the_facts(services: Services) -> int:
    """Every record's keys are those of its facts; how many records."""
    count = 0
    with read_only(services.db) as session:
        owners: list[Case | Report] = [
            *session.scalars(select(Case).options(*with_profile(Case.profile))),
            *session.scalars(select(Report).options(*with_profile(Report.profile))),
        ]
        for owner in owners:
            keys = stored_keys(described(owner), services.parameters)
            rows = session.scalars(select(BlockingKey).where(BlockingKey.profile_id == owner.profile_id)).all()
            assert {row.key for row in rows} == keys.keys
            assert {row.born for row in rows} <= {keys.born}
            kind = GalleryKind.CASE if isinstance(owner, Case) else GalleryKind.REPORT
            assert {row.gallery for row in rows} <= {kind}
            assert owner.profile.keys_version == keys_version()
            count += 1
    return count


def test_a_name_heard_wrongly_finds_its_report_and_the_better_one_comes_first(
    any_services: Services, reporter: Viewer, now: datetime
) -> None:
    wanted = report(any_services, reporter, now, facts(sex=Sex.MALE, age=45, name="宁建国", native="450702"))
    alike = report(any_services, reporter, now, facts(sex=Sex.MALE, age=45, name="宁海燕", native="350203"))
    other = report(any_services, reporter, now, facts(sex=Sex.FEMALE, age=20, name="欧阳慧", native="110101"))
    heard = facts(sex=Sex.MALE, age=50, name="林见果", name_kind=NameKind.HEARD, accent="45")
    assert found(any_services, heard)[0] == wanted
    assert alike in found(any_services, heard)
    assert other not in found(any_services, heard)


def test_marks_alone_find_and_unknown_years_are_not_left_out(
    any_services: Services, reporter: Viewer, now: datetime
) -> None:
    mark = (MarkFact(MarkKind.AMPUTATION, BodyRegion.HAND, facts(age=1).attributes[0].basis),)
    undated = report(any_services, reporter, now, facts(marks=mark))
    dated = report(any_services, reporter, now, facts(age=40, marks=mark))
    child = report(any_services, reporter, now, facts(age=8, marks=mark))
    assert set(found(any_services, facts(age=41, marks=mark))) == {undated, dated}
    assert set(found(any_services, facts(marks=mark))) == {undated, dated, child}


def test_what_many_share_is_not_read(any_services: Services, reporter: Viewer, now: datetime) -> None:
    crowd = [report(any_services, reporter, now, facts(sex=Sex.MALE, name=f"王{one}")) for one in "海立志卫爱"]
    known = facts(sex=Sex.MALE, name="王海")
    assert set(found(any_services, known)) == set(crowd)
    assert found(any_services, known, Limits(100, common=4, budget=1000)) == crowd[:1]
    assert found(any_services, known, Limits(100, common=1000, budget=3)) == crowd[:1]
    assert len(found(any_services, known, Limits(2, common=1000, budget=1000))) == 2
    assert found(any_services, Facts()) == []


def test_only_who_is_searched_for_is_found(services: Services, world: World, reporter: Viewer, now: datetime) -> None:
    judged_case(services, world, CaseState.IDENTIFIED, now=now)
    known = facts(name="韦建国")
    assert found(services, known, kind=GalleryKind.CASE) == []
    wanted = report(services, reporter, now, known)
    assert wanted in found(services, known)
    with unit_of_work(services.db) as session:
        session.execute(update(Report).where(Report.id == wanted).values(state=ReportState.WITHDRAWN))
    assert wanted not in found(services, known)


def test_those_no_longer_searched_for_do_not_crowd_out_the_others(
    any_services: Services, reporter: Viewer, now: datetime
) -> None:
    known = facts(name="韦建国", native="450702")
    gone = [report(any_services, reporter, now, known) for _ in range(4)]
    wanted = report(any_services, reporter, now, facts(name="韦建国"))
    with unit_of_work(any_services.db) as session:
        session.execute(update(Report).where(Report.id.in_(gone)).values(state=ReportState.RESOLVED))
    assert found(any_services, known, Limits(hits=1, common=1000, budget=1000)) == [wanted]


def test_keys_follow_every_use_case(any_services: Services, world: World, staff: Viewer, now: datetime) -> None:
    story = judged_case(any_services, world, CaseState.IN_REVIEW, now=now)
    assert assert_keys_are_those_of_the_facts(any_services) == 2
    with unit_of_work(any_services.db) as session:
        day = any_services.local_day(now)
        edit_case(
            session, any_services, staff, story.case_id, Circumstances(day, day, "450703"),
            facts(name="李海燕", native="110101"), version=None, now=now,
        )  # fmt: skip
    assert assert_keys_are_those_of_the_facts(any_services) == 2
    assert found(any_services, facts(name="李海燕"), kind=GalleryKind.CASE) == [story.case_id]
    assert found(any_services, facts(name="韦建国"), kind=GalleryKind.CASE) == []


def test_records_from_before_get_their_keys_and_a_stopped_run_goes_on(
    any_services: Services, staff: Viewer, reporter: Viewer, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocking_fill, "CHUNK", 2)
    for one in "海立志":
        report(any_services, reporter, now, facts(name=f"王{one}"))
        with unit_of_work(any_services.db) as session:
            make_case(session, any_services, staff, known=facts(name=f"李{one}"), now=now)
    run_jobs(any_services, now)
    with unit_of_work(any_services.db) as session:
        session.execute(delete(BlockingKey))
        session.execute(update(Profile).values(keys_version=None))
        assert key_coverage(session) == KeyCoverage(0, 6)
        assert request_keys(session, now=now) is not None
        assert request_keys(session, now=now) is None
    run_jobs(any_services, utc_now() + timedelta(minutes=1))
    assert assert_keys_are_those_of_the_facts(any_services) == 6
    with read_only(any_services.db) as session:
        assert key_coverage(session) == KeyCoverage(6, 6)


def test_a_person_without_a_photograph_is_found_beyond_the_newest(
    any_services: Services, staff: Viewer, reporter: Viewer, now: datetime
) -> None:
    settings = any_services.settings
    matching = settings.matching.model_copy(update={"attribute_pool": 0, "attribute_hits": 1})
    services = type(any_services)(
        **{**vars(any_services), "settings": settings.model_copy(update={"matching": matching})}
    )
    wanted = report(services, reporter, now, facts(sex=Sex.MALE, age=44, name="宁建国", native="450702"))
    for one in "海立志":
        report(services, reporter, now, facts(sex=Sex.MALE, age=44, name=f"王{one}"))
    run_jobs(services, now)
    with unit_of_work(services.db) as session:
        case = make_case(session, services, staff, known=HEARD, now=now)
    run_jobs(services, now)
    with read_only(services.db) as session:
        listed = session.scalars(select(Candidate).where(Candidate.case_id == case.id, Candidate.listed)).all()
    assert [one.report_id for one in listed] == [wanted]
