"""The comparators, in the order in which their terms are shown."""

from matcher.evidence import (
    accent,
    age,
    blood_group,
    build,
    ethnicity,
    face,
    height,
    marks,
    name,
    place,
    sex,
    time,
)
from matcher.evidence.base import Comparator, Evidence, Parameters
from matcher.profile import Profile

COMPARATORS: tuple[Comparator, ...] = (
    face.compare,
    name.compare,
    place.compare,
    accent.compare,
    sex.compare,
    age.compare,
    height.compare,
    build.compare,
    ethnicity.compare,
    blood_group.compare,
    marks.compare,
    time.compare,
)


def compare(probe: Profile, other: Profile, parameters: Parameters) -> tuple[Evidence, ...]:
    """Every term that says something, in order."""
    found = (comparator(probe, other, parameters) for comparator in COMPARATORS)
    return tuple(evidence for evidence in found if evidence is not None)
