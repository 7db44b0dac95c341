"""Derive `matcher/data/divisions.tsv` from a copy of modood/Administrative-divisions-of-China.

Usage: `python tools/derive_divisions.py DIR [OUTPUT]`, where DIR holds provinces.json, cities.json, areas.json and
HK-MO-TW.json of that project's `dist` folder. The output is sorted by code, so that a newer copy makes a small diff.
"""

import json
import sys
from pathlib import Path

OUTPUT = Path(__file__).parent.parent / "matcher" / "data" / "divisions.tsv"

# The source keeps these three by name only; their codes are those of GB/T 2260.
OUTSIDE_STATISTICS = {"台湾省": "71", "香港特别行政区": "81", "澳门特别行政区": "82"}

HEADER = """\
# Administrative divisions of China: code of 2, 4 or 6 digits (trailing 00 cut), tab, name.
# Codes: GB/T 2260. Names and codes derived from modood/Administrative-divisions-of-China (WTFPL, version 2),
# files provinces.json, cities.json, areas.json, HK-MO-TW.json, by tools/derive_divisions.py. Not edited by hand.
# 71, 81 and 82 carry no subdivisions: the source gives them no codes.
"""


def trimmed(code: str) -> str:
    """The code without its trailing pairs of zeros: 441900 (a city without counties) becomes 4419."""
    while len(code) > 2 and code.endswith("00"):
        code = code[:-2]
    return code


def derive(directory: Path) -> dict[str, str]:
    """Code to name. Raises ValueError when a code has no parent, or a named region is missing from the source."""
    names: dict[str, str] = {}
    for file_name in ("provinces.json", "cities.json", "areas.json"):
        for row in json.loads((directory / file_name).read_text("utf-8")):
            names.setdefault(trimmed(row["code"]), row["name"])
    outside = json.loads((directory / "HK-MO-TW.json").read_text("utf-8"))
    if set(outside) != set(OUTSIDE_STATISTICS):
        raise ValueError(f"HK-MO-TW.json names {sorted(outside)}")
    names.update({code: name for name, code in OUTSIDE_STATISTICS.items()})
    orphans = [code for code in names if len(code) > 2 and code[:-2] not in names]
    if orphans:
        raise ValueError(f"codes without a parent: {orphans}")
    return dict(sorted(names.items()))


def main(arguments: list[str]) -> int:
    """Write the table; the exit status."""
    if len(arguments) not in (1, 2):
        sys.stderr.write(f"{__doc__}\n")
        return 2
    names = derive(Path(arguments[0]))
    output = Path(arguments[1]) if len(arguments) == 2 else OUTPUT
    output.write_text(HEADER + "".join(f"{code}\t{name}\n" for code, name in names.items()), "utf-8")
    sys.stdout.write(f"{len(names)} divisions written to {output}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
