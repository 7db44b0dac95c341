"""A sighting as a form (目击表单), on a page of its own and as the answer to a lookout: what it offers, reading it."""

import uuid
from collections.abc import Mapping
from typing import Any

from api.web import uploads
from api.web.flash import Message
from api.web.forms import choice, moment, optional_choice, optional_number, optional_place, place_text
from api.web.page import Page
from api.web.rendering import warning
from api.web.uploads import Prepared
from models.patrol import Patrol
from models.sighting import Condition, Heading, PhotoBasis, SightingSource
from models.user import Role
from tracing import access
from tracing.access import Permission
from tracing.facts import InvalidFacts, collecting
from tracing.patrols import list_patrols
from tracing.photos import TooManyPhotos
from tracing.platform import errors
from tracing.sightings import PhotoBasisMissing, Seen, WalkUnknown, add_sighting_photo

SOURCES: Mapping[Role, SightingSource] = {
    Role.COMMUNITY_LIAISON: SightingSource.COMMUNITY,
    Role.STATION_STAFF: SightingSource.STATION,
    Role.POLICE_EXAMINER: SightingSource.POLICE,
    Role.POLICE_SUPERVISOR: SightingSource.POLICE,
}
"""Whom a role records for, unless it says otherwise."""
PATROLS_OFFERED = 10


def now_typed(page: Page) -> str:
    """This moment, as a field of day and time takes it."""
    return page.now.astimezone(page.services.settings.zone).strftime("%Y-%m-%dT%H:%M")


def offered(page: Page) -> dict[str, Any]:
    """What the form shows: its lists, and the values it begins with, so that an answer needs two taps."""
    begins = {
        "seen_at": now_typed(page),
        "division": place_text(access.own_organisation(page.session, page.viewer).division),
        "source": SOURCES[page.viewer.role].value if page.viewer.role in SOURCES else "",
        "patrol_id": page.request.query_params.get("patrol", ""),
    }
    return {
        "sources": list(SightingSource), "headings": list(Heading), "conditions": list(Condition),
        "bases": list(PhotoBasis), "values": page.typed.values if page.problem else begins,
    }  # fmt: skip


def own_patrols(page: Page) -> list[Patrol]:
    """The latest patrols of the own organisation, from which a sighting may come."""
    if not page.may(Permission.PATROL):
        return []
    listed = list_patrols(page.session, page.viewer, limit=PATROLS_OFFERED, now=page.now).items
    own = page.viewer.organisation_id
    return [one.patrol for one in listed if one.patrol.organisation_id == own and one.patrol.withdrawn_at is None]


def prepare_photos(page: Page) -> Prepared:
    """The photographs chosen. Before the transaction is first used. Raises PhotoBasisMissing beside its field."""
    prepared = uploads.prepare(page)
    if prepared.photos and not page.typed.text("photo_basis"):
        raise PhotoBasisMissing(field="photo_basis")
    return prepared


def read_seen(page: Page) -> Seen:
    """What was typed. Raises InvalidFacts naming every field that cannot be read."""
    typed, problems = page.typed, list[errors.Invalid]()
    read: dict[str, Any] = {}
    with collecting(problems):
        read["source"] = choice(typed, "source", SightingSource)
    with collecting(problems):
        read["seen_at"] = moment(typed, "seen_at", page.services.settings.zone)
    with collecting(problems):
        read["division"] = optional_place(typed, "division") or ""
    for name in ("latitude", "longitude"):
        with collecting(problems):
            read[name] = optional_number(typed, name)
    with collecting(problems):
        read["heading"] = optional_choice(typed, "heading", Heading)
    with collecting(problems):
        read["photo_basis"] = optional_choice(typed, "photo_basis", PhotoBasis)
    with collecting(problems):
        read["patrol_id"] = _patrol_id(typed.text("patrol_id"))
    if problems:
        raise InvalidFacts(tuple(problems))
    read |= {name: typed.optional(name) for name in ("place", "road", "words")}
    read["conditions"] = frozenset(one for one in Condition if typed.ticked(f"conditions.{one.value}"))
    return Seen(**read)


def _patrol_id(text: str) -> uuid.UUID | None:
    if not text:
        return None
    try:
        return uuid.UUID(text)
    except ValueError:
        raise WalkUnknown(field="patrol_id") from None


def store_photos(page: Page, sighting_id: uuid.UUID, prepared: Prepared) -> tuple[Message, ...]:
    """Add the photographs to a sighting; a message for each that is not on record now."""
    refused = list(prepared.refused)
    for name, _, photo in prepared.photos:
        try:
            add_sighting_photo(page.session, page.services, page.viewer, sighting_id, photo, now=page.now)
        except TooManyPhotos as error:
            refused.append(
                warning(
                    page, "The photograph “{name}” was not taken in: a sighting has at most {limit}.",
                    name=name, limit=error.params["limit"],
                )
            )  # fmt: skip
    return tuple(refused)
