"""The light table (比对台): the two photographs on show, all others to choose from, and the years between them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from api.web.candidate_rows import best_first
from api.web.page import Page
from models.case import Case
from models.photo import Photo
from models.report import Report
from tracing.photos import PhotoSize

YEAR_DAYS = 365.25
SHOWN_AS = (PhotoSize.ALIGNED, PhotoSize.FACE)
"""Upright with the eyes in one place, or as it was taken."""


@dataclass(frozen=True, slots=True)
class Apart:
    """Whole years between two photographs; `at_least` when one of them is only known to be older than a day."""

    years: int
    at_least: bool


@dataclass(frozen=True)
class Side:
    """Photographs of one side: the one on show, and all of them, the clearest first."""

    current: Photo | None
    all: Sequence[Photo]

    @property
    def id(self) -> uuid.UUID | None:
        """The photograph on show."""
        return self.current.id if self.current else None


@dataclass(frozen=True)
class Bench:
    """What lies on the table. `apart` is None when nothing is known of when one of the two was taken."""

    left: Side
    right: Side
    shown: PhotoSize
    apart: Apart | None


def bench(page: Page, ours: list[Photo], theirs: list[Photo], other: Case | Report) -> Bench:
    """The pair that the address asks for; the clearest of each side, aligned, where it asks for none."""
    left, right = _side(page, ours, "left"), _side(page, theirs, "right")
    wanted = page.request.query_params.get("shown", "")
    shown = next((size for size in SHOWN_AS if size.value == wanted), PhotoSize.ALIGNED)
    return Bench(left, right, shown, years_apart(left.current, right.current, other))


def _side(page: Page, photos: list[Photo], parameter: str) -> Side:
    wanted = page.request.query_params.get(parameter, "")
    ordered = best_first(photos)
    chosen = next((photo for photo in ordered if str(photo.id) == wanted), None)
    return Side(chosen or (ordered[0] if ordered else None), ordered)


def years_apart(left: Photo | None, right: Photo | None, other: Case | Report) -> Apart | None:
    """By the day that each file names. A case's photograph without one is of the day on which it was added; a
    report's is older than the day on which the person was last seen.
    """
    if left is None or right is None:
        return None
    ours = left.captured_at or left.uploaded_at
    if right.captured_at is not None or isinstance(other, Case):
        return Apart(_years(ours, right.captured_at or right.uploaded_at), at_least=False)
    seen: date | None = other.last_seen_on
    return None if seen is None else Apart(int(max(0, (ours.date() - seen).days) / YEAR_DAYS), at_least=True)


def _years(one: datetime, other: datetime) -> int:
    return round(abs((one - other).days) / YEAR_DAYS)
