"""Accounts and the viewer over the wire. Passwords go in and never come out."""

import uuid

from pydantic import ConfigDict, SecretStr

from api.schemas.base import Input, Line, Output
from models.user import Locale, Role, User
from tracing.access import MATRIX, Permission, Viewer


class MeOut(Output):
    """Who is signed in, and what the role may do."""

    id: uuid.UUID
    display_name: str
    role: Role
    organisation_id: uuid.UUID
    locale: Locale
    permissions: tuple[Permission, ...]


class UserIn(Input):
    """An account to be made."""

    organisation_id: uuid.UUID
    username: Line
    display_name: Line
    role: Role
    password: SecretStr
    locale: Locale = Locale.ZH

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "organisation_id": "4a1c1c5e-2f6e-4f0e-9a53-0f6a1b8f2f10",
                    "username": "li.na",
                    "display_name": "李娜",
                    "role": "station_staff",
                    "password": "ten characters or more",
                    "locale": "zh",
                }
            ]
        }
    )


class UserEdit(Input):
    """What to change; what is left out stays. The account's sign-ins end in any case."""

    active: bool | None = None
    role: Role | None = None
    password: SecretStr | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"active": False}]})


class UserOut(Output):
    """An account."""

    id: uuid.UUID
    username: str
    display_name: str
    role: Role
    locale: Locale
    active: bool
    organisation_id: uuid.UUID
    organisation_name_zh: str
    organisation_name_en: str


def me_out(viewer: Viewer) -> MeOut:
    """The viewer, with the permissions in a fixed order."""
    return MeOut(
        id=viewer.user_id,
        display_name=viewer.display_name,
        role=viewer.role,
        organisation_id=viewer.organisation_id,
        locale=viewer.locale,
        permissions=tuple(permission for permission in Permission if permission in MATRIX[viewer.role]),
    )


def user_out(user: User) -> UserOut:
    """An account that was loaded with its organisation."""
    return UserOut(
        id=user.id,
        username=user.username,
        display_name=user.display_name,
        role=user.role,
        locale=user.locale,
        active=user.active,
        organisation_id=user.organisation_id,
        organisation_name_zh=user.organisation.name_zh,
        organisation_name_en=user.organisation.name_en,
    )
