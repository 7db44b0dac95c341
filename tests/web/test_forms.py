"""Bad input: each message beside its field, everything typed kept, the case kept."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from api.web.errors import PlaceAmbiguous, PlaceUnknown
from api.web.forms import Typed, optional_place
from api.web.record_form import read_case
from matcher.vocabulary import AttributeKind, Basis, KinRelation, MarkKind, NameKind
from models.case import Case, CaseState
from models.photo import Photo
from models.user import Locale, Role
from tests.factories.faces import RED, make_photo_bytes
from tests.factories.records import make_case
from tests.factories.stories import judged_case
from tests.factories.world import World
from tests.web.conftest import Browser
from tracing.facts import InvalidFacts
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only, unit_of_work
from tracing.services import Services

PERSON = {
    "admitted_on": "2026-03-02",
    "found_division": "钦南区",
    "found_place": "白石湖公园东门",
    "attributes.sex": "male",
    "attributes.sex.basis": "estimated",
    "attributes.height": "168",
    "attributes.height.basis": "measured",
    "names.0.text": "阿明",
    "names.0.kind": "heard",
    "names.0.basis": "heard",
    "kin.0.text": "小军",
    "kin.0.relation": "son",
    "kin.0.basis": "heard",
    "phones.0.digits": "136-7",
    "phones.0.basis": "heard",
    "attributes.school": "那丽小学",
    "attributes.school.basis": "heard",
    "marks.0.kind": "scar",
    "marks.0.region": "forearm",
    "marks.0.side": "left",
    "marks.0.basis": "estimated",
}


@pytest.fixture
def staff(world: World, browser_of: Callable[..., Browser]) -> Browser:
    """A station's staff, signed in."""
    return browser_of(world.a.users[Role.STATION_STAFF])


def _cases(services: Services) -> int:
    with read_only(services.db) as session:
        return session.scalar(select(func.count()).select_from(Case)) or 0


def test_a_form_becomes_circumstances_and_facts() -> None:
    circumstances, facts = read_case(Typed(PERSON), today=utc_now().date())
    assert (circumstances.found_division, circumstances.found_place) == ("450702", "白石湖公园东门")
    assert [(one.kind, one.value, one.basis) for one in facts.attributes] == [
        (AttributeKind.SEX, "male", Basis.ESTIMATED),
        (AttributeKind.HEIGHT, "168", Basis.MEASURED),
        (AttributeKind.SCHOOL, "那丽小学", Basis.HEARD),
    ]
    assert [(one.text, one.relation) for one in facts.kin] == [("小军", KinRelation.SON)]
    assert [one.digits for one in facts.phones] == ["136-7"]
    assert [(one.text, one.kind) for one in facts.names] == [("阿明", NameKind.HEARD)]
    assert [one.kind for one in facts.marks] == [MarkKind.SCAR]


def test_a_case_is_handed_in_with_its_photographs(staff: Browser, services: Services) -> None:
    files = {"photos.front": ("face.jpg", make_photo_bytes(RED), "image/jpeg")}
    response = staff.send("/cases/new", PERSON | {"action": "submit"}, page="/cases/new", files=files)
    assert response.status_code == 303
    text = staff.see(response.headers["location"])
    for known in ("阿明", "小军", "儿子", "1367", "那丽小学", "已提交"):
        assert known in text
    with read_only(services.db) as session:
        assert session.scalar(select(func.count()).select_from(Photo)) == 1


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("attributes.height", "1.68", "168"),
        ("found_on", "2026-02-30", "日"),
        ("found_on", "2999-01-01", "日"),
        ("attributes.age", "四十", "0"),
        ("attributes.height.uncertainty", "about ten", "数字"),
        ("point", "21.98, 190", "经度"),
        ("point", "公园里", "经度"),
        ("clues.0.kind", "", "选择"),
        ("found_division", "不存在的地方", "行政区划"),
        ("marks.0.region", "", "选择"),
        ("names.0.kind", "nonsense", "选"),
        ("kin.0.relation", "", "选择"),
        ("phones.0.digits", "12", "3"),
        ("attributes.handedness", "third", "选"),
    ],
)  # fmt: skip
def test_each_wrong_value_is_named_beside_its_field_and_everything_is_kept(
    field: str, value: str, message: str, staff: Browser, services: Services
) -> None:
    bases = {"attributes.age.basis": "estimated", "attributes.handedness.basis": "estimated"}
    sent = "attributes.age.from" if field == "attributes.age" else field
    typed = PERSON | bases | {"clues.0.text": "沙茶面", "clues.0.kind": "food"} | {sent: value}
    response = staff.send("/cases/new", typed, page="/cases/new")
    assert response.status_code == 422
    beside = re.search(rf'id="e-{re.escape(field)}">(.*?)</div>', response.text, re.DOTALL)
    assert beside, f"no message beside {field}"
    assert message in beside.group(1)
    assert "白石湖公园东门" in response.text
    assert "阿明" in response.text
    if value and not field.startswith(("names.0.kind", "attributes.handedness")):
        assert f'value="{value}"' in response.text
    assert _cases(services) == 0


def test_all_wrong_values_are_told_at_once() -> None:
    typed = PERSON | {"attributes.height": "1.68", "found_on": "2026-02-30", "found_division": "不存在的地方"}
    with pytest.raises(InvalidFacts) as caught:
        read_case(Typed(typed), today=utc_now().date())
    assert {one.field for one in caught.value.problems} == {"attributes.height", "found_on", "found_division"}


@pytest.mark.parametrize("locale", list(Locale))
def test_a_refused_photograph_loses_nothing(locale: Locale, staff: Browser, services: Services) -> None:
    staff.send("/locale", {"locale": locale.value, "next": "/"})
    whole = make_photo_bytes(RED)
    files = [
        ("photos.front", ("good.jpg", whole, "image/jpeg")),
        ("photos.other", ("half.jpg", whole[: len(whole) // 2], "image/jpeg")),
        ("photos.other", ("letter.jpg", b"not a picture", "image/jpeg")),
    ]
    response = staff.send("/cases/new", PERSON | {"action": "submit"}, page="/cases/new", files=files)
    text = staff.see(response.headers["location"])
    assert "half.jpg" in text
    assert "letter.jpg" in text
    assert "good.jpg" not in text
    assert ("damaged" if locale is Locale.EN else "损坏") in text
    with read_only(services.db) as session:
        case = session.scalars(select(Case)).one()
        assert case.state is CaseState.DRAFT
        assert session.scalar(select(func.count()).select_from(Photo)) == 1
    assert "half.jpg" not in staff.see(response.headers["location"]), "a message is shown once"


def test_a_form_sent_twice_makes_one_case(staff: Browser, services: Services) -> None:
    key = {"form_key": "6e0f3d1a-7a5b-4b60-9d7d-0c7b1c7f2a11"}
    first = staff.send("/cases/new", PERSON | key, page="/cases/new").headers["location"]
    assert staff.send("/cases/new", PERSON | key, page="/cases/new").headers["location"] == first
    assert _cases(services) == 1


def test_a_change_made_too_late_keeps_what_was_typed_and_explains(
    staff: Browser, services: Services, world: World
) -> None:
    with unit_of_work(services.db) as session:
        case = make_case(session, services, world.viewer(world.a.users[Role.STATION_STAFF]), now=utc_now())
    path = f"/cases/{case.id}/edit"
    found = re.search(r'name="version" value="(\d+)"', staff.see(path))
    assert found
    typed = PERSON | {"version": found.group(1), "admitted_on": str((utc_now() - timedelta(days=3)).date())}
    assert staff.send(path, typed | {"attributes.height": "171"}, page=path).status_code == 303
    late = staff.send(path, typed | {"attributes.height": "155", "attributes.clothing": "蓝色棉衣"} | {
        "attributes.clothing.basis": "estimated"}, page=path)  # fmt: skip
    assert late.status_code == 412
    assert "蓝色棉衣" in late.text
    assert re.search(r"171</td>\s*<td[^>]*>155", late.text), "what stands now beside what was typed"
    again = re.search(r'name="version" value="(\d+)"', late.text)
    assert again
    assert staff.send(path, typed | {"version": again.group(1)}, page=path).status_code == 303


def test_places_are_understood_by_name_code_and_picker_line() -> None:
    for text in ("450702", "钦南区", "广西壮族自治区 钦州市 钦南区 450702", "qinnanqu"):
        assert optional_place(Typed({"p": text}), "p") == "450702", text
    assert optional_place(Typed({"p": "钦州"}), "p") == "4507"
    assert optional_place(Typed({"p": ""}), "p") is None
    with pytest.raises(PlaceAmbiguous):
        optional_place(Typed({"p": "朝阳区"}), "p")
    with pytest.raises(PlaceUnknown):
        optional_place(Typed({"p": "不存在的地方"}), "p")


def test_a_refused_decision_shows_its_page_again_with_the_reason(
    services: Services, world: World, browser_of: Callable[..., Browser]
) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=utc_now())
    browser = browser_of(world.a.users[Role.POLICE_SUPERVISOR])
    path = f"/cases/{story.case_id}/confirmation"
    typed = {"candidate_id": str(story.candidate_id), "method": "agreeing_reviews", "grounds": "面貌一致"}
    response = browser.send(path, typed, page=path)
    assert response.status_code == 409
    assert "面貌一致" in response.text
    response = browser.send(path, typed | {"method": "dna"}, page=path)
    assert response.status_code == 422
    assert 'id="e-reference"' in response.text
