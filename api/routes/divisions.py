"""Administrative divisions (行政区划): finding the code of a place."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.deps import ViewerDep
from api.schemas.base import ItemsOut, Line, items_out
from api.schemas.operations import DivisionOut
from matcher import divisions

router = APIRouter(prefix="/divisions", tags=["divisions"])


@router.get("", summary="Find a division by name, pinyin, initials or code")
def find(
    viewer: ViewerDep,
    q: Annotated[Line, Query(description="For example 钦州, qinzhou, qzs or 4507.", examples=["qinzhou"])],
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> ItemsOut[DivisionOut]:
    """Best first."""
    return items_out(
        DivisionOut(code=one.code, name=one.name, full_name=divisions.full_name(one.code))
        for one in divisions.find(q, limit)
    )
