"""Administrative divisions of China: GB/T 2260 codes, names, hierarchy and search.

Codes have 2 (province), 4 (city) or 6 (county) digits; a longer code with trailing 00 means the same as the short one
and is accepted everywhere. The table is `matcher/data/divisions.tsv`, whose header names its source.
"""

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pypinyin import Style, lazy_pinyin

# Levels that exist only in the numbering; nobody lives "in 市辖区".
PLACEHOLDERS = frozenset({"市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划"})

FAR = 9

# Under these, the counties are neighbours in the table alone, so sharing the level says nothing.
UNRELATED_PLACEHOLDERS = frozenset({"省直辖县级行政区划", "自治区直辖县级行政区划"})


class Numbers(NamedTuple):
    """A code as numbers: its parts (-1 where it ends before), its level by its length, and whether its counties are
    neighbours in the numbering alone (1) or not (0)."""

    province: int
    city: int
    county: int
    level: int
    unrelated: int


@dataclass(frozen=True, slots=True)
class Division:
    """One division: its code of 2, 4 or 6 digits and its own name, without its parents' names."""

    code: str
    name: str


def normalise(code: str) -> str:
    """The code with surrounding space and trailing pairs of zeros cut: "450000" becomes "45"."""
    code = code.strip()
    while len(code) > 2 and len(code) % 2 == 0 and code.endswith("00"):
        code = code[:-2]
    return code


def exists(code: str) -> bool:
    """Whether the table has the code."""
    return normalise(code) in _table()


def name(code: str) -> str:
    """The division's own name. Raises KeyError for a code that is not in the table."""
    return _table()[normalise(code)]


def full_name(code: str) -> str:
    """Names from the province down, placeholder levels left out: "广西壮族自治区 钦州市 钦南区".

    Raises KeyError for a code that is not in the table.
    """
    code = normalise(code)
    name(code)
    names = [name(code[:digits]) for digits in range(2, len(code) + 1, 2)]
    return " ".join(part for part in names if part not in PLACEHOLDERS)


def level(code: str) -> int:
    """1 province, 2 city, 3 county. Raises KeyError for a code that is not in the table."""
    code = normalise(code)
    name(code)
    return len(code) // 2


def parent(code: str) -> str | None:
    """Code of the division above, None for a province. Raises KeyError for a code that is not in the table."""
    return normalise(code)[:-2] if level(code) > 1 else None


def shared_level(a: str, b: str) -> int:
    """How deep two codes agree: 0 not at all, 1 same province, 2 same city, 3 same county.

    Counties directly under a province share that province alone, though their codes share four digits. Works on the
    digits, so that codes which the table no longer has (abolished counties) still compare by what they share.
    """
    return int(shared_levels(numbers(a), np.array([numbers(b)], np.float64))[0])


def numbers(code: str) -> Numbers:
    """A code as numbers. Works on the digits, so that abolished codes do too."""
    code = normalise(code)
    province, city, county = (
        int(code[start : start + 2]) if code[start : start + 2].isdecimal() else -1 for start in (0, 2, 4)
    )
    unrelated = _table().get(code[:4]) in UNRELATED_PLACEHOLDERS
    return Numbers(province, city, county, (len(code) + 1) // 2, int(unrelated))


def shared_levels(ours: Numbers, theirs: NDArray[np.float64]) -> NDArray[np.int64]:
    """`shared_level` of one code with each of many, (n,), from their `numbers`, (n, 5)."""
    province = (theirs[:, 0] == ours.province) & (ours.province >= 0)
    city = province & (theirs[:, 1] == ours.city) & (ours.city >= 0)
    county = city & (theirs[:, 2] == ours.county) & (ours.county >= 0)
    depth = province.astype(np.int64) + city + county
    return np.where((depth == 2) & (ours.unrelated == 1), 1, depth)


def provinces_apart(ours: Numbers, theirs: NDArray[np.float64]) -> NDArray[np.int64]:
    """Borders to cross from one code's province to each of many: 0 the same, 1 neighbours; FAR when no way is known."""
    found: NDArray[np.int64] = _borders()[ours.province, theirs[:, 0].astype(np.int64)]
    return found


def neighbours(code: str) -> tuple[str, ...]:
    """Codes of the provinces that share a border with the code's province, in the order of their codes."""
    return tuple(f"{place:02d}" for place in np.flatnonzero(_borders()[numbers(code).province] == 1))


def lowest() -> tuple[str, ...]:
    """Codes that have none below them: the counties, and cities without any; provinces never. In the table's order."""
    above = {code[:-2] for code in _table()}
    return tuple(code for code in _table() if len(code) > 2 and code not in above)


def find(text: str, limit: int = 20) -> list[Division]:
    """Divisions whose name begins with or contains `text`, or whose pinyin or its initials begin with it.

    `text` is characters ("钦州"), pinyin without tones ("qinzhou"), initials ("qzs") or leading digits of a code; names
    of divisions above may stand before it ("广西钦州", "gxqz"). Best first: equal, then prefix, then inside, then with
    the names above; larger divisions before smaller, then by code. Empty text finds nothing.
    """
    wanted = "".join(text.replace("'", " ").split()).lower()
    if not wanted:
        return []
    ranked: list[tuple[int, int, str]] = []
    for code, own_name in _table().items():
        rank = _rank(wanted, code, own_name)
        if rank is not None and own_name not in PLACEHOLDERS:
            ranked.append((rank, len(code), code))
    return [Division(code, _table()[code]) for _, _, code in sorted(ranked)[: max(limit, 0)]]


def _rank(wanted: str, code: str, own_name: str) -> int | None:
    spellings = (own_name, code) if not wanted.isascii() or wanted.isdigit() else _spellings()[code]
    if wanted in spellings:
        return 0
    if any(spelling.startswith(wanted) for spelling in spellings):
        return 1
    if not wanted.isascii() and wanted in own_name:
        return 2
    return 3 if any(path.startswith(wanted) for path in _paths()[code]) else None


@lru_cache(maxsize=1)
def _borders() -> NDArray[np.int64]:
    """Borders between provinces by their codes, from the table of neighbours; the last row stands for no code."""
    joined = {}
    for line in files("matcher.data").joinpath("neighbours.tsv").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            code, neighbours = line.split("\t")
            joined[int(code)] = [int(one) for one in neighbours.split()]
    borders = np.full((101, 101), FAR, np.int64)
    for start in joined:
        reached, front = {start: 0}, [start]
        while front:
            front = [one for place in front for one in joined[place] if one not in reached]
            reached |= dict.fromkeys(front, max(reached.values()) + 1)
        for place, steps in reached.items():
            borders[start, place] = steps
    return borders


@lru_cache(maxsize=1)
def _table() -> dict[str, str]:
    text = files("matcher.data").joinpath("divisions.tsv").read_text("utf-8")
    table: dict[str, str] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            code, own_name = line.split("\t")
            table[code] = own_name
    return table


def _short(own_name: str) -> str:
    """A name as people say it before another one: 广西 for 广西壮族自治区, 钦州 for 钦州市."""
    if own_name.endswith(("自治区", "特别行政区")):
        return own_name[: 3 if own_name.startswith("内蒙古") else 2]
    return own_name[:-1] if len(own_name) > 2 and own_name[-1] in "省市县区" else own_name


@lru_cache(maxsize=1)
def _paths() -> dict[str, tuple[str, ...]]:
    """Code to its name behind those of the divisions above, short and whole, in characters, initials and pinyin."""
    table = _table()
    before = {
        code: (own, _short(own), *_spelt(_short(own)))
        for code, own in table.items()
        if len(code) < 6 and own not in PLACEHOLDERS
    }
    found = {}
    for code, own_name in table.items():
        own = (own_name, own_name, *_spellings()[code])
        above = [before[code[:digits]] for digits in range(2, len(code), 2) if code[:digits] in before]
        ways = [zip(*above[start:], own, strict=True) for start in range(len(above))]
        found[code] = tuple("".join(parts) for way in ways for parts in way)
    return found


def _spelt(name: str) -> tuple[str, str]:
    """Initials and full pinyin."""
    return "".join(lazy_pinyin(name, style=Style.FIRST_LETTER)), "".join(lazy_pinyin(name))


@lru_cache(maxsize=1)
def _spellings() -> dict[str, tuple[str, str]]:
    """Code to initials and full pinyin, made on the first search by letters (about a tenth of a second)."""
    return {code: _spelt(own) for code, own in _table().items()}
