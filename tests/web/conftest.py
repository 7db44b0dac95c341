"""A browser without scripts: pages through the test client, signed in as one of the world's users."""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.web import csrf
from models.user import User
from tests.factories.world import World


@dataclass
class Browser:
    """Follows no redirect by itself; sends each form with the token of the page that holds it."""

    client: TestClient

    def get(self, path: str, **options: Any) -> httpx2.Response:
        """A page."""
        return self.client.get(path, **options)

    def see(self, path: str, status: int = 200) -> str:
        """The text of a page that must answer with this status."""
        response = self.get(path)
        assert response.status_code == status, (path, response.status_code, response.text[:600])
        return html.unescape(response.text)

    def token(self, path: str) -> str:
        """The token in a page's forms."""
        found = re.search(rf'name="{csrf.FIELD}" value="([0-9a-f]+)"', self.get(path).text)
        assert found, f"{path} has no form"
        return found.group(1)

    def send(self, path: str, data: dict[str, str], *, page: str = "/", files: Any = None) -> httpx2.Response:
        """POST a form that was opened on `page`."""
        return self.client.post(path, data={csrf.FIELD: self.token(page), **data}, files=files)

    def sign_in(self, user: User, password: str) -> "Browser":
        """As this user."""
        response = self.send("/login", {"username": user.username, "password": password}, page="/login")
        assert response.status_code == 303, response.text
        return self


@pytest.fixture
def visitor(app: FastAPI) -> Browser:
    """Nobody signed in."""
    return Browser(TestClient(app, follow_redirects=False, raise_server_exceptions=True))


@pytest.fixture
def browser_of(app: FastAPI, world: World) -> Callable[[User], Browser]:
    """A browser in which this user is signed in."""

    def signed_in(user: User) -> Browser:
        client = TestClient(app, follow_redirects=False, raise_server_exceptions=True)
        return Browser(client).sign_in(user, world.password)

    return signed_in
