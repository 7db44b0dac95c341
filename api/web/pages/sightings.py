"""Sightings (目击): recording what was seen, its photographs and links, the lookout and the case that it leads to."""

import uuid
from collections.abc import Iterable
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.web import once, uploads
from api.web.case_number import case_numbers, typed_case
from api.web.errors import ChoiceMissing
from api.web.forms import optional_day
from api.web.page import Page, PageDep, posted
from api.web.pictures import jpeg, size_asked
from api.web.rendering import done, redirect, render
from api.web.seen_form import offered, own_patrols, prepare_photos, read_seen, store_photos
from api.web.track_map import track_map
from models.lookout import Lookout
from models.sighting import Sighting, SightingLink
from tracing import access, lookouts, sighted_cases, sighting_links, sightings
from tracing.access import Permission
from tracing.cases import ReasonMissing
from tracing.lookout_policy import lookout_policy
from tracing.lookout_track import track
from tracing.organisations import organisations_by_id
from tracing.platform import errors

router = APIRouter()
SHOWN = 25
LOOKOUTS_OFFERED = 50


@router.get("/sightings")
def index(page: PageDep) -> Response:
    """Newest first; withdrawn ones are shown as such."""
    cursor = page.request.query_params.get("cursor") or None
    listed = sightings.list_sightings(page.session, page.viewer, cursor=cursor, limit=SHOWN, now=page.now)
    return render(
        page, "sightings/list.html", sightings=listed.items, next_cursor=listed.next_cursor, first=cursor is None,
        organisations=organisations_by_id(page.session, (one.organisation_id for one in listed.items)),
    )  # fmt: skip


def show_new(page: Page) -> Response:
    """The form for a sighting."""
    access.require(page.viewer, Permission.SIGHTING)
    return render(
        page, "sightings/new.html", patrols=own_patrols(page), key_field=once.FIELD, form_key=once.key(page),
        **offered(page),
    )  # fmt: skip


@router.get("/sightings/new")
def new(page: PageDep) -> Response:
    """The page."""
    return show_new(page)


@router.post("/sightings/new")
def record(page: Annotated[Page, posted(show_new)]) -> Response:
    """Record what was seen, with its photographs."""
    access.require(page.viewer, Permission.SIGHTING)
    prepared = prepare_photos(page)
    seen = read_seen(page)
    earlier = once.earlier(page, "sighting")
    if earlier is not None:
        return redirect(page, f"/sightings/{earlier}")
    made = sightings.record_sighting(page.session, page.services, page.viewer, seen, now=page.now)
    refused = store_photos(page, made.id, prepared)
    once.remember(page, made.id)
    return redirect(page, f"/sightings/{made.id}", done(page, "The sighting is recorded."), *refused)


def show_sighting(page: Page, sighting_id: uuid.UUID) -> Response:
    """What was seen, whom it may show, and what this viewer may make of it."""
    session, viewer = page.session, page.viewer
    sighting, words, photos = sightings.get_sighting(session, page.services, viewer, sighting_id, now=page.now)
    links = sighting_links.list_links(session, viewer, sighting_id, now=page.now)
    case_id = sightings.became_case(session, sighting)
    usable = sighting.withdrawn_at is None and sighting.erased_at is None
    deciding = usable and page.may(Permission.SIGHTING_DECIDE)
    return render(
        page, "sightings/sighting.html", sighting=sighting, words=words, photos=photos, links=links,
        organisation=organisations_by_id(session, [sighting.organisation_id])[sighting.organisation_id],
        case_numbers=case_numbers(page, [case_id, *(one.case_id for one in links)]), case_id=case_id,
        usable=usable, deciding=deciding, open_to=_open_to(page, links),
        lookouts=_offered_lookouts(page, sighting, links) if deciding else [],
        today=page.services.local_day(page.now).isoformat(), photos_max=sightings.PHOTOS_MAX,
        point=track_map(track([sighting], lookout_policy(page.services))),
        values=page.typed.values if page.problem else {},
    )  # fmt: skip


def _open_to(page: Page, links: Iterable[SightingLink]) -> frozenset[uuid.UUID]:
    """The lookouts of links that exist for the viewer: for a liaison one that has ended does not."""
    found: set[uuid.UUID] = set()
    for lookout_id in {one.lookout_id for one in links if one.lookout_id is not None}:
        with suppress(errors.NotFound):
            found.add(lookouts.load_lookout(page.session, page.viewer, lookout_id).id)
    return frozenset(found)


def _offered_lookouts(page: Page, sighting: Sighting, links: Iterable[SightingLink]) -> list[Lookout]:
    """Open lookouts to which the sighting is not linked yet."""
    linked = {one.lookout_id for one in links}
    listed = lookouts.list_lookouts(page.session, page.services, page.viewer, limit=LOOKOUTS_OFFERED, now=page.now)
    found = [view.lookout for view in listed.items]
    return [one for one in found if one.id not in linked and one.sighting_id != sighting.id]


@router.get("/sightings/{sighting_id}")
def read(page: PageDep, sighting_id: uuid.UUID) -> Response:
    """The page."""
    return show_sighting(page, sighting_id)


@router.post("/sightings/{sighting_id}/photos")
def add_photos(page: Annotated[Page, posted(show_sighting)], sighting_id: uuid.UUID) -> Response:
    """More photographs of who was seen."""
    access.require(page.viewer, Permission.SIGHTING)
    prepared = uploads.prepare(page)
    refused = store_photos(page, sighting_id, prepared)
    return redirect(page, f"/sightings/{sighting_id}", *refused, *uploads.taken(page, prepared, refused))


@router.get("/sightings/{sighting_id}/photos/{sighting_photo_id}")
def photo(page: PageDep, sighting_id: uuid.UUID, sighting_photo_id: uuid.UUID) -> Response:
    """A photograph, unsealed for this viewer; never kept by the browser."""
    data = sightings.open_sighting_photo(
        page.session, page.services, page.viewer, sighting_id, sighting_photo_id, size=size_asked(page), now=page.now
    )
    return jpeg(data)


@router.post("/sightings/{sighting_id}/withdraw")
def withdraw(page: Annotated[Page, posted(show_sighting)], sighting_id: uuid.UUID) -> Response:
    """Take it back."""
    sightings.withdraw_sighting(
        page.session, page.services, page.viewer, sighting_id, reason=page.typed.text("reason"), now=page.now
    )
    told = done(page, "The sighting is withdrawn; its photographs and words are erased.")
    return redirect(page, f"/sightings/{sighting_id}", told)


@router.post("/sightings/{sighting_id}/lookout")
def look_out(page: Annotated[Page, posted(show_sighting)], sighting_id: uuid.UUID) -> Response:
    """Look out for who was seen."""
    made = lookouts.open_lookout(
        page.session, page.services, page.viewer,
        sighting_id=sighting_id, words=page.typed.optional("lookout_words"), now=page.now,
    )  # fmt: skip
    return redirect(page, f"/lookouts/{made.id}", done(page, "The lookout is open. The liaisons around are told."))


@router.post("/sightings/{sighting_id}/case")
def admit(page: Annotated[Page, posted(show_sighting)], sighting_id: uuid.UUID) -> Response:
    """Admit who was seen: a draft case with photograph, place and day."""
    access.require(page.viewer, Permission.CASE_WRITE)
    case = sighted_cases.admit_sighted(
        page.session, page.services, page.viewer, sighting_id,
        admitted_on=optional_day(page.typed, "admitted_on"), now=page.now,
    )  # fmt: skip
    told = done(page, "The case is made from the sighting. Record the admission next; open lookouts have ended.")
    return redirect(page, f"/cases/{case.id}/admission", told)


@router.post("/sightings/{sighting_id}/links")
def link(page: Annotated[Page, posted(show_sighting)], sighting_id: uuid.UUID) -> Response:
    """Link it by hand to a lookout or, by its number, to a case."""
    access.require(page.viewer, Permission.SIGHTING_DECIDE)
    sighting_links.link_sighting(
        page.session, page.viewer, sighting_id,
        lookout_id=_chosen_lookout(page), case_id=typed_case(page, "case_number"),
        reason=_reason(page, "link_reason"), now=page.now,
    )  # fmt: skip
    return redirect(page, f"/sightings/{sighting_id}", done(page, "The sighting is linked."))


def _reason(page: Page, field: str) -> str:
    """A reason, missed beside its own field: the page has several. Raises ReasonMissing."""
    text = page.typed.text(field)
    if not text:
        raise ReasonMissing(field=field)
    return text


def _chosen_lookout(page: Page) -> uuid.UUID | None:
    text = page.typed.text("lookout_id")
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        raise ChoiceMissing(field="lookout_id") from None


@router.post("/sightings/{sighting_id}/links/{link_id}/decision")
def decide(page: Annotated[Page, posted(show_sighting)], sighting_id: uuid.UUID, link_id: uuid.UUID) -> Response:
    """Accept or refuse what the engine proposed."""
    answer = page.typed.text("answer")
    if answer not in ("accept", "refuse"):
        raise ChoiceMissing(field="answer")
    sighting_links.decide_link(
        page.session, page.viewer, link_id, accept=answer == "accept", reason=page.typed.optional(f"reason.{link_id}"),
        now=page.now,
    )  # fmt: skip
    return redirect(page, f"/sightings/{sighting_id}", done(page, "The decision is recorded."))


@router.post("/sightings/{sighting_id}/links/{link_id}/withdraw")
def unlink(page: Annotated[Page, posted(show_sighting)], sighting_id: uuid.UUID, link_id: uuid.UUID) -> Response:
    """Undo an accepted link."""
    reason = _reason(page, f"reason.{link_id}")
    sighting_links.withdraw_link(page.session, page.viewer, link_id, reason=reason, now=page.now)
    return redirect(page, f"/sightings/{sighting_id}", done(page, "The link is undone; it stays on record."))
