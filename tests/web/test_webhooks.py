"""Webhooks on the page: the secret is shown once, the endpoint is stopped, served again and removed."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select

from models.user import Role
from models.webhook import WebhookEndpoint, WebhookState
from tests.factories.world import World
from tests.web.conftest import Browser
from tracing.platform.db import read_only
from tracing.platform.settings import WebhookSettings
from tracing.services import Services


@pytest.fixture
def administrator(app: FastAPI, services: Services, world: World) -> Browser:
    """Of an installation that may push to example.org."""
    pushing = services.settings.model_copy(update={"webhooks": WebhookSettings(allowed_hosts=("example.org",))})
    app.state.services = replace(services, settings=pushing)
    browser = Browser(TestClient(app, follow_redirects=False, raise_server_exceptions=True))
    return browser.sign_in(world.a.users[Role.ADMINISTRATOR], world.password)


def _state(services: Services) -> WebhookState:
    with read_only(services.db) as session:
        return session.scalars(select(WebhookEndpoint.state)).one()


def test_the_secret_is_shown_once(services: Services, world: World, administrator: Browser) -> None:
    page = "/webhooks"
    given = {
        "organisation_id": str(world.a.centre.id),
        "url": "https://elsewhere.org/in",
        "kinds.case_identified": "yes",
    }
    refused = administrator.send(page, given, page=page)
    assert (refused.status_code, 'id="e-url"' in refused.text) == (422, True)
    assert "https://elsewhere.org/in" in refused.text, "what was typed is kept"
    key = re.search(r'name="form_key" value="([^"]+)"', administrator.see(page))
    assert key
    given |= {"url": "https://example.org/in", "form_key": key.group(1)}
    made = administrator.send(page, given, page=page)
    secret = re.search(r"whsec_[A-Za-z0-9+/=]+", made.text)
    assert secret, made.text[:400]
    again = administrator.send(page, given, page=page)
    assert again.status_code == 303, "sent again it makes nothing, and shows no secret"
    one = again.headers["location"]
    assert secret.group() not in administrator.see(one)
    rotated = administrator.send(f"{one}/rotate", {}, page=one)
    assert re.search(r"whsec_[A-Za-z0-9+/=]+", rotated.text)
    assert secret.group() not in rotated.text
    assert administrator.send(f"{one}/disable", {}, page=one).status_code == 303
    assert _state(services) is WebhookState.DISABLED
    assert administrator.send(f"{one}/disable", {}, page=one).status_code == 409
    assert administrator.send(f"{one}/enable", {}, page=one).status_code == 303
    assert administrator.send(f"{one}/remove", {}, page=one).status_code == 303
    assert _state(services) is WebhookState.REMOVED
    assert administrator.get(one).status_code == 404


def test_nobody_else_sees_webhooks(world: World, browser_of: Callable[..., Browser]) -> None:
    assert browser_of(world.a.users[Role.BUREAU_SUPERVISOR]).get("/webhooks").status_code == 403
