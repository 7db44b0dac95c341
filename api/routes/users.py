"""Users (用户): accounts, for administrators."""

import uuid

from fastapi import APIRouter, Response

from api.deps import NowDep, SessionDep, ViewerDep, created
from api.idempotency import OnceDep
from api.openapi import problems
from api.schemas.base import ItemsOut, items_out
from api.schemas.users import UserEdit, UserIn, UserOut, user_out
from models.user import User
from tracing import accounts
from tracing.platform import errors

router = APIRouter(prefix="/users", tags=["users"], responses=problems(403))


@router.get("", summary="The accounts that the administrator manages")
def list_all(session: SessionDep, viewer: ViewerDep, now: NowDep) -> ItemsOut[UserOut]:
    """By organisation and user name."""
    return items_out(user_out(user) for user in accounts.list_users(session, viewer, now=now))


@router.post("", summary="Make an account", status_code=201, responses=problems(404, 409))
def create(
    body: UserIn, session: SessionDep, viewer: ViewerDep, now: NowDep, once: OnceDep, response: Response
) -> UserOut:
    """In an organisation that the administrator manages."""
    earlier = once.earlier(session, now=now)
    if earlier is not None:
        user = _find(accounts.list_users(session, viewer, now=now), earlier)
    else:
        values = {**dict(body), "password": body.password.get_secret_value()}
        user = accounts.create_user(session, viewer, **values, now=now)
        once.remember(session, user.id)
    created(response, f"/api/v1/users/{user.id}")
    return user_out(user)


def _find(users: list[User], wanted: uuid.UUID) -> User:
    for user in users:
        if user.id == wanted:
            return user
    raise errors.NotFound()


@router.patch("/{user_id}", summary="Close, reopen or change an account", responses=problems(404, 409))
def edit(user_id: uuid.UUID, body: UserEdit, session: SessionDep, viewer: ViewerDep, now: NowDep) -> UserOut:
    """The account's sign-ins end at once."""
    password = body.password.get_secret_value() if body.password else None
    user = accounts.edit_user(session, viewer, user_id, active=body.active, role=body.role, password=password, now=now)
    return user_out(user)
