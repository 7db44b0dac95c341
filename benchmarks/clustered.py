"""Seeded galleries of made-up embeddings: identities spread evenly over the sphere, each with noisy samples."""

import uuid
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

DIMENSION = 128
SAMPLES = 20  # faces an identity
NOISE = 0.25
"""Length of the noise beside a centre of length 1: two samples of one identity are 0.35 apart (cosine 1 / (1 + 0.25²) =
0.94), well within dlib's customary 0.6.
"""
SEED = 4


def centres(identities: int) -> Floats:
    """One unit vector an identity, (identities, 128)."""
    return _unit(np.random.default_rng(SEED).standard_normal((identities, DIMENSION), np.float32))


def samples(of: Floats, seed: int | np.random.Generator) -> Floats:
    """One noisy unit vector for each centre given."""
    found = np.random.default_rng(seed).standard_normal(of.shape, np.float32)
    found *= np.float32(NOISE / np.sqrt(DIMENSION))
    found += of
    return _unit(found)


def identities_of(faces: int) -> NDArray[np.int64]:
    """Identity of each face of `gallery(faces)`, in its random order, (faces,)."""
    return np.random.default_rng(SEED + 1).permutation(faces) % max(1, faces // SAMPLES)


def identities_asked(faces: int, count: int) -> NDArray[np.int64]:
    """Identity of each of `queries(faces, count)`, (count,)."""
    return np.random.default_rng(SEED + 3).integers(0, max(1, faces // SAMPLES), count)


def gallery(faces: int) -> Floats:
    """`faces` samples of faces / 20 identities, in random order, (faces, 128)."""
    return samples(centres(max(1, faces // SAMPLES))[identities_of(faces)], SEED + 2)


def gallery_parts(faces: int, at_once: int) -> Iterator[Floats]:
    """`gallery(faces)` in parts of at most `at_once`, one at a time in memory."""
    middle, identities, noise = centres(max(1, faces // SAMPLES)), identities_of(faces), np.random.default_rng(SEED + 2)
    for start in range(0, faces, at_once):
        yield samples(middle[identities[start : start + at_once]], noise)


def queries(faces: int, count: int) -> Floats:
    """New samples of identities of `gallery(faces)`, (count, 128)."""
    return samples(centres(max(1, faces // SAMPLES))[identities_asked(faces, count)], SEED + 5)


def face_ids(start: int, count: int) -> list[uuid.UUID]:
    """The same ids in every run: they are numbers, spread as random ones are."""
    data = np.random.default_rng([SEED, start]).bytes(16 * count)
    return [uuid.UUID(bytes=data[at : at + 16]) for at in range(0, len(data), 16)]


def _unit(vectors: Floats) -> Floats:
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors
