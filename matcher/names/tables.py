"""The editable tables behind the comparison of names: readings, folding, frequencies, shares."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType

NAMES_FILE = "names-1.json"
SURNAMES_FILE = "surnames-1.json"


@dataclass(frozen=True, slots=True)
class Agreement:
    """Figures of the comparison; log10 likelihood ratios, or probabilities 0 to 1. Sources are in the file."""

    surname_share: Mapping[str, Mapping[str, float]]
    given_share: Mapping[str, Mapping[str, float]]
    given_chance: Mapping[str, Mapping[str, float]]
    nickname_partial_log10: float
    swapped_log10: float
    loose_weight: float
    whole_similarity: float
    latin_whole_log10: float
    cap_log10: float


@dataclass(frozen=True, slots=True)
class NameTables:
    """Contents of `names-1.json` and `surnames-1.json`.

    Attributes:
        version: versions of both files.
        surname_ppm: people per million with the surname, by simplified characters.
        folding: part ("initial" or "final"), heard as, counted as.
    """

    version: str
    surname_readings: Mapping[str, str]
    compound_surnames: frozenset[str]
    traditional_surnames: Mapping[str, str]
    nickname_prefixes: frozenset[str]
    nickname_suffixes: frozenset[str]
    latin_spellings: Mapping[str, str]
    folding: tuple[tuple[str, str, str], ...]
    surname_ppm: Mapping[str, int]
    agreement: Agreement

    @property
    def rarest_ppm(self) -> int:
        """Frequency that a surname outside the table is given: that of the rarest one inside."""
        return min(self.surname_ppm.values())


@lru_cache(maxsize=1)
def load_tables() -> NameTables:
    """The tables that come with the package."""
    folder = files("matcher.parameters")
    names = json.loads(folder.joinpath(NAMES_FILE).read_text("utf-8"))
    surnames = json.loads(folder.joinpath(SURNAMES_FILE).read_text("utf-8"))
    figures = {key: value for key, value in names["agreement"].items() if key != "source"}
    ppm: Counter[str] = Counter()
    for written, people in surnames["ppm"].items():
        # 付 and 傅, 肖 and 萧 are one surname to whoever writes it down.
        ppm[names["traditional_surnames"].get(written, written)] += people
    return NameTables(
        version=f"{names['version']}+{surnames['version']}",
        surname_readings=MappingProxyType(names["surname_readings"]),
        compound_surnames=frozenset(names["compound_surnames"]),
        traditional_surnames=MappingProxyType(names["traditional_surnames"]),
        nickname_prefixes=frozenset(names["nickname_prefixes"]),
        nickname_suffixes=frozenset(names["nickname_suffixes"]),
        latin_spellings=MappingProxyType(names["latin_spellings"]),
        folding=tuple((row["part"], row["from"], row["to"]) for row in names["dialect_folding"]),
        surname_ppm=MappingProxyType(dict(ppm)),
        agreement=Agreement(**figures),
    )
