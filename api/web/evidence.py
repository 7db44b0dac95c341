"""Evidence for the eye: the terms of a candidate's score as bars left and right of zero, with their sentences."""

from dataclasses import dataclass

from matcher.fusion import strength
from matcher.vocabulary import EvidenceKind, Strength
from models.candidate import Candidate
from models.user import Locale

SCALE = 4.0
"""log10 units at which a bar ends; a longer one is cut there, its figure is not."""
HALF = 100.0
"""Half the width of the drawing, in its own units."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One term: `left` and `width` of its bar in a drawing of 2 * HALF."""

    kind: EvidenceKind
    log10_lr: float
    strength: Strength
    sentence: str
    left: float
    width: float

    @property
    def supports(self) -> bool:
        """Whether the term speaks for the same person."""
        return self.log10_lr >= 0


def bars(candidate: Candidate, locale: Locale) -> list[Bar]:
    """The stored terms in the user's language, in the order of the comparators."""
    return [_bar(term, locale) for term in candidate.terms]


def _bar(term: dict[str, object], locale: Locale) -> Bar:
    value = float(str(term["log10_lr"]))
    width = max(1.0, min(abs(value), SCALE) / SCALE * HALF)
    return Bar(
        kind=EvidenceKind(str(term["kind"])),
        log10_lr=value,
        strength=strength(value),
        sentence=str(term["sentence_zh" if locale is Locale.ZH else "sentence_en"]),
        left=HALF if value >= 0 else HALF - width,
        width=width,
    )
