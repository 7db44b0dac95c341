"""Organisations (机构): the tree that decides who sees what."""

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.organisation import Organisation, OrganisationKind
from tracing import access
from tracing.access import Permission, Viewer
from tracing.facts import check_division, check_text
from tracing.platform.errors import Invalid
from tracing.trail import note


class DepthExceeded(Invalid):
    """A tree deeper than any administration."""

    slug = "organisation_too_deep"
    message = "Organisations nest at most {limit} levels. Choose a parent further up."


DEPTH_MAX = 12


def list_organisations(session: Session, viewer: Viewer) -> list[Organisation]:
    """The organisations of the viewer's subtree, parents before children."""
    return list(
        session.scalars(select(Organisation).where(access.organisation_scope(viewer)).order_by(Organisation.path))
    )


def organisations_by_id(session: Session, ids: Iterable[uuid.UUID]) -> Mapping[uuid.UUID, Organisation]:
    """The organisations that records name. Whoever sees a record may read whose it is."""
    return {one.id: one for one in session.scalars(select(Organisation).where(Organisation.id.in_(set(ids))))}


def create_organisation(
    session: Session,
    viewer: Viewer,
    *,
    parent_id: uuid.UUID,
    kind: OrganisationKind,
    name_zh: str,
    name_en: str,
    division: str,
    now: datetime,
) -> Organisation:
    """An organisation below one that the administrator manages. Raises UnknownDivision, EmptyValue."""
    access.require(viewer, Permission.ACCOUNTS)
    parent: Organisation = access.find(
        session, select(Organisation).where(Organisation.id == parent_id, access.organisation_scope(viewer))
    )
    check_division(division, field="division")
    organisation = place(parent, kind=kind, name_zh=name_zh, name_en=name_en, division=division, now=now)
    session.add(organisation)
    session.flush()
    note(session, viewer, "organisation.create", "organisation", organisation.id, at=now, kind=kind.value)
    return organisation


def place(
    parent: Organisation | None,
    *,
    kind: OrganisationKind,
    name_zh: str,
    name_en: str,
    division: str,
    now: datetime,
) -> Organisation:
    """A new organisation with its path, not yet added to a session. `parent` None makes a root."""
    identity = uuid.uuid4()
    path = f"{parent.path if parent else '/'}{identity}/"
    if path.count("/") > DEPTH_MAX + 1:
        raise DepthExceeded(field="parent_id", limit=DEPTH_MAX)
    return Organisation(
        id=identity,
        parent_id=parent.id if parent else None,
        path=path,
        kind=kind,
        name_zh=check_text(name_zh, limit=120, field="name_zh"),
        name_en=check_text(name_en, limit=160, field="name_en"),
        division=division,
        active=True,
        created_at=now,
    )
