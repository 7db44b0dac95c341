"""Operations, paging, idempotency keys and the organisation tree."""

import ast
import uuid
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select, update
from sqlalchemy.exc import DBAPIError

from models.job import Job, JobState
from models.organisation import Organisation, OrganisationKind
from models.user import Role
from tests.architecture.source import modules, name_of, parsed
from tests.factories.faces import RED, make_photo_bytes
from tests.factories.records import make_case
from tests.factories.stories import run_jobs
from tests.factories.world import World
from tracing.access import Viewer
from tracing.cases import list_cases
from tracing.fact_errors import EmptyValue, UnknownDivision
from tracing.idempotency import KeyReused, claim_key, created_before, remember
from tracing.operations import AuditFilter, check_database, list_events, list_jobs, retry_job, verify_audit
from tracing.organisations import DepthExceeded, create_organisation, list_organisations, place
from tracing.paging import BadCursor
from tracing.periodic import EVERY
from tracing.platform import errors
from tracing.platform.db import create_database, read_only, unit_of_work
from tracing.platform.jobs import JobUnknown
from tracing.platform.settings import DatabaseSettings
from tracing.services import Services
from tracing.tasks import REGISTRY


def broken_job(services: Services, now: datetime) -> uuid.UUID:
    identity = uuid.uuid4()
    with unit_of_work(services.db) as session:
        session.add(
            Job(
                id=identity, kind="match", key="broken", payload={}, state=JobState.SET_ASIDE, attempts=5,
                run_after=now, created_at=now, last_error="KeyError",
            )
        )  # fmt: skip
    return identity


def test_an_operator_sees_what_was_set_aside_and_puts_it_back(
    any_services: Services, administrator: Viewer, now: datetime
) -> None:
    job_id = broken_job(any_services, now)
    with unit_of_work(any_services.db) as session:
        page = list_jobs(session, administrator, states=frozenset({JobState.SET_ASIDE}), now=now)
        assert [job.id for job in page.items] == [job_id]
        retry_job(session, administrator, job_id, now=now)
    with read_only(any_services.db) as session:
        job = session.get_one(Job, job_id)
        assert (job.state, job.attempts) == (JobState.QUEUED, 0)
    with pytest.raises(JobUnknown), unit_of_work(any_services.db) as session:
        retry_job(session, administrator, job_id, now=now)


def test_who_operates_and_who_audits(services: Services, world: World, now: datetime) -> None:
    job_id = broken_job(services, now)
    for viewer in world.viewers():
        if viewer.role is not Role.ADMINISTRATOR:
            with pytest.raises(errors.Forbidden), unit_of_work(services.db) as session:
                list_jobs(session, viewer, now=now)
            with pytest.raises(errors.Forbidden), unit_of_work(services.db) as session:
                retry_job(session, viewer, job_id, now=now)
        if viewer.role is not Role.AUDITOR:
            with pytest.raises(errors.Forbidden), unit_of_work(services.db) as session:
                list_events(session, viewer, AuditFilter(), before=None, limit=1, now=now)
            with pytest.raises(errors.Forbidden), unit_of_work(services.db) as session:
                verify_audit(session, viewer, now=now)


def test_the_auditor_finds_events_by_action_object_and_actor(
    any_services: Services, world: World, staff: Viewer, now: datetime
) -> None:
    auditor = world.viewer(world.a.users[Role.AUDITOR])
    with unit_of_work(any_services.db) as session:
        case = make_case(session, any_services, staff, now=now)
    run_jobs(any_services, now)

    def found(wanted: AuditFilter, before: int | None = None, limit: int = 50) -> list[tuple[int, str]]:
        with unit_of_work(any_services.db) as session:
            rows = list_events(session, auditor, wanted, before=before, limit=limit, now=now)
        return [(row.seq, row.action) for row in rows]

    of_case = found(AuditFilter(object_id=str(case.id)))
    assert {action for _, action in of_case} == {"case.create", "case.submit", "case.move", "match.pass"}
    assert [seq for seq, _ in of_case] == sorted((seq for seq, _ in of_case), reverse=True)
    by_staff = found(AuditFilter(actor_id=staff.user_id, action="case."))
    assert {action for _, action in by_staff} == {"case.create", "case.submit", "case.move"}
    assert found(AuditFilter(object_id=str(case.id)), before=of_case[0][0], limit=1) == of_case[1:2]
    with unit_of_work(any_services.db) as session:
        assert verify_audit(session, auditor, now=now).ok


def test_readiness_is_told_by_the_schema(services: Services, tmp_path: Path) -> None:
    with read_only(services.db) as session:
        check_database(session)
    url = SecretStr(f"sqlite:///{tmp_path}/empty.sqlite3")
    empty = create_database(services.settings.model_copy(update={"database": DatabaseSettings(url=url)}))
    with pytest.raises(DBAPIError, match="audit_head"), read_only(empty) as session:
        check_database(session)
    empty.dispose()


@pytest.mark.parametrize("cursor", ["nonsense", "ÿ", "MjAyNg", "AAAA", "MjAyNi0wMy0wMiB4"])
def test_a_damaged_cursor_is_told(services: Services, staff: Viewer, cursor: str, now: datetime) -> None:
    with pytest.raises(BadCursor) as refused, unit_of_work(services.db) as session:
        list_cases(session, staff, cursor=cursor, now=now)
    assert refused.value.field == "cursor"


def test_pages_are_complete_while_rows_arrive_and_times_are_equal(
    any_services: Services, staff: Viewer, now: datetime
) -> None:
    with unit_of_work(any_services.db) as session:
        made = {make_case(session, any_services, staff, submitted=False, now=now).id for _ in range(7)}
    seen: list[uuid.UUID] = []
    cursor = None
    while True:
        with unit_of_work(any_services.db) as session:
            page = list_cases(session, staff, cursor=cursor, limit=3, now=now)
            make_case(session, any_services, staff, submitted=False, now=now + timedelta(seconds=1))
        seen += [case.id for case in page.items]
        if (cursor := page.next_cursor) is None:
            break
    assert len(seen) == 7
    assert set(seen) == made


def test_a_key_names_what_it_created_for_its_user_alone(
    any_services: Services, staff: Viewer, reporter: Viewer, now: datetime
) -> None:
    created = uuid.uuid4()
    with unit_of_work(any_services.db) as session:
        assert claim_key(session, staff, "k1", "digest", now=now) is None
        remember(session, staff, "k1", created)
    with unit_of_work(any_services.db) as session:
        assert claim_key(session, staff, "k1", "digest", now=now) == created
        assert created_before(session, staff, "k1", "digest") == created
        assert created_before(session, reporter, "k1", "digest") is None
        with pytest.raises(KeyReused):
            created_before(session, staff, "k1", "another request")
        with pytest.raises(KeyReused):
            claim_key(session, staff, "k1", "another request", now=now)


def test_the_tree_grows_below_what_an_administrator_manages(
    any_services: Services, world: World, administrator: Viewer, now: datetime
) -> None:
    def grow(parent_id: uuid.UUID, division: str = "450702", name: str = "新驿站") -> Organisation:
        with unit_of_work(any_services.db) as session:
            return create_organisation(
                session, administrator, parent_id=parent_id, kind=OrganisationKind.STREET_POST, name_zh=name,
                name_en="New post", division=division, now=now,
            )  # fmt: skip

    made = grow(world.a.station.id)
    assert made.path == f"{world.a.station.path}{made.id}/"
    with pytest.raises(errors.NotFound):
        grow(world.b.station.id)
    with pytest.raises(UnknownDivision):
        grow(world.a.station.id, division="999999")
    with pytest.raises(EmptyValue):
        grow(world.a.station.id, name="  ")
    with unit_of_work(any_services.db) as session:
        paths = [one.path for one in list_organisations(session, administrator)]
        with pytest.raises(errors.Forbidden):
            create_organisation(
                session, world.viewer(world.a.users[Role.STATION_STAFF]), parent_id=world.a.station.id,
                kind=OrganisationKind.COMMUNITY, name_zh="x", name_en="x", division="450702", now=now,
            )  # fmt: skip
    assert paths == sorted(paths)
    assert len(paths) == len(world.a.organisations()) + 1


def test_a_tree_is_no_deeper_than_its_path_can_hold(now: datetime) -> None:
    parent: Organisation | None = None
    for _ in range(12):
        parent = place(parent, kind=OrganisationKind.COMMUNITY, name_zh="x", name_en="x", division="45", now=now)
    assert parent is not None
    assert len(parent.path) <= 600
    with pytest.raises(DepthExceeded):
        place(parent, kind=OrganisationKind.COMMUNITY, name_zh="x", name_en="x", division="45", now=now)


def enqueued() -> set[str]:
    """Kinds of job that the source asks for: the constants given to `jobs.enqueue`, and those of the clock."""
    found = set(EVERY)
    for path in modules("tracing"):
        for call in (node for node in ast.walk(parsed(path)) if isinstance(node, ast.Call)):
            if isinstance(call.func, ast.Attribute) and call.func.attr == "enqueue":
                kind = next(word.value for word in call.keywords if word.arg == "kind")
                if isinstance(kind, ast.Name) and kind.id.isupper():
                    module = name_of(path).removesuffix(".py").replace("/", ".")
                    found.add(vars(import_module(module))[kind.id])
    return found


def test_the_registry_knows_every_kind_that_is_enqueued() -> None:
    assert enqueued() == set(REGISTRY)


def test_a_job_run_again_is_harmless(services: Services, staff: Viewer, now: datetime) -> None:
    with unit_of_work(services.db) as session:
        make_case(session, services, staff, photo=make_photo_bytes(RED), now=now)
    with read_only(services.db) as session:
        waiting = session.scalar(select(func.count()).select_from(Job)) or 0
    assert run_jobs(services, now) == waiting
    with unit_of_work(services.db) as session:  # run again by an operator's mistake: harmless
        session.execute(update(Job).values(state=JobState.QUEUED, attempts=0))
    assert run_jobs(services, now) == waiting
