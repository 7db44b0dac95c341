"""Opinions beside each other (意见对照): what each examiner found of each feature, and where they part."""

from collections.abc import Sequence
from dataclasses import dataclass

from models.review import AGREEING_GRADE, FeatureFinding, Review
from tracing.review_policy import features_named

TONES = {FeatureFinding.SIMILAR: "good", FeatureFinding.DIFFERENT: "bad", FeatureFinding.CANNOT_COMPARE: ""}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one examiner found of one feature."""

    finding: FeatureFinding
    text: str | None

    @property
    def tone(self) -> str:
        """The badge's."""
        return TONES[self.finding]


@dataclass(frozen=True)
class Findings:
    """One row a feature that anybody compared, in the order of the list; a cell is None where that examiner did not.

    `apart`: the keys of the features that one calls similar and another different.
    """

    by: tuple[Review, ...]
    rows: tuple[tuple[str, tuple[Finding | None, ...]], ...]
    apart: frozenset[str]


def findings(reviews: Sequence[Review]) -> Findings:
    """The opinions that went through the features."""
    by = tuple(review for review in reviews if review.features)
    told = [
        {row["feature"]: Finding(FeatureFinding(row["finding"]), row["text"]) for row in review.features or ()}
        for review in by
    ]
    rows = tuple(
        (key, tuple(one.get(key) for one in told)) for key in features_named() if any(key in one for one in told)
    )
    parted = {FeatureFinding.SIMILAR, FeatureFinding.DIFFERENT}
    return Findings(by, rows, frozenset(key for key, cells in rows if parted <= {one.finding for one in cells if one}))


def disputed(reviews: Sequence[Review]) -> bool:
    """Whether one examiner clearly supports and another clearly opposes."""
    grades = [review.grade for review in reviews if review.grade is not None]
    return any(one >= AGREEING_GRADE for one in grades) and any(one <= -AGREEING_GRADE for one in grades)
