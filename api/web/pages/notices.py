"""Family-tracing notices (寻亲公告) for staff: the versions, drafting, looking one over, deciding, taking it back."""

import uuid
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.notice_words import lines, station
from api.web import once
from api.web.errors import ChoiceUnknown
from api.web.forms import choice, members_named
from api.web.notice_print import printed
from api.web.page import Page, PageDep, posted
from api.web.pictures import jpeg
from api.web.public_page import address_of
from api.web.rendering import done, redirect, render
from models.contact import DangerScreen, PersonWish
from models.notice import PUBLIC_STATES, NoticeFact, NoticeState
from tracing import access, notices
from tracing.access import Permission
from tracing.cases import get_case
from tracing.facts import InvalidFacts, collecting
from tracing.notice_content import STATEMENT_LIMIT, allowed_facts
from tracing.notices import NoticeDraft
from tracing.photos import list_photos
from tracing.platform import errors

router = APIRouter()
SHOWN = 25


@router.get("/notices")
def index(page: PageDep) -> Response:
    """Newest first; those of the states asked for."""
    query = page.request.query_params
    states = members_named(query.getlist("state"), NoticeState)
    cursor = query.get("cursor") or None
    listed = notices.list_notices(
        page.session, page.viewer, states=states, cursor=cursor, limit=SHOWN, now=page.now
    )  # fmt: skip
    return render(
        page, "notices/list.html", versions=listed.items, next_cursor=listed.next_cursor, first=cursor is None,
        states=states, all_states=list(NoticeState), public_states=PUBLIC_STATES,
    )  # fmt: skip


def show_case_notices(page: Page, case_id: uuid.UUID) -> Response:
    """The versions of a case's notice, and the form for the next one."""
    cursor = page.request.query_params.get("cursor") or None
    listed = notices.list_notices(
        page.session, page.viewer, case_id=case_id, cursor=cursor, limit=SHOWN, now=page.now
    )  # fmt: skip
    # After the list, which loads the case with less.
    case = get_case(page.session, page.viewer, case_id, now=page.now)
    policy = page.services.notices.policy_for(case.organisation.division)
    allowed = allowed_facts(policy, case, page.services.local_day(page.now))
    waiting = any(one.state is NoticeState.PROPOSED for one in listed.items)
    drafting = page.may(Permission.NOTICE) and case.state in PUBLIC_STATES and not waiting
    told = [fact for fact in NoticeFact if fact in allowed - {NoticeFact.PHOTO, NoticeFact.STATEMENT}]
    begins: Mapping[str, str] = {f"facts.{fact.value}": "yes" for fact in told}
    return render(
        page, "notices/case.html", case=case, versions=listed.items, next_cursor=listed.next_cursor,
        first=cursor is None, drafting=drafting, waiting=waiting, told=told, public_states=PUBLIC_STATES,
        withheld=[fact for fact in NoticeFact if fact not in allowed],
        photos=list_photos(page.session, case.profile_id) if drafting and NoticeFact.PHOTO in allowed else [],
        statement_limit=STATEMENT_LIMIT if NoticeFact.STATEMENT in allowed else 0,
        wishes=list(PersonWish), dangers=list(DangerScreen), key_field=once.FIELD, form_key=once.key(page),
        values=page.typed.values if page.problem else begins,
    )  # fmt: skip


@router.get("/cases/{case_id}/notices")
def of_case(page: PageDep, case_id: uuid.UUID) -> Response:
    """The page."""
    return show_case_notices(page, case_id)


@router.post("/cases/{case_id}/notices")
def draft(page: Annotated[Page, posted(show_case_notices)], case_id: uuid.UUID) -> Response:
    """Propose a version."""
    access.require(page.viewer, Permission.NOTICE)
    given = _read_draft(page)
    made = once.earlier(page, f"notice {case_id}")
    if made is None:
        made = notices.draft_notice(page.session, page.services, page.viewer, case_id, given, now=page.now).id
        once.remember(page, made)
    told = done(page, "The notice is drafted. A supervisor looks it over before anybody outside sees it.")
    return redirect(page, f"/notices/{made}", told)


def _read_draft(page: Page) -> NoticeDraft:
    typed, problems = page.typed, list[errors.Invalid]()
    wish, danger, photo_id = PersonWish.OBJECTS, DangerScreen.SUSPECTED, None
    with collecting(problems):
        wish = choice(typed, "wish", PersonWish)
    with collecting(problems):
        danger = choice(typed, "danger", DangerScreen)
    with collecting(problems):
        photo_id = _photo_id(typed.text("photo_id"))
    if problems:
        raise InvalidFacts(tuple(problems))
    facts = frozenset(fact for fact in NoticeFact if typed.ticked(f"facts.{fact.value}"))
    return NoticeDraft(typed.text("telephone"), wish, danger, facts, photo_id, typed.optional("statement"))


def _photo_id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        raise ChoiceUnknown(field="photo_id") from None


def show_notice(page: Page, version_id: uuid.UUID) -> Response:
    """A version as the public sees it, or would, with what may be done about it."""
    view = notices.read_notice(page.session, page.services, page.viewer, version_id, now=page.now)
    version = view.version
    proposed = version.state is NoticeState.PROPOSED
    mine = version.drafted_by_id == page.viewer.user_id
    return render(
        page, "notices/notice.html", view=view, version=version, case=view.case,
        lines=lines(view.content, page.locale), station=station(view.content, page.locale),
        address=address_of(page.services)(version.notice.token),
        deciding=proposed and not mine and page.may(Permission.NOTICE_APPROVE),
        own_draft=proposed and mine and page.may(Permission.NOTICE_APPROVE),
        withdrawing=version.state in (NoticeState.PROPOSED, NoticeState.PUBLISHED)
        and (page.may(Permission.NOTICE) or page.may(Permission.NOTICE_APPROVE)),
        values=page.typed.values if page.problem else {},
    )  # fmt: skip


@router.get("/notices/{version_id}")
def read(page: PageDep, version_id: uuid.UUID) -> Response:
    """The page."""
    return show_notice(page, version_id)


@router.get("/notices/{version_id}/photo")
def photo(page: PageDep, version_id: uuid.UUID) -> Response:
    """The photograph as it is published; never kept by the browser."""
    data = notices.read_notice_photo(page.session, page.services, page.viewer, version_id, now=page.now)
    return jpeg(data)


@router.get("/notices/{version_id}/pdf")
def paper(page: PageDep, version_id: uuid.UUID) -> Response:
    """The notice to print; of a version that is not public a proof."""
    return printed(page.session, page.services, page.viewer, version_id, page.locale, now=page.now)


@router.post("/notices/{version_id}/approve")
def approve(page: Annotated[Page, posted(show_notice)], version_id: uuid.UUID) -> Response:
    """Publish it."""
    notices.approve_notice(page.session, page.services, page.viewer, version_id, now=page.now)
    return redirect(page, f"/notices/{version_id}", done(page, "The notice is public from this moment."))


@router.post("/notices/{version_id}/reject")
def reject(page: Annotated[Page, posted(show_notice)], version_id: uuid.UUID) -> Response:
    """Send it back, with the reason."""
    notices.reject_notice(page.session, page.viewer, version_id, reason=page.typed.text("reason"), now=page.now)
    return redirect(page, f"/notices/{version_id}", done(page, "The draft is sent back. The station is told why."))


@router.post("/notices/{version_id}/withdraw")
def withdraw(page: Annotated[Page, posted(show_notice)], version_id: uuid.UUID) -> Response:
    """Take it back: nobody outside sees it from this moment."""
    notices.withdraw_notice(page.session, page.viewer, version_id, reason=page.typed.text("reason"), now=page.now)
    told = done(page, "The notice is withdrawn. Nobody outside sees it from this moment.")
    return redirect(page, f"/notices/{version_id}", told)
