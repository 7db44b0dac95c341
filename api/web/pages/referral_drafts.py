"""Writing a referral (填写转介): first what is needed and where, then to whom, what is said, which facts go with it."""

import uuid
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.web import once
from api.web.errors import ChoiceMissing
from api.web.forms import Typed, choice, optional_choice, optional_place
from api.web.page import Page, PageDep, asked_of, posted
from api.web.rendering import done, redirect, render
from models.case import Case
from models.organisation import Organisation
from models.referral import ReferralFact, ReferralKind
from tracing import followup_view, referrals
from tracing.access import Permission, require
from tracing.cases import get_case
from tracing.paging import LIMIT_MAX
from tracing.referral_receivers import list_receivers
from tracing.referrals import ReferralText

router = APIRouter()


@dataclass(frozen=True, slots=True)
class _Draft:
    """What the form is shown with: the case, where it goes to, where to go back to."""

    case: Case
    action: str
    back: str


def _form(page: Page, draft: _Draft, typed: Typed) -> Response:
    """`typed`: what the address, the draft on record, or the refused form says."""
    nothing: tuple[ReferralKind | None, str | None] = (None, None)
    page, (kind, place) = asked_of(page, lambda _: _first_step(typed), nothing)
    receivers: tuple[Organisation, ...] = ()
    if kind is not None:
        receivers = list_receivers(
            page.session, page.services, page.viewer, kind, division=place, limit=LIMIT_MAX, now=page.now
        ).items  # fmt: skip
    follow_up = followup_view.get_follow_up(page.session, page.services, page.viewer, draft.case.id, now=page.now)
    visits = [one.visit for one in follow_up.visits if one.visit.withdrawn_at is None]
    return render(
        page, "referrals/write.html", case=draft.case, action=draft.action, back=draft.back, kind=kind,
        kinds=list(ReferralKind), receivers=receivers, facts=list(ReferralFact), visits=visits, values=typed.values,
        key_field=once.FIELD, form_key=once.key(page),
    )  # fmt: skip


def _first_step(typed: Typed) -> tuple[ReferralKind | None, str | None]:
    return optional_choice(typed, "kind", ReferralKind), optional_place(typed, "place")


def _given(typed: Typed) -> ReferralText:
    """As the use case takes it. Raises ChoiceMissing, ChoiceUnknown."""
    facts = frozenset(one for one in ReferralFact if typed.ticked(f"facts.{one.value}"))
    visit = typed.optional("visit_id")
    return ReferralText(
        choice(typed, "kind", ReferralKind), _identity(typed, "receiver_id"), typed.text("summary"), facts,
        _identity(typed, "visit_id") if visit else None,
    )  # fmt: skip


def _identity(typed: Typed, name: str) -> uuid.UUID:
    try:
        return uuid.UUID(typed.text(name))
    except ValueError:
        raise ChoiceMissing(field=name) from None


def show_new(page: Page, case_id: uuid.UUID) -> Response:
    """The form of a new referral."""
    require(page.viewer, Permission.REFER)
    case = get_case(page.session, page.viewer, case_id, now=page.now)
    typed = page.typed if page.problem else Typed(dict(page.request.query_params))
    here = f"/cases/{case.id}/referrals"
    return _form(page, _Draft(case, f"{here}/new", here), typed)


@router.get("/cases/{case_id}/referrals/new")
def new(page: PageDep, case_id: uuid.UUID) -> Response:
    """The page."""
    return show_new(page, case_id)


@router.post("/cases/{case_id}/referrals/new")
def create(page: Annotated[Page, posted(show_new)], case_id: uuid.UUID) -> Response:
    """Keep it as a draft, to be looked over and sent."""
    made = once.earlier(page, f"referral {case_id}")
    if made is None:
        given = _given(page.typed)
        made = referrals.create_referral(
            page.session, page.services, page.viewer, case_id, given, now=page.now
        ).id  # fmt: skip
        once.remember(page, made)
    return redirect(page, f"/referrals/{made}", done(page, "The draft is kept. Look it over, then send it."))


def show_edit(page: Page, referral_id: uuid.UUID) -> Response:
    """The form of a draft."""
    require(page.viewer, Permission.REFER)
    view = referrals.read_referral(page.session, page.services, page.viewer, referral_id, now=page.now)
    one = view.referral
    case = get_case(page.session, page.viewer, one.case_id, now=page.now)
    stored: dict[str, str] = {"kind": one.kind.value, "receiver_id": str(one.receiver_id)}
    if view.content is not None:
        stored |= {
            "summary": view.content.summary,
            **dict.fromkeys((f"facts.{name}" for name in view.content.facts), "yes"),
        }
    if one.visit_id is not None:
        stored["visit_id"] = str(one.visit_id)
    asked = {name: value for name, value in page.request.query_params.items() if name in ("kind", "place")}
    here = f"/referrals/{one.id}"
    return _form(page, _Draft(case, f"{here}/edit", here), page.typed if page.problem else Typed(stored | asked))


@router.get("/referrals/{referral_id}/edit")
def edit(page: PageDep, referral_id: uuid.UUID) -> Response:
    """The page."""
    return show_edit(page, referral_id)


@router.post("/referrals/{referral_id}/edit")
def write(page: Annotated[Page, posted(show_edit)], referral_id: uuid.UUID) -> Response:
    """Write a draft anew."""
    require(page.viewer, Permission.REFER)
    referrals.edit_referral(
        page.session, page.services, page.viewer, referral_id, _given(page.typed), now=page.now
    )  # fmt: skip
    return redirect(page, f"/referrals/{referral_id}", done(page, "The draft is kept. Look it over, then send it."))
