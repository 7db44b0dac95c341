"""How a Milvus server orders the vectors of a collection: compare all, walk a graph, or look into the nearest cells."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

MOST_HITS = 16_384
"""Hits that one search may ask of Milvus, of each query (its `topK` limit)."""


class MilvusOrder(StrEnum):
    """Index types of Milvus that this adapter knows."""

    FLAT = "FLAT"
    HNSW = "HNSW"
    IVF_SQ8 = "IVF_SQ8"


@dataclass(frozen=True, slots=True)
class MilvusPlan:
    """One way to build and to search.

    `build` and the breadths are Milvus's own parameters. `breadth`: efSearch of a graph or nprobe of cells. `excess`:
    how many times k candidates are asked for, to be compared again with the kept embeddings; 1 where Milvus's
    similarities are those of the embeddings themselves.
    """

    order: MilvusOrder
    build: Mapping[str, int]
    breadth: int = 0
    excess: int = 1

    @property
    def version(self) -> str:
        """Name of what is built and how it is searched, for `VectorIndex.version`."""
        built = "-".join(str(self.build[name]) for name in sorted(self.build))
        return "-".join(part for part in ("milvus", self.order.lower(), built, str(self.breadth or ""), "1") if part)

    @property
    def approximate(self) -> bool:
        """Whether a search may miss a face."""
        return self.order is not MilvusOrder.FLAT

    @property
    def rescored(self) -> bool:
        """Whether Milvus's similarities are of shortened embeddings, and are reckoned again from the kept ones."""
        return self.excess > 1

    def search_parameters(self, k: int, *, thorough: bool = False) -> dict[str, int]:
        """Milvus's parameters of a search for k hits (1 to `MOST_HITS`); `thorough`: as broad as it goes."""
        if self.order is MilvusOrder.HNSW:
            # Milvus refuses ef below k.
            return {"ef": MOST_HITS if thorough else max(self.breadth, k)}
        if self.order is MilvusOrder.IVF_SQ8:
            return {"nprobe": self.build["nlist"] if thorough else self.breadth}
        return {}


EXACT = MilvusPlan(MilvusOrder.FLAT, {})
"""Every face compared: Milvus Lite, and servers below some million faces."""

GRAPH = MilvusPlan(MilvusOrder.HNSW, {"M": 32, "efConstruction": 200}, breadth=128)
"""As `matcher.index.hnsw`: with efSearch 32 some searches missed every photograph of a person."""

CELLS = MilvusPlan(MilvusOrder.IVF_SQ8, {"nlist": 4096}, breadth=256, excess=4)
"""A byte a value: 128 bytes a face instead of the graph's 768. Cells: 4 times the root of a segment of a million rows,
Milvus's own advice.
"""

PLANS: Mapping[str, MilvusPlan] = {"exact": EXACT, "graph": GRAPH, "cells": CELLS}
"""The plans by the name that a setting gives."""
