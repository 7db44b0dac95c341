"""Names of simulated people: drawn by frequency, and written down by the sound they are heard with.

The packaged source knows the commonest surnames and the frequencies of sounds; characters of a sound are taken from
the 3,755 common ones of GB/T 2312. A folder with the Chinese Name Database's own tables (familyname.csv,
givenname.csv, top1000name.prov.csv) gives characters by sex and frequency, and whole given names by province.
"""

import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from json import loads
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from pypinyin import Style, lazy_pinyin

from matcher import divisions
from matcher.names.sounds import tonal_syllables
from matcher.names.tables import load_tables
from matcher.vocabulary import Sex

SOUNDS_FILE = "name_sounds-1.json"
TABLES = ("familyname.csv", "givenname.csv", "top1000name.prov.csv")


class NameSource(Protocol):
    """Where names come from."""

    @property
    def name(self) -> str:
        """What is said of the source in a report."""
        ...

    def surname(self, rng: np.random.Generator) -> str:
        """A surname, by frequency."""
        ...

    def given(self, rng: np.random.Generator, sex: Sex, province: str, one: float) -> str:
        """A given name of one character (with the chance `one`) or two."""
        ...

    def write(self, rng: np.random.Generator, syllable: str, tone: int) -> str:
        """A character that a listener writes for a sound; the syllable itself where there is none."""
        ...


class Weighted:
    """Texts with weights, drawn by binary search."""

    def __init__(self, rows: Mapping[str, float]) -> None:
        """Raises ValueError when there is nothing to draw from."""
        if not rows or sum(rows.values()) <= 0:
            raise ValueError("nothing to draw names from")
        self.texts: Sequence[str] = list(rows)
        self._sums: NDArray[np.float64] = np.cumsum(list(rows.values()))

    def draw(self, rng: np.random.Generator) -> str:
        """One of the texts."""
        at = int(np.searchsorted(self._sums, rng.random() * self._sums[-1], side="right"))
        return self.texts[min(at, len(self.texts) - 1)]


class PackagedNames:
    """Names from the figures that come with the package. Given names do not tell the sexes apart."""

    name = "packaged figures (surnames-1, name_sounds-1)"

    def __init__(self) -> None:
        """Read the figures."""
        tables = load_tables()
        common = dict(tables.surname_ppm)
        # The tail that the table leaves out, spread evenly over the surnames that the project knows otherwise.
        rare = sorted((set(tables.compound_surnames) | set(tables.surname_readings)) - set(common))
        rest = max(0.0, 1e6 - sum(common.values()))
        self._surnames = Weighted(common | dict.fromkeys(rare, rest / len(rare)))
        sounds = loads(files("matcher.parameters").joinpath(SOUNDS_FILE).read_text("utf-8"))["given"]
        written = _common_characters()
        self._given = Weighted({sound: people for sound, people in sounds.items() if sound in written})

    def surname(self, rng: np.random.Generator) -> str:
        """See `NameSource`."""
        return self._surnames.draw(rng)

    def given(self, rng: np.random.Generator, sex: Sex, province: str, one: float) -> str:
        """See `NameSource`."""
        count = 1 if rng.random() < one else 2
        return "".join(_one_of(_common_characters()[self._given.draw(rng)], rng) for _ in range(count))

    def write(self, rng: np.random.Generator, syllable: str, tone: int) -> str:
        """See `NameSource`."""
        written = _common_characters()
        found = written.get(f"{syllable}{tone}") or written.get(syllable)
        return _one_of(found, rng) if found else syllable


class DatabaseNames:
    """Names from a folder with the Chinese Name Database's tables; nothing of them is kept."""

    name = "Chinese Name Database 1930-2008 (Bao 2021)"

    def __init__(self, folder: Path) -> None:
        """Read the tables. Raises OSError when one is not there, ValueError when it has other columns."""
        families, givens, whole = (_read(folder / table) for table in TABLES)
        self._surnames = Weighted({row["surname"]: _figure(row, "ppm.1930_2008") for row in families})
        self._characters = {
            sex: Weighted({row["character"]: _figure(row, f"n.{sex.value}") for row in givens}) for sex in Sex
        }
        bearers = {row["name"]: {sex: _figure(row, f"n.{sex.value}") for sex in Sex} for row in whole}
        people = sum(_figure(row, "n.1930_2008") for row in families)
        self._common_share = sum(sum(each.values()) for each in bearers.values()) / people
        self._common = {
            (province, sex): Weighted(
                {
                    row["name"]: _figure(row, column)
                    * bearers[row["name"]][sex]
                    / (sum(bearers[row["name"]].values()) or 1)
                    for row in whole
                }
            )
            for province, column in _columns(whole[0]).items()
            for sex in Sex
        }
        self._written: dict[str, Weighted] = {}
        by_sound: dict[str, dict[str, float]] = defaultdict(dict)
        for row in givens:
            sound = tonal_syllables(row["character"])[0]
            for key in (sound, sound[:-1]):
                by_sound[key][row["character"]] = _figure(row, "name.ppm") + 1e-3
        self._written = {sound: Weighted(rows) for sound, rows in by_sound.items()}

    def surname(self, rng: np.random.Generator) -> str:
        """See `NameSource`."""
        return self._surnames.draw(rng)

    def given(self, rng: np.random.Generator, sex: Sex, province: str, one: float) -> str:
        """See `NameSource`; one of the thousand commonest, by province, as often as they are."""
        common = self._common.get((province, sex))
        if common is not None and rng.random() < self._common_share:
            return common.draw(rng)
        count = 1 if rng.random() < one else 2
        return "".join(self._characters[sex].draw(rng) for _ in range(count))

    def write(self, rng: np.random.Generator, syllable: str, tone: int) -> str:
        """See `NameSource`."""
        found = self._written.get(f"{syllable}{tone}") or self._written.get(syllable)
        return found.draw(rng) if found else syllable


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    if not rows:
        raise ValueError(f"{path.name} is empty")
    return rows


def _figure(row: Mapping[str, str], column: str) -> float:
    if column not in row:
        raise ValueError(f"no column {column} in the table of names; its columns are {', '.join(row)}")
    return float(row[column] or 0)


def _columns(row: Mapping[str, str]) -> dict[str, str]:
    """Division code of each province that has a column, by the pinyin that heads it."""
    spelled = {"内蒙古": "neimenggu", "黑龙江": "heilongjiang", "陕西": "shaanxi", "西藏": "xizang"}
    found = {}
    for number in range(11, 66):
        code = str(number)
        if divisions.exists(code):
            own = divisions.name(code)
            short = own[:3] if own[:3] in spelled else own[:2]
            column = spelled.get(short) or "".join(lazy_pinyin(short, style=Style.NORMAL))
            if column in row:
                found[code] = column
    return found


def _one_of(characters: Sequence[str], rng: np.random.Generator) -> str:
    return characters[int(rng.integers(len(characters)))]


@lru_cache(maxsize=1)
def _common_characters() -> Mapping[str, Sequence[str]]:
    """The common characters of GB/T 2312 (level 1, rows 16 to 55) by their sound, with its tone and without."""
    found: dict[str, list[str]] = defaultdict(list)
    for row in range(0xB0, 0xD8):
        for cell in range(0xA1, 0xFF):
            try:
                character = bytes([row, cell]).decode("gb2312")
            except UnicodeDecodeError:
                continue
            sound = tonal_syllables(character)[0]
            found[sound].append(character)
            found[sound[:-1]].append(character)
    return found
