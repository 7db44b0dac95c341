"""Free text as numbers: names of institutions by how they sound, descriptions by the things that they name."""

import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.fuzz import partial_ratio, ratio
from rapidfuzz.process import cdist

from matcher.evidence.base import Floats, Knots, Parameters
from matcher.evidence.columns import Row
from matcher.evidence.confidence import level, reliabilities, weakened
from matcher.evidence.packing import Columns, Parts
from matcher.names.sounds import fold, is_han, syllables
from matcher.profile import Known

WORDS_FILE = "words-1.json"
_PRIVATE = 0xE000


@dataclass(frozen=True, slots=True)
class Words:
    """Contents of `words-1.json`.

    Attributes:
        version: of the file.
        generic: words of an institution's name that any institution has, longest first, by kind.
        things: concept (in English) to the words that name it, the usual one first, by subject.
    """

    version: str
    generic: Mapping[str, tuple[str, ...]]
    things: Mapping[str, Mapping[str, tuple[str, ...]]]


@lru_cache(maxsize=1)
def load_words() -> Words:
    """The words that come with the package."""
    data = json.loads(files("matcher.parameters").joinpath(WORDS_FILE).read_text("utf-8"))
    generic = {kind: tuple(sorted(words, key=len, reverse=True)) for kind, words in data["generic"].items()}
    things = {
        subject: MappingProxyType({concept: tuple(words) for concept, words in concepts.items()})
        for subject, concepts in data["things"].items()
    }
    return Words(data["version"], MappingProxyType(generic), MappingProxyType(things))


Institution = tuple[str, int]
"""How an institution's own name sounds, one character a syllable, and the `confidence.level` of it."""
Institutions = tuple[Sequence[str], NDArray[np.int16]]
"""The same of many profiles."""


def institution(known: Known[str] | None, kind: str) -> Institution:
    """How an institution's own name sounds; "" when nothing but generic words is known.

    Sounds are folded over dialects, so that 三小 heard as 山小 still agrees.
    """
    if known is None:
        return "", 0
    text = "".join(char for char in unicodedata.normalize("NFKC", known.value).lower() if char.isalnum())
    for word in load_words().generic[kind]:
        text = text.replace(word, "")
    return "".join(_sound(char) for char in text), level(known.confidence)


def kept(one: Institution) -> Parts:
    """One profile's institution, to be packed."""
    return Parts(shorts=(np.array([one[1]], np.int16).tobytes(),), others=(one[0],))


def institutions(gathered: Columns) -> Institutions:
    """Those of profiles that are packed."""
    ((levels, _),), (names,) = gathered.shorts, gathered.others
    return names, levels


def institution_log10_lrs(own: Institution, others: Institutions, prefix: str, parameters: Parameters) -> Floats:
    """log10 LR by candidate through the curve `PREFIX.curve` of how alike they sound; NaN where a side has no name.

    A name within the other counts nearly as the same: people leave out the city or the number.
    """
    (ours, sure), (theirs, levels) = own, others
    result = np.full(len(theirs), np.nan)
    known = np.array([bool(one) for one in theirs], np.bool_)
    if not ours or not known.any():
        return result
    names = [one for one in theirs if one]
    alike = cdist([ours], names, scorer=ratio, dtype=np.float64)[0] / 100
    lengths, weight = np.array([len(one) for one in names]), parameters[f"{prefix}.part"]
    shorter = np.minimum(lengths, len(ours))
    # As many syllables as the whole names have in common, a part has at most: where that would change nothing, skip it.
    common = alike * (lengths + len(ours)) / 2
    most = np.maximum(alike, weight * 2 * common / (shorter + common))
    changes = parameters.curve_at(f"{prefix}.curve", most) > parameters.curve_at(f"{prefix}.curve", alike)
    near = np.flatnonzero(changes & (shorter >= 2))
    if len(near):
        # A part that is no more alike than the curve's level beginning changes nothing; the library then stops early.
        least = max(0.0, 100 * _level_until(parameters.curves[f"{prefix}.curve"]) / weight - 1e-6)
        close = [names[place] for place in near.tolist()]
        part = cdist([ours], close, scorer=partial_ratio, score_cutoff=least, dtype=np.float64)[0] / 100
        alike[near] = np.maximum(alike[near], part * weight)
    result[known] = parameters.curve_at(f"{prefix}.curve", alike)
    return weakened(result, reliabilities(levels, parameters) * reliabilities(sure, parameters))


def _level_until(curve: Knots) -> float:
    """Where a curve leaves the level on which it begins; 0 where it rises at once."""
    level = [x for x, y in curve if y == curve[0][1]]
    rises = next((x for x, y in curve if y != curve[0][1]), curve[-1][0])
    return max((x for x in level if x < rises), default=0.0)


def things(known: Known[str] | None, subject: str) -> Row:
    """For each concept of the subject 1 where the text names it, 0 where it does not."""
    text = "" if known is None else unicodedata.normalize("NFKC", known.value).lower()
    return tuple(float(any(word in text for word in words)) for words in load_words().things[subject].values())


def overlap(ours: Row, theirs: Floats) -> Floats:
    """Share of the concepts named by either that both name, 0 to 1; NaN where a side names none."""
    own = np.array(ours)
    both = theirs @ own
    either = theirs.sum(axis=1) + own.sum() - both
    known = (theirs.sum(axis=1) > 0) & bool(own.sum())
    return np.where(known, both / np.maximum(either, 1), np.nan)


def shared(a: Known[str], b: Known[str], subject: str) -> tuple[str, str]:
    """The concepts that both texts name, in Chinese and English; "" when there are none."""
    concepts = load_words().things[subject].items()
    rows = zip(concepts, things(a, subject), things(b, subject), strict=True)
    both = [(words[0], concept) for (concept, words), one, other in rows if one and other]
    return "、".join(zh for zh, _ in both), ", ".join(en for _, en in both)


@lru_cache(maxsize=20_000)
def _sound(char: str) -> str:
    if not is_han(char):
        return char
    # One private character a sound, so that the library compares syllables and not letters.
    return "".join(chr(_PRIVATE + _number(fold(syllable))) for syllable in syllables(char))


def _number(sound: str) -> int:
    total = 0
    for letter in sound:
        total = total * 27 + max(0, min(ord(letter) - 96, 26))
    return total % 6400
