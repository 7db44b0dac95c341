"""The return-home ledger (返乡台账), and the dossier of a settlement (落户档案)."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from api.deps import NowDep, PagingDep, ServicesDep, SessionDep, ViewerDep, created
from api.openapi import problems
from api.schemas.base import Day, ItemsOut, PageOut, items_out
from api.schemas.deadlines import ReasonIn
from api.schemas.outcomes import LedgerRowOut, PaperIn, PaperOut, ledger_row_out, paper_out
from tracing import dossier, ledger
from tracing.ledger import LedgerFilter

router = APIRouter(tags=["outcomes"], responses=problems(403, 404))


def _filter(
    since: Annotated[Day | None, Query(description="From this day on.")] = None,
    until: Annotated[Day | None, Query(description="Up to this day.")] = None,
    organisation_id: Annotated[uuid.UUID | None, Query(description="With everything below it.")] = None,
) -> LedgerFilter:
    return LedgerFilter(since, until, organisation_id)


FilterDep = Annotated[LedgerFilter, Depends(_filter)]


@router.get("/return-ledger", summary="The return-home ledger")
def read(
    session: SessionDep, viewer: ViewerDep, now: NowDep, paging: PagingDep, wanted: FilterDep
) -> PageOut[LedgerRowOut]:
    """Returns of the viewer's cases, newest entry first."""
    page = ledger.return_ledger(session, viewer, wanted, cursor=paging.cursor, limit=paging.limit, now=now)
    return PageOut(items=tuple(ledger_row_out(row) for row in page.items), next_cursor=page.next_cursor)


@router.get("/return-ledger.csv", summary="The return-home ledger as a file", response_class=Response)
def download(session: SessionDep, viewer: ViewerDep, now: NowDep, wanted: FilterDep) -> Response:
    """CSV in UTF-8, for spreadsheets; every download is on record."""
    disposition = 'attachment; filename="return-ledger.csv"'
    return Response(
        ledger.ledger_csv(session, viewer, wanted, now=now),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": disposition},
    )  # fmt: skip


@router.get("/cases/{case_id}/dossier", summary="The dossier of a settlement")
def read_dossier(
    case_id: uuid.UUID, session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep
) -> ItemsOut[PaperOut]:
    """Every paper of the list, there or missing."""
    return items_out(paper_out(line) for line in dossier.read_dossier(session, services, viewer, case_id, now=now))


@router.post("/cases/{case_id}/dossier", summary="Enter a paper", status_code=201, responses=problems(409))
def tick(
    case_id: uuid.UUID,
    body: PaperIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    response: Response,
) -> ItemsOut[PaperOut]:
    """All required papers have to be there before the outcome "settled"."""
    created(response, f"/api/v1/cases/{case_id}/dossier")
    dossier.tick_paper(
        session, services, viewer, case_id, body.item, done_on=body.done_on, reference=body.reference, now=now
    )
    return items_out(paper_out(line) for line in dossier.read_dossier(session, services, viewer, case_id, now=now))


@router.post("/dossier-items/{entry_id}/withdraw", summary="Take an entry back", responses=problems(409))
def withdraw_entry(
    entry_id: uuid.UUID, body: ReasonIn, session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep
) -> ItemsOut[PaperOut]:
    """It stays on record."""
    entry = dossier.withdraw_paper(session, viewer, entry_id, reason=body.reason, now=now)
    return items_out(
        paper_out(line) for line in dossier.read_dossier(session, services, viewer, entry.case_id, now=now)
    )  # fmt: skip
