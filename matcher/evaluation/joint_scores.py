"""Every case against every report, by the terms that the service weighs, added up as the service adds them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matcher.evaluation.joint import NOBODY, World
from matcher.evidence.base import Parameters
from matcher.evidence.batch import KINDS, prepare, score
from matcher.fusion import term_weights
from matcher.vocabulary import EvidenceKind

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class JointScores:
    """log10 LRs of all pairs of one world.

    Attributes:
        mates: of each probe the column of its mate, NOBODY for none; shape (probes,).
        people: of each probe the number of the real person; shape (probes,).
        cohorts: of each probe.
        terms: each term as it is, NaN where it says nothing; shape (probes, gallery, len(KINDS)).
        fused, attributes: all terms together, and all but the face; shape (probes, gallery).
    """

    mates: NDArray[np.int64]
    people: NDArray[np.int64]
    cohorts: tuple[frozenset[str], ...]
    terms: NDArray[np.float32]
    fused: Matrix
    attributes: Matrix

    @property
    def face(self) -> Matrix:
        """The face alone; -inf where it says nothing, so that nobody is found by a face that is not there."""
        value = self.terms[:, :, KINDS.index(EvidenceKind.FACE)].astype(np.float64)
        return np.where(np.isnan(value), -np.inf, value)

    @property
    def is_mate(self) -> NDArray[np.bool_]:
        """Whether the pair is one person, shape (probes, gallery)."""
        return np.equal(self.mates[:, np.newaxis], np.arange(self.fused.shape[1]))


def score_world(world: World, parameters: Parameters, progress: Callable[[int], None] | None = None) -> JointScores:
    """Compare every probe with the whole gallery; `progress` is told how many probes are done after each."""
    shape = len(world.probes), len(world.gallery)
    terms = np.full((*shape, len(KINDS)), np.nan, np.float32)
    fused, attributes = np.zeros(shape), np.zeros(shape)
    gallery = [prepare(report, parameters) for report in world.gallery]
    face = KINDS.index(EvidenceKind.FACE)
    for row, probe in enumerate(world.probes):
        values = score(prepare(probe.profile, parameters), gallery, parameters).log10_lrs
        terms[row] = values
        fused[row] = np.nansum(values * term_weights(values, KINDS, parameters), axis=1)
        values[:, face] = np.nan
        attributes[row] = np.nansum(values * term_weights(values, KINDS, parameters), axis=1)
        if progress is not None:
            progress(row + 1)
    return JointScores(
        np.array([probe.mate for probe in world.probes], np.int64),
        np.array([probe.person for probe in world.probes], np.int64),
        tuple(probe.cohorts for probe in world.probes),
        terms,
        fused,
        attributes,
    )


def mated_rows(scores: JointScores) -> NDArray[np.int64]:
    """Rows of the probes that have a mate."""
    return np.flatnonzero(scores.mates != NOBODY)
