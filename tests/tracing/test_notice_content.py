"""What a notice tells: of whom, with which certainty, and that the rest lies sealed."""

import io
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy import select

from matcher.vocabulary import AttributeKind, Basis, KinRelation, NameKind, PlaceKind, Sex
from models.case import Case, CaseState
from models.deadline import ClockKind, Deadline
from models.milestone import Milestone, MilestoneKind
from models.notice import NoticeFact, NoticeState
from models.user import Role
from tests.factories.faces import GREEN, RED, make_photo_bytes
from tests.factories.notices import add_photo, draft_of, look, propose, publish, token_of, told
from tests.factories.records import make_case
from tests.factories.stories import Story, judged_case, run_jobs
from tests.factories.world import World
from tracing import notice_errors, notices
from tracing.access import Viewer
from tracing.cases import Circumstances, edit_case, move_case
from tracing.facts import AttributeFact, Facts, KinFact, NameFact, PhoneFact, PlaceFact
from tracing.notice_content import NoticeFactWithheld, NoticeTellsTooMuch, group_of
from tracing.notice_policy import load_notice_policies
from tracing.notices_public import public_photo
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


def test_no_fact_in_free_words_tells_a_name_or_a_number(
    services: Services, world: World, staff: Viewer, bureau: Viewer, now: datetime
) -> None:
    known = person(40)
    for text in ("外套上绣着韦桂英", "手上写着 139 0777"):
        worn = AttributeFact(AttributeKind.CLOTHING, text, Basis.ESTIMATED)
        with unit_of_work(services.db) as session:
            case = make_case(
                session, services, staff, known=replace(known, attributes=(*known.attributes, worn)), now=now
            )
        with pytest.raises(NoticeTellsTooMuch) as refused:
            propose(services, world, case.id, now=now)
        assert refused.value.field == "facts"
        propose(services, world, case.id, draft_of(facts=frozenset({NoticeFact.SEX})), now=now)


def test_what_was_learned_since_the_draft_is_looked_at_again(
    services: Services, world: World, staff: Viewer, bureau: Viewer, now: datetime
) -> None:
    with unit_of_work(services.db) as session:
        case = make_case(session, services, staff, known=person(40), now=now)
    waiting = propose(services, world, case.id, draft_of(statement="常说起阿强"), now=now)
    learned = replace(person(40), kin=(KinFact("阿强", KinRelation.SON, Basis.HEARD),))
    with unit_of_work(services.db) as session:
        circumstances = notices_circumstances(session.get_one(Case, case.id))
        edit_case(session, services, staff, case.id, circumstances, learned, version=None, now=now)
    with pytest.raises(NoticeTellsTooMuch), unit_of_work(services.db) as session:
        notices.approve_notice(session, services, bureau, waiting.id, now=now)


def test_a_draft_whose_photograph_is_gone_is_not_let_through(
    services: Services, world: World, staff: Viewer, bureau: Viewer, now: datetime
) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    photo_id = add_photo(services, staff, story.case_id, make_photo_bytes(RED), now)
    waiting = propose(services, world, story.case_id, draft_of(photo_id=photo_id), now=now)
    with unit_of_work(services.db) as session:
        remove_photo(session, services, staff, photo_id, now=now)
    with pytest.raises(notice_errors.NoticePhotoUnknown), unit_of_work(services.db) as session:
        notices.approve_notice(session, services, bureau, waiting.id, now=now)


def test_staff_read_and_print_what_the_public_sees(
    services: Services, world: World, staff: Viewer, now: datetime
) -> None:
    with unit_of_work(services.db) as session:
        case = make_case(session, services, staff, known=person(25), now=now)
    photo_id = add_photo(services, staff, case.id, make_photo_bytes(RED), now)
    version = publish(services, world, case.id, draft_of(photo_id=photo_id), now=now)
    with unit_of_work(services.db) as session:
        assert notices.read_notice(session, services, staff, version.id, now=now).has_photo
        circumstances = notices_circumstances(session.get_one(Case, case.id))
        edit_case(session, services, staff, case.id, circumstances, person(16), version=None, now=now)
        remove_photo(session, services, staff, photo_id, now=now)
    with unit_of_work(services.db) as session:
        view = notices.read_notice(session, services, staff, version.id, now=now)
    shown = look(services, case.id, now)
    assert shown is not None
    assert (view.content, view.has_photo) == (shown.content, False)
    assert NoticeFact.NAME_HEARD not in {one.fact for one in view.content.values}
    with pytest.raises(errors.NotFound), unit_of_work(services.db) as session:
        notices.read_notice_photo(session, services, staff, version.id, now=now)


def test_nobody_else_is_published(both: Services, world: World, staff: Viewer, now: datetime) -> None:
    with unit_of_work(both.db) as session:
        case = make_case(session, both, staff, now=now)
        other = make_case(session, both, staff, now=now)
    two = add_photo(both, staff, case.id, make_photo_bytes(RED, GREEN), now)
    foreign = add_photo(both, staff, other.id, make_photo_bytes(RED), now)
    run_jobs(both, now)
    with pytest.raises(notice_errors.NoticePhotoUnclear):
        propose(both, world, case.id, draft_of(photo_id=two), now=now)
    with pytest.raises(notice_errors.NoticePhotoUnknown):
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
