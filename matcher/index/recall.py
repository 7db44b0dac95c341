"""How often an approximate index misses: a sample of searches done again with every face compared."""

from dataclasses import dataclass

from matcher.index.base import ROUNDING, ApproximateIndex
from matcher.index.scan import Floats
from matcher.vocabulary import GalleryKind


@dataclass(frozen=True, slots=True)
class RecallSample:
    """`found` of `wanted` hits, summed over `queries` searches."""

    queries: int
    found: int
    wanted: int

    @property
    def recall(self) -> float:
        """Share found, 0 to 1; 1 where nothing was to be found."""
        return self.found / self.wanted if self.wanted else 1.0


def recall_sample(
    index: ApproximateIndex, queries: Floats, k: int, kinds: frozenset[GalleryKind] | None = None
) -> RecallSample:
    """Recall@k of these queries (q, d). A hit counts when it is as similar as the k-th of the exact search.

    Changes between the two searches count as misses or not at all; they are rare beside k. Raises as `search` does.
    """
    exact = index.search_exact(queries, k, kinds)
    found = sum(
        min(len(right), sum(hit.similarity >= right[-1].similarity - TIE for hit in answer))
        for answer, right in zip(index.search(queries, k, kinds), exact, strict=True)
        if right
    )
    return RecallSample(len(queries), found, sum(len(right) for right in exact))


TIE = ROUNDING / 256
"""Similarities closer than this are equal: float sums in another order differ by about 1e-7."""
