"""Identity claims (身份核查结果) of a case: recording, withdrawing, settling; and excluding a candidate (排除)."""

import uuid
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.web import once
from api.web.candidate_rows import CandidateRow, candidate_rows
from api.web.errors import ChoiceMissing
from api.web.forms import choice, day
from api.web.page import Page, PageDep, posted
from api.web.rendering import done, redirect, render
from matcher.vocabulary import GalleryKind
from models.candidate import CandidateState
from models.case import Case, CaseState
from models.claim import ClaimGrade, ClaimMethod
from models.exclusion import EXCLUDING, ExclusionEvidence
from tracing import claims, exclusions
from tracing.access import Permission, require
from tracing.cases import get_case
from tracing.claims import ClaimResult, ClaimView
from tracing.features import FeaturesMissing
from tracing.platform import errors

router = APIRouter()
OUTSIDE = "outside"
"""The choice "somebody outside the service" beside the candidates."""


def _named(page: Page, case: Case) -> list[CandidateRow]:
    return [row for row in candidate_rows(page, case) if row.kind is GalleryKind.REPORT]


def show_claims(page: Page, case_id: uuid.UUID) -> Response:
    """Every result, what conflicts, and the forms for the police."""
    case = get_case(page.session, page.viewer, case_id, now=page.now)
    writable = page.may(Permission.CLAIM) and case.state is not CaseState.CLOSED
    try:
        named, features_first = _named(page, case) if page.may(Permission.CANDIDATE_READ) else [], False
    except FeaturesMissing:  # results are entered all the same; the candidates to name or exclude come later
        named, features_first = [], True
    today = page.services.local_day(page.now)
    excluded = (
        exclusions.list_exclusions(page.session, page.viewer, case.id, limit=200, now=page.now).items
        if page.may(Permission.CANDIDATE_READ)
        else ()
    )
    return render(
        page, "claims/claims.html", case=case, writable=writable,
        views=claims.list_claims(page.session, page.viewer, case.id, now=page.now),
        candidates=named, features_first=features_first, methods=list(ClaimMethod), outside=OUTSIDE,
        exclusions=excluded,
        excludable=[row for row in named if row.candidate.state in (CandidateState.OPEN, CandidateState.JUDGED)],
        evidences=[one for one in ExclusionEvidence if one in EXCLUDING],
        key_field=once.FIELD, form_key=once.key(page),
        values=page.typed.values if page.problem else {"obtained_on": today.isoformat()},
    )  # fmt: skip


@router.get("/cases/{case_id}/claims")
def read(page: PageDep, case_id: uuid.UUID) -> Response:
    """The page."""
    return show_claims(page, case_id)


@router.post("/cases/{case_id}/claims")
def record(page: Annotated[Page, posted(show_claims)], case_id: uuid.UUID) -> Response:
    """Record a result."""
    require(page.viewer, Permission.CLAIM)
    typed, here = page.typed, f"/cases/{case_id}/claims"
    whom, candidate_id = typed.text("whom"), None
    if not whom:
        raise ChoiceMissing(field="candidate_id")
    if whom != OUTSIDE:
        try:
            candidate_id = uuid.UUID(whom)
        except ValueError:
            raise ChoiceMissing(field="candidate_id") from None
    given = ClaimResult(
        choice(typed, "method", ClaimMethod), day(typed, "obtained_on"), typed.text("officer"), candidate_id,
        name=typed.optional("name"), identity_number=typed.optional("identity_number"),
        reference=typed.optional("reference"), custody=typed.optional("custody"),
    )  # fmt: skip
    if once.earlier(page, f"claim {case_id}") is None:
        made = claims.record_claim(page.session, page.services, page.viewer, case_id, given, now=page.now)
        once.remember(page, made.id)
    return redirect(page, here, done(page, "The result is recorded."))


def _view(page: Page, case: Case, claim_id: uuid.UUID) -> ClaimView:
    views = claims.list_claims(page.session, page.viewer, case.id, now=page.now)
    for view in views:
        if view.claim.id == claim_id:
            return view
    raise errors.NotFound()


def show_claim(page: Page, case_id: uuid.UUID, claim_id: uuid.UUID) -> Response:
    """One result, and the forms that end it."""
    require(page.viewer, Permission.CLAIM)
    case = get_case(page.session, page.viewer, case_id, now=page.now)
    view = _view(page, case, claim_id)
    may_settle = page.may(Permission.CLAIM_SETTLE) and view.claim.grade is ClaimGrade.CONFIRMED
    return render(
        page, "claims/claim.html", case=case, view=view, may_settle=may_settle and view.claim.stands, opened=None,
        values=page.typed.values,
    )  # fmt: skip


@router.get("/cases/{case_id}/claims/{claim_id}")
def read_one(page: PageDep, case_id: uuid.UUID, claim_id: uuid.UUID) -> Response:
    """The page."""
    return show_claim(page, case_id, claim_id)


@router.get("/cases/{case_id}/claims/{claim_id}/identity")
def identity(page: PageDep, case_id: uuid.UUID, claim_id: uuid.UUID) -> Response:
    """Whom it names outside the service, opened; each opening is on record."""
    require(page.viewer, Permission.CLAIM)
    case = get_case(page.session, page.viewer, case_id, now=page.now)
    view = _view(page, case, claim_id)
    opened = claims.open_identity(page.session, page.services, page.viewer, claim_id, now=page.now)
    return render(page, "claims/claim.html", case=case, view=view, may_settle=False, opened=opened, values={})


@router.post("/cases/{case_id}/claims/{claim_id}/withdraw")
def withdraw(page: Annotated[Page, posted(show_claim)], case_id: uuid.UUID, claim_id: uuid.UUID) -> Response:
    """Take it back."""
    claims.withdraw_claim(page.session, page.viewer, claim_id, reason=page.typed.text("reason"), now=page.now)
    return redirect(page, f"/cases/{case_id}/claims", done(page, "The result is withdrawn; it stays on record."))


@router.post("/cases/{case_id}/claims/{claim_id}/settle")
def settle(page: Annotated[Page, posted(show_claim)], case_id: uuid.UUID, claim_id: uuid.UUID) -> Response:
    """Set it aside."""
    claims.settle_claim(page.session, page.viewer, claim_id, reason=page.typed.text("reason"), now=page.now)
    return redirect(page, f"/cases/{case_id}/claims", done(page, "The result is set aside; it stays on record."))


@router.post("/cases/{case_id}/exclusions")
def exclude(page: Annotated[Page, posted(show_claims)], case_id: uuid.UUID) -> Response:
    """Exclude a candidate for good."""
    require(page.viewer, Permission.EXCLUDE)
    try:
        wanted = uuid.UUID(page.typed.text("excluded_id"))
    except ValueError:
        raise ChoiceMissing(field="excluded_id") from None
    exclusions.exclude(
        page.session, page.viewer, wanted, choice(page.typed, "evidence", ExclusionEvidence),
        reference=page.typed.optional("reference"), reason=page.typed.text("reason"), now=page.now,
    )  # fmt: skip
    return redirect(page, f"/cases/{case_id}/claims", done(page, "The candidate is excluded and listed no more."))
