"""Users (用户): accounts, for administrators."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.deps import NowDep, PagingDep, SessionDep, ViewerDep, created
from api.idempotency import OnceDep
from api.openapi import problems
from api.schemas.base import Line, PageOut
from api.schemas.users import UserEdit, UserIn, UserOut, user_out
from models.user import Role
from tracing import accounts

router = APIRouter(prefix="/users", tags=["users"], responses=problems(403))


@router.get("", summary="The accounts that the administrator manages")
def list_all(
    session: SessionDep,
    viewer: ViewerDep,
    now: NowDep,
    paging: PagingDep,
    text: Annotated[Line, Query(description="Part of the user name, the name or the organisation's name.")] = "",
    role: Annotated[Role | None, Query()] = None,
) -> PageOut[UserOut]:
    """Newest first."""
    page = accounts.list_users(
        session, viewer, text=text, role=role, cursor=paging.cursor, limit=paging.limit, now=now
    )  # fmt: skip
    return PageOut(items=tuple(user_out(user) for user in page.items), next_cursor=page.next_cursor)


@router.post("", summary="Make an account", status_code=201, responses=problems(404, 409))
def create(
    body: UserIn, session: SessionDep, viewer: ViewerDep, now: NowDep, once: OnceDep, response: Response
) -> UserOut:
    """In an organisation that the administrator manages."""
    earlier = once.earlier(session, now=now)
    if earlier is not None:
        user = accounts.get_user(session, viewer, earlier, now=now)
    else:
        values = {**dict(body), "password": body.password.get_secret_value()}
        user = accounts.create_user(session, viewer, **values, now=now)
        once.remember(session, user.id)
    created(response, f"/api/v1/users/{user.id}")
    return user_out(user)


@router.patch("/{user_id}", summary="Close, reopen or change an account", responses=problems(404, 409))
def edit(user_id: uuid.UUID, body: UserEdit, session: SessionDep, viewer: ViewerDep, now: NowDep) -> UserOut:
    """The account's sign-ins end at once."""
    password = body.password.get_secret_value() if body.password else None
    user = accounts.edit_user(session, viewer, user_id, active=body.active, role=body.role, password=password, now=now)
    return user_out(user)
