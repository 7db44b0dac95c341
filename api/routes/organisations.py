"""Organisations (机构)."""

import uuid

from fastapi import APIRouter, Response

from api.deps import NowDep, SessionDep, ViewerDep, created
from api.idempotency import OnceDep
from api.openapi import problems
from api.schemas.base import ItemsOut, items_out
from api.schemas.organisations import OrganisationIn, OrganisationOut, organisation_out
from models.organisation import Organisation
from tracing import organisations
from tracing.platform import errors

router = APIRouter(prefix="/organisations", tags=["organisations"])


@router.get("", summary="The organisations of the viewer's subtree")
def list_all(session: SessionDep, viewer: ViewerDep) -> ItemsOut[OrganisationOut]:
    """Parents before children."""
    return items_out(organisation_out(one) for one in organisations.list_organisations(session, viewer))


@router.post("", summary="Place an organisation below another", status_code=201, responses=problems(403, 404))
def create(
    body: OrganisationIn, session: SessionDep, viewer: ViewerDep, now: NowDep, once: OnceDep, response: Response
) -> OrganisationOut:
    """For administrators, within their own subtree."""
    earlier = once.earlier(session, now=now)
    if earlier is not None:
        organisation = _find(organisations.list_organisations(session, viewer), earlier)
    else:
        organisation = organisations.create_organisation(session, viewer, **dict(body), now=now)
        once.remember(session, organisation.id)
    created(response, "/api/v1/organisations")
    return organisation_out(organisation)


def _find(found: list[Organisation], wanted: uuid.UUID) -> Organisation:
    for one in found:
        if one.id == wanted:
            return one
    raise errors.NotFound()
