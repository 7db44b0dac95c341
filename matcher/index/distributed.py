"""An index on other machines, opened where its package is installed; everything else works without the package."""

from importlib import import_module
from importlib.util import find_spec

from matcher.index.base import VectorIndex
from matcher.index.milvus_plan import PLANS

PACKAGE = "pymilvus"


class DistributedIndexUnavailable(Exception):
    """The package of the distributed index is not installed; the message names the remedy."""


def open_distributed(
    location: str,
    model_version: str,
    dimension: int,
    *,
    token: str = "",
    plan: str = "exact",
    prefix: str = "guitu",
    timeout_seconds: float = 30,
    make: bool = True,
) -> VectorIndex:
    """`matcher.index.milvus.MilvusIndex`, made if it is not there and `make`. `plan` is a name of `PLANS`.

    The package takes 120 MB and seconds to import: only a process that uses it pays. Raises ValueError on an unknown
    plan and as MilvusIndex does, DistributedIndexUnavailable, IndexUnreachable, and IndexLost where not `make`.
    """
    if plan not in PLANS:
        raise ValueError(f"the plan of a Milvus index is one of {', '.join(PLANS)}")
    _need_package()
    made: VectorIndex = import_module("matcher.index.milvus").MilvusIndex(
        location,
        model_version,
        dimension,
        token=token,
        plan=PLANS[plan],
        prefix=prefix,
        timeout_seconds=timeout_seconds,
        make=make,
    )
    return made


def drop_distributed(
    location: str, model_version: str, *, token: str = "", prefix: str = "guitu", timeout_seconds: float = 30
) -> None:
    """Delete everything that is kept of a model version there, of whatever plan it is; nothing there is right as well.

    Raises ValueError on another location, DistributedIndexUnavailable, and IndexUnreachable.
    """
    _need_package()
    import_module("matcher.index.milvus_rows").drop_collections(location, model_version, token, prefix, timeout_seconds)


def _need_package() -> None:
    if find_spec(PACKAGE) is None:
        raise DistributedIndexUnavailable(
            f"An index in Milvus needs {PACKAGE}. Install it with pip install 'guitu[milvus]', or let each process keep"
            " its own index."
        )
