"""Faces of nobody, for worlds that are simulated in tests: every person at right angles to all others."""

import numpy as np

from matcher.evaluation.joint import FacePerson

MODEL = "made-1"


def made_people(mated: int, single: int, ages: tuple[float, ...] | None = None) -> list[FacePerson]:
    """People with two photographs (as many as `ages`, when given), then people with one."""
    rows = np.eye(mated + single, dtype=np.float32)
    people = []
    for number in range(mated + single):
        count = (len(ages) if ages else 2) if number < mated else 1
        quality = np.full(count, 70, np.float32)
        people.append(
            FacePerson(f"made/{number}", np.repeat(rows[[number]], count, axis=0), ages if count > 1 else None, quality)
        )
    return people
