"""Accounts (账号): signing in, tokens, and managing users and organisations."""

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session, joinedload

from models.organisation import Organisation
from models.user import Locale, Role, Token, TokenKind, User
from tracing import access
from tracing.access import Permission, Viewer, viewer_of
from tracing.facts import check_text
from tracing.limits import LoginLimiter
from tracing.paging import Page, page_of
from tracing.platform import errors
from tracing.platform.db import read_only, unit_of_work
from tracing.services import Services
from tracing.trail import note

PASSWORD_LENGTH_MIN = 10
_HASHER = PasswordHasher()
_ABSENT = _HASHER.hash(secrets.token_urlsafe(16))  # verified when there is no such user, so that both take as long


class WrongPassword(errors.Unauthenticated):
    """No such user, a wrong password, or an account that was closed: the answer is the same."""

    slug = "wrong_password"
    message = "User name or password is wrong. After several attempts you have to wait."


class TokenReused(errors.Unauthenticated):
    """A refresh token used a second time: somebody else has it."""

    slug = "token_reused"
    message = "This sign-in was used elsewhere and has been ended. Sign in again."


class PasswordTooShort(errors.Invalid):
    """A password that is guessed too soon."""

    slug = "password_too_short"
    message = "A password has at least {minimum} characters."


class UsernameTaken(errors.Conflict):
    """The user name exists."""

    slug = "username_taken"
    message = "This user name is taken. Choose another one."


class OwnAccount(errors.Conflict):
    """An administrator closing or demoting the own account."""

    slug = "own_account"
    message = "You cannot close your own account or change your own role. Another administrator has to."


@dataclass(frozen=True, slots=True)
class Grant:
    """Tokens just given out, in the clear for the only time. `refresh` is None for browser sessions."""

    access: str
    expires_at: datetime
    refresh: str | None


def sign_in(
    services: Services,
    limiter: LoginLimiter,
    *,
    username: str,
    password: str,
    address: str,
    kind: TokenKind,
    now: datetime,
) -> Grant:
    """Check a password and give out tokens (ACCESS: with a refresh token; SESSION: without).

    Opens transactions of its own, because a failed attempt must be on record although it raises.
    Raises WrongPassword, TooManyAttempts.
    """
    limiter.check(username, address)
    with read_only(services.db) as session:
        user = session.scalars(select(User).where(User.username == username.strip().lower())).one_or_none()
    good = _verify(user.password_hash if user else _ABSENT, password)
    if user is None or not good or not user.active:
        limiter.failed(username, address)
        with unit_of_work(services.db) as session:
            note(session, None, "account.sign_in_failed", "user", user.id if user else None, at=now)
        raise WrongPassword()
    limiter.succeeded(username)
    with unit_of_work(services.db) as session:
        if _HASHER.check_needs_rehash(user.password_hash):
            session.execute(update(User).where(User.id == user.id).values(password_hash=_HASHER.hash(password)))
        grant = _grant(session, services, user.id, uuid.uuid4(), kind, now)
        viewer = viewer_of(user, session.get_one(Organisation, user.organisation_id))
        note(session, viewer, "account.sign_in", "user", user.id, at=now, kind=kind.value)
    return grant


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _grant(
    session: Session, services: Services, user_id: uuid.UUID, family: uuid.UUID, kind: TokenKind, now: datetime
) -> Grant:
    lives = services.settings.tokens
    minutes = lives.session_hours * 60 if kind is TokenKind.SESSION else lives.access_minutes
    life = timedelta(minutes=minutes)
    token = _give(session, user_id, family, kind, now, life)
    refresh = None
    if kind is TokenKind.ACCESS:
        refresh = _give(session, user_id, family, TokenKind.REFRESH, now, timedelta(days=lives.refresh_days))
    return Grant(token, now + life, refresh)


def _give(
    session: Session, user_id: uuid.UUID, family: uuid.UUID, kind: TokenKind, now: datetime, life: timedelta
) -> str:
    token = secrets.token_urlsafe(32)
    session.add(
        Token(
            id=uuid.uuid4(), user_id=user_id, family=family, kind=kind, digest=_digest(token),
            created_at=now, expires_at=now + life,
        )
    )  # fmt: skip
    return token


def refresh(services: Services, token: str, *, now: datetime) -> Grant:
    """New tokens for a refresh token, which is used up. A used one ends the whole family. Raises Unauthenticated."""
    with unit_of_work(services.db) as session:
        row = session.scalars(
            select(Token).where(Token.digest == _digest(token), Token.kind == TokenKind.REFRESH).with_for_update()
        ).one_or_none()
        if row is None or row.revoked_at is not None or row.expires_at <= now:
            raise errors.Unauthenticated()
        reused = row.used_at is not None
        if reused:
            _revoke_family(session, row.family, now)
            note(session, None, "account.token_reused", "user", row.user_id, at=now)
        else:
            user = session.get_one(User, row.user_id)
            if not user.active:
                raise errors.Unauthenticated()
            row.used_at = now
            grant = _grant(session, services, row.user_id, row.family, TokenKind.ACCESS, now)
            note(session, None, "account.refresh", "user", row.user_id, at=now)
    if reused:
        raise TokenReused()
    return grant


def revoke(session: Session, token: str, *, now: datetime) -> None:
    """End the sign-in that a token belongs to (RFC 7009: an unknown token is no error)."""
    row = session.scalars(select(Token).where(Token.digest == _digest(token))).one_or_none()
    if row is not None:
        _revoke_family(session, row.family, now)
        note(session, None, "account.sign_out", "user", row.user_id, at=now)


def _revoke_family(session: Session, family: uuid.UUID, now: datetime) -> None:
    session.execute(update(Token).where(Token.family == family, Token.revoked_at.is_(None)).values(revoked_at=now))


def viewer_for_token(session: Session, token: str, kind: TokenKind, *, now: datetime) -> Viewer:
    """Who holds the token. Raises Unauthenticated when it is unknown, expired, revoked, or the account is closed."""
    row = session.execute(
        select(User, Organisation)
        .join(Token, Token.user_id == User.id)
        .join(Organisation, Organisation.id == User.organisation_id)
        .where(
            Token.digest == _digest(token),
            Token.kind == kind,
            Token.revoked_at.is_(None),
            Token.expires_at > now,
            User.active,
        )
    ).one_or_none()
    if row is None:
        raise errors.Unauthenticated()
    user, organisation = row
    return viewer_of(user, organisation)


def list_users(
    session: Session,
    viewer: Viewer,
    *,
    text: str = "",
    role: Role | None = None,
    cursor: str | None = None,
    limit: int = 50,
    now: datetime,
) -> Page[User]:
    """The accounts that an administrator manages, newest first.

    `text`: part of the user name, of the person's name, or of the organisation's in either language. Raises Forbidden,
    BadCursor.
    """
    access.require(viewer, Permission.ACCOUNTS)
    statement = (
        select(User)
        .where(access.user_scope(viewer))
        .options(joinedload(User.organisation))
        .join(Organisation, Organisation.id == User.organisation_id)
    )
    if text.strip():
        named = (User.username, User.display_name, Organisation.name_zh, Organisation.name_en)
        statement = statement.where(or_(*(column.icontains(text.strip(), autoescape=True) for column in named)))
    if role is not None:
        statement = statement.where(User.role == role)
    page = page_of(session, statement, User.created_at, User.id, cursor=cursor, limit=limit)
    note(session, viewer, "account.list", "user", None, at=now, count=len(page.items))
    return page


def get_user(session: Session, viewer: Viewer, user_id: uuid.UUID, *, now: datetime) -> User:
    """An account that the administrator manages; the look is logged. Raises Forbidden, NotFound."""
    access.require(viewer, Permission.ACCOUNTS)
    statement = select(User).where(User.id == user_id, access.user_scope(viewer)).options(joinedload(User.organisation))
    user: User = access.find(session, statement)
    note(session, viewer, "account.view", "user", user.id, at=now)
    return user


def create_user(
    session: Session,
    viewer: Viewer,
    *,
    organisation_id: uuid.UUID,
    username: str,
    display_name: str,
    role: Role,
    password: str,
    locale: Locale = Locale.ZH,
    now: datetime,
) -> User:
    """An account in an organisation that the administrator manages. Raises UsernameTaken, PasswordTooShort."""
    access.require(viewer, Permission.ACCOUNTS)
    organisation: Organisation = access.find(
        session, select(Organisation).where(Organisation.id == organisation_id, access.organisation_scope(viewer))
    )
    username = check_text(username, limit=64, field="username").lower()
    if session.scalar(select(User.id).where(User.username == username)) is not None:
        raise UsernameTaken(field="username")
    user = User(
        id=uuid.uuid4(),
        organisation_id=organisation.id,
        organisation=organisation,
        username=username,
        display_name=check_text(display_name, limit=120, field="display_name"),
        role=role,
        locale=locale,
        password_hash=hash_password(password),
        active=True,
        created_at=now,
    )
    session.add(user)
    session.flush()
    note(session, viewer, "account.create", "user", user.id, at=now, role=role.value, organisation=organisation.id)
    return user


def hash_password(password: str) -> str:
    """Argon2id hash with the library's current defaults (RFC 9106). Raises PasswordTooShort."""
    if len(password) < PASSWORD_LENGTH_MIN:
        raise PasswordTooShort(field="password", minimum=PASSWORD_LENGTH_MIN)
    return _HASHER.hash(password)


def edit_user(
    session: Session,
    viewer: Viewer,
    user_id: uuid.UUID,
    *,
    active: bool | None = None,
    role: Role | None = None,
    password: str | None = None,
    now: datetime,
) -> User:
    """Close, reopen or change an account; its sign-ins end at once. Raises OwnAccount, PasswordTooShort."""
    access.require(viewer, Permission.ACCOUNTS)
    user: User = access.find(
        session,
        select(User).where(User.id == user_id, access.user_scope(viewer)).options(joinedload(User.organisation)),
    )
    if user.id == viewer.user_id and (active is False or role not in (None, user.role)):
        raise OwnAccount()
    if active is not None:
        user.active = active
    if role is not None:
        user.role = role
    if password is not None:
        user.password_hash = hash_password(password)
    if (active, role, password) == (None, None, None):
        return user
    session.execute(update(Token).where(Token.user_id == user.id, Token.revoked_at.is_(None)).values(revoked_at=now))
    session.flush()
    note(session, viewer, "account.edit", "user", user.id, at=now, active=user.active, role=user.role.value)
    return user


def set_locale(session: Session, viewer: Viewer, locale: Locale, *, now: datetime) -> None:
    """The viewer's own language, from the next request on."""
    session.execute(update(User).where(User.id == viewer.user_id).values(locale=locale))
    note(session, viewer, "account.locale", "user", viewer.user_id, at=now, locale=locale.value)
