"""Statistics (联席会议数据): the figures of a period, their definitions, the cases behind each, and files."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from api.deps import LocaleDep, NowDep, PagingDep, ServicesDep, SessionDep, ViewerDep
from api.files import MEDIA_TYPES, FileFormat, attachment
from api.openapi import problems
from api.schemas.base import Day, Line, PageOut
from api.schemas.cases import CaseSummary, case_summary
from api.schemas.statistics import DefinitionsOut, TableOut, definitions_out, table_out
from api.statistics_files import as_csv, as_xlsx
from tracing import statistics
from tracing.statistics import Grouping

router = APIRouter(prefix="/statistics", tags=["statistics"], responses=problems(403))


def _query(
    first: Annotated[Day, Query(alias="from", description="First day, in the service's time zone.")],
    last: Annotated[Day, Query(alias="to", description="Last day, included.")],
    by: Annotated[Grouping, Query(description="What the columns are.")] = Grouping.NONE,
    organisation_id: Annotated[
        uuid.UUID | None, Query(description="An organisation and all below it; left out: the viewer's own.")
    ] = None,
    exact: Annotated[
        bool, Query(description="Small numbers shown, for those who may see the cases. Never publish these.")
    ] = False,
) -> statistics.Query:
    return statistics.Query(first, last, by, organisation_id, exact)


QueryDep = Annotated[statistics.Query, Depends(_query)]


@router.get("", summary="The figures of a period", responses=problems(404))
def table(
    session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep, query: QueryDep, locale: LocaleDep
) -> TableOut:
    """Small numbers are hidden unless `exact` is asked for."""
    return table_out(statistics.read_statistics(session, services, viewer, query, now=now), locale)


@router.get("/definitions", summary="What each figure counts")
def definitions(viewer: ViewerDep) -> DefinitionsOut:
    """In Chinese and English, with the version."""
    return definitions_out(statistics.read_definitions(viewer))


@router.get(
    "/file",
    summary="The figures as a file",
    responses={
        200: {"content": {kind: {} for kind in MEDIA_TYPES.values()}, "description": "The file."},
        **problems(404),
    },
    response_class=Response,
)
def file(
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    query: QueryDep,
    locale: LocaleDep,
    kind: Annotated[FileFormat, Query(alias="format", description="`csv` or `xlsx`.")] = FileFormat.XLSX,
) -> Response:
    """With the definitions."""
    found = statistics.read_statistics(session, services, viewer, query, now=now)
    data = as_csv(found, locale) if kind is FileFormat.CSV else as_xlsx(found, locale)
    name = f"statistics-{query.first.isoformat()}-{query.last.isoformat()}.{kind.value}"
    return Response(data, media_type=MEDIA_TYPES[kind], headers=attachment(name))


@router.get("/{figure}/cases", summary="The cases behind a figure", responses=problems(404))
def cases(
    figure: str,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    paging: PagingDep,
    query: QueryDep,
    part: Annotated[Line | None, Query(description="Of this part alone.")] = None,
    group: Annotated[Line | None, Query(description="Of this column alone: its `key`.")] = None,
) -> PageOut[CaseSummary]:
    """Newest first, those of the viewer's scope."""
    page = statistics.list_figure_cases(
        session, services, viewer, figure, query, part=part, group=group,
        cursor=paging.cursor, limit=paging.limit, now=now,
    )  # fmt: skip
    return PageOut(items=tuple(case_summary(one) for one in page.items), next_cursor=page.next_cursor)
