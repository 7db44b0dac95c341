"""The return-home ledger (返乡台账): who went home in a period, how, and by which papers; as a page and as a file."""

import uuid
from contextlib import suppress
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import Response

from api.web.forms import Typed, optional_day
from api.web.page import PageDep, asked_of
from api.web.rendering import render
from tracing import ledger
from tracing.ledger import LedgerFilter
from tracing.organisations import list_organisations

router = APIRouter()
SHOWN = 25


def _filter(typed: Typed) -> LedgerFilter:
    """What the address asks for; raises ImpossibleDate. An organisation that is none is left out."""
    organisation = None
    with suppress(ValueError):
        organisation = uuid.UUID(typed.text("organisation_id"))
    return LedgerFilter(optional_day(typed, "since"), optional_day(typed, "until"), organisation)


@router.get("/return-ledger")
def index(page: PageDep) -> Response:
    """Newest entry first, by period and organisation."""
    query = page.request.query_params
    page, wanted = asked_of(page, _filter, LedgerFilter())
    found = ledger.return_ledger(
        page.session, page.viewer, wanted, cursor=query.get("cursor") or None, limit=SHOWN, now=page.now
    )
    asked = {name: query.get(name, "") for name in ("since", "until", "organisation_id")}
    return render(
        page, "ledger/ledger.html", rows=found.items, next_cursor=found.next_cursor, first=not query.get("cursor"),
        values=asked, organisations=list_organisations(page.session, page.viewer),
        file_query=urlencode({name: value for name, value in asked.items() if value}),
    )  # fmt: skip


@router.get("/return-ledger.csv")
def download(page: PageDep) -> Response:
    """The whole of it for a spreadsheet; every download is on record."""
    return Response(
        ledger.ledger_csv(page.session, page.viewer, _filter(Typed(dict(page.request.query_params))), now=page.now),
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": 'attachment; filename="return-ledger.csv"'
        },
    )  # fmt: skip
