"""Reports: checked, published, withdrawn; and sealed: the family's details are nowhere in the clear."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import func, select, text

from matcher.vocabulary import Sex
from models.case import CaseState
from models.job import Job
from models.report import Report, ReportState
from models.user import Role
from tests.factories.records import FAMILY, IDENTITY_NUMBER, REPORTED, facts, make_case, make_report
from tests.factories.stories import candidate_of, run_jobs, state_of
from tests.factories.world import World
from tracing.access import Viewer
from tracing.facts import Facts, InvalidFacts
from tracing.platform import errors
from tracing.platform.crypto import SealBroken
from tracing.platform.db import read_only, unit_of_work
from tracing.reports import (
    ContactIncomplete,
    FamilyContact,
    IllegalReportMove,
    LastSeen,
    contact_purpose,
    create_report,
    edit_report,
    get_report,
    is_identity_number,
    list_reports,
    publish_report,
    withdraw_report,
)
from tracing.services import Services

SECRETS = [FAMILY.name, FAMILY.relation, FAMILY.telephone, FAMILY.address, FAMILY.note, IDENTITY_NUMBER]


def edit(
    services: Services,
    viewer: Viewer,
    report: Report,
    now: datetime,
    *,
    known: Facts = REPORTED,
    contact: FamilyContact | None = None,
    version: int | None = None,
) -> Report:
    seen = LastSeen(report.last_seen_on, report.last_seen_division, report.last_seen_place)
    with unit_of_work(services.db) as session:
        return edit_report(session, services, viewer, report.id, seen, known, contact, version=version, now=now)


def in_any_spelling(secret: str) -> list[bytes]:
    """How a text could lie in a file: as UTF-8, in UTF-16, or escaped in JSON."""
    escaped = secret.encode("unicode_escape")
    return [secret.encode(), secret.encode("utf-16-le"), escaped]


def test_the_familys_details_are_nowhere_in_the_clear(services: Services, reporter: Viewer, now: datetime) -> None:
    with unit_of_work(services.db) as session:
        report = make_report(session, services, reporter, identity_number=IDENTITY_NUMBER, now=now)
        get_report(session, reporter, report.id, now=now)
    edit(services, reporter, report, now, contact=FAMILY)
    run_jobs(services, now)
    files = [path for path in services.settings.data_dir.rglob("*") if path.is_file()]
    content = b"".join(path.read_bytes() for path in files)
    assert "韦建国".encode() in content  # the reported name is there: the search for texts works
    for secret in SECRETS:
        assert secret
        for spelling in in_any_spelling(secret):
            assert spelling not in content


@pytest.mark.postgres
def test_no_table_of_postgresql_holds_them_in_the_clear(
    postgres_services: Services, reporter: Viewer, now: datetime
) -> None:
    with unit_of_work(postgres_services.db) as session:
        make_report(session, postgres_services, reporter, identity_number=IDENTITY_NUMBER, now=now)
    run_jobs(postgres_services, now)
    with read_only(postgres_services.db) as session:
        tables = session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
        content = "\n".join(
            str(row) for table in tables for row in session.scalars(text(f'SELECT t::text FROM "{table}" t'))
        )
    assert "韦建国" in content
    for secret in SECRETS:
        assert secret
        assert secret not in content
        assert secret.encode().hex() not in content


def test_the_seal_opens_for_its_own_report_alone(services: Services, reporter: Viewer, now: datetime) -> None:
    with unit_of_work(services.db) as session:
        first = make_report(session, services, reporter, now=now)
        second = make_report(session, services, reporter, now=now)
    assert first.family_contact_sealed
    with read_only(services.db) as session:
        subject = first.profile.subject_id
        opened = services.vault.open_json(session, subject, contact_purpose(first.id), first.family_contact_sealed)
        assert FamilyContact(**opened) == FAMILY
        with pytest.raises(SealBroken):
            services.vault.open_json(session, subject, contact_purpose(second.id), first.family_contact_sealed)
        with pytest.raises(SealBroken):
            services.vault.open_json(
                session, second.profile.subject_id, contact_purpose(first.id), first.family_contact_sealed
            )


def test_an_edit_without_contact_keeps_the_sealed_one(services: Services, reporter: Viewer, now: datetime) -> None:
    with unit_of_work(services.db) as session:
        report = make_report(session, services, reporter, identity_number=IDENTITY_NUMBER, now=now)
    edited = edit(services, reporter, report, now, known=facts(sex=Sex.MALE))
    assert edited.family_contact_sealed == report.family_contact_sealed
    assert edited.identity_number_sealed == report.identity_number_sealed
    assert edit(services, reporter, report, now, contact=FAMILY).family_contact_sealed != report.family_contact_sealed


@pytest.mark.parametrize(
    "contact",
    [
        FamilyContact(""),
        FamilyContact("  ", telephone="139"),
        FamilyContact("韦桂英"),
        FamilyContact("韦桂英", "姐姐", "", ""),
        FamilyContact("韦桂英", telephone="  ", address=" "),
    ],
)
def test_a_contact_by_which_nobody_is_reached(
    services: Services, reporter: Viewer, contact: FamilyContact, now: datetime
) -> None:
    with pytest.raises(InvalidFacts) as refused, unit_of_work(services.db) as session:
        make_report(session, services, reporter, contact=contact, now=now)
    assert [(problem.slug, problem.field) for problem in refused.value.problems] == [("contact_incomplete", "contact")]


def test_everything_wrong_is_told_at_once(services: Services, reporter: Viewer, now: datetime) -> None:
    last_seen = LastSeen(date(2026, 3, 9), "999999", "字" * 201)
    with pytest.raises(InvalidFacts) as refused, unit_of_work(services.db) as session:
        create_report(
            session, services, reporter, last_seen, facts(age=150), FamilyContact("韦"), "350203198003154210", now=now
        )
    assert [problem.slug for problem in refused.value.problems] == [
        "date_in_future", "unknown_division", "text_too_long", "contact_incomplete", "bad_identity_number",
        "age_out_of_range",
    ]  # fmt: skip
    with read_only(services.db) as session:
        assert not session.scalar(select(func.count()).select_from(Report))


def test_identity_numbers() -> None:
    assert is_identity_number("11010519491231002X")  # GB 11643's example
    assert is_identity_number(IDENTITY_NUMBER)
    for wrong in (
        "", "110105194912310021", "11010519491231002", "1101051949123100２X", "11010519491231002X\n", "A" * 18,
    ):  # fmt: skip
        assert not is_identity_number(wrong)


def test_a_draft_is_published_once_and_needs_somebody_to_tell(
    any_services: Services, reporter: Viewer, now: datetime
) -> None:
    with unit_of_work(any_services.db) as session:
        draft = make_report(session, any_services, reporter, contact=None, published=False, now=now)
    assert draft.state is ReportState.DRAFT
    assert draft.number.startswith("R350203-2026-000001-")
    with pytest.raises(ContactIncomplete), unit_of_work(any_services.db) as session:
        publish_report(session, any_services, reporter, draft.id, now=now)
    edit(any_services, reporter, draft, now, contact=FAMILY)
    for _ in range(2):
        with unit_of_work(any_services.db) as session:
            assert publish_report(session, any_services, reporter, draft.id, now=now).state is ReportState.OPEN
    with read_only(any_services.db) as session:
        assert session.scalar(select(func.count()).select_from(Job).where(Job.kind == "match")) == 1


def test_a_withdrawn_report_can_be_published_again_and_no_other_move_is_possible(
    services: Services, reporter: Viewer, now: datetime
) -> None:
    with unit_of_work(services.db) as session:
        report = make_report(session, services, reporter, now=now)
    with unit_of_work(services.db) as session:
        assert withdraw_report(session, services, reporter, report.id, now=now).state is ReportState.WITHDRAWN
    with pytest.raises(IllegalReportMove), unit_of_work(services.db) as session:
        withdraw_report(session, services, reporter, report.id, now=now)
    with unit_of_work(services.db) as session:
        assert publish_report(session, services, reporter, report.id, now=now).state is ReportState.OPEN


def test_a_stale_editor_is_told(services: Services, reporter: Viewer, now: datetime) -> None:
    with unit_of_work(services.db) as session:
        report = make_report(session, services, reporter, now=now)
    edit(services, reporter, report, now + timedelta(minutes=1), known=facts(age=50), version=report.version)
    with pytest.raises(errors.StaleVersion):
        edit(services, reporter, report, now + timedelta(minutes=2), known=facts(age=51), version=report.version)


def test_who_registers_reports(services: Services, world: World, now: datetime) -> None:
    may = set()
    for viewer in world.viewers():
        try:
            with unit_of_work(services.db) as session:
                make_report(session, services, viewer, now=now)
            may.add(viewer.role)
        except errors.Forbidden:
            pass
    assert may == {Role.STATION_STAFF, Role.POLICE_EXAMINER, Role.POLICE_SUPERVISOR}


def test_lists_filter_by_state_and_number(services: Services, reporter: Viewer, now: datetime) -> None:
    with unit_of_work(services.db) as session:
        first = make_report(session, services, reporter, now=now)
        second = make_report(session, services, reporter, published=False, now=now)
        drafts = list_reports(session, reporter, states=frozenset({ReportState.DRAFT}), now=now)
        numbered = list_reports(session, reporter, number="-000001-", now=now)
    assert [report.id for report in drafts.items] == [second.id]
    assert [report.id for report in numbered.items] == [first.id]


def test_a_report_published_again_is_matched_with_whoever_came_in_the_meantime(
    services: Services, staff: Viewer, reporter: Viewer, now: datetime
) -> None:
    with unit_of_work(services.db) as session:
        report = make_report(session, services, reporter, now=now)
    run_jobs(services, now)
    with unit_of_work(services.db) as session:
        withdraw_report(session, services, reporter, report.id, now=now)
        case = make_case(session, services, staff, now=now)
    run_jobs(services, now)
    assert state_of(services, case.id) is CaseState.UNRESOLVED
    with unit_of_work(services.db) as session:
        publish_report(session, services, reporter, report.id, now=now)
    run_jobs(services, now)
    assert candidate_of(services, case.id).report_id == report.id
    assert state_of(services, case.id) is CaseState.IN_REVIEW
