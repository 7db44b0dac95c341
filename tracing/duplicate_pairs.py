"""The unordered key of two records (成对编号), so that a pair is one row whoever names which first."""

import uuid

from matcher.vocabulary import GalleryKind


def pair_key(first: uuid.UUID, second: uuid.UUID) -> str:
    """The unordered pair's name, as candidates have it."""
    return ":".join(sorted((str(first), str(second))))


def ends_of(kind: GalleryKind, first: uuid.UUID, second: uuid.UUID) -> dict[str, object]:
    """The columns that name a pair."""
    lower, upper = sorted((first, second), key=str)
    noun = kind.value
    return {"pair": pair_key(first, second), "kind": kind, f"first_{noun}_id": lower, f"second_{noun}_id": upper}
