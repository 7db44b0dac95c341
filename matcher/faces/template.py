"""One vector for a person of whom there are several photographs (多照片模板)."""

import numpy as np
from numpy.typing import NDArray


def fuse(embeddings: NDArray[np.float32], qualities: NDArray[np.float64]) -> NDArray[np.float32]:
    """The mean of embeddings (n, d), each counted by its quality (n,) from 0 to 100, at Euclidean length 1: (d,).

    When every quality is 0, all count alike. Raises ValueError for none at all, for other shapes or qualities, and when
    the mean has no direction.
    """
    if embeddings.ndim != 2 or not embeddings.size or qualities.shape != embeddings.shape[:1]:
        raise ValueError(f"expected (n, d) and (n,), got {embeddings.shape} and {qualities.shape}")
    if not ((qualities >= 0) & (qualities <= 100)).all():
        raise ValueError("qualities are from 0 to 100")
    weights = qualities / qualities.max() if qualities.any() else np.ones(len(qualities))
    mean = weights.astype(np.float64) @ embeddings.astype(np.float64)
    length = float(np.linalg.norm(mean))
    if not length > 1e-6 * float(weights.sum()):
        raise ValueError("embeddings that cancel each other")
    return (mean / length).astype(np.float32)
