"""Evidence for the eye: the terms of a candidate's score as bars left and right of zero, with their sentences."""

from dataclasses import dataclass

from matcher.fusion import strength
from matcher.vocabulary import EvidenceKind, Strength
from models.user import Locale
from tracing.explanations import ExplainedTerm, Explanation

SCALE = 4.0
"""log10 units at which a bar ends; a longer one is cut there, its figure is not."""
HALF = 100.0
"""Half the width of the drawing, in its own units."""


@dataclass(frozen=True, slots=True)
class Span:
    """A bar from nought to what something counts for, in a drawing of 2 * HALF."""

    left: float
    width: float
    supports: bool


def span(counted: float) -> Span:
    """The bar of so many log10 units."""
    width = max(1.0, min(abs(counted), SCALE) / SCALE * HALF)
    return Span(HALF if counted >= 0 else HALF - width, width, counted >= 0)


@dataclass(frozen=True, slots=True)
class Bar:
    """One term: `left` and `width` of its bar in a drawing of 2 * HALF, which shows what it counts for."""

    kind: EvidenceKind
    log10_lr: float
    weight: float
    probe_value: str
    other_value: str
    strength: Strength
    sentence: str
    left: float
    width: float

    @property
    def supports(self) -> bool:
        """Whether the term speaks for the same person."""
        return self.log10_lr >= 0


def bars(told: Explanation, locale: Locale) -> list[Bar]:
    """The terms in the user's language, in the order of the comparators."""
    return [_bar(term, locale) for term in told.terms]


def _bar(term: ExplainedTerm, locale: Locale) -> Bar:
    drawn = span(term.counted)
    return Bar(
        kind=term.kind,
        log10_lr=term.log10_lr,
        weight=term.weight,
        probe_value=term.probe_value,
        other_value=term.other_value,
        strength=strength(term.log10_lr),
        sentence=term.sentence_zh if locale is Locale.ZH else term.sentence_en,
        left=drawn.left,
        width=drawn.width,
    )
