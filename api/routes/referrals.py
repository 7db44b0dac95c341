"""Referrals (转介): to health liaisons and receiving units, which answer under their own login."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.deps import NowDep, PagingDep, ServicesDep, SessionDep, ViewerDep, created
from api.idempotency import OnceDep
from api.openapi import problems
from api.schemas.base import Division, ItemsOut, PageOut, items_out
from api.schemas.deadlines import ReasonIn
from api.schemas.referrals import (
    OpenedReferralOut,
    PartyOut,
    ReferralIn,
    ReferralOut,
    ReferralTextIn,
    opened_out,
    party_out,
    referral_out,
)
from models.referral import ReferralKind, ReferralState
from tracing import referral_lists, referrals
from tracing.referral_receivers import list_receivers

router = APIRouter(tags=["referrals"], responses=problems(403, 404))


@router.get("/referrals", summary="The own inbox, or the referrals of the viewer's cases")
def list_page(
    session: SessionDep,
    viewer: ViewerDep,
    now: NowDep,
    paging: PagingDep,
    state: Annotated[list[ReferralState] | None, Query(description="May be given several times.")] = None,
    overdue: Annotated[bool, Query(description="Only those whose answer is late.")] = False,
) -> PageOut[ReferralOut]:
    """Newest first. For a receiving organisation what was sent to it, for others those of their cases."""
    page = referral_lists.list_referrals(
        session, viewer, states=frozenset(state or ()), overdue=overdue,
        cursor=paging.cursor, limit=paging.limit, now=now,
    )  # fmt: skip
    return PageOut(items=tuple(referral_out(one, viewer, now) for one in page.items), next_cursor=page.next_cursor)


@router.get("/referrals/receivers", summary="Who receives a kind of referral, in every province")
def receivers(
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    paging: PagingDep,
    kind: Annotated[ReferralKind, Query()],
    division: Annotated[Division | None, Query()] = None,
) -> PageOut[PartyOut]:
    """To choose from; if a division is given, those that serve it: of it, below it, or of its city or province."""
    page = list_receivers(
        session, services, viewer, kind, division=division, cursor=paging.cursor, limit=paging.limit, now=now
    )
    return PageOut(items=tuple(party_out(one) for one in page.items), next_cursor=page.next_cursor)


@router.get("/cases/{case_id}/referrals", summary="The referrals of a case")
def list_of_case(case_id: uuid.UUID, session: SessionDep, viewer: ViewerDep, now: NowDep) -> ItemsOut[ReferralOut]:
    """Newest first; what they say is not opened."""
    rows = referral_lists.list_case_referrals(session, viewer, case_id, now=now)
    return items_out(referral_out(one, viewer, now) for one in rows)


@router.post("/cases/{case_id}/referrals", summary="Write a referral", status_code=201, responses=problems(409))
def create(
    case_id: uuid.UUID,
    body: ReferralIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    once: OnceDep,
    response: Response,
) -> OpenedReferralOut:
    """A draft, which only the station reads until it is sent."""
    made = once.earlier(session, now=now)
    if made is None:
        made = referrals.create_referral(session, services, viewer, case_id, body.given(), now=now).id
        once.remember(session, made)
    created(response, f"/api/v1/referrals/{made}")
    return opened_out(referrals.read_referral(session, services, viewer, made, now=now), viewer, now)


@router.get("/referrals/{referral_id}", summary="What a referral says")
def read(
    referral_id: uuid.UUID,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
) -> OpenedReferralOut:
    """Each reading is on record. Never to be cached."""
    return opened_out(referrals.read_referral(session, services, viewer, referral_id, now=now), viewer, now)


@router.put("/referrals/{referral_id}", summary="Write a draft anew", responses=problems(409))
def edit(
    referral_id: uuid.UUID,
    body: ReferralIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
) -> ReferralOut:
    """Refused once it was sent: what was read stays as it was."""
    row = referrals.edit_referral(session, services, viewer, referral_id, body.given(), now=now)
    return referral_out(row, viewer, now)


@router.post("/referrals/{referral_id}/send", summary="Send a draft", responses=problems(409))
def send(
    referral_id: uuid.UUID, session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep
) -> ReferralOut:
    """The time for an answer begins; again is harmless."""
    return referral_out(referrals.send_referral(session, services, viewer, referral_id, now=now), viewer, now)


@router.post("/referrals/{referral_id}/withdraw", summary="Take a referral back", responses=problems(409))
def withdraw(
    referral_id: uuid.UUID,
    body: ReasonIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
) -> ReferralOut:
    """The receiving organisation no longer reads what it says."""
    row = referrals.withdraw_referral(session, services, viewer, referral_id, reason=body.reason, now=now)
    return referral_out(row, viewer, now)


@router.post("/referrals/{referral_id}/accept", summary="Accept a referral", responses=problems(409))
def accept(
    referral_id: uuid.UUID, session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep
) -> ReferralOut:
    """For the receiving organisation."""
    row = referrals.answer_referral(session, services, viewer, referral_id, ReferralState.ACCEPTED, now=now)
    return referral_out(row, viewer, now)


@router.post("/referrals/{referral_id}/reject", summary="Refuse a referral", responses=problems(409))
def reject(
    referral_id: uuid.UUID,
    body: ReferralTextIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
) -> ReferralOut:
    """With the reason; also after it was accepted, when it turns out to be impossible."""
    row = referrals.answer_referral(
        session, services, viewer, referral_id, ReferralState.REJECTED, text=body.text, now=now
    )
    return referral_out(row, viewer, now)


@router.post("/referrals/{referral_id}/done", summary="Say what came of a referral", responses=problems(409))
def done(
    referral_id: uuid.UUID,
    body: ReferralTextIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
) -> ReferralOut:
    """Ends it, with the result."""
    row = referrals.answer_referral(session, services, viewer, referral_id, ReferralState.DONE, text=body.text, now=now)
    return referral_out(row, viewer, now)
