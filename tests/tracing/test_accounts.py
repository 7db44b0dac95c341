"""Accounts: signing in, tokens, guessing, and managing users."""

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from models.audit import AuditEvent
from models.user import Locale, Role, Token, TokenKind, User
from tests.factories.world import World
from tracing import accounts
from tracing.access import Viewer
from tracing.accounts import Grant, OwnAccount, PasswordTooShort, TokenReused, UsernameTaken, WrongPassword
from tracing.limits import LoginLimiter
from tracing.platform import errors
from tracing.platform.db import read_only, unit_of_work
from tracing.services import Services

ADDRESS = "192.0.2.7"


@pytest.fixture
def limiter(services: Services) -> LoginLimiter:
    return LoginLimiter(services.settings.limits)


def sign_in(
    services: Services,
    limiter: LoginLimiter,
    username: str,
    password: str,
    now: datetime,
    *,
    kind: TokenKind = TokenKind.ACCESS,
    address: str = ADDRESS,
) -> Grant:
    return accounts.sign_in(
        services, limiter, username=username, password=password, address=address, kind=kind, now=now
    )


def holder(services: Services, token: str, now: datetime, kind: TokenKind = TokenKind.ACCESS) -> Viewer:
    with read_only(services.db) as session:
        return accounts.viewer_for_token(session, token, kind, now=now)


def actions(services: Services) -> list[str]:
    with read_only(services.db) as session:
        return list(session.scalars(select(AuditEvent.action).order_by(AuditEvent.seq)))


def test_a_token_names_its_holder_until_it_expires(
    services: Services, world: World, limiter: LoginLimiter, now: datetime
) -> None:
    staff = world.a.users[Role.STATION_STAFF]
    grant = sign_in(services, limiter, f"  {staff.username.upper()} ", world.password, now)
    assert holder(services, grant.access, now) == world.viewer(staff)
    life = timedelta(minutes=services.settings.tokens.access_minutes)
    assert grant.expires_at == now + life
    assert holder(services, grant.access, now + life - timedelta(seconds=1)).user_id == staff.id
    with pytest.raises(errors.Unauthenticated):
        holder(services, grant.access, now + life)


def test_a_token_is_good_for_its_own_kind_alone(
    services: Services, world: World, limiter: LoginLimiter, now: datetime
) -> None:
    username = world.a.users[Role.AUDITOR].username
    grant = sign_in(services, limiter, username, world.password, now)
    browser = sign_in(services, limiter, username, world.password, now, kind=TokenKind.SESSION)
    assert grant.refresh is not None
    assert browser.refresh is None
    for token, kind in (
        (grant.access, TokenKind.SESSION),
        (grant.refresh, TokenKind.ACCESS),
        (browser.access, TokenKind.ACCESS),
        ("no such token", TokenKind.ACCESS),
    ):
        with pytest.raises(errors.Unauthenticated):
            holder(services, token, now, kind)
    with pytest.raises(errors.Unauthenticated):
        accounts.refresh(services, grant.access, now=now)


def test_tokens_and_passwords_are_not_stored_in_the_clear(
    services: Services, world: World, limiter: LoginLimiter, now: datetime
) -> None:
    grant = sign_in(services, limiter, world.a.users[Role.AUDITOR].username, world.password, now)
    content = b"".join(path.read_bytes() for path in services.settings.data_dir.rglob("*") if path.is_file())
    assert grant.refresh is not None
    for secret in (grant.access, grant.refresh, world.password):
        assert secret.encode() not in content


def test_a_refresh_token_is_used_once_and_its_second_use_ends_the_family(
    services: Services, world: World, limiter: LoginLimiter, now: datetime
) -> None:
    first = sign_in(services, limiter, world.a.users[Role.STATION_STAFF].username, world.password, now)
    other = sign_in(services, limiter, world.a.users[Role.STATION_STAFF].username, world.password, now)
    assert first.refresh
    second = accounts.refresh(services, first.refresh, now=now)
    assert holder(services, second.access, now)
    with pytest.raises(TokenReused):
        accounts.refresh(services, first.refresh, now=now)
    for token in (first.access, second.access):
        with pytest.raises(errors.Unauthenticated):
            holder(services, token, now)
    assert second.refresh
    with pytest.raises(errors.Unauthenticated):
        accounts.refresh(services, second.refresh, now=now)
    assert holder(services, other.access, now)  # another sign-in of the same user is not touched
    assert "account.token_reused" in actions(services)


def test_a_refresh_token_expires(services: Services, world: World, limiter: LoginLimiter, now: datetime) -> None:
    grant = sign_in(services, limiter, world.a.users[Role.STATION_STAFF].username, world.password, now)
    assert grant.refresh
    with pytest.raises(errors.Unauthenticated):
        accounts.refresh(services, grant.refresh, now=now + timedelta(days=services.settings.tokens.refresh_days))


def test_signing_out_ends_all_tokens_of_the_sign_in(
    services: Services, world: World, limiter: LoginLimiter, now: datetime
) -> None:
    grant = sign_in(services, limiter, world.a.users[Role.STATION_STAFF].username, world.password, now)
    with unit_of_work(services.db) as session:
        accounts.revoke(session, grant.access, now=now)
        accounts.revoke(session, "no such token", now=now)
    with pytest.raises(errors.Unauthenticated):
        holder(services, grant.access, now)
    assert grant.refresh
    with pytest.raises(errors.Unauthenticated):
        accounts.refresh(services, grant.refresh, now=now)


def test_unknown_closed_and_wrong_look_the_same(
    services: Services, world: World, limiter: LoginLimiter, administrator: Viewer, now: datetime
) -> None:
    closed = world.a.users[Role.CASEWORKER]
    with unit_of_work(services.db) as session:
        accounts.edit_user(session, administrator, closed.id, active=False, now=now)
    told = set()
    for username, password in (
        ("nobody", world.password),
        (closed.username, world.password),
        (world.a.users[Role.AUDITOR].username, "a wrong password"),
    ):
        with pytest.raises(WrongPassword) as refused:
            sign_in(services, limiter, username, password, now)
        told.add((refused.value.slug, refused.value.field, tuple(refused.value.params)))
    assert len(told) == 1
    assert actions(services).count("account.sign_in_failed") == 3


def test_guessing_one_user_is_slowed_down_and_others_still_sign_in(
    services: Services, world: World, limiter: LoginLimiter, now: datetime
) -> None:
    guessed, other = world.a.users[Role.AUDITOR].username, world.a.users[Role.CASEWORKER].username
    for _ in range(5):
        with pytest.raises(WrongPassword):
            sign_in(services, limiter, guessed, "a wrong password", now)
    with pytest.raises(errors.TooManyAttempts) as refused:
        sign_in(services, limiter, guessed.upper(), world.password, now, address="192.0.2.99")
    assert 0 < refused.value.retry_after <= 300
    assert sign_in(services, limiter, other, world.password, now).access


def test_a_right_password_forgets_the_wrong_ones(
    services: Services, world: World, limiter: LoginLimiter, now: datetime
) -> None:
    username = world.a.users[Role.AUDITOR].username
    for _ in range(3):
        for _ in range(4):
            with pytest.raises(WrongPassword):
                sign_in(services, limiter, username, "a wrong password", now)
        assert sign_in(services, limiter, username, world.password, now).access


def test_guessing_from_one_address_is_slowed_down(services: Services, world: World, now: datetime) -> None:
    limits = services.settings.limits.model_copy(update={"login_per_address": "3 per 5 minutes"})
    limiter = LoginLimiter(limits)
    for number in range(3):
        with pytest.raises(WrongPassword):
            sign_in(services, limiter, f"guess{number}", "a wrong password", now)
    with pytest.raises(errors.TooManyAttempts):
        sign_in(services, limiter, world.a.users[Role.AUDITOR].username, world.password, now)
    assert sign_in(services, limiter, world.a.users[Role.AUDITOR].username, world.password, now, address="192.0.2.8")


def test_closing_an_account_ends_its_sign_ins_at_once(
    services: Services, world: World, limiter: LoginLimiter, administrator: Viewer, now: datetime
) -> None:
    staff = world.a.users[Role.STATION_STAFF]
    grant = sign_in(services, limiter, staff.username, world.password, now)
    with unit_of_work(services.db) as session:
        accounts.edit_user(session, administrator, staff.id, active=False, now=now)
    with pytest.raises(errors.Unauthenticated):
        holder(services, grant.access, now)
    assert grant.refresh
    with pytest.raises(errors.Unauthenticated):
        accounts.refresh(services, grant.refresh, now=now)
    with unit_of_work(services.db) as session:
        accounts.edit_user(session, administrator, staff.id, active=True, now=now)
    with pytest.raises(errors.Unauthenticated):  # reopened, and still to sign in anew
        holder(services, grant.access, now)


def create(services: Services, viewer: Viewer, organisation_id: uuid.UUID, now: datetime, **changed: str) -> User:
    values = {"username": "newcomer", "display_name": "新人", "password": "long enough"} | changed
    with unit_of_work(services.db) as session:
        return accounts.create_user(
            session, viewer, organisation_id=organisation_id, role=Role.CASEWORKER, locale=Locale.EN, now=now, **values
        )


def test_an_administrator_makes_accounts_in_the_own_tree_alone(
    services: Services, world: World, limiter: LoginLimiter, administrator: Viewer, now: datetime
) -> None:
    create(services, administrator, world.a.sister.id, now, username=" NewComer ")
    assert sign_in(services, limiter, "newcomer", "long enough", now).access
    with pytest.raises(errors.NotFound):
        create(services, administrator, world.b.station.id, now, username="elsewhere")
    with pytest.raises(UsernameTaken) as taken:
        create(services, administrator, world.a.station.id, now)
    assert taken.value.field == "username"
    with pytest.raises(PasswordTooShort):
        create(services, administrator, world.a.station.id, now, username="short", password="too short")
    with pytest.raises(errors.NotFound):
        with_unit(services, administrator, world.b.users[Role.AUDITOR].id, now)


def with_unit(services: Services, viewer: Viewer, user_id: uuid.UUID, now: datetime) -> None:
    with unit_of_work(services.db) as session:
        accounts.edit_user(session, viewer, user_id, active=False, now=now)


def test_nobody_else_manages_accounts(services: Services, world: World, now: datetime) -> None:
    for viewer in world.viewers():
        if viewer.role is Role.ADMINISTRATOR:
            continue
        with pytest.raises(errors.Forbidden):
            create(services, viewer, world.a.station.id, now)
        with pytest.raises(errors.Forbidden):
            with_unit(services, viewer, world.a.users[Role.AUDITOR].id, now)


def test_an_administrator_lists_the_own_tree(
    services: Services, world: World, administrator: Viewer, now: datetime
) -> None:
    with unit_of_work(services.db) as session:
        found = {user.id for user in accounts.list_users(session, administrator, limit=200, now=now).items}
    assert found == {user.id for user in world.a.people()}


def test_an_administrator_finds_an_account_by_name_or_role(
    services: Services, world: World, administrator: Viewer, now: datetime
) -> None:
    doctor = world.a.users[Role.HEALTH_LIAISON]
    with unit_of_work(services.db) as session:

        def names(**sought: Any) -> set[str]:
            return {user.username for user in accounts.list_users(session, administrator, now=now, **sought).items}

        assert names(text=doctor.username.upper()) == {doctor.username}
        assert names(role=Role.HEALTH_LIAISON) == {doctor.username}
        assert names(text="%") == set()
        assert names(text=world.a.sister.name_zh) == {world.a.sister_staff.username}
        first = accounts.list_users(session, administrator, limit=3, now=now)
        second = accounts.list_users(session, administrator, cursor=first.next_cursor, limit=200, now=now)
        assert not {user.id for user in first.items} & {user.id for user in second.items}
        assert accounts.get_user(session, administrator, doctor.id, now=now).id == doctor.id
        with pytest.raises(errors.NotFound):
            accounts.get_user(session, administrator, world.b.users[Role.HEALTH_LIAISON].id, now=now)


def test_an_administrator_does_not_close_or_demote_the_own_account(
    services: Services, world: World, administrator: Viewer, now: datetime
) -> None:
    with pytest.raises(OwnAccount):
        with_unit(services, administrator, administrator.user_id, now)
    with pytest.raises(OwnAccount), unit_of_work(services.db) as session:
        accounts.edit_user(session, administrator, administrator.user_id, role=Role.AUDITOR, now=now)
    with read_only(services.db) as session:
        user = session.get_one(User, administrator.user_id)
    assert (user.active, user.role) == (True, Role.ADMINISTRATOR)


def test_a_new_password_replaces_the_old_one(
    services: Services, world: World, limiter: LoginLimiter, administrator: Viewer, now: datetime
) -> None:
    staff = world.a.users[Role.STATION_STAFF]
    with unit_of_work(services.db) as session:
        accounts.edit_user(session, administrator, staff.id, password="another password", now=now)
    with pytest.raises(WrongPassword):
        sign_in(services, limiter, staff.username, world.password, now)
    assert sign_in(services, limiter, staff.username, "another password", now).access


def test_the_language_is_ones_own(services: Services, world: World, staff: Viewer, now: datetime) -> None:
    with unit_of_work(services.db) as session:
        accounts.set_locale(session, staff, Locale.EN, now=now)
    with read_only(services.db) as session:
        changed = session.scalars(select(User.id).where(User.locale == Locale.EN)).all()
    assert changed == [staff.user_id]


@pytest.mark.postgres
def test_tokens_on_postgresql(postgres_services: Services, world: World, now: datetime) -> None:
    limiter = LoginLimiter(postgres_services.settings.limits)
    grant = sign_in(postgres_services, limiter, world.a.users[Role.AUDITOR].username, world.password, now)
    assert grant.refresh
    again = accounts.refresh(postgres_services, grant.refresh, now=now)
    with pytest.raises(TokenReused):
        accounts.refresh(postgres_services, grant.refresh, now=now)
    with pytest.raises(errors.Unauthenticated):
        holder(postgres_services, again.access, now)
    with read_only(postgres_services.db) as session:
        assert not session.scalars(select(Token.id).where(Token.revoked_at.is_(None))).all()
