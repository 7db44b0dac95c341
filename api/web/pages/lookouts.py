"""Lookouts (协查): the list, the map of where the person was seen, answering in two taps, widening, ending."""

import uuid
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter
from starlette.responses import Response

from api.middleware import PAGE_POLICY
from api.web import live, once
from api.web.case_number import case_numbers, typed_case
from api.web.errors import ChoiceMissing
from api.web.forms import choice
from api.web.page import Page, PageDep, posted
from api.web.pictures import jpeg, size_asked
from api.web.rendering import done, redirect, render
from api.web.seen_form import offered, prepare_photos, read_seen, store_photos
from api.web.tiles import origin
from api.web.track_map import track_map
from models.case import CaseState
from models.lookout import LookoutEnd
from tracing import access, lookout_answers, lookout_track, lookout_watch, lookouts, sighted_cases
from tracing.access import Permission
from tracing.cases import load_case
from tracing.lookout_policy import lookout_policy
from tracing.lookout_track import TrackPoint
from tracing.organisations import organisations_by_id

router = APIRouter()
SHOWN = 25
ANSWERS_SHOWN = 50
"""All that a lookout of one county gets; the newest of a wider one."""


@router.get("/lookouts")
def index(page: PageDep) -> Response:
    """The open ones, newest first; also those that have ended when asked for."""
    query = page.request.query_params
    ended = bool(query.get("ended"))
    listed = lookouts.list_lookouts(
        page.session, page.services, page.viewer, only_open=not ended, cursor=query.get("cursor") or None,
        limit=SHOWN, now=page.now,
    )  # fmt: skip
    return render(
        page, "lookouts/list.html", views=listed.items, ended=ended, next_cursor=listed.next_cursor,
        first=not query.get("cursor"),
        organisations=organisations_by_id(page.session, (one.lookout.organisation_id for one in listed.items)),
    )  # fmt: skip


def with_map(page: Page, template: str, points: Sequence[TrackPoint], **context: Any) -> Response:
    """A page with the map of a track; what lies under it may come from the configured tile server alone."""
    tiles = page.services.settings.web.tiles
    response = render(page, template, points=points, drawing=track_map(points, tiles), **context)
    if tiles:
        policy = PAGE_POLICY.replace("img-src 'self'", f"img-src 'self' {origin(tiles)}")
        response.headers["Content-Security-Policy"] = policy
    return response


def show_lookout(page: Page, lookout_id: uuid.UUID) -> Response:
    """Whom to look for, where the person was seen, and what this viewer may do about it."""
    session, services, viewer = page.session, page.services, page.viewer
    view = lookouts.get_lookout(session, services, viewer, lookout_id, now=page.now)
    points = lookout_track.lookout_track(session, services, viewer, lookout_id, now=page.now)
    answers = lookout_answers.list_answers(session, viewer, lookout_id, limit=ANSWERS_SHOWN, now=page.now).items
    named = [view.lookout.organisation_id, *(one.organisation_id for one in answers)]
    return with_map(
        page, "lookouts/lookout.html", points, view=view, lookout=view.lookout,
        answers=answers, organisations=organisations_by_id(session, named),
        cases=case_numbers(page, [view.lookout.case_id, view.lookout.found_case_id]),
        # Sightings of another jurisdiction's lookout have no page for this viewer.
        linked=view.mine and page.may(Permission.CASE_READ),
        leading=view.mine and view.lookout.open and page.may(Permission.LOOKOUT),
        mark=lookout_track.lookout_mark(session, viewer, view.lookout.id),
        ends=[LookoutEnd.FOUND, LookoutEnd.CALLED_OFF], key_field=once.FIELD, form_key=once.key(page),
        **offered(page),
    )  # fmt: skip


@router.get("/lookouts/{lookout_id}")
def read(page: PageDep, lookout_id: uuid.UUID) -> Response:
    """The page."""
    return show_lookout(page, lookout_id)


@router.get("/lookouts/{lookout_id}/live")
def follow(page: PageDep, lookout_id: uuid.UUID) -> Response:
    """Tells the open page when the lookout was answered, has widened, or ended."""
    return live.follow(page, lambda session, viewer: lookout_track.lookout_mark(session, viewer, lookout_id))


@router.get("/lookouts/{lookout_id}/photo")
def photo(page: PageDep, lookout_id: uuid.UUID) -> Response:
    """The photograph of whom is looked for, while the lookout is open; never kept by the browser."""
    data = lookouts.open_lookout_photo(
        page.session, page.services, page.viewer, lookout_id, size=size_asked(page), now=page.now
    )  # fmt: skip
    return jpeg(data)


@router.post("/lookouts/{lookout_id}/answers")
def answer(page: Annotated[Page, posted(show_lookout)], lookout_id: uuid.UUID) -> Response:
    """“Seen here” with place, time and photographs, or “not seen here” without anything."""
    access.require(page.viewer, Permission.SIGHTING)
    here = f"/lookouts/{lookout_id}"
    if page.typed.text("seen") != "yes":
        lookout_answers.answer_lookout(page.session, page.services, page.viewer, lookout_id, None, now=page.now)
        return redirect(page, here, done(page, "Thank you. It is recorded that the person was not seen here."))
    prepared = prepare_photos(page)
    seen = read_seen(page)
    if once.earlier(page, f"answer {lookout_id}") is not None:
        return redirect(page, here)
    made = lookout_answers.answer_lookout(page.session, page.services, page.viewer, lookout_id, seen, now=page.now)
    refused = store_photos(page, made.sighting_id, prepared) if made.sighting_id else ()
    once.remember(page, made.id)
    return redirect(page, here, done(page, "Thank you. Whoever looks for the person is told at once."), *refused)


@router.post("/lookouts/{lookout_id}/widen")
def widen(page: Annotated[Page, posted(show_lookout)], lookout_id: uuid.UUID) -> Response:
    """Open the next ring now."""
    lookout_watch.widen_lookout(page.session, page.services, page.viewer, lookout_id, now=page.now)
    return redirect(page, f"/lookouts/{lookout_id}", done(page, "The next ring is open. Its liaisons are told."))


@router.post("/lookouts/{lookout_id}/end")
def end(page: Annotated[Page, posted(show_lookout)], lookout_id: uuid.UUID) -> Response:
    """Found, or called off."""
    access.require(page.viewer, Permission.LOOKOUT)
    kind = choice(page.typed, "kind", LookoutEnd)
    if kind is LookoutEnd.EXPIRED:  # the clock says that
        raise ChoiceMissing(field="kind")
    lookouts.end_lookout(
        page.session, page.services, page.viewer, lookout_id, kind, reason=page.typed.text("reason"),
        case_id=typed_case(page, "case_number"), now=page.now,
    )  # fmt: skip
    return redirect(page, f"/lookouts/{lookout_id}", done(page, "The lookout has ended. Everybody who was told knows."))


def show_story(page: Page, case_id: uuid.UUID) -> Response:
    """What happened before (and during) a case: its sightings on the map, its lookouts."""
    story = sighted_cases.case_story(page.session, page.services, page.viewer, case_id, now=page.now)
    case = load_case(page.session, page.viewer, case_id)
    points = lookout_track.track([one.sighting for one in story.sightings], lookout_policy(page.services))
    looked_for = any(one.open and one.case_id == case.id for one in story.lookouts)
    return with_map(
        page, "sightings/story.html", points, case=case,
        lookouts=story.lookouts, told={one.sighting.id: one for one in story.sightings},
        may_look_out=page.may(Permission.LOOKOUT) and case.state is not CaseState.CLOSED and not looked_for,
        values=page.typed.values if page.problem else {},
    )  # fmt: skip


@router.get("/cases/{case_id}/sightings")
def story(page: PageDep, case_id: uuid.UUID) -> Response:
    """The page."""
    return show_story(page, case_id)


@router.post("/cases/{case_id}/lookout")
def look_out(page: Annotated[Page, posted(show_story)], case_id: uuid.UUID) -> Response:
    """Look out for the person of a case who has gone."""
    made = lookouts.open_lookout(
        page.session, page.services, page.viewer,
        case_id=case_id, words=page.typed.optional("lookout_words"), now=page.now,
    )  # fmt: skip
    return redirect(page, f"/lookouts/{made.id}", done(page, "The lookout is open. The liaisons around are told."))
