"""Duplicates (疑似重复): pairs that may be one person, beside each other; linking them, saying that they differ."""

import uuid
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter
from starlette.responses import Response

from api.web.errors import NumberUnknown
from api.web.forms import choice, members_named
from api.web.page import Page, PageDep, posted
from api.web.pages.wandering import case_numbered
from api.web.reason_page import Ask, ask_reason
from api.web.rendering import done, redirect, render, words_of
from matcher.fusion import strength
from matcher.vocabulary import EvidenceKind, GalleryKind
from models.duplicate import DuplicateVerdict
from models.user import Locale
from tracing import duplicates
from tracing.access import Permission, require
from tracing.duplicates import PairStatus
from tracing.reports import list_reports

router = APIRouter()
SHOWN = 25


@dataclass(frozen=True, slots=True)
class Term:
    """One term of what agrees; values and sentence only when both records are the viewer's to see."""

    kind: EvidenceKind
    log10_lr: float
    sentence: str


def _terms(rows: list[dict[str, Any]] | None, locale: Locale, *, shown: bool) -> list[Term]:
    name = "sentence_zh" if locale is Locale.ZH else "sentence_en"
    found = [
        Term(EvidenceKind(row["kind"]), float(row["log10_lr"]), row[name] if shown else "") for row in rows or ()
    ]  # fmt: skip
    return sorted(found, key=lambda one: -one.log10_lr)


def show_pairs(page: Page) -> Response:
    """Pairs of which the viewer sees at least one record, and the form that links two."""
    query = page.request.query_params
    status = next(iter(members_named([query.get("status", "")], PairStatus)), PairStatus.PROPOSED)
    kind = next(iter(members_named([query.get("kind", "")], GalleryKind)), None)
    found = duplicates.list_duplicates(
        page.session, page.viewer, status=status, kind=kind, cursor=query.get("cursor") or None, limit=SHOWN,
        now=page.now,
    )  # fmt: skip
    return render(
        page, "duplicates/list.html", pairs=found.items, next_cursor=found.next_cursor, first=not query.get("cursor"),
        which=status, kind=kind, statuses=list(PairStatus), kinds=list(GalleryKind), strength=strength,
        values=page.typed.values,
    )  # fmt: skip


@router.get("/duplicates")
def index(page: PageDep) -> Response:
    """The page."""
    return show_pairs(page)


@router.post("/duplicates")
def link(page: Annotated[Page, posted(show_pairs)]) -> Response:
    """Link two records that nobody proposed, told by their numbers."""
    require(page.viewer, Permission.DUPLICATE)
    kind = choice(page.typed, "kind", GalleryKind)
    first, second = (_numbered(page, kind, field) for field in ("first_id", "second_id"))
    pair = duplicates.link_records(
        page.session, page.services, page.viewer, kind, first, second, reason=page.typed.text("reason"), now=page.now
    )
    return redirect(page, f"/duplicates/{pair.id}", done(page, "The two records are linked."))


def _numbered(page: Page, kind: GalleryKind, field: str) -> uuid.UUID:
    """The record of the viewer's scope whose number was typed. Raises NumberUnknown."""
    number = page.typed.text(field)
    if kind is GalleryKind.CASE:
        return case_numbered(page, number, field=field)
    found = list_reports(page.session, page.viewer, number=number, now=page.now).items if number else ()
    for one in found:
        if one.number.casefold() == number.casefold():
            return one.id
    raise NumberUnknown(field=field)


def show_pair(page: Page, pair_id: uuid.UUID) -> Response:
    """Both records beside each other, what of them agrees, what was decided."""
    view = duplicates.get_duplicate(page.session, page.viewer, pair_id, now=page.now)
    return render(
        page, "duplicates/pair.html", view=view, pair=view.pair, strength=strength, verdicts=list(DuplicateVerdict),
        terms=_terms(view.pair.terms, page.locale, shown=view.open), values=page.typed.values,
        root="/cases" if view.pair.kind is GalleryKind.CASE else "/reports",
    )  # fmt: skip


@router.get("/duplicates/{pair_id}")
def read(page: PageDep, pair_id: uuid.UUID) -> Response:
    """The page."""
    return show_pair(page, pair_id)


@router.post("/duplicates/{pair_id}/decision")
def decide(page: Annotated[Page, posted(show_pair)], pair_id: uuid.UUID) -> Response:
    """One person, or two; with the reason."""
    require(page.viewer, Permission.DUPLICATE)
    verdict = choice(page.typed, "verdict", DuplicateVerdict)
    duplicates.decide(
        page.session, page.viewer, pair_id, verdict, reason=page.typed.text("reason"), now=page.now
    )  # fmt: skip
    told = (
        done(page, "The two records are linked.")
        if verdict is DuplicateVerdict.SAME
        else done(page, "It is on record that they are two people.")
    )
    return redirect(page, f"/duplicates/{pair_id}", told)


def show_withdrawal(page: Page, pair_id: uuid.UUID) -> Response:
    """The form that takes the standing decision back."""
    require(page.viewer, Permission.DUPLICATE)
    view = duplicates.get_duplicate(page.session, page.viewer, pair_id, now=page.now)
    words = words_of(page)
    linked = view.standing is not None and view.standing.verdict is DuplicateVerdict.SAME
    title = words.text("Unlink the two records") if linked else words.text("Ask anew about the two records")
    about, back = view.standing.reason if view.standing else "", f"/duplicates/{pair_id}"
    help_text = words.text("Whatever the decision had closed is open again; the decision stays on record.")
    return ask_reason(page, Ask(title, about, title, back, words.text("Duplicates"), help_text))


@router.get("/duplicates/{pair_id}/withdraw")
def withdrawal(page: PageDep, pair_id: uuid.UUID) -> Response:
    """The page."""
    return show_withdrawal(page, pair_id)


@router.post("/duplicates/{pair_id}/withdraw")
def withdraw(page: Annotated[Page, posted(show_withdrawal)], pair_id: uuid.UUID) -> Response:
    """Take it back, with the reason."""
    duplicates.withdraw_decision(
        page.session, page.viewer, pair_id, reason=page.typed.text("reason"), now=page.now
    )  # fmt: skip
    return redirect(page, f"/duplicates/{pair_id}", done(page, "The decision is withdrawn; it stays on record."))
