"""Who may do and see what: the matrix as it was agreed, spelt out once more, and each scope against the database."""

import uuid
from datetime import datetime

import pytest
from sqlalchemy import select

from matcher.vocabulary import GalleryKind
from models.candidate import Candidate
from models.case import Case, CaseState
from models.organisation import Organisation
from models.report import Report
from models.user import Locale, Role, User
from tests.factories.records import attach, make_case, make_report
from tests.factories.stories import candidate_of, judged_case, run_jobs
from tests.factories.world import World
from tracing import access
from tracing.access import MATRIX, Permission, Viewer
from tracing.candidates import list_candidates
from tracing.cases import get_case, list_cases
from tracing.photos import get_photo
from tracing.platform import errors
from tracing.platform.db import read_only, unit_of_work
from tracing.reports import get_report, list_reports
from tracing.services import Services

P = Permission
POLICE = {Role.POLICE_EXAMINER, Role.POLICE_SUPERVISOR}
AGREED: dict[Permission, set[Role]] = {
    P.CASE_READ: {Role.STATION_STAFF, Role.CASEWORKER, Role.BUREAU_SUPERVISOR} | POLICE,
    P.CASE_WRITE: {Role.STATION_STAFF},
    P.REPORT_READ: {Role.STATION_STAFF, Role.BUREAU_SUPERVISOR} | POLICE,
    P.REPORT_WRITE: {Role.STATION_STAFF} | POLICE,
    P.CANDIDATE_READ: {Role.STATION_STAFF, Role.CASEWORKER, Role.BUREAU_SUPERVISOR} | POLICE,
    P.REVIEW: POLICE,
    P.CONFIRM: POLICE,
    P.REVIEW_MANAGE: {Role.POLICE_SUPERVISOR},
    P.EXCLUDE: POLICE,
    P.EXCLUSION_REOPEN: {Role.POLICE_SUPERVISOR},
    P.CONTACT_EXCEPTION: {Role.POLICE_SUPERVISOR},
    P.SCREEN: {Role.STATION_STAFF, Role.CASEWORKER} | POLICE,
    P.HOME_NOTICE: {Role.STATION_STAFF, Role.CASEWORKER, Role.BUREAU_SUPERVISOR},
    P.NOTICE: {Role.STATION_STAFF},
    P.NOTICE_APPROVE: {Role.POLICE_SUPERVISOR, Role.BUREAU_SUPERVISOR},
    P.TIP: {Role.STATION_STAFF, Role.CASEWORKER},
    P.STATISTICS: {Role.STATION_STAFF, Role.POLICE_SUPERVISOR, Role.BUREAU_SUPERVISOR},
    P.CLAIM: POLICE,
    P.CLAIM_SETTLE: {Role.POLICE_SUPERVISOR},
    P.RECALL: {Role.POLICE_SUPERVISOR},
    P.RELEASE: POLICE,
    P.CONTACT: {Role.CASEWORKER},
    P.OUTCOME: {Role.STATION_STAFF, Role.CASEWORKER},
    P.MILESTONE: {Role.STATION_STAFF, Role.CASEWORKER} | POLICE,
    P.PAUSE: {Role.STATION_STAFF, Role.CASEWORKER, Role.BUREAU_SUPERVISOR},
    P.INTERVIEW: {Role.STATION_STAFF, Role.CASEWORKER},
    P.REFER: {Role.STATION_STAFF, Role.CASEWORKER},
    P.ANSWER: {Role.HEALTH_LIAISON, Role.RECEIVING_UNIT},
    P.FOLLOW_UP: {Role.STATION_STAFF, Role.CASEWORKER},
    P.DUPLICATE: {Role.STATION_STAFF} | POLICE,
    P.EXCLUDE: POLICE,
    P.EXCLUSION_REOPEN: {Role.POLICE_SUPERVISOR},
    P.REVIEW_MANAGE: {Role.POLICE_SUPERVISOR},
    P.SCREEN: {Role.STATION_STAFF, Role.CASEWORKER} | POLICE,
    P.CONTACT_EXCEPTION: {Role.POLICE_SUPERVISOR},
    P.HOME_NOTICE: {Role.STATION_STAFF, Role.CASEWORKER, Role.BUREAU_SUPERVISOR},
    P.NOTICE: {Role.STATION_STAFF},
    P.NOTICE_APPROVE: {Role.POLICE_SUPERVISOR, Role.BUREAU_SUPERVISOR},
    P.TIP: {Role.STATION_STAFF, Role.CASEWORKER},
    P.STATISTICS: {Role.STATION_STAFF, Role.POLICE_SUPERVISOR, Role.BUREAU_SUPERVISOR},
    P.EXPORT: {Role.STATION_STAFF, Role.POLICE_SUPERVISOR, Role.BUREAU_SUPERVISOR},
    P.ADMISSION: {Role.STATION_STAFF, Role.CASEWORKER},
    P.HANDOVER_RECEIVE: {Role.HEALTH_LIAISON},
    P.SIGHTING: {Role.STATION_STAFF, Role.COMMUNITY_LIAISON} | POLICE,
    P.SIGHTING_READ: {Role.STATION_STAFF, Role.COMMUNITY_LIAISON, Role.BUREAU_SUPERVISOR} | POLICE,
    P.SIGHTING_DECIDE: {Role.STATION_STAFF} | POLICE,
    P.LOOKOUT: {Role.STATION_STAFF} | POLICE,
    P.PATROL: {Role.STATION_STAFF, Role.COMMUNITY_LIAISON},
    P.PATROL_READ: {Role.STATION_STAFF, Role.COMMUNITY_LIAISON, Role.BUREAU_SUPERVISOR},
    P.ACCOUNTS: {Role.ADMINISTRATOR},
    P.WEBHOOKS: {Role.ADMINISTRATOR},
    P.JOBS: {Role.ADMINISTRATOR},
    P.AUDIT: {Role.AUDITOR},
}


def viewer_with(role: Role) -> Viewer:
    path = f"/{uuid.uuid4()}/"
    return Viewer(uuid.uuid4(), uuid.uuid4(), role, "x", Locale.ZH, path, path)


@pytest.mark.parametrize("permission", list(Permission))
@pytest.mark.parametrize("role", list(Role))
def test_the_matrix(role: Role, permission: Permission) -> None:
    allowed = role in AGREED[permission]
    assert (permission in MATRIX[role]) is allowed
    assert viewer_with(role).may(permission) is allowed
    if allowed:
        access.require(viewer_with(role), permission)
    else:
        with pytest.raises(errors.Forbidden) as refused:
            access.require(viewer_with(role), permission)
        assert refused.value.params == {"permission": permission.value}


def cases_of(services: Services, viewer: Viewer) -> set[uuid.UUID]:
    with read_only(services.db) as session:
        return set(session.scalars(select(Case.id).where(access.case_scope(viewer))))


def reports_of(services: Services, viewer: Viewer) -> set[uuid.UUID]:
    with read_only(services.db) as session:
        return set(session.scalars(select(Report.id).where(access.report_scope(viewer))))


@pytest.fixture
def scattered(any_services: Services, world: World, now: datetime) -> dict[str, uuid.UUID]:
    """A submitted case in the station, one in its sister, one in the other province; and a draft in the station."""
    placed = {
        "station": (world.a.users[Role.STATION_STAFF], True),
        "draft": (world.a.users[Role.STATION_STAFF], False),
        "sister": (world.a.sister_staff, True),
        "other": (world.b.users[Role.STATION_STAFF], True),
    }
    with unit_of_work(any_services.db) as session:
        return {
            name: make_case(session, any_services, world.viewer(user), submitted=submitted, now=now).id
            for name, (user, submitted) in placed.items()
        }


@pytest.mark.parametrize(
    ("role", "seen"),
    [
        (Role.STATION_STAFF, {"station", "draft"}),
        (Role.CASEWORKER, {"station", "draft"}),
        (Role.POLICE_EXAMINER, {"station", "sister"}),
        (Role.POLICE_SUPERVISOR, {"station", "sister"}),
        (Role.BUREAU_SUPERVISOR, {"station", "sister"}),
        (Role.HEALTH_LIAISON, set()),
        (Role.COMMUNITY_LIAISON, set()),
        (Role.RECEIVING_UNIT, set()),
        (Role.AUDITOR, set()),
        (Role.ADMINISTRATOR, set()),
    ],
)
def test_which_cases_exist_for_whom(
    any_services: Services, world: World, scattered: dict[str, uuid.UUID], role: Role, seen: set[str], now: datetime
) -> None:
    viewer = world.viewer(world.a.users[role])
    assert cases_of(any_services, viewer) == {scattered[name] for name in seen}
    for name, case_id in scattered.items():
        if name in seen:
            with unit_of_work(any_services.db) as session:
                assert get_case(session, viewer, case_id, now=now).id == case_id
        else:
            with pytest.raises(errors.NotFound), unit_of_work(any_services.db) as session:
                get_case(session, viewer, case_id, now=now)


def test_the_sister_station_and_the_other_province_see_their_own(
    any_services: Services, world: World, scattered: dict[str, uuid.UUID]
) -> None:
    assert cases_of(any_services, world.viewer(world.a.sister_staff)) == {scattered["sister"]}
    for role in (Role.STATION_STAFF, Role.POLICE_EXAMINER, Role.BUREAU_SUPERVISOR):
        assert cases_of(any_services, world.viewer(world.b.users[role])) == {scattered["other"]}


def test_which_reports_exist_for_whom(services: Services, world: World, now: datetime) -> None:
    with unit_of_work(services.db) as session:
        ours = make_report(session, services, world.viewer(world.a.sister_staff), now=now).id
        theirs = make_report(session, services, world.viewer(world.b.users[Role.STATION_STAFF]), now=now).id
    for role in Role:
        inside = role in POLICE | {Role.BUREAU_SUPERVISOR}
        assert reports_of(services, world.viewer(world.a.users[role])) == ({ours} if inside else set())
    assert reports_of(services, world.viewer(world.a.sister_staff)) == {ours}
    assert reports_of(services, world.viewer(world.b.users[Role.POLICE_EXAMINER])) == {theirs}


def test_lists_are_scoped_and_refused_to_roles_without_the_permission(
    services: Services, world: World, now: datetime
) -> None:
    with unit_of_work(services.db) as session:
        make_case(session, services, world.viewer(world.b.users[Role.STATION_STAFF]), now=now)
        make_report(session, services, world.viewer(world.b.users[Role.STATION_STAFF]), now=now)
    for role in Role:
        viewer = world.viewer(world.a.users[role])
        for permission, listing in ((P.CASE_READ, list_cases), (P.REPORT_READ, list_reports)):
            if viewer.may(permission):
                with unit_of_work(services.db) as session:
                    assert listing(session, viewer, now=now).items == ()
            else:
                with pytest.raises(errors.Forbidden), unit_of_work(services.db) as session:
                    listing(session, viewer, now=now)


def test_a_candidate_is_seen_from_the_case_and_not_from_the_report(
    services: Services, world: World, now: datetime
) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    for viewer in world.viewers():
        with read_only(services.db) as session:
            found = session.scalars(select(Candidate.id).where(access.candidate_scope(viewer))).all()
        inside = viewer.path.startswith(world.a.bureau.path) and viewer.may(P.CANDIDATE_READ)
        sister = viewer.organisation_id == world.a.sister.id
        assert list(found) == ([story.candidate_id] if inside and not sister else [])


def test_a_pair_of_cases_is_seen_from_both_sides(services: Services, world: World, now: datetime) -> None:
    with unit_of_work(services.db) as session:
        first = make_case(session, services, world.viewer(world.a.users[Role.STATION_STAFF]), now=now).id
    run_jobs(services, now)
    with unit_of_work(services.db) as session:
        second = make_case(session, services, world.viewer(world.b.users[Role.STATION_STAFF]), now=now).id
    run_jobs(services, now)
    for case_id, province in ((first, world.a), (second, world.b)):
        with unit_of_work(services.db) as session:
            views = list_candidates(session, world.viewer(province.users[Role.BUREAU_SUPERVISOR]), case_id, now=now)
        assert [{view.candidate.case_id, view.candidate.other_case_id} for view in views] == [{first, second}]


def test_photographs_of_a_candidate_are_seen_through_the_candidate(
    services: Services, world: World, now: datetime
) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    reporter = world.viewer(world.b.users[Role.STATION_STAFF])
    assert story.report_id
    with unit_of_work(services.db) as session:
        photo = attach(session, services, reporter, GalleryKind.REPORT, story.report_id, now=now)
    seen = set()
    for viewer in world.viewers():
        try:
            with unit_of_work(services.db) as session:
                get_photo(session, viewer, photo.id, now=now)
            seen.add(viewer.user_id)
        except errors.NotFound:
            pass
    theirs = {Role.STATION_STAFF, Role.POLICE_EXAMINER, Role.POLICE_SUPERVISOR, Role.BUREAU_SUPERVISOR}
    expected = {world.b.users[role].id for role in theirs} | {world.b.examiners[1].id}
    expected |= {world.a.users[role].id for role in theirs | {Role.CASEWORKER}} | {world.a.examiners[1].id}
    assert seen == expected


def test_the_police_of_a_root_organisation_reach_no_further_than_it() -> None:
    root = Organisation(id=uuid.uuid4(), parent_id=None, path="/r/")
    below = Organisation(id=uuid.uuid4(), parent_id=root.id, path="/r/p/")
    for role in Role:
        user = User(id=uuid.uuid4(), organisation_id=root.id, role=role, display_name="x", locale=Locale.ZH)
        assert access.viewer_of(user, root).jurisdiction == "/r/"
        assert access.viewer_of(user, below).jurisdiction == ("/r/" if role in POLICE else "/r/p/")


def test_the_police_who_serve_an_organisation_are_those_whose_jurisdiction_it_lies_in(
    services: Services, world: World, now: datetime
) -> None:
    with unit_of_work(services.db) as session:
        for number, home in enumerate((world.a.bureau, world.a.station, world.b.centre)):
            session.add(
                User(
                    id=uuid.uuid4(), organisation_id=home.id, role=Role.POLICE_EXAMINER, username=f"more{number}",
                    display_name="x", password_hash="x", active=number != 1, created_at=now,
                )
            )  # fmt: skip
    with unit_of_work(services.db) as session:
        homes = session.execute(select(User, Organisation).join(Organisation, User.organisation_id == Organisation.id))
        jurisdictions = {
            user.id: access.viewer_of(user, home).jurisdiction
            for user, home in homes
            if user.role in POLICE and user.active
        }
        assert len(jurisdictions) == 8
        for province in (world.a, world.b):
            for organisation in province.organisations():
                found = session.scalars(
                    select(User.id)
                    .join(Organisation, User.organisation_id == Organisation.id)
                    .where(access.police_serving(organisation))
                )
                assert set(found) == {one for one, path in jurisdictions.items() if organisation.path.startswith(path)}


def test_the_review_of_a_candidate_in_another_province_does_not_exist(
    services: Services, world: World, now: datetime
) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    assert candidate_of(services, story.case_id).report_id == story.report_id
    examiner = world.viewer(world.b.users[Role.POLICE_EXAMINER])
    with pytest.raises(errors.NotFound), unit_of_work(services.db) as session:
        list_candidates(session, examiner, story.case_id, now=now)
    assert story.report_id
    with unit_of_work(services.db) as session:  # the report is theirs, and is seen
        assert get_report(session, examiner, story.report_id, now=now).id == story.report_id
