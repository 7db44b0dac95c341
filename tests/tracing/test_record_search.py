"""Searching the lists: each filter finds whom it should and nobody else, in the viewer's scope, on both databases."""

import uuid
from datetime import date, datetime

import pytest
from sqlalchemy import select

from matcher.vocabulary import AttributeKind, Basis, Build, NameKind, Sex
from models.audit import AuditEvent
from models.case import CaseState
from models.user import Role
from tests.factories.records import facts, make_case, make_report
from tests.factories.world import World
from tracing import record_search
from tracing.access import Viewer
from tracing.cases import count_cases, export_cases, list_cases
from tracing.facts import AttributeFact, Facts, NameFact
from tracing.platform import errors
from tracing.platform.db import read_only, unit_of_work
from tracing.record_search import Range, Sought, TooManyToExport
from tracing.reports import export_reports, list_reports
from tracing.services import Services

MAN = Facts(
    attributes=tuple(
        AttributeFact(kind, value, Basis.MEASURED)
        for kind, value in (
            (AttributeKind.SEX, "male"), (AttributeKind.AGE, "52"), (AttributeKind.HEIGHT, "170"),
            (AttributeKind.BUILD, "thin"), (AttributeKind.ETHNICITY, "08"), (AttributeKind.ACCENT, "4507"),
            (AttributeKind.CLOTHING, "蓝色上衣"),
        )
    ),
    names=(NameFact("韦建国", NameKind.HEARD, Basis.HEARD),),
)  # fmt: skip
WOMAN = facts(sex=Sex.FEMALE, age=30, height=158, name="欧阳慧", accent="35")


@pytest.fixture
def two(any_services: Services, staff: Viewer, now: datetime) -> tuple[uuid.UUID, uuid.UUID]:
    """A man's and a woman's case of one station."""
    with unit_of_work(any_services.db) as session:
        man, woman = (make_case(session, any_services, staff, known=known, now=now) for known in (MAN, WOMAN))
    return man.id, woman.id


def found(services: Services, viewer: Viewer, sought: Sought, now: datetime) -> list[uuid.UUID]:
    with unit_of_work(services.db) as session:
        return [case.id for case in list_cases(session, viewer, sought=sought, now=now).items]


HIS = [
    Sought(text="韦建国"), Sought(text="weijianguo"), Sought(text="wjg"), Sought(text="-000001-"),
    Sought(sex=Sex.MALE), Sought(build=Build.THIN), Sought(ethnicity="08"), Sought(accent="45"),
    Sought(accent="4507"), Sought(age=Range(50, 55)), Sought(age=Range(lowest=45)), Sought(height=Range(165, 175)),
    Sought(height=Range(lowest=169.5)), Sought(text="韦", sex=Sex.MALE, age=Range(50, 55)),
]  # fmt: skip
BOTH = [
    Sought(), Sought(division="45"), Sought(division="450702"), Sought(since=date(2026, 3, 2)),
    Sought(until=date(2026, 3, 2)), Sought(age=Range(20, 60)),
]  # fmt: skip
NEITHER = [
    Sought(text="王海"), Sought(text="%"), Sought(text="_"), Sought(text="9%"), Sought(text="韦", sex=Sex.FEMALE),
    Sought(division="35"), Sought(accent="44"), Sought(age=Range(80, 90)), Sought(height=Range(highest=120)),
    Sought(since=date(2026, 3, 3)), Sought(until=date(2026, 3, 1)), Sought(ethnicity="01"),
]  # fmt: skip


def test_each_filter_finds_its_own(
    any_services: Services, staff: Viewer, two: tuple[uuid.UUID, uuid.UUID], now: datetime
) -> None:
    man, woman = two
    for sought in HIS:
        assert found(any_services, staff, sought, now) == [man], sought
    for sought in BOTH:
        assert set(found(any_services, staff, sought, now)) == {man, woman}, sought
    for sought in NEITHER:
        assert found(any_services, staff, sought, now) == [], sought


def test_a_search_stays_in_the_viewers_scope(
    any_services: Services, world: World, two: tuple[uuid.UUID, uuid.UUID], now: datetime
) -> None:
    elsewhere = world.viewer(world.b.users[Role.STATION_STAFF])
    assert found(any_services, elsewhere, Sought(text="韦建国"), now) == []
    assert found(any_services, world.viewer(world.a.users[Role.BUREAU_SUPERVISOR]), Sought(text="wjg"), now) == [two[0]]


def test_reports_are_searched_alike(any_services: Services, world: World, now: datetime) -> None:
    viewer = world.viewer(world.b.users[Role.STATION_STAFF])
    with unit_of_work(any_services.db) as session:
        report = make_report(session, any_services, viewer, known=WOMAN, now=now)
    for sought, wanted in (
        (Sought(text="oyh"), [report.id]),
        (Sought(division="3502", until=date(2026, 2, 1)), [report.id]),
        (Sought(text="wjg"), []),
        (Sought(since=date(2026, 2, 2)), []),
    ):
        with unit_of_work(any_services.db) as session:
            assert [one.id for one in list_reports(session, viewer, sought=sought, now=now).items] == wanted


def test_an_export_is_logged_and_bounded(
    services: Services, world: World, staff: Viewer, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with unit_of_work(services.db) as session:
        for known in (MAN, WOMAN):
            make_case(session, services, staff, known=known, now=now)
    with unit_of_work(services.db) as session:
        rows = export_cases(session, staff, states=frozenset({CaseState.SUBMITTED}), sought=Sought(), now=now)
        assert len(rows) == 2
        assert export_reports(session, staff, sought=Sought(), now=now) == []
    with read_only(services.db) as session:
        event = session.scalars(select(AuditEvent).where(AuditEvent.action == "case.export")).one()
        assert event.detail == {"count": 2}
        assert count_cases(session, staff) == {CaseState.SUBMITTED: 2}
    monkeypatch.setattr(record_search, "EXPORT_MOST", 1)
    with unit_of_work(services.db) as session, pytest.raises(TooManyToExport):
        export_cases(session, staff, sought=Sought(), now=now)
    for role in (Role.CASEWORKER, Role.POLICE_EXAMINER, Role.AUDITOR, Role.ADMINISTRATOR):
        viewer = world.viewer(world.a.users[role])
        with unit_of_work(services.db) as session, pytest.raises(errors.Forbidden):
            export_cases(session, viewer, sought=Sought(), now=now)
