"""Administrative divisions of China: GB/T 2260 codes, names, hierarchy and search.

Codes have 2 (province), 4 (city) or 6 (county) digits; a longer code with trailing 00 means the same as the short one
and is accepted everywhere. The table is `matcher/data/divisions.tsv`, whose header names its source.
"""

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from pypinyin import Style, lazy_pinyin

# Levels that exist only in the numbering; nobody lives "in 市辖区".
PLACEHOLDERS = frozenset({"市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划"})

# Under these, the counties are neighbours in the table alone, so sharing the level says nothing.
UNRELATED_PLACEHOLDERS = frozenset({"省直辖县级行政区划", "自治区直辖县级行政区划"})


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
    a, b = normalise(a), normalise(b)
    depth = 0
    while (
        depth < 3 and len(a) > 2 * depth and len(b) > 2 * depth and a[2 * depth : 2 * depth + 2] == b[2 * depth :][:2]
    ):
        depth += 1
    if depth == 2 and _table().get(a[:4]) in UNRELATED_PLACEHOLDERS:
        return 1
    return depth


def lowest() -> tuple[str, ...]:
    """Codes that have none below them: the counties, and cities without any; provinces never. In the table's order."""
    above = {code[:-2] for code in _table()}
    return tuple(code for code in _table() if len(code) > 2 and code not in above)


def find(text: str, limit: int = 20) -> list[Division]:
    """Divisions whose name begins with or contains `text`, or whose pinyin or its initials begin with it.

    `text` is characters ("钦州"), pinyin without tones ("qinzhou"), initials ("qzs") or leading digits of a code. Best
    first: equal, then prefix, then inside; larger divisions before smaller, then by code. Empty text finds nothing.
    """
    wanted = "".join(text.split()).lower()
    if not wanted:
        return []
    ranked: list[tuple[int, int, str]] = []
    for code, own_name in _table().items():
        rank = _rank(wanted, code, own_name)
        if rank is not None and own_name not in PLACEHOLDERS:
            ranked.append((rank, len(code), code))
    return [Division(code, _table()[code]) for _, _, code in sorted(ranked)[: max(limit, 0)]]


def _rank(wanted: str, code: str, own_name: str) -> int | None:
    spellings = [own_name, code] if not wanted.isascii() or wanted.isdigit() else _spellings()[code]
    if wanted in spellings:
        return 0
    if any(spelling.startswith(wanted) for spelling in spellings):
        return 1
    return 2 if not wanted.isascii() and wanted in own_name else None


@lru_cache(maxsize=1)
def _table() -> dict[str, str]:
    text = files("matcher.data").joinpath("divisions.tsv").read_text("utf-8")
    table: dict[str, str] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            code, own_name = line.split("\t")
            table[code] = own_name
    return table


@lru_cache(maxsize=1)
def _spellings() -> dict[str, list[str]]:
    """Code to [initials, full pinyin], made on the first search by letters (about a tenth of a second)."""
    return {
        code: ["".join(lazy_pinyin(own, style=Style.FIRST_LETTER)), "".join(lazy_pinyin(own))]
        for code, own in _table().items()
    }
