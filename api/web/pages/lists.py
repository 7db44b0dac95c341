"""Lists (列表): cases and reports, searched, filtered, with chosen columns, saved filters, and as a file."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter
from starlette.responses import Response

from api.files import MEDIA_TYPES, FileFormat, attachment, list_file
from api.web.forms import choice, members_named
from api.web.list_columns import CASE_COLUMNS, REPORT_COLUMNS, Column, chosen
from api.web.list_form import Asked, read
from api.web.page import Page, PageDep, posted
from api.web.rendering import done, redirect, render, words_of, wrong_of
from matcher import ethnicities
from matcher.vocabulary import Build, GalleryKind, Sex
from models.case import CaseState
from models.report import ReportState
from tracing import cases, reports
from tracing.access import Permission, require
from tracing.paging import Page as Paged
from tracing.record_search import EXPORT_MOST
from tracing.saved_filters import list_filters, remove_filter, save_filter

router = APIRouter()
SHOWN = 25


@dataclass(frozen=True)
class Listing:
    """One list: where it is, what it is of, how it is read."""

    gallery: GalleryKind
    path: str
    reads: Permission
    states: type[StrEnum]
    columns: tuple[Column[Any], ...]
    listed: Callable[..., Paged[Any]]
    exported: Callable[..., Sequence[Any]]


CASES = Listing(
    GalleryKind.CASE, "/cases", Permission.CASE_READ, CaseState, CASE_COLUMNS, cases.list_cases, cases.export_cases
)
REPORTS = Listing(
    GalleryKind.REPORT,
    "/reports",
    Permission.REPORT_READ,
    ReportState,
    REPORT_COLUMNS,
    reports.list_reports,
    reports.export_reports,
)


def _states(listing: Listing, asked: Asked) -> frozenset[StrEnum]:
    return members_named(asked.several["state"], listing.states)


def show_list(listing: Listing, page: Page) -> Response:
    """Newest first. A name that is searched for is in the form that was sent, never in the address."""
    asked = read(page)
    states = _states(listing, asked)
    cursor = page.typed.text("cursor") or page.request.query_params.get("cursor", "")
    found = listing.listed(
        page.session, page.viewer, states=states, sought=asked.sought, cursor=cursor or None, limit=SHOWN, now=page.now
    )
    columns = chosen(listing.columns, asked.several["column"])
    return render(
        page, "lists/list.html", listing=listing, asked=asked, records=found.items, next_cursor=found.next_cursor,
        first=not cursor, states=states, columns=columns, words=words_of(page), wrong=wrong_of(page) | asked.wrong,
        saved=list_filters(page.session, page.viewer, listing.gallery), may_export=page.may(Permission.EXPORT),
        formats=list(FileFormat), most=EXPORT_MOST, sexes=list(Sex), builds=list(Build),
        ethnicities=ethnicities.all_names(),
    )  # fmt: skip


def _file(listing: Listing, page: Page) -> Response:
    kind, asked, words = choice(page.typed, "format", FileFormat), read(page), words_of(page)
    columns = chosen(listing.columns, asked.several["column"])
    records = listing.exported(
        page.session, page.viewer, states=_states(listing, asked), sought=asked.sought, now=page.now
    )
    head = [words.text("Number"), *(words.text(one.heading) for one in columns)]
    rows = [[record.number, *(one.text(words, record) for one in columns)] for record in records]
    name = listing.path.strip("/")
    data = list_file(kind, name, head, rows)
    return Response(
        data, media_type=MEDIA_TYPES[kind], headers=attachment(f"{name}-{page.services.local_day(page.now)}.{kind}")
    )


def _open(listing: Listing) -> None:
    """The routes of one list."""
    path, show = listing.path, partial(show_list, listing)

    @router.get(path)
    def index(page: PageDep) -> Response:
        return show(page)

    @router.post(path)
    def search(page: Annotated[Page, posted(show)]) -> Response:
        require(page.viewer, listing.reads)
        asked = read(page)
        return show(page) if asked.private else redirect(page, f"{path}?{asked.address()}")

    @router.post(f"{path}/export")
    def export(page: Annotated[Page, posted(show)]) -> Response:
        return _file(listing, page)

    @router.post(f"{path}/filters")
    def save(page: Annotated[Page, posted(show)]) -> Response:
        name, query = page.typed.text("name"), read(page).address()
        save_filter(page.session, page.viewer, listing.gallery, name, query, now=page.now)
        return redirect(page, f"{path}?{query}", done(page, "The filter “{name}” is saved.", name=name))

    @router.post(f"{path}/filters/{{filter_id}}/remove")
    def remove(page: Annotated[Page, posted(show)], filter_id: uuid.UUID) -> Response:
        remove_filter(page.session, page.viewer, filter_id, now=page.now)
        return redirect(page, path, done(page, "The filter is removed."))


for _listing in (CASES, REPORTS):
    _open(_listing)
