"""The public page of a notice: no cookie, no script, nothing kept, no telling what became of anybody."""

import io
import re
from datetime import datetime

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image
from sqlalchemy import select

from api.web.public_page import address_of
from matcher.vocabulary import GalleryKind
from models.case import CaseState
from models.tip import Tip
from models.user import Role
from tests.factories.faces import RED, make_photo_bytes
from tests.factories.notices import TELEPHONE, draft_of, propose, publish, token_of
from tests.factories.records import attach, make_case
from tests.factories.stories import Story, judged_case
from tests.factories.world import World
from tracing.cases import move_case
from tracing.limits import TipLimiter
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only, unit_of_work
from tracing.services import Services


@pytest.fixture
def story(services: Services, world: World) -> Story:
    """A case with a public notice with a photograph."""
    now = utc_now()
    made = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    staff = world.viewer(world.a.users[Role.STATION_STAFF])
    with unit_of_work(services.db) as session:
        photo = attach(session, services, staff, GalleryKind.CASE, made.case_id, make_photo_bytes(RED), now=now)
    publish(services, world, made.case_id, draft_of(photo_id=photo.id, statement="会唱壮语山歌"), now=now)
    return made


@pytest.fixture
def public(app: FastAPI) -> TestClient:
    """Somebody's telephone, with a cookie left over from elsewhere."""
    return TestClient(app, cookies={"guitu_locale": "en", "guitu_session": "stolen"})


@pytest.fixture
def path(services: Services, story: Story) -> str:
    return f"/n/{token_of(services, story.case_id)}"


def bare(response: httpx2.Response) -> None:
    """What every answer to the public has and has not."""
    assert "set-cookie" not in response.headers
    assert response.headers["cache-control"] == "no-store"
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "noindex" in response.headers["x-robots-tag"]
    assert response.headers["referrer-policy"] == "no-referrer"
    if response.headers["content-type"].startswith("text/html"):
        assert not re.search(r"<script|<style|\sstyle=|\son[a-z]+=|https?://", response.text)


def test_the_page_in_both_languages(public: TestClient, path: str) -> None:
    chinese = public.get(path)
    assert chinese.status_code == 200
    bare(chinese)
    assert '<html lang="zh-Hans">' in chinese.text  # a cookie decides nothing here
    for text in ("寻亲公告", "约45岁", "韦建国", "会唱壮语山歌", TELEPHONE, "钦南区救助管理站"):
        assert text in chinese.text
    english = public.get(path, params={"lang": "en"})
    assert "about 45 years" in english.text
    assert public.get(path, headers={"Accept-Language": "en"}).text.count('lang="en"') >= 1
    picture = public.get(f"{path}/photo")
    assert picture.status_code == 200
    bare(picture)
    with Image.open(io.BytesIO(picture.content)) as image:
        assert dict(image.getexif()) == {}


def test_labels_belong_to_their_fields(public: TestClient, path: str) -> None:
    text = public.get(path).text
    fields = set(re.findall(r'<(?:input|textarea)[^>]* id="([^"]+)"', text))
    assert fields == set(re.findall(r'<label for="([^"]+)"', text))
    assert set(re.findall(r'aria-describedby="([^" ]+)', text)) <= set(re.findall(r' id="([^"]+)"', text))
    assert re.search(r'<img [^>]*alt="[^"]+"', text)


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_gone_and_never_there_are_one_answer(
    method: str, language: str, services: Services, world: World, public: TestClient, path: str, story: Story
) -> None:
    def answer(address: str) -> tuple[int, str, dict[str, str]]:
        data = {"data": {"text": "我知道"}} if method == "post" else {}
        response = getattr(public, method)(address, params={"lang": language}, **data)
        bare(response)
        kept = {
            name: value for name, value in response.headers.items() if name not in ("x-request-id", "content-length")
        }
        return response.status_code, response.text.replace(address, "HERE"), kept

    never = answer("/n/" + "x" * 32)
    assert never[0] == 404
    staff = world.viewer(world.a.users[Role.STATION_STAFF])
    with unit_of_work(services.db) as session:
        move_case(session, services, staff, story.case_id, CaseState.DECEASED, reason="病故", now=utc_now())
    assert answer(path) == never
    with unit_of_work(services.db) as session:
        other = make_case(session, services, staff, now=utc_now())
    propose(services, world, other.id, now=utc_now())
    assert answer(f"/n/{token_of(services, other.id)}") == never
    with read_only(services.db) as session:
        assert session.scalars(select(Tip)).all() == []


def test_other_methods_and_addresses_tell_nothing_either(public: TestClient, path: str) -> None:
    for response in (public.put(path), public.get("/n/"), public.get(f"{path}/other"), public.get("/n/a/photo")):
        assert response.status_code == 404
        bare(response)


def test_a_tip_is_taken_with_its_photograph(services: Services, public: TestClient, path: str) -> None:
    response = public.post(
        path,
        data={"text": "像小董镇的人", "place": "菜市场", "time": "", "contact": "13807771234"},
        files={"photo": ("a.jpg", make_photo_bytes(RED), "image/jpeg")},
    )
    assert response.status_code == 200
    bare(response)
    assert "谢谢您" in response.text
    with read_only(services.db) as session:
        tip = session.scalars(select(Tip)).one()
    assert (tip.has_photo, tip.has_contact) == (True, True)
    again = public.post(path, data={"text": "另一条", "photo": ""})
    assert again.text == response.text


def test_what_is_wrong_is_said_with_what_was_typed(services: Services, public: TestClient, path: str) -> None:
    response = public.post(
        path,
        data={"text": "像<b>小董镇</b>的人", "contact": "x" * 200},
        files={"photo": ("a.jpg", b"no photo", "image/jpeg")},
    )
    assert response.status_code == 422
    bare(response)
    assert "像&lt;b&gt;小董镇&lt;/b&gt;的人" in response.text
    assert response.text.count('aria-invalid="true"') == 1
    photo = public.post(path, data={"text": "线索"}, files={"photo": ("a.jpg", b"no photo", "image/jpeg")})
    assert photo.status_code == 422
    assert "线索" in photo.text
    with read_only(services.db) as session:
        assert session.scalars(select(Tip)).all() == []


def test_a_machine_that_fills_the_hidden_field_is_thanked_for_nothing(
    services: Services, public: TestClient, path: str
) -> None:
    honest = public.post(path, data={"text": "我知道"})
    machine = public.post(path, data={"text": "买药", "website": "spam"})
    assert (machine.status_code, machine.text) == (honest.status_code, honest.text)
    with read_only(services.db) as session:
        assert len(session.scalars(select(Tip)).all()) == 1


def test_too_many_and_too_large_are_refused_alike_everywhere(
    app: FastAPI, services: Services, public: TestClient, path: str
) -> None:
    large = {"photo": ("a.jpg", bytes(services.settings.tips.max_photo_bytes + 2**21), "image/jpeg")}
    for address in (path, "/n/" + "x" * 32):
        response = public.post(address, data={"text": "x"}, files=large)
        assert response.status_code == 413
        bare(response)
    app.state.tip_limiter = TipLimiter(services.settings.limits.model_copy(update={"tips_per_address": "2 per hour"}))
    assert [public.post(path, data={"text": f"第{n}条"}).status_code for n in range(3)] == [200, 200, 429]
    unknown = public.post("/n/" + "x" * 32, data={"text": "x"})
    assert unknown.status_code == 429
    assert int(unknown.headers["retry-after"]) > 0
    bare(unknown)


def test_the_address_is_long_and_belongs_to_the_installation(services: Services, story: Story, now: datetime) -> None:
    token = token_of(services, story.case_id)
    assert len(token) == 32  # 24 random bytes
    assert address_of(services)(token) == f"http://127.0.0.1:8000/n/{token}"
