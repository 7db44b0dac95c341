"""Divisions (行政区划): the lines that the picker offers while somebody types."""

from fastapi import APIRouter
from starlette.responses import Response

from api.web.page import PageDep
from api.web.rendering import fragment
from matcher import divisions

router = APIRouter()
SHOWN = 15


@router.get("/divisions")
def find(page: PageDep) -> Response:
    """`?q=` a name, pinyin, initials or digits; the options of a datalist."""
    wanted = page.request.query_params.get("q", "").strip()[:40]
    return fragment(page, "divisions/options.html", codes=[one.code for one in divisions.find(wanted, SHOWN)])
