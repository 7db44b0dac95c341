"""One to many: who of the gallery is this, if anybody? Terms of ISO/IEC 19795-1 and NIST FRVT part 2 (1:N).

The protocol is one for every engine:

- a person with two photographs or more: the first by file name is enrolled, each other one is a mated probe;
- of the people with one photograph, a seeded half is enrolled (distractors), the others are non-mated probes;
- a probe whose face, or whose mate's enrolled face, was not found is a miss; a non-mated probe without a face never
  raises a false alarm, and still counts as a search;
- each mated probe is also searched in the gallery without its mate: more searches for strangers, for sets whose people
  all have several photographs and for rates that a few non-mated probes cannot tell.

FPIR(T): share of non-mated searches in which anybody scores above T. FNIR(T): share of mated searches in which the mate
does not score above T, whatever his rank (an examiner sees all of a short list).
"""

from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from matcher.evaluation.templates import Templates
from matcher.evaluation.verification import strict_threshold

Scores = NDArray[np.float64]
Positions = NDArray[np.int64]

RESAMPLES = 2000
NOT_RANKED = int(np.iinfo(np.int64).max)


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Positions of photographs by their part in the test.

    Attributes:
        gallery: enrolled, one a person.
        mated: probes of people in the gallery.
        mates: for each mated probe, the position of its mate within `gallery`.
        non_mated: probes of people not in the gallery.
    """

    gallery: Positions
    mated: Positions
    mates: Positions
    non_mated: Positions


@dataclass(frozen=True, slots=True, eq=False)
class Searches:
    """What the searches gave.

    Attributes:
        mate_scores: score of each mated probe's mate, -inf where a face is missing.
        mate_ranks: rank of the mate, 1 is best; ties count against the engine; NOT_RANKED where a face is missing.
        alarm_scores: best score of each non-mated probe, -inf where it has no face.
        other_scores: best score of each mated probe with anybody but its mate, -inf where it has no face.
        mated_people, alarm_people: a number for the person of each probe.
    """

    mate_scores: Scores
    mate_ranks: Positions
    alarm_scores: Scores
    other_scores: Scores
    mated_people: Positions
    alarm_people: Positions


def split(people: list[str], seed: int) -> Split:
    """Parts of photographs whose people are named, sorted by person and file name, by the protocol above."""
    gallery: list[int] = []
    mated: list[int] = []
    mates: list[int] = []
    single: list[int] = []
    for _, group in groupby(range(len(people)), key=lambda at: people[at]):
        first, *others = group
        if not others:
            single.append(first)
            continue
        mates += [len(gallery)] * len(others)
        gallery.append(first)
        mated += others
    order = np.random.default_rng(seed).permutation(len(single))
    half = len(single) // 2
    gallery += [single[at] for at in order[:half]]
    non_mated = [single[at] for at in order[half:]]
    parts = (np.array(part, np.int64) for part in (gallery, mated, mates, non_mated))
    return Split(*parts)


def search(templates: Templates, parts: Split, people: list[str]) -> Searches:
    """Compare every probe with the whole gallery. Raises ValueError when the gallery is empty."""
    if not len(parts.gallery):
        raise ValueError("nobody to enrol: the set has no person with two photographs")
    _, number = np.unique(np.array(people), return_inverse=True)
    mate_scores, ranks, others, alarms = [], [], [], []
    for start in range(0, len(parts.mated), 500):
        block = templates.scores(parts.mated[start : start + 500], parts.gallery)
        mates = np.arange(len(block)), parts.mates[start : start + 500]
        own = block[mates]
        mate_scores.append(own)
        ranks.append(np.where(np.isfinite(own), (block >= own[:, np.newaxis]).sum(axis=1), NOT_RANKED))
        block[mates] = -np.inf
        others.append(block.max(axis=1))
    for start in range(0, len(parts.non_mated), 500):
        alarms.append(templates.scores(parts.non_mated[start : start + 500], parts.gallery).max(axis=1))
    return Searches(
        np.concatenate(mate_scores or [np.empty(0)]),
        np.concatenate(ranks or [np.empty(0, np.int64)]).astype(np.int64),
        np.concatenate(alarms or [np.empty(0)]),
        np.concatenate(others or [np.empty(0)]),
        number[parts.mated].astype(np.int64),
        number[parts.non_mated].astype(np.int64),
    )


def with_mates_removed(searches: Searches) -> Searches:
    """The same with each mated probe, its mate taken out of the gallery, as one more non-mated search."""
    return replace(
        searches,
        alarm_scores=np.concatenate([searches.alarm_scores, searches.other_scores]),
        alarm_people=np.concatenate([searches.alarm_people, searches.mated_people]),
    )


def rank_rate(ranks: Positions, rank: int) -> float | None:
    """Closed set: share of mated searches whose mate is at that rank or better (CMC); None without any."""
    return float((ranks <= rank).mean()) if len(ranks) else None


def miss_rate(mate_scores: Scores, alarm_scores: Scores, false_alarm_rate: float) -> float | None:
    """Open set: FNIR at the FPIR, 0 to 1, at the lowest threshold that raises no more false alarms than that.

    None when there are no mated searches, or too few non-mated ones to tell (fewer than 1 / FPIR).
    """
    if not len(mate_scores) or len(alarm_scores) * false_alarm_rate < 1 - 1e-9:
        return None
    return 1.0 - float((mate_scores > strict_threshold(alarm_scores, false_alarm_rate)).mean())


def miss_rate_interval(
    searches: Searches, false_alarm_rate: float, seed: int, *, resamples: int = RESAMPLES
) -> tuple[float, float] | None:
    """95 % bootstrap interval of `miss_rate`, people drawn with replacement (the gallery stays). None as there."""
    if miss_rate(searches.mate_scores, searches.alarm_scores, false_alarm_rate) is None:
        return None
    rng = np.random.default_rng(seed)
    mated, alarms = _by_person(searches.mated_people), _by_person(searches.alarm_people)
    found = []
    for _ in range(resamples):
        hits = searches.mate_scores[_drawn(mated, rng)]
        false = searches.alarm_scores[_drawn(alarms, rng)]
        found.append(1.0 - float((hits > strict_threshold(false, false_alarm_rate)).mean()))
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def _by_person(people: Positions) -> list[Positions]:
    return [np.flatnonzero(people == person) for person in np.unique(people)]


def _drawn(groups: list[Positions], rng: np.random.Generator) -> Positions:
    return np.concatenate([groups[at] for at in rng.integers(0, len(groups), len(groups))])
