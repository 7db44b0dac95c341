"""The public page of a notice (公告公开页面), its photograph, and the form for a tip."""

from fastapi import APIRouter, Depends, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from api.deps import NowDep, ServicesDep, SessionDep
from api.notice_words import lines, station
from api.problems import problem_of
from api.web.forms import Typed, TypedDep
from api.web.public_page import HEADERS, locale_of, show
from tracing.facts import InvalidFacts
from tracing.limits import TipLimiter
from tracing.notices_public import PublicNotice, public_notice, public_photo
from tracing.photo_refusals import PhotoRefused
from tracing.photos import PreparedPhoto
from tracing.platform import errors
from tracing.platform.db import read_only
from tracing.services import Services
from tracing.tips import LINE_LIMIT, TEXT_LIMIT, TipText, check_tip, prepare_tip_photo, receive_tip

router = APIRouter()


def _notice_page(
    request: Request,
    services: Services,
    session: Session,
    found: PublicNotice,
    *,
    status: int = 200,
    typed: Typed | None = None,
    problem: errors.TracingError | None = None,
) -> Response:
    locale = locale_of(request)
    shown = problem_of(problem, locale) if problem else None
    return show(
        request,
        "public/notice.html",
        status=status,
        lines=lines(found.content, locale),
        station=station(found.content, locale),
        telephone=found.content.telephone,
        has_photo=found.has_photo,
        typed=typed or Typed(),
        problem=shown,
        wrong={one.field: one.detail for one in shown.errors} if shown else {},
        text_limit=TEXT_LIMIT,
        line_limit=LINE_LIMIT,
    )


@router.get("/n/{token}")
def page(request: Request, token: str, services: ServicesDep, session: SessionDep, now: NowDep) -> Response:
    """The notice, if it is public at this moment."""
    return _notice_page(request, services, session, public_notice(session, services, token, now=now))


@router.get("/n/{token}/photo")
def photo(token: str, services: ServicesDep, session: SessionDep, now: NowDep) -> Response:
    """Its photograph."""
    data = public_photo(session, services, token, now=now)
    return Response(data, media_type="image/jpeg", headers=HEADERS)


def _limited(request: Request, token: str) -> None:
    limiter: TipLimiter = request.app.state.tip_limiter
    limiter.take(token, request.client.host if request.client else "")


@router.post("/n/{token}", dependencies=[Depends(_limited)])
def tip(
    request: Request, token: str, services: ServicesDep, now: NowDep, typed: TypedDep, session: SessionDep
) -> Response:
    """Take in a tip. What is wrong is said on the page, with all that was typed; the answer is the same for all."""
    with read_only(services.db) as reading:
        found = public_notice(reading, services, token, now=now)
    # A field that people do not see: whoever fills it in is a machine, and is thanked like everybody.
    if typed.text("website"):
        return _thanks(request)
    given = TipText(typed.text("text"), *(typed.optional(name) for name in ("place", "time", "contact")))
    try:
        given = check_tip(given)
        picture = _picture(services, typed)
    except (InvalidFacts, PhotoRefused) as error:
        return _notice_page(request, services, session, found, status=422, typed=typed, problem=error)
    receive_tip(session, services, token, given, picture, now=now)
    return _thanks(request)


def _picture(services: Services, typed: Typed) -> PreparedPhoto | None:
    files = typed.files.get("photo", ())
    if not files:
        return None
    data = files[0].file.read(services.settings.tips.max_photo_bytes + 1)
    return prepare_tip_photo(data, services.settings)


def _thanks(request: Request) -> Response:
    return show(request, "public/thanks.html")
