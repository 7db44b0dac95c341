"""Who is signed in."""

from fastapi import APIRouter

from api.deps import ViewerDep
from api.schemas.users import MeOut, me_out

router = APIRouter(prefix="/me", tags=["me"])


@router.get("", summary="Who is signed in, and what the role may do")
def read(viewer: ViewerDep) -> MeOut:
    """The viewer."""
    return me_out(viewer)
