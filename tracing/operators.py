"""Operators (运维人员): what is done at the server's own console, before or beside all accounts."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.organisation import OrganisationKind
from models.user import Locale, Role, Token, User
from tracing.accounts import hash_password
from tracing.facts import check_division, check_text
from tracing.organisations import place
from tracing.platform import errors
from tracing.trail import note


class NotEmpty(errors.Conflict):
    """There are accounts already."""

    slug = "not_empty"
    message = "There are accounts already. An administrator creates further ones on the page “Users”."


def create_first_administrator(
    session: Session, username: str, organisation: str, division: str, password: str, *, now: datetime
) -> User:
    """The root organisation and its administrator. Raises NotEmpty, UnknownDivision, PasswordTooShort."""
    if session.scalar(select(User.id).limit(1)) is not None:
        raise NotEmpty()
    check_division(division, field="division")
    root = place(
        None, kind=OrganisationKind.BUREAU, name_zh=organisation, name_en=organisation, division=division, now=now
    )
    session.add(root)
    session.flush()
    user = User(
        organisation_id=root.id,
        username=check_text(username, limit=64, field="username").lower(),
        display_name=username,
        role=Role.ADMINISTRATOR,
        locale=Locale.ZH,
        password_hash=hash_password(password),
        created_at=now,
    )
    session.add(user)
    session.flush()
    note(session, None, "account.create", "user", user.id, at=now, role=user.role.value, console=True)
    return user


def reset_password(session: Session, username: str, password: str, *, now: datetime) -> None:
    """A new password for an account; its sign-ins end. Raises NotFound, PasswordTooShort."""
    user = session.scalars(select(User).where(User.username == username.strip().lower())).one_or_none()
    if user is None:
        raise errors.NotFound(field="username")
    user.password_hash = hash_password(password)
    session.execute(update(Token).where(Token.user_id == user.id, Token.revoked_at.is_(None)).values(revoked_at=now))
    note(session, None, "account.edit", "user", user.id, at=now, console=True)
