"""Problems: every error class has a status and a Chinese sentence; answers say what is wrong and never repeat it."""

import importlib
import pkgutil
import string
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.requests import Request
from starlette.testclient import TestClient

import api
import tracing
from api import problems
from api.messages import label, sentence, translate
from api.validation import WORDINGS
from models.audit import AuditEvent
from models.case import CaseState
from models.referral import ReferralState
from models.user import Locale, Role
from tests.api.conftest import Bearer
from tests.api.matrix import CASE
from tests.factories.stories import judged_case
from tests.factories.world import World
from tracing.followup import AssessmentIncomplete
from tracing.platform import errors
from tracing.platform.db import read_only
from tracing.referrals import IllegalReferralMove
from tracing.services import Services
from tracing.transitions import illegal_move


def _error_classes() -> list[type[errors.TracingError]]:
    for package in (tracing, api):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    return sorted(_below(errors.TracingError), key=lambda kind: kind.__qualname__)


def _below(kind: type[errors.TracingError]) -> Iterator[type[errors.TracingError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _below(child)


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_error_class_has_a_status_of_its_own_kind() -> None:
    for kind in _error_classes():
        if kind is not errors.TracingError:
            assert problems.status_of(kind) < 500 or issubclass(kind, errors.Unavailable), kind


def test_every_message_has_a_chinese_translation_with_the_same_placeholders() -> None:
    messages = [kind.message for kind in _error_classes()] + [message for _, message in WORDINGS]
    missing = [message for message in messages if translate(Locale.ZH, message) == message]
    assert not missing
    for message in messages:
        assert _placeholders(translate(Locale.ZH, message)) == _placeholders(message), message


def test_slugs_are_unique_but_for_shared_messages() -> None:
    by_slug: dict[str, set[str]] = {}
    for kind in _error_classes():
        by_slug.setdefault(kind.slug, set()).add(kind.message)
    assert {slug for slug, messages in by_slug.items() if len(messages) > 1} == set()


def test_states_in_messages_are_put_in_words() -> None:
    english = sentence(Locale.EN, illegal_move(CaseState.IN_REVIEW, CaseState.CONTACT_RELEASED))
    assert label(Locale.EN, CaseState.IN_REVIEW) in english
    assert "CaseState" not in english
    chinese = sentence(Locale.ZH, illegal_move(CaseState.IN_REVIEW, CaseState.CONTACT_RELEASED))
    assert "、" in chinese
    assert "CaseState" not in chinese
    referral = sentence(Locale.ZH, IllegalReferralMove(current=ReferralState.DONE, wanted=ReferralState.SENT))
    assert label(Locale.ZH, ReferralState.DONE) in referral


def test_what_policies_name_is_told_in_one_language() -> None:
    error = AssessmentIncomplete(domains=[errors.Named("住处", "Housing"), errors.Named("安全", "Safety")])
    assert "Housing, Safety" in sentence(Locale.EN, error)
    assert "住处、安全" in sentence(Locale.ZH, error)
    assert "Housing" not in sentence(Locale.ZH, error)


@pytest.mark.parametrize(
    ("method", "path", "status", "slug"),
    [
        ("GET", "/api/v1/nothing", 404, "not_found"),
        ("DELETE", "/api/v1/me", 405, "method_not_allowed"),
        ("GET", "/api/v1/me", 401, "unauthenticated"),
    ],
)
def test_shape(client: TestClient, method: str, path: str, status: int, slug: str) -> None:
    response = client.request(method, path)
    body = response.json()
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert body["status"] == status
    assert body["slug"] == slug
    assert body["type"] == f"urn:guitu:problem:{slug}"
    assert body["request_id"] == response.headers["x-request-id"]
    assert ("www-authenticate" in response.headers) == (status == 401)


def test_the_language_is_the_one_asked_for_else_the_viewers_own(
    client: TestClient, world: World, bearer: Bearer
) -> None:
    staff = bearer(world.a.users[Role.STATION_STAFF])  # whose language is Chinese
    path = "/api/v1/cases/not-an-id"
    for header, expected in (("en;q=0.5, zh-CN", "标识符"), ("en", "identifier"), ("fr", "标识符")):
        detail = client.get(path, headers={**staff, "Accept-Language": header}).json()["errors"][0]["detail"]
        assert expected in detail, header


SECRET = "13907770123"


@pytest.mark.parametrize(
    ("change", "field", "slug"),
    [
        ({"admitted_on": SECRET}, "admitted_on", "impossible_date"),
        ({"admitted_on": "2026-02-30"}, "admitted_on", "impossible_date"),
        ({"admitted_on": 1390777}, "admitted_on", "impossible_date"),
        ({"found_place": {"x": SECRET}}, "found_place", "not_text"),
        ({"found_place": f"{SECRET}\x00"}, "found_place", "bad_characters"),
        ({"found_place": SECRET * 40}, "found_place", "text_too_long"),
        ({SECRET: "a misspelt field"}, "body", "unknown_field"),
        ({"photo_refused": SECRET}, "photo_refused", "not_a_boolean"),
        ({"names": SECRET}, "names", "not_a_list"),
        ({"names": [{"text": "x", "kind": SECRET, "basis": "heard"}]}, "names.0.kind", "unknown_value"),
        ({"names": [{"kind": "full", "basis": "heard"}]}, "names.0.text", "missing"),
        (
            {"attributes": [{"kind": "age", "value": 4, "basis": "heard", "uncertainty": SECRET + "x"}]},
            "attributes.0.uncertainty",
            "not_a_number",
        ),
        ({"attributes": [SECRET]}, "attributes.0", "not_an_object"),
    ],
)
def test_an_invalid_value_is_named_and_never_repeated(
    client: TestClient, world: World, bearer: Bearer, change: dict[str, Any], field: str, slug: str
) -> None:
    headers = bearer(world.a.users[Role.STATION_STAFF])
    response = client.post("/api/v1/cases", json={**CASE, **change}, headers=headers)
    assert response.status_code == 422
    assert response.json()["slug"] == "invalid_request"
    assert [(error["field"], error["slug"]) for error in response.json()["errors"]] == [(field, slug)]
    assert SECRET not in response.text


def test_what_is_not_json_is_not_repeated(client: TestClient, world: World, bearer: Bearer) -> None:
    headers = {**bearer(world.a.users[Role.STATION_STAFF]), "Content-Type": "application/json"}
    response = client.post("/api/v1/cases", content=f'{{"{SECRET}', headers=headers)
    assert response.status_code == 422
    assert response.json()["errors"][0]["slug"] == "not_json"
    assert SECRET not in response.text


def test_a_body_that_is_too_large_is_refused(client: TestClient) -> None:
    headers = {"Content-Type": "application/json"}
    declared = client.post("/api/v1/cases", content=b"x" * (2**20 + 1), headers=headers)
    streamed = client.post("/api/v1/cases", content=iter([b"x" * 2**19] * 3), headers=headers)
    for response in (declared, streamed):
        assert response.status_code == 413
        assert response.json()["slug"] == "body_too_large"


def test_an_unforeseen_exception_tells_nothing(services: Services, client: TestClient) -> None:
    application: Any = client.app

    def fail() -> None:
        raise RuntimeError(SECRET)

    application.add_api_route("/api/v1/fails", fail)
    response = client.get("/api/v1/fails")
    assert response.status_code == 500
    assert response.json()["slug"] == "error"
    assert response.json()["request_id"] == response.headers["x-request-id"]
    assert response.headers["cache-control"] == "no-store"
    assert SECRET not in response.text


@pytest.mark.parametrize(
    ("error", "status", "slug"),
    [
        (IntegrityError("", {}, Exception("gate: no standing confirmation to release")), 409, "gate_closed"),
        (IntegrityError("", {}, Exception("UNIQUE constraint failed")), 409, "conflict"),
        (OperationalError("", {}, Exception("database is locked")), 503, "unavailable"),
        (PoolTimeout(), 503, "unavailable"),
        (DataError("", {}, Exception("too long")), 422, "invalid"),
        (errors.TooManyAttempts(retry_after=7), 429, "too_many_attempts"),
    ],
)
def test_errors_of_the_database(client: TestClient, error: Exception, status: int, slug: str) -> None:
    application: Any = client.app

    def fail(request: Request) -> None:
        raise error

    application.add_api_route("/api/v1/fails", fail)
    response = client.get("/api/v1/fails")
    assert response.status_code == status
    assert response.json()["slug"] == slug
    assert ("retry-after" in response.headers) == (status in (429, 503))


def test_refused_attempts_are_on_record(
    client: TestClient, services: Services, world: World, bearer: Bearer, now: datetime
) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    base = f"/api/v1/cases/{story.case_id}"
    stranger, caseworker = world.b.users[Role.STATION_STAFF], world.a.users[Role.CASEWORKER]
    police = world.a.users[Role.POLICE_EXAMINER]
    release = {"wish": "wants_contact", "danger": "no_sign"}
    assert client.get(base, headers=bearer(stranger)).status_code == 404
    assert client.get(f"{base}/family-contact", headers=bearer(caseworker)).status_code == 403
    assert client.post(f"{base}/contact-release", json=release, headers=bearer(police)).status_code == 409
    with read_only(services.db) as session:
        events = session.scalars(select(AuditEvent).where(AuditEvent.action == "denied").order_by(AuditEvent.seq)).all()
    assert [(event.actor_id, event.object_kind, event.object_id, event.detail["slug"]) for event in events] == [
        (stranger.id, "case", str(story.case_id), "not_found"),
        (caseworker.id, "case", str(story.case_id), "contact_sealed"),
        (police.id, "case", str(story.case_id), "not_confirmed"),
    ]
    assert events[1].detail["route"] == "/api/v1/cases/:case_id/family-contact"


def test_a_problem_is_told_even_when_its_page_breaks(client: TestClient) -> None:
    application: Any = client.app
    whole = application.state.render_problem

    def broken(request: Request, problem: problems.Problem) -> None:
        raise RuntimeError(problem.slug)

    application.state.render_problem = broken
    try:
        response = client.get("/nothing")
    finally:
        application.state.render_problem = whole
    assert (response.status_code, response.json()["slug"]) == (404, "not_found")
