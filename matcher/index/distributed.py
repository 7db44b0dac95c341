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
) -> VectorIndex:
    """`matcher.index.milvus.MilvusIndex`, made if it is not there. `plan` is a name of `PLANS`.

    The package takes 120 MB and seconds to import: only a process that uses it pays. Raises ValueError on an unknown
    plan and as MilvusIndex does, DistributedIndexUnavailable, and IndexUnreachable.
    """
    if plan not in PLANS:
        raise ValueError(f"the plan of a Milvus index is one of {', '.join(PLANS)}")
    if find_spec(PACKAGE) is None:
        raise DistributedIndexUnavailable(
            f"An index in Milvus needs {PACKAGE}. Install it with pip install 'guitu[milvus]', or let each process keep"
            " its own index."
        )
    made: VectorIndex = import_module("matcher.index.milvus").MilvusIndex(
        location,
        model_version,
        dimension,
        token=token,
        plan=PLANS[plan],
        prefix=prefix,
        timeout_seconds=timeout_seconds,
    )
    return made
