"""Patrols (巡查): the list with the figures of a period, recording a round, taking one back."""

import uuid
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.web import once
from api.web.errors import NumberExpected
from api.web.forms import Typed, moment, optional_day, optional_number, optional_place, place_text
from api.web.page import Page, PageDep, posted
from api.web.rendering import done, redirect, render
from api.web.seen_form import now_typed
from models.patrol import AidKind
from tracing import access, patrols
from tracing.access import Permission
from tracing.facts import InvalidFacts, collecting
from tracing.organisations import organisations_by_id
from tracing.patrols import Walk
from tracing.platform import errors

router = APIRouter()
SHOWN = 25


@router.get("/patrols")
def index(page: PageDep) -> Response:
    """The latest first, and the figures of a period: this month's unless asked otherwise."""
    query = page.request.query_params
    asked = Typed({name: query.get(name, "")[:40] for name in ("since", "until")})
    today = page.services.local_day(page.now)
    since, until = optional_day(asked, "since") or today.replace(day=1), optional_day(asked, "until") or today
    cursor = query.get("cursor") or None
    listed = patrols.list_patrols(page.session, page.viewer, cursor=cursor, limit=SHOWN, now=page.now)
    counts = patrols.count_patrols(
        page.session, page.viewer, since=_begin(page, since), until=_begin(page, until + timedelta(days=1)),
        now=page.now,
    )  # fmt: skip
    return render(
        page, "patrols/list.html", views=listed.items, next_cursor=listed.next_cursor, first=cursor is None,
        counts=counts, since=since, until=until,
        organisations=organisations_by_id(page.session, (one.patrol.organisation_id for one in listed.items)),
    )  # fmt: skip


def _begin(page: Page, day: date) -> datetime:
    return datetime.combine(day, time.min, page.services.settings.zone)


def show_new(page: Page) -> Response:
    """The form for a round."""
    access.require(page.viewer, Permission.PATROL)
    division = access.own_organisation(page.session, page.viewer).division
    begins = {"ended_at": now_typed(page), "division": place_text(division), "people_met": "0"}
    return render(
        page, "patrols/new.html", aid_kinds=list(AidKind), key_field=once.FIELD, form_key=once.key(page),
        values=page.typed.values if page.problem else begins,
    )  # fmt: skip


@router.get("/patrols/new")
def new(page: PageDep) -> Response:
    """The page."""
    return show_new(page)


@router.post("/patrols/new")
def record(page: Annotated[Page, posted(show_new)]) -> Response:
    """Record a round."""
    access.require(page.viewer, Permission.PATROL)
    walk = _read_walk(page)
    made = once.earlier(page, "patrol")
    if made is None:
        made = patrols.record_patrol(page.session, page.viewer, walk, now=page.now).id
        once.remember(page, made)
    return redirect(page, f"/patrols/{made}", done(page, "The patrol is recorded."))


def _read_walk(page: Page) -> Walk:
    typed, problems, zone = page.typed, list[errors.Invalid](), page.services.settings.zone
    started_at = ended_at = page.now
    division, members, people_met, aid = None, 0, 0, dict[AidKind, int]()
    with collecting(problems):
        started_at = moment(typed, "started_at", zone)
    with collecting(problems):
        ended_at = moment(typed, "ended_at", zone)
    with collecting(problems):
        division = optional_place(typed, "division")
    with collecting(problems):
        members = _count(typed, "members")
    with collecting(problems):
        people_met = _count(typed, "people_met")
    for kind in AidKind:
        with collecting(problems):
            times = _count(typed, f"aid.{kind.value}")
            aid |= {kind: times} if times else {}
    if problems:
        raise InvalidFacts(tuple(problems))
    return Walk(typed.text("route"), started_at, ended_at, members, people_met, division, aid)


def _count(typed: Typed, name: str) -> int:
    """A whole number, 0 when nothing was typed. Raises NumberExpected."""
    number = optional_number(typed, name) or 0.0
    if number != round(number):
        raise NumberExpected(field=name)
    return round(number)


def show_patrol(page: Page, patrol_id: uuid.UUID) -> Response:
    """One round, what was given, what came of it."""
    view = patrols.get_patrol(page.session, page.viewer, patrol_id, now=page.now)
    values: Mapping[str, str] = page.typed.values if page.problem else {}
    return render(
        page, "patrols/patrol.html", view=view, patrol=view.patrol, values=values,
        organisation=organisations_by_id(page.session, [view.patrol.organisation_id])[view.patrol.organisation_id],
    )  # fmt: skip


@router.get("/patrols/{patrol_id}")
def read(page: PageDep, patrol_id: uuid.UUID) -> Response:
    """The page."""
    return show_patrol(page, patrol_id)


@router.post("/patrols/{patrol_id}/withdraw")
def withdraw(page: Annotated[Page, posted(show_patrol)], patrol_id: uuid.UUID) -> Response:
    """Take it back: it stays on record and counts no more."""
    patrols.withdraw_patrol(page.session, page.viewer, patrol_id, reason=page.typed.text("reason"), now=page.now)
    return redirect(page, f"/patrols/{patrol_id}", done(page, "The patrol is withdrawn and counts no more."))
