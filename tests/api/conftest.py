"""A client of the application over the test's own database, and tokens without the slow password hash."""

import hashlib
import secrets
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from models.user import Token, TokenKind, User
from tracing.platform.clock import utc_now
from tracing.platform.db import unit_of_work
from tracing.services import Services

Headers = dict[str, str]
Bearer = Callable[[User], Headers]


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    """A client. Not entered as a context, so that no worker thread moves cases while a test looks at them."""
    return TestClient(app, headers={"Accept-Language": "en"})


@pytest.fixture
def bearer(services: Services) -> Bearer:
    """The Authorization header of a user, as after signing in."""
    return lambda user: give_token(services, user)


def give_token(services: Services, user: User) -> Headers:
    """Store an access token for a user, valid for a day."""
    token, now = secrets.token_urlsafe(32), utc_now()
    with unit_of_work(services.db) as session:
        session.add(
            Token(
                id=uuid.uuid4(), user_id=user.id, family=uuid.uuid4(), kind=TokenKind.ACCESS,
                digest=hashlib.sha256(token.encode()).hexdigest(), created_at=now, expires_at=now + timedelta(days=1),
            )
        )  # fmt: skip
    return {"Authorization": f"Bearer {token}"}
