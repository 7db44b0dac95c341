"""A page being answered: who looks, in which transaction, what was typed; and the two ways to get one."""

import inspect
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.deps import NowDep, ServicesDep
from api.problems import Problem, problem_of
from api.web import cookies, csrf
from api.web.forms import Typed, TypedDep
from models.user import Locale, TokenKind
from tracing.access import Permission, Viewer
from tracing.accounts import viewer_for_token
from tracing.platform import errors
from tracing.platform.db import read_only, unit_of_work
from tracing.services import Services

Show = Callable[..., Response]
T = TypeVar("T")


@dataclass(frozen=True)
class Page:
    """One request for a page. `problem` is set when the page is shown again because what was typed was refused.

    `asks` is False for a page that asks the database nothing, because that may be what is broken.
    """

    request: Request
    services: Services
    session: Session
    now: datetime
    who: Viewer | None
    typed: Typed = field(default_factory=Typed)
    problem: Problem | None = None
    asks: bool = True

    @property
    def viewer(self) -> Viewer:
        """Who looks. Raises Unauthenticated on the pages that everybody may see."""
        if self.who is None:
            raise errors.Unauthenticated()
        return self.who

    @property
    def locale(self) -> Locale:
        """The language of the answer."""
        locale: Locale = self.request.state.locale
        return locale

    def may(self, permission: Permission) -> bool:
        """Whether the viewer's role has the permission; nobody's has none."""
        return self.who is not None and self.who.may(permission)


@dataclass(frozen=True)
class Again:
    """How to show the page of a form again, with what was typed."""

    show: Callable[[Page], Response]
    typed: Typed
    who: Viewer | None


def who_looks(request: Request, services: Services, now: datetime) -> Viewer | None:
    """Who holds the browser's session, if anybody. In a short transaction of its own, so that no upload holds one."""
    token = cookies.read(request, cookies.SESSION)
    if not token:
        return None
    try:
        with read_only(services.db) as session:
            viewer = viewer_for_token(session, token, TokenKind.SESSION, now=now)
    except errors.Unauthenticated:
        return None
    request.state.viewer = viewer
    request.state.locale = viewer.locale
    return viewer


def _identifiers(request: Request) -> dict[str, uuid.UUID]:
    """The parameters of the address, all of them identifiers. Raises NotFound for what is none."""
    try:
        return {name: uuid.UUID(str(value)) for name, value in request.path_params.items()}
    except ValueError:
        raise errors.NotFound() from None


def _signed_in(request: Request, services: Services, now: datetime) -> Viewer:
    viewer = who_looks(request, services, now)
    if viewer is None:
        raise errors.Unauthenticated()
    return viewer


def _page(request: Request, services: ServicesDep, now: NowDep) -> Iterator[Page]:
    viewer = _signed_in(request, services, now)
    _identifiers(request)
    with unit_of_work(services.db) as session:
        yield Page(request, services, session, now, viewer)


def _visit(request: Request, services: ServicesDep, now: NowDep) -> Iterator[Page]:
    viewer = who_looks(request, services, now)
    with unit_of_work(services.db) as session:
        yield Page(request, services, session, now, viewer)


PageDep = Annotated[Page, Depends(_page, scope="function")]
"""A page for somebody who is signed in."""
VisitDep = Annotated[Page, Depends(_visit, scope="function")]
"""A page for anybody."""


def posted(again: Show, *, visitor: bool = False) -> Any:
    """A dependency: the page of a POST whose form was ours. The only way to one, so that no form goes unchecked.

    `again(page, **identifiers of the address)` shows the page of the form once more when the POST is refused.
    """
    wanted = frozenset(inspect.signature(again).parameters)

    def dependency(request: Request, services: ServicesDep, now: NowDep, typed: TypedDep) -> Iterator[Page]:
        viewer = who_looks(request, services, now) if visitor else _signed_in(request, services, now)
        identifiers = {name: value for name, value in _identifiers(request).items() if name in wanted}
        request.state.again = Again(partial(again, **identifiers), typed, viewer)
        csrf.check(request, typed.text(csrf.FIELD))
        with unit_of_work(services.db) as session:
            yield Page(request, services, session, now, viewer, typed)
        if request.app.state.worker is not None:
            request.app.state.worker.notify()

    return Depends(dependency, scope="function")


def asked_of(page: Page, read: Callable[[Typed], T], otherwise: T) -> tuple[Page, T]:
    """What the address of a GET form asks for; when it is refused, `otherwise` and the page with the problem on it."""
    try:
        return page, read(Typed(dict(page.request.query_params)))
    except errors.Invalid as error:
        return replace(page, problem=problem_of(error, page.locale)), otherwise
