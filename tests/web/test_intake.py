"""Intake: advice on a photograph, the face pointed at, age by eye, clues, the point, sending by the script."""

import re
from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from api.web import facts_form, uploads
from api.web.body_map import FIGURES
from matcher.faces.engine import Box
from matcher.vocabulary import AttributeKind, BodyRegion, BodySide
from models.audit import AuditEvent
from models.case import Case, CaseState
from models.clue import Clue, ClueKind
from models.photo import AnalysisState, Photo
from models.profile import ProfileAttribute
from models.user import Locale, Role
from tests.factories.faces import GREEN, GREY, RED, make_photo_bytes, with_colour_faces
from tests.factories.stories import run_jobs
from tests.factories.world import World
from tests.web.conftest import Browser
from tracing.photos import list_photos
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only
from tracing.services import Services

PERSON = {
    "admitted_on": "2026-03-02",
    "attributes.sex": "male",
    "attributes.sex.basis": "estimated",
    "attributes.age.from": "45",
    "attributes.age.to": "55",
    "attributes.age.basis": "estimated",
    "point": "21.98130, 108.65420",
    "clues.0.kind": "kin",
    "clues.0.text": "小军",
    "action": "submit",
}
KEY = {"form_key": "6e0f3d1a-7a5b-4b60-9d7d-0c7b1c7f2a11"}


@pytest.fixture
def services(sqlite_services: Services) -> Services:
    """Colours are faces."""
    return with_colour_faces(sqlite_services)


@pytest.fixture
def staff(world: World, browser_of: Callable[..., Browser]) -> Browser:
    """A station's staff, signed in."""
    return browser_of(world.a.users[Role.STATION_STAFF])


def _advice(browser: Browser, data: bytes) -> str:
    response = browser.send("/photos/advice", {}, page="/cases/new", files={"photo": ("p.jpg", data, "image/jpeg")})
    assert response.status_code == 200
    return response.text


def _case(services: Services) -> Case:
    with read_only(services.db) as session:
        return session.scalars(select(Case)).one()


@pytest.mark.parametrize("locale", list(Locale))
def test_advice_tells_what_a_photograph_shows_and_keeps_nothing(
    locale: Locale, staff: Browser, services: Services
) -> None:
    staff.send("/locale", {"locale": locale.value, "next": "/"})
    english = locale is Locale.EN
    assert ("Good" if english else "很好") in _advice(staff, make_photo_bytes(RED))
    assert ("No face found" if english else "未检出人脸") in _advice(staff, make_photo_bytes(GREY))
    several = _advice(staff, make_photo_bytes(RED, GREEN))
    assert several.count('type="radio"') == several.count("<rect") == 2
    assert ("damaged" if english else "损坏") in _advice(staff, make_photo_bytes(RED)[:400])
    with read_only(services.db) as session:
        assert session.scalar(select(func.count()).select_from(Photo)) == 0
        noted = session.scalars(select(AuditEvent).where(AuditEvent.action == "photo.advise")).all()
        assert [event.detail["faces"] for event in noted] == [1, 0, 2]


def test_advice_without_an_engine_says_so(
    sqlite_services: Services, services: Services, staff: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staff.client.app.state, "services", sqlite_services)  # type: ignore[attr-defined]
    assert "无法检查" in _advice(staff, make_photo_bytes(RED))


@pytest.mark.parametrize(
    ("pointed", "left"),
    [(uploads.shares(Box(0, 200, 120, 100), 200, 120), 100), ("1 2 3", None), ("9.0000 " * 4, None)],
)
def test_the_face_that_was_pointed_at_is_the_persons(
    pointed: str, left: int | None, staff: Browser, services: Services
) -> None:
    files = [
        ("photos.other", ("one.jpg", make_photo_bytes(GREY), "image/jpeg")),
        ("photos.other", ("two.jpg", make_photo_bytes(RED, GREEN), "image/jpeg")),
    ]
    staff.send("/cases/new", PERSON | {"face.photos.other.1": pointed}, page="/cases/new", files=files)
    run_jobs(services, utc_now())
    with read_only(services.db) as session:
        photos = {
            len(one.shown_faces): one for one in list_photos(session, session.scalars(select(Case)).one().profile_id)
        }
    assert photos[0].analysis is AnalysisState.NO_FACE
    assert photos[2].analysis is (AnalysisState.SEVERAL_FACES if left is None else AnalysisState.READY)
    assert [face.box["left"] for face in photos[2].shown_faces if face.chosen] == ([] if left is None else [left])


def test_a_photograph_from_the_camera_field_is_taken_in(staff: Browser, services: Services) -> None:
    files = {"camera.front": ("p.jpg", make_photo_bytes(RED), "image/jpeg")}
    staff.send("/cases/new", PERSON, page="/cases/new", files=files)
    with read_only(services.db) as session:
        assert session.scalar(select(func.count()).select_from(Photo)) == 1


def test_an_age_by_eye_is_kept_as_middle_and_uncertainty_and_shown_as_it_was_given(
    staff: Browser, services: Services
) -> None:
    path = staff.send("/cases/new", PERSON, page="/cases/new").headers["location"]
    of_age = select(ProfileAttribute).where(ProfileAttribute.kind == AttributeKind.AGE)
    with read_only(services.db) as session:
        first = session.scalars(of_age).one()
        assert (first.value, first.uncertainty) == ("50", 5)
    form = staff.see(f"{path}/edit")
    fields = dict(re.findall(r'<input[^>]*name="([^"]+)" [^>]*value="([^"]*)"', form))
    assert (fields["attributes.age.from"], fields["attributes.age.to"]) == ("45", "55")
    assert fields["point"] == PERSON["point"]
    same = {name: value for name, value in PERSON.items() if not name.startswith("clues.")}
    as_of = {"attributes.age.as_of": fields["attributes.age.as_of"], "version": fields["version"]}
    assert staff.send(f"{path}/edit", same | as_of, page=f"{path}/edit").status_code == 303
    with read_only(services.db) as session:
        assert session.scalars(of_age).one().id == first.id, "what was not changed is the same fact"


@pytest.mark.parametrize(
    ("least", "most", "age", "uncertainty"),
    [
        ("45", "52", "48.5", "3.5"), ("52", "45", "48.5", "3.5"), ("45", "", "45", ""), ("", "45", "45", ""),
        ("45", "45", "45", ""),
    ],
)  # fmt: skip
def test_two_numbers_make_an_age(least: str, most: str, age: str, uncertainty: str) -> None:
    made = facts_form.spanned({"attributes.age.from": least, "attributes.age.to": most})
    assert made == {"attributes.age": age, "attributes.age.uncertainty": uncertainty}


def test_a_quick_clue_is_on_record_word_for_word(staff: Browser, services: Services) -> None:
    staff.send("/cases/new", PERSON, page="/cases/new")
    with read_only(services.db) as session:
        clue = session.scalars(select(Clue)).one()
        assert (clue.kind, clue.text, clue.in_profile) == (ClueKind.KIN, "小军", True)


def test_the_script_is_told_the_address_and_a_second_sending_makes_nothing(staff: Browser, services: Services) -> None:
    staff.client.headers["accept"] = "application/json"
    first = staff.send("/cases/new", PERSON | KEY, page="/cases/new")
    assert first.status_code == 201
    case = _case(services)
    assert (first.headers["location"], case.state) == (f"/cases/{case.id}", CaseState.SUBMITTED)
    again = staff.send("/cases/new", PERSON | KEY, page="/cases/new")
    assert (again.status_code, again.headers["location"]) == (201, first.headers["location"])
    assert _case(services).id == case.id


def test_what_waits_in_the_browser_is_named_by_its_user(staff: Browser, world: World) -> None:
    text = staff.see("/intake/outbox")
    assert f'data-user="{world.a.users[Role.STATION_STAFF].id}"' in text
    assert {"draft", "waiting", "sending", "signin", "refused", "sent", "foreign"} == set(
        re.findall(r'template data-state="(\w+)"', text)
    )


def test_the_figure_has_every_region_and_left_is_the_persons_own() -> None:
    shapes = [shape for figure in FIGURES for shape in figure.shapes]
    assert {shape.region for shape in shapes} == set(BodyRegion)
    front, back = ({(one.region, one.side): one.mirrored for one in figure.shapes} for figure in FIGURES)
    assert front[BodyRegion.HAND, BodySide.LEFT] is True
    assert back[BodyRegion.HAND, BodySide.LEFT] is False


def test_an_advice_needs_somebody_who_takes_photographs(world: World, browser_of: Callable[..., Browser]) -> None:
    browser = browser_of(world.a.users[Role.AUDITOR])
    files = {"photo": ("p.jpg", make_photo_bytes(RED), "image/jpeg")}
    assert browser.send("/photos/advice", {}, files=files).status_code == 403
