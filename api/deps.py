"""What routes depend on: services, the viewer, the unit of work, the time, pages and versions."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Header, Query, Request, Response
from fastapi.security import OAuth2PasswordBearer
from sqlalchemy.orm import Session

from api.errors import VersionMissing
from api.locales import locale_of
from api.schemas.base import Line
from models.user import Locale, TokenKind
from tracing.access import Viewer
from tracing.accounts import viewer_for_token
from tracing.limits import LoginLimiter
from tracing.paging import LIMIT_MAX
from tracing.platform import errors
from tracing.platform.clock import Clock
from tracing.platform.db import read_only, unit_of_work
from tracing.services import Services

ETAG = re.compile(r'"([0-9]{1,9})"', re.ASCII)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_bearer = OAuth2PasswordBearer(tokenUrl="/api/v1/oauth/token", refreshUrl="/api/v1/oauth/token", auto_error=False)


def services_dependency(request: Request) -> Services:
    """The services of the process."""
    services: Services = request.app.state.services
    return services


def now_of(request: Request) -> datetime:
    """The present moment, by the clock of the process."""
    clock: Clock = request.app.state.clock
    return clock()


def limiter_dependency(request: Request) -> LoginLimiter:
    """The count of failed sign-ins."""
    limiter: LoginLimiter = request.app.state.limiter
    return limiter


ServicesDep = Annotated[Services, Depends(services_dependency)]
LimiterDep = Annotated[LoginLimiter, Depends(limiter_dependency)]
NowDep = Annotated[datetime, Depends(now_of)]


def viewer_dependency(
    request: Request, services: ServicesDep, now: NowDep, token: Annotated[str | None, Depends(_bearer)]
) -> Viewer:
    """Who holds the access token. Raises Unauthenticated.

    In a session of its own, so that no transaction is held while an upload is decoded.
    """
    if not token:
        raise errors.Unauthenticated()
    with read_only(services.db) as session:
        viewer = viewer_for_token(session, token, TokenKind.ACCESS, now=now)
    request.state.viewer = viewer
    return viewer


def unit_of_work_dependency(request: Request, services: ServicesDep) -> Iterator[Session]:
    """The request's transaction; committed before the answer is sent. Always with scope="function" (ADR on commits)."""
    with unit_of_work(services.db) as session:
        yield session
    worker = request.app.state.worker
    if worker is not None and request.method not in SAFE_METHODS:
        worker.notify()


ViewerDep = Annotated[Viewer, Depends(viewer_dependency)]
SessionDep = Annotated[Session, Depends(unit_of_work_dependency, scope="function")]
LocaleDep = Annotated[Locale, Depends(locale_of)]


@dataclass(frozen=True, slots=True)
class Paging:
    """Which page, of how many rows."""

    cursor: str | None
    limit: int


def _paging(
    cursor: Annotated[Line | None, Query(description="`next_cursor` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = 50,
) -> Paging:
    return Paging(cursor, limit)


PagingDep = Annotated[Paging, Depends(_paging)]


def version_dependency(
    if_match: Annotated[
        str | None, Header(description="The `ETag` of the version that was changed; `*` for whatever it is now.")
    ] = None,
) -> int | None:
    """The version that the editor saw; None for `*`. Raises VersionMissing, StaleVersion for no ETag of ours."""
    if if_match is None:
        raise VersionMissing(field="If-Match")
    if if_match.strip() == "*":
        return None
    found = ETAG.fullmatch(if_match.strip())
    if found is None:
        raise errors.StaleVersion(field="If-Match")
    return int(found.group(1))


VersionDep = Annotated[int | None, Depends(version_dependency)]


def set_etag(response: Response, version: int) -> None:
    """Tell the record's version."""
    response.headers["ETag"] = f'"{version}"'


def created(response: Response, location: str) -> None:
    """Say where the new resource is. The status, 201, is the route's."""
    response.headers["Location"] = location
