"""Derive `matcher/parameters/name_sounds-1.json`: how common each sound is in Chinese surnames and given names.

Usage: `python tools/derive_name_sounds.py DIR [OUTPUT]`, where DIR holds familyname.csv and givenname.csv of the
Chinese Name Database. Only sums by sound are kept, none of its rows.
"""

import csv
import json
import sys
from collections import defaultdict
from pathlib import Path

from matcher.names.sounds import tonal_syllables
from matcher.names.tables import load_tables

OUTPUT = Path(__file__).parent.parent / "matcher" / "parameters" / "name_sounds-1.json"
SOURCE = (
    "Parts per million by syllable with its tone (5: none). surname: people whose surname begins so, familyname.csv,"
    " column ppm.1930_2008; given: characters of given names, givenname.csv, column name.ppm. Summed by"
    " tools/derive_name_sounds.py"
    " from the Chinese Name Database by Han-Wu-Shuang Bao, psychbruce/ChineseNames on GitHub (GPL-3; cite: Bao,"
    " H.-W.-S. (2021), ChineseNames: Chinese Name Database 1930-2008). Sounds below one in a million are left out."
)


def shares(rows: list[tuple[str, float]], *, surname: bool) -> dict[str, int]:
    """Parts per million by tonal syllable, most common first."""
    counts: dict[str, float] = defaultdict(float)
    for text, people in rows:
        simple = load_tables().traditional_surnames.get(text, text)
        sound = tonal_syllables(simple, surname=surname)
        if sound:
            counts[sound[0]] += people
    total = sum(counts.values())
    return {
        key: round(value / total * 1e6)
        for key, value in sorted(counts.items(), key=lambda row: -row[1])
        if value / total * 1e6 >= 1
    }


def read(path: Path, key: str, figure: str) -> list[tuple[str, float]]:
    """(text, figure) of each row that has one."""
    with path.open(encoding="utf-8-sig") as stream:
        return [(row[key], float(row[figure])) for row in csv.DictReader(stream) if row[figure]]


def main(arguments: list[str]) -> int:
    """Write the table; the exit status."""
    if len(arguments) not in (1, 2):
        sys.stderr.write(f"{__doc__}\n")
        return 2
    folder = Path(arguments[0])
    output = Path(arguments[1]) if len(arguments) == 2 else OUTPUT
    data = {
        "version": "name_sounds-1",
        "source": SOURCE,
        "surname": shares(read(folder / "familyname.csv", "surname", "ppm.1930_2008"), surname=True),
        "given": shares(read(folder / "givenname.csv", "character", "name.ppm"), surname=False),
    }
    output.write_text(json.dumps(data, ensure_ascii=False, indent=0) + "\n", "utf-8")
    sys.stdout.write(f"{len(data['surname'])} and {len(data['given'])} sounds written to {output}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
