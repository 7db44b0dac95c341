"""The demo region: whole, made once, the same people each time."""

from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select

from matcher import divisions
from models.case import Case, CaseState
from models.report import Report, ReportState
from models.user import Role, User
from tests.factories.faces import make_photo_bytes
from tracing.demo.seed import invent, seed_records, seed_region
from tracing.platform.db import read_only, unit_of_work
from tracing.services import Services


def test_the_region_has_every_role_and_is_made_once(services: Services, now: datetime) -> None:
    with unit_of_work(services.db) as session:
        accounts = seed_region(session, now=now)
    assert {account.role for account in accounts} == set(Role)
    assert len({account.password for account in accounts}) == len(accounts)
    with unit_of_work(services.db) as session:
        assert seed_region(session, now=now) == []
        assert session.scalar(select(func.count()).select_from(User)) == len(accounts)


def test_invented_people_are_the_same_each_time_and_live_in_real_divisions() -> None:
    folders = ["obama", "somebody", "somebody else"]
    people = invent(folders)
    assert people == invent(folders)
    assert all(divisions.exists(person.native) and divisions.exists(person.accent) for person in people)
    assert people[0].sex == "male"
    assert people[1].sex is None


def test_records_are_seeded_with_and_without_photographs(services: Services, now: datetime, tmp_path: Path) -> None:
    (tmp_path / "p1").mkdir()
    (tmp_path / "p1" / "1.jpg").write_bytes(make_photo_bytes((200, 30, 30)))
    (tmp_path / "p1" / "2.jpg").write_bytes(b"not a photograph")
    with unit_of_work(services.db) as session:
        seed_region(session, now=now)
    assert seed_records(services, tmp_path, now=now) == (1, 1)
    assert seed_records(services, None, now=now) == (3, 1)
    with read_only(services.db) as session:
        assert set(session.scalars(select(Report.state))) == {ReportState.OPEN}
        assert set(session.scalars(select(Case.state))) == {CaseState.SUBMITTED}
