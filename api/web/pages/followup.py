"""Follow-up (回访): the visits that are due, one case's visits with their grades, the decision that ends them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.web import once
from api.web.forms import choice, members_named, moment, optional_choice
from api.web.page import Page, PageDep, posted
from api.web.pages.deadlines import deadline_rows
from api.web.reason_page import Ask, ask_reason
from api.web.rendering import Words, done, redirect, render, words_of
from models.deadline import ClockKind, Deadline
from models.followup import FollowUpEndReason, PresentParty, StabilityGrade, VisitMethod, VisitResult
from models.user import Locale
from tracing import deadlines, followup, followup_view, wandering
from tracing.access import Permission, require
from tracing.care_policy import FollowUpPolicy
from tracing.cases import get_case
from tracing.deadlines import DueFilter, DueQuery
from tracing.followup import VisitReport
from tracing.platform import errors

router = APIRouter()
SHOWN = 50
PLAN = frozenset({ClockKind.FOLLOW_UP})


@dataclass(frozen=True, slots=True)
class AgendaDay:
    """The visits that are due on one day."""

    day: date
    late: bool
    visits: tuple[Deadline, ...]


def _agenda(page: Page, due: Sequence[Deadline]) -> list[AgendaDay]:
    """By day, in the order of the list; those that are late are told by their day too."""
    days: dict[date, list[Deadline]] = {}
    for one in due:
        days.setdefault(page.services.local_day(one.due_at), []).append(one)
    return [
        AgendaDay(day, any(one.due_at < page.now for one in visits), tuple(visits)) for day, visits in days.items()
    ]  # fmt: skip


@router.get("/followup")
def index(page: PageDep) -> Response:
    """Visits due, the longest overdue first, by day."""
    query = page.request.query_params
    which = next(iter(members_named([query.get("which", "")], DueFilter)), DueFilter.RUNNING)
    wanted = DueQuery(which, PLAN)
    found = deadlines.list_due(
        page.session, page.viewer, wanted, cursor=query.get("cursor") or None, limit=SHOWN, now=page.now
    )
    return render(
        page, "followup/agenda.html", days=_agenda(page, found.items), next_cursor=found.next_cursor,
        first=not query.get("cursor"), which=which, today=page.services.local_day(page.now),
        filters=(DueFilter.RUNNING, DueFilter.OVERDUE, DueFilter.SOON),
        counts=deadlines.count_due(page.session, page.viewer, wanted, now=page.now),
    )  # fmt: skip


def show_follow_up(page: Page, case_id: uuid.UUID) -> Response:
    """Plan, visits, decisions, and what stability still lacks; the forms for those who follow up."""
    case = get_case(page.session, page.viewer, case_id, now=page.now)
    found = followup_view.get_follow_up(page.session, page.services, page.viewer, case_id, now=page.now)
    home = followup.standing_return(page.session, case.id)
    zone = page.services.settings.zone
    start = {"visited_at": f"{page.now.astimezone(zone):%Y-%m-%dT%H:%M}", "visitor": page.viewer.display_name}
    standing = [one.visit for one in found.visits if one.visit.withdrawn_at is None]
    return render(
        page, "followup/case.html", case=case, follow_up=found,
        plan=[one for one in deadline_rows(page, case) if one.deadline.kind in PLAN],
        graded=[one for one in standing if one.assessment], last=standing[0] if standing else None,
        ended=next((end for end, _ in found.ends if end.withdrawn_at is None), None),
        earlier=wandering.get_history(page.session, page.viewer, case.id, now=page.now).earlier,
        domains=domains(found.policy, page.locale), missing=_missing(words_of(page), found.missing, found.policy),
        writable=page.may(Permission.FOLLOW_UP) and home is not None and case.state in followup.FOLLOWED,
        methods=list(VisitMethod), results=list(VisitResult), parties=list(PresentParty), grades=list(StabilityGrade),
        grade=StabilityGrade, party=PresentParty, reasons=list(FollowUpEndReason),
        values=page.typed.values if page.problem else start, key_field=once.FIELD, form_key=once.key(page),
    )  # fmt: skip


def domains(policy: FollowUpPolicy, locale: Locale) -> list[tuple[str, str]]:
    """The sides of life that a visit grades: key and name."""
    return [(one.key, one.label_zh if locale is Locale.ZH else one.label_en) for one in policy.domains]


def _missing(words: Words, missing: Sequence[str], policy: FollowUpPolicy) -> list[str]:
    """What keeps the case from counting as stable, in words."""
    named = dict(domains(policy, words.locale))
    said = {
        "visits": words.text("{count} visits in a row that met somebody", count=policy.stable.visits),
        "danger": words.text("no danger at the last visit"),
    }
    return [said.get(one) or named.get(one, one) for one in missing]


@router.get("/cases/{case_id}/follow-up")
def read(page: PageDep, case_id: uuid.UUID) -> Response:
    """The page."""
    return show_follow_up(page, case_id)


def _report(page: Page) -> VisitReport:
    typed, keys = page.typed, page.services.care.follow_up.keys
    grades = {key: optional_choice(typed, f"assessment.{key}", StabilityGrade) for key in keys}
    given = {key: grade for key, grade in grades.items() if grade is not None}
    return VisitReport(
        choice(typed, "method", VisitMethod), choice(typed, "result", VisitResult),
        moment(typed, "visited_at", page.services.settings.zone), typed.text("visitor"),
        frozenset(one for one in PresentParty if typed.ticked(f"present.{one.value}")), given or None,
        typed.ticked("danger"), typed.optional("next_step"), typed.optional("notes"),
    )  # fmt: skip


@router.post("/cases/{case_id}/visits")
def visit(page: Annotated[Page, posted(show_follow_up)], case_id: uuid.UUID) -> Response:
    """A visit, or an attempt at one."""
    require(page.viewer, Permission.FOLLOW_UP)
    given = _report(page)
    if once.earlier(page, f"visit {case_id}") is None:
        made = followup.record_visit(page.session, page.services, page.viewer, case_id, given, now=page.now)
        once.remember(page, made.id)
    return redirect(page, f"/cases/{case_id}/follow-up", done(page, "The visit is recorded."))


@router.post("/cases/{case_id}/follow-up/end")
def end(page: Annotated[Page, posted(show_follow_up)], case_id: uuid.UUID) -> Response:
    """The decision that no more visits are needed."""
    require(page.viewer, Permission.FOLLOW_UP)
    followup.end_follow_up(
        page.session, page.services, page.viewer, case_id, choice(page.typed, "reason", FollowUpEndReason),
        explanation=page.typed.optional("explanation"), now=page.now,
    )  # fmt: skip
    return redirect(
        page, f"/cases/{case_id}/follow-up", done(page, "Follow-up is ended; open visits are off the list.")
    )


def _ask(page: Page, case_id: uuid.UUID, title: str, about: str) -> Response:
    require(page.viewer, Permission.FOLLOW_UP)
    case = get_case(page.session, page.viewer, case_id, now=page.now)
    return ask_reason(page, Ask(title, about, title, f"/cases/{case.id}/follow-up", case.number))


def _of_case(page: Page, case_id: uuid.UUID) -> followup_view.FollowUp:
    return followup_view.get_follow_up(page.session, page.services, page.viewer, case_id, now=page.now)


def show_withdrawal(page: Page, case_id: uuid.UUID, visit_id: uuid.UUID) -> Response:
    """The form that takes a visit back."""
    words = words_of(page)
    for view in _of_case(page, case_id).visits:
        if view.visit.id == visit_id:
            about = f"{words.moment(view.visit.visited_at)} · {words.label(view.visit.method)}"
            return _ask(page, case_id, words.text("Take the visit back"), about)
    raise errors.NotFound()


@router.get("/cases/{case_id}/visits/{visit_id}/withdraw")
def withdrawal(page: PageDep, case_id: uuid.UUID, visit_id: uuid.UUID) -> Response:
    """The page."""
    return show_withdrawal(page, case_id, visit_id)


@router.post("/cases/{case_id}/visits/{visit_id}/withdraw")
def withdraw(page: Annotated[Page, posted(show_withdrawal)], case_id: uuid.UUID, visit_id: uuid.UUID) -> Response:
    """Take it back, with the reason."""
    row = followup.withdraw_visit(
        page.session, page.services, page.viewer, visit_id, reason=page.typed.text("reason"), now=page.now
    )
    return redirect(
        page, f"/cases/{row.case_id}/follow-up", done(page, "The visit is withdrawn; its deadline runs as before.")
    )  # fmt: skip


def show_resumption(page: Page, case_id: uuid.UUID, end_id: uuid.UUID) -> Response:
    """The form that goes on with the follow-up."""
    words = words_of(page)
    for row, _ in _of_case(page, case_id).ends:
        if row.id == end_id:
            about = f"{words.label(row.reason)} · {words.moment(row.decided_at)}"
            return _ask(page, case_id, words.text("Go on with the follow-up"), about)
    raise errors.NotFound()


@router.get("/cases/{case_id}/follow-up/{end_id}/resume")
def resumption(page: PageDep, case_id: uuid.UUID, end_id: uuid.UUID) -> Response:
    """The page."""
    return show_resumption(page, case_id, end_id)


@router.post("/cases/{case_id}/follow-up/{end_id}/resume")
def resume(page: Annotated[Page, posted(show_resumption)], case_id: uuid.UUID, end_id: uuid.UUID) -> Response:
    """Withdraw the decision, with the reason."""
    row = followup.resume_follow_up(
        page.session, page.services, page.viewer, end_id, reason=page.typed.text("reason"), now=page.now
    )
    return redirect(
        page, f"/cases/{row.case_id}/follow-up", done(page, "Follow-up goes on; what was left of the time begins anew.")
    )  # fmt: skip
