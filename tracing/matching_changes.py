"""What a pass changed in the lists of candidates (候选变化): who entered, left or moved, and by which terms.

A shift of rank alone is no change of its own: it follows from those that entered, left or moved.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from models.candidate import Candidate, CandidateChange, ListChange

SAME = 1e-6
"""Scores that differ by less are the same: log10 units."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a candidate stands in its case's list; `rank` counts from 1."""

    case_id: uuid.UUID
    pair: str
    log10_lr: float
    rank: int


def record_changes(
    session: Session,
    pass_id: uuid.UUID,
    before: Mapping[uuid.UUID, Place],
    after: Mapping[uuid.UUID, Place],
    terms: Mapping[str, Sequence[Mapping[str, Any]]],
    scores: Mapping[str, float],
    now: datetime,
) -> None:
    """Store what differs between two states of the same lists, by candidate.

    `terms` has, by pair, the terms that the pass changed; `scores` the log10 LR that a pair had before, where it had
    one, listed or not.
    """
    left = before.keys() - after.keys()
    statement = select(Candidate.id, Candidate.log10_lr).where(Candidate.id.in_(left))
    present = {row.id: row.log10_lr for row in session.execute(statement)}
    rows = [
        {
            "id": uuid.uuid4(),
            "pass_id": pass_id,
            "case_id": place.case_id,
            "candidate_id": candidate_id,
            "change": change,
            "log10_lr_before": scores.get(
                place.pair, before[candidate_id].log10_lr if candidate_id in before else None
            ),
            "log10_lr_after": after[candidate_id].log10_lr if candidate_id in after else present[candidate_id],
            "rank_before": before[candidate_id].rank if candidate_id in before else None,
            "rank_after": after[candidate_id].rank if candidate_id in after else None,
            "terms": [dict(term) for term in terms.get(place.pair, ())],
            "at": now,
        }
        for candidate_id, place, change in _changes(before, after)
    ]
    if rows:
        session.execute(insert(CandidateChange), rows)


def _changes(
    before: Mapping[uuid.UUID, Place], after: Mapping[uuid.UUID, Place]
) -> Iterator[tuple[uuid.UUID, Place, ListChange]]:
    for candidate_id, place in after.items():
        if candidate_id not in before:
            yield candidate_id, place, ListChange.ENTERED
        elif abs(place.log10_lr - before[candidate_id].log10_lr) > SAME:
            yield candidate_id, place, ListChange.MOVED
    for candidate_id, place in before.items():
        if candidate_id not in after:
            yield candidate_id, place, ListChange.LEFT
