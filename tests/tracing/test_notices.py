"""Notices: who drafts and who lets through, what may be told of whom, and that nobody found is still shown."""

import io
import threading
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy import select, update

from matcher.vocabulary import AttributeKind, Basis, GalleryKind, KinRelation, NameKind, PlaceKind, Sex
from models.case import GATED, AdmissionKind, Case, CaseState
from models.confirmation import ConfirmationMethod
from models.contact import DangerScreen, PersonWish
from models.deadline import ClockKind, Deadline
from models.milestone import Milestone, MilestoneKind
from models.notice import PUBLIC_STATES, NoticeFact, NoticeState, NoticeVersion
from models.notification import Notification, NotificationKind
from models.outcome import OutcomeKind
from models.user import Role
from tests.factories.faces import GREEN, RED, make_photo_bytes
from tests.factories.notices import draft_of, propose, publish, token_of
from tests.factories.records import attach, make_case
from tests.factories.stories import Story, end_story, judged_case, run_jobs, two_reviews
from tests.factories.world import World
from tracing import notices
from tracing.access import Permission, Viewer
from tracing.admission import Admission, StatedIdentity, disprove_identity, record_admission, take_into_care
from tracing.cases import Circumstances, ReasonMissing, edit_case, move_case
from tracing.confirmation import confirm, recall
from tracing.facts import AttributeFact, Facts, KinFact, NameFact, PhoneFact, PlaceFact
from tracing.notice_content import NoticeFactWithheld, NoticeTellsTooMuch, TelephoneInvalid, group_of
from tracing.notice_policy import load_notice_policies
from tracing.notices_public import PublicNotice, public_notice, public_photo
from tracing.photos import remove_photo
from tracing.platform import errors
from tracing.platform.db import read_only, unit_of_work
from tracing.platform.settings import SettingsError
from tracing.services import Services


@pytest.fixture
def story(any_services: Services, world: World, now: datetime) -> Story:
    """A case in review: a man of about 45 who was heard to say a name."""
    return judged_case(any_services, world, CaseState.IN_REVIEW, now=now)


@pytest.fixture
def bureau(world: World) -> Viewer:
    """Province a's bureau supervisor."""
    return world.viewer(world.a.users[Role.BUREAU_SUPERVISOR])


def look(services: Services, case_id: uuid.UUID, now: datetime) -> PublicNotice | None:
    """What the public sees."""
    with read_only(services.db) as session:
        try:
            return public_notice(session, services, token_of(services, case_id), now=now)
        except errors.NotFound:
            return None


def told(found: PublicNotice | None) -> dict[NoticeFact, tuple[str, ...]]:
    assert found is not None
    return {one.fact: one.values for one in found.content.values}


def add_photo(services: Services, viewer: Viewer, case_id: uuid.UUID, data: bytes, now: datetime) -> uuid.UUID:
    with unit_of_work(services.db) as session:
        return attach(session, services, viewer, GalleryKind.CASE, case_id, data, now=now).id


def test_drafted_by_one_published_by_another(
    any_services: Services, world: World, staff: Viewer, bureau: Viewer, story: Story, now: datetime
) -> None:
    version = propose(any_services, world, story.case_id, now=now)
    assert look(any_services, story.case_id, now) is None
    with pytest.raises(errors.Forbidden), unit_of_work(any_services.db) as session:
        notices.approve_notice(session, any_services, staff, version.id, now=now)
    with pytest.raises(notices.NoticeWaiting):
        propose(any_services, world, story.case_id, now=now)
    with unit_of_work(any_services.db) as session:
        notices.approve_notice(session, any_services, bureau, version.id, now=now)
        kinds = session.scalars(select(Milestone.kind).where(Milestone.case_id == story.case_id)).all()
        clock = session.scalars(
            select(Deadline).where(Deadline.case_id == story.case_id, Deadline.kind == ClockKind.TRACING_NOTICE)
        ).one()
        assert kinds == [MilestoneKind.NOTICE_PUBLISHED]
        assert clock.met_at == now
    found = told(look(any_services, story.case_id, now))
    assert found[NoticeFact.SEX] == (Sex.MALE,)
    assert found[NoticeFact.NAME_HEARD] == ("韦建国",)
    with pytest.raises(notices.NoticeEnded), unit_of_work(any_services.db) as session:
        notices.approve_notice(session, any_services, bureau, version.id, now=now)


def test_whoever_drafted_it_does_not_approve_it_in_another_role(
    services: Services, world: World, bureau: Viewer, now: datetime
) -> None:
    case = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    version = propose(services, world, case.case_id, now=now)
    promoted = replace(bureau, user_id=version.drafted_by_id)
    with pytest.raises(notices.OwnDraft), unit_of_work(services.db) as session:
        notices.approve_notice(session, services, promoted, version.id, now=now)
    with pytest.raises(notices.OwnDraft), unit_of_work(services.db) as session:
        notices.reject_notice(session, promoted, version.id, reason="x", now=now)


def test_who_may_do_what(any_services: Services, world: World, story: Story, now: datetime) -> None:
    version = propose(any_services, world, story.case_id, now=now)
    refused = (errors.Forbidden, errors.NotFound)
    for viewer in world.viewers():
        inside = viewer.path.startswith(world.a.bureau.path)
        if not (viewer.may(Permission.NOTICE) and inside and viewer.organisation_id == world.a.station.id):
            with pytest.raises(refused), unit_of_work(any_services.db) as session:
                notices.draft_notice(session, any_services, viewer, story.case_id, draft_of(), now=now)
        if not (viewer.may(Permission.NOTICE_APPROVE) and inside):
            with pytest.raises(refused), unit_of_work(any_services.db) as session:
                notices.approve_notice(session, any_services, viewer, version.id, now=now)
            with pytest.raises(refused), unit_of_work(any_services.db) as session:
                notices.reject_notice(session, viewer, version.id, reason="x", now=now)
        if not inside:
            with pytest.raises(refused), unit_of_work(any_services.db) as session:
                notices.read_notice(session, any_services, viewer, version.id, now=now)
            with pytest.raises(refused), unit_of_work(any_services.db) as session:
                notices.withdraw_notice(session, viewer, version.id, reason="x", now=now)


def test_approvers_are_told_and_the_drafter_hears_of_the_decision(
    services: Services, world: World, bureau: Viewer, now: datetime
) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    version = propose(services, world, story.case_id, now=now)
    with pytest.raises(ReasonMissing), unit_of_work(services.db) as session:
        notices.reject_notice(session, bureau, version.id, reason=" ", now=now)
    with unit_of_work(services.db) as session:
        rejected = notices.reject_notice(session, bureau, version.id, reason="照片不清", now=now)
        assert rejected.rejection_reason == "照片不清"
    with read_only(services.db) as session:
        lines = session.execute(
            select(Notification.kind, Notification.recipient_id).where(Notification.object_id == version.id)
        ).all()
    asked = {user for kind, user in lines if kind is NotificationKind.NOTICE_TO_APPROVE}
    assert asked == {world.a.users[role].id for role in (Role.BUREAU_SUPERVISOR, Role.POLICE_SUPERVISOR)}
    heard = {user for kind, user in lines if kind is NotificationKind.NOTICE_DECIDED}
    assert heard == {version.drafted_by_id}
    assert look(services, story.case_id, now) is None
    publish(services, world, story.case_id, now=now)  # sent back, drafted anew


@pytest.mark.parametrize("state", sorted(set(CaseState) - GATED - {CaseState.IN_CARE}))
def test_the_page_follows_the_state_at_the_same_instant(
    state: CaseState, services: Services, world: World, now: datetime
) -> None:
    """Even when somebody writes the state past every use case.

    The gated ones are played below, and nobody who was sought comes to be in care; a settlement needs its dossier.
    """
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    publish(services, world, story.case_id, now=now)
    with unit_of_work(services.db) as session:
        if state is not CaseState.SETTLED:
            session.execute(update(Case).where(Case.id == story.case_id).values(state=state))
    if state is CaseState.SETTLED:
        end_story(services, world, story.case_id, OutcomeKind.SETTLED, now=now)
    assert (look(services, story.case_id, now) is not None) is (state in PUBLIC_STATES)


def test_identification_ends_it_and_a_recall_does_not_bring_it_back(
    any_services: Services, world: World, staff: Viewer, supervisor: Viewer, now: datetime
) -> None:
    services = any_services
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    version = publish(services, world, story.case_id, now=now)
    confirmed(services, world, story, now)
    assert look(services, story.case_id, now) is None
    with read_only(services.db) as session:
        ended = session.get_one(NoticeVersion, version.id)
        assert (ended.state, ended.withdrawal_reason, ended.withdrawn_by_id) == (
            NoticeState.WITHDRAWN, CaseState.IDENTIFIED, None,
        )  # fmt: skip
        told_of = select(Notification.recipient_id).where(Notification.kind == NotificationKind.NOTICE_WITHDRAWN)
        assert set(session.scalars(told_of)) == {staff.user_id}
    with pytest.raises(notices.CaseNotPublic):
        propose(services, world, story.case_id, now=now)
    with unit_of_work(services.db) as session:
        recall(session, services, supervisor, story.case_id, reason="DNA 不符", now=now)
    with unit_of_work(services.db) as session:
        move_case(session, services, staff, story.case_id, CaseState.SEARCHING, reason="重新寻亲", now=now)
    assert look(services, story.case_id, now) is None
    publish(services, world, story.case_id, now=now)
    assert look(services, story.case_id, now) is not None


def confirmed(services: Services, world: World, story: Story, now: datetime) -> None:
    from_police = world.viewer(world.a.users[Role.POLICE_SUPERVISOR])
    two_reviews(services, world, story.candidate, now=now)
    with unit_of_work(services.db) as session:
        confirm(
            session, from_police, story.case_id, story.candidate, ConfirmationMethod.AGREEING_REVIEWS,
            reference=None, grounds="两人一致", now=now,
        )  # fmt: skip


def test_a_waiting_draft_ends_with_the_stay_too(
    services: Services, world: World, staff: Viewer, bureau: Viewer, now: datetime
) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    version = propose(services, world, story.case_id, now=now)
    with unit_of_work(services.db) as session:
        move_case(session, services, staff, story.case_id, CaseState.LEFT, reason="自行离站", now=now)
    with pytest.raises(notices.NoticeEnded), unit_of_work(services.db) as session:
        notices.approve_notice(session, services, bureau, version.id, now=now)


def test_the_station_withdraws_it_with_a_reason(services: Services, world: World, staff: Viewer, now: datetime) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    version = publish(services, world, story.case_id, now=now)
    with pytest.raises(ReasonMissing), unit_of_work(services.db) as session:
        notices.withdraw_notice(session, staff, version.id, reason="", now=now)
    with unit_of_work(services.db) as session:
        notices.withdraw_notice(session, staff, version.id, reason="本人改变主意", now=now)
    assert look(services, story.case_id, now) is None
    with pytest.raises(notices.NoticeEnded), unit_of_work(services.db) as session:
        notices.withdraw_notice(session, staff, version.id, reason="再次", now=now)


def test_an_objection_or_a_danger_publishes_nothing(services: Services, world: World, now: datetime) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    with pytest.raises(notices.NoticeUnwanted):
        propose(services, world, story.case_id, draft_of(wish=PersonWish.OBJECTS), now=now)
    with pytest.raises(notices.NoticeUnsafe):
        propose(services, world, story.case_id, draft_of(danger=DangerScreen.SUSPECTED), now=now)
    with pytest.raises(TelephoneInvalid):
        propose(services, world, story.case_id, draft_of(telephone="请到前台"), now=now)


def person(age: int | None, basis: Basis = Basis.DOCUMENTED, **more: str) -> Facts:
    rows = [AttributeFact(AttributeKind.SEX, Sex.FEMALE, Basis.ESTIMATED)]
    if age is not None:
        rows.append(AttributeFact(AttributeKind.AGE, str(age), basis))
    return Facts(
        attributes=(*rows, AttributeFact(AttributeKind.BELONGINGS, "红色书包", Basis.ESTIMATED)),
        names=(NameFact("小丽", NameKind.HEARD, Basis.HEARD),),
        kin=(KinFact("韦桂英", KinRelation.MOTHER, Basis.HEARD),),
        phones=(PhoneFact("1390777", Basis.HEARD),),
        places=(PlaceFact("450703", PlaceKind.MENTIONED, Basis.HEARD),),
    )


def test_a_known_identity_is_no_notice(any_services: Services, world: World, staff: Viewer, now: datetime) -> None:
    """In care, and after it; one that proves false is sought like any other."""
    known = Admission(AdmissionKind.KNOWN_IDENTITY, fingerprint_reason="身份明确", identity=StatedIdentity("梁某"))
    with unit_of_work(any_services.db) as session:
        cases = [make_case(session, any_services, staff, submitted=False, now=now).id for _ in range(2)]
        for one in cases:
            record_admission(session, any_services, staff, one, known, version=None, now=now)
            take_into_care(session, any_services, staff, one, now=now)
        move_case(session, any_services, staff, cases[1], CaseState.LEFT, reason="自行离站", now=now)
    for one in cases:
        with pytest.raises(notices.CaseNotPublic):
            propose(any_services, world, one, now=now)
    with unit_of_work(any_services.db) as session:
        disprove_identity(session, any_services, staff, cases[0], reason="他人证件", now=now)
    publish(any_services, world, cases[0], now=now)
    assert look(any_services, cases[0], now) is not None


@pytest.mark.parametrize(
    ("age", "basis", "named"),
    [
        (None, Basis.DOCUMENTED, False), (10, Basis.DOCUMENTED, False), (17, Basis.DOCUMENTED, False),
        (18, Basis.DOCUMENTED, True), (20, Basis.ESTIMATED, False), (40, Basis.ESTIMATED, True),
    ],
)  # fmt: skip
def test_a_minor_is_never_named(
    age: int | None, basis: Basis, named: bool, services: Services, world: World, staff: Viewer, now: datetime
) -> None:
    with unit_of_work(services.db) as session:
        case = make_case(session, services, staff, known=person(age, basis), now=now)
    publish(services, world, case.id, now=now)
    found = told(look(services, case.id, now))
    assert (NoticeFact.NAME_HEARD in found, NoticeFact.FOUND_PLACE in found) == (
        named,
        named and bool(case.found_place),
    )
    assert NoticeFact.BELONGINGS not in found  # what kin are verified by is never told
    if not named:
        with unit_of_work(services.db) as session:
            move_case(session, services, staff, case.id, CaseState.LEFT, reason="x", now=now)
            move_case(session, services, staff, case.id, CaseState.SEARCHING, reason="x", now=now)
        with pytest.raises(NoticeFactWithheld):
            propose(services, world, case.id, draft_of(facts=frozenset({NoticeFact.NAME_HEARD})), now=now)


def test_an_age_that_is_learned_later_withholds_at_once(
    services: Services, world: World, staff: Viewer, bureau: Viewer, now: datetime
) -> None:
    with unit_of_work(services.db) as session:
        case = make_case(session, services, staff, known=person(25), now=now)
    publish(services, world, case.id, now=now)
    waiting = propose(services, world, case.id, now=now)
    assert NoticeFact.NAME_HEARD in told(look(services, case.id, now))
    with unit_of_work(services.db) as session:
        circumstances = notices_circumstances(session.get_one(Case, case.id))
        edit_case(session, services, staff, case.id, circumstances, person(16), version=None, now=now)
    assert NoticeFact.NAME_HEARD not in told(look(services, case.id, now))
    with pytest.raises(NoticeFactWithheld), unit_of_work(services.db) as session:
        notices.approve_notice(session, services, bureau, waiting.id, now=now)


def notices_circumstances(case: Case) -> Circumstances:
    return Circumstances(case.admitted_on, case.found_on, case.found_division, case.found_place)


@pytest.mark.parametrize("text", ["她说妈妈叫韦桂英", "电话 139-0777 后面忘了", "身份证 45070219900101", "别名小丽"])
def test_free_text_tells_no_name_and_no_number(
    text: str, services: Services, world: World, staff: Viewer, now: datetime
) -> None:
    with unit_of_work(services.db) as session:
        case = make_case(session, services, staff, known=person(40), now=now)
    only = frozenset({NoticeFact.SEX})
    with pytest.raises(NoticeTellsTooMuch):
        propose(services, world, case.id, draft_of(facts=only, statement=text), now=now)
    publish(services, world, case.id, draft_of(facts=only, statement="会唱壮语山歌"), now=now)
    assert told(look(services, case.id, now)) == {NoticeFact.SEX: ("female",), NoticeFact.STATEMENT: ("会唱壮语山歌",)}


def test_the_photograph_is_small_without_metadata_and_goes_with_the_original(
    services: Services, world: World, staff: Viewer, now: datetime
) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    exif = Image.Exif()
    exif[0x010F], exif[0x8769] = "Maker", {0x9003: "2026:01:01 10:00:00"}
    target = io.BytesIO()
    Image.new("RGB", (2400, 1800), (200, 30, 30)).save(target, "JPEG", exif=exif)
    photo_id = add_photo(services, staff, story.case_id, target.getvalue(), now)
    publish(services, world, story.case_id, draft_of(photo_id=photo_id), now=now)
    with read_only(services.db) as session:
        data = public_photo(session, services, token_of(services, story.case_id), now=now)
    with Image.open(io.BytesIO(data)) as image:
        assert (max(image.size), dict(image.getexif())) == (800, {})
    with unit_of_work(services.db) as session:
        remove_photo(session, services, staff, photo_id, now=now)
    found = look(services, story.case_id, now)
    assert found is not None
    assert not found.has_photo
    with pytest.raises(errors.NotFound), read_only(services.db) as session:
        public_photo(session, services, token_of(services, story.case_id), now=now)


def test_nobody_else_is_published(both: Services, world: World, staff: Viewer, now: datetime) -> None:
    with unit_of_work(both.db) as session:
        case = make_case(session, both, staff, now=now)
        other = make_case(session, both, staff, now=now)
    two = add_photo(both, staff, case.id, make_photo_bytes(RED, GREEN), now)
    foreign = add_photo(both, staff, other.id, make_photo_bytes(RED), now)
    run_jobs(both, now)
    with pytest.raises(notices.NoticePhotoUnclear):
        propose(both, world, case.id, draft_of(photo_id=two), now=now)
    with pytest.raises(notices.NoticePhotoUnknown):
        propose(both, world, case.id, draft_of(photo_id=foreign), now=now)


def test_a_refresh_with_a_new_photograph_meets_the_clock(
    any_services: Services, world: World, staff: Viewer, story: Story, now: datetime
) -> None:
    services = any_services
    first = add_photo(services, staff, story.case_id, make_photo_bytes(RED), now)
    second = add_photo(services, staff, story.case_id, make_photo_bytes(GREEN), now)

    def kinds() -> list[MilestoneKind]:
        with read_only(services.db) as session:
            rows = select(Milestone.kind).where(Milestone.case_id == story.case_id).order_by(Milestone.occurred_at)
            return list(session.scalars(rows))

    publish(services, world, story.case_id, draft_of(photo_id=first), now=now)
    publish(services, world, story.case_id, draft_of(photo_id=first), now=now + timedelta(days=20))
    assert kinds() == [MilestoneKind.NOTICE_PUBLISHED]  # the same picture again is no refresh
    publish(services, world, story.case_id, draft_of(photo_id=second), now=now + timedelta(days=25))
    assert kinds() == [MilestoneKind.NOTICE_PUBLISHED, MilestoneKind.NOTICE_REFRESHED]
    with unit_of_work(services.db) as session:
        page = notices.list_notices(session, staff, case_id=story.case_id, limit=2, now=now)
        rest = notices.list_notices(session, staff, case_id=story.case_id, cursor=page.next_cursor, limit=2, now=now)
        clock = session.scalars(
            select(Deadline).where(Deadline.case_id == story.case_id, Deadline.kind == ClockKind.NOTICE_REFRESH)
        ).one()
        assert clock.met_at == now + timedelta(days=25)
    states = [(one.number, one.state) for one in (*page.items, *rest.items)]
    assert states == [(3, NoticeState.PUBLISHED), (2, NoticeState.REPLACED), (1, NoticeState.REPLACED)]


def test_what_a_notice_tells_lies_sealed(services: Services, world: World, now: datetime) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    publish(services, world, story.case_id, draft_of(statement="会唱壮语山歌"), now=now)
    stored = services.settings.data_dir.joinpath("guitu.sqlite3").read_bytes()
    stored += services.settings.data_dir.joinpath("guitu.sqlite3-wal").read_bytes()
    assert "会唱壮语山歌".encode() not in stored


@for_all(age=st.none() | st.floats(0, 110), margin=st.none() | st.floats(0, 20), basis=st.sampled_from(Basis))
def test_less_certainty_never_tells_more(age: float | None, margin: float | None, basis: Basis) -> None:
    policy = load_notice_policies(Path("nowhere")).policies["CN"]
    facts = Facts(
        attributes=() if age is None else (AttributeFact(AttributeKind.AGE, str(age), basis, uncertainty=margin),)
    )
    group = group_of(policy, facts, datetime(2026, 3, 2).date())  # noqa: DTZ001
    assert (NoticeFact.NAME_HEARD in group.facts) <= (age is not None and age - (margin or 0) >= 18)
    assert not group.facts & {NoticeFact.MARKS, NoticeFact.BELONGINGS, NoticeFact.HEALTH, NoticeFact.MENTAL_STATE}


def test_a_policy_that_cannot_be_right_stops_the_service(tmp_path: Path) -> None:
    (tmp_path / "notices-45.json").write_text('{"jurisdiction": "45", "version": "1"}', "utf-8")
    with pytest.raises(SettingsError, match=r"notices-45\.json"):
        load_notice_policies(tmp_path)


@pytest.mark.postgres
def test_an_approval_and_an_identification_that_race(
    postgres_services: Services, world: World, bureau: Viewer, now: datetime
) -> None:
    """Whoever is first, nobody identified is shown."""
    services = postgres_services
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    version = propose(services, world, story.case_id, now=now)
    start, ended = threading.Barrier(2), list[str]()

    def approve() -> None:
        with unit_of_work(services.db) as session:
            notices.approve_notice(session, services, bureau, version.id, now=now)

    def run(what: Callable[[], object]) -> None:
        start.wait()
        try:
            what()
            ended.append("done")
        except errors.TracingError as error:
            ended.append(error.slug)

    threads = [
        threading.Thread(target=run, args=(one,)) for one in (approve, lambda: confirmed(services, world, story, now))
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(ended) in (["done", "done"], ["done", "notice_ended"])
    assert look(services, story.case_id, now) is None
