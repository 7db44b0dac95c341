"""Case and report numbers (编号): division, year, running number, check digit: "450702-2026-000123-6".

The check digit is ISO 7064 MOD 11-2 (the one of the Chinese identity number, GB 11643): every single wrong digit and
every swap of neighbours is found. A report's number starts with "R".
"""

import re

from sqlalchemy.orm import Session

from models.case import NumberSequence
from tracing.platform.db import dialect_insert

_FORM = re.compile(r"(R?)([0-9]{6})-([0-9]{4})-([0-9]{6})-([0-9X])")


def check_digit(digits: str) -> str:
    """ISO 7064 MOD 11-2 check character ("0"-"9" or "X") of a string of decimal digits."""
    remainder = 0
    for digit in digits:
        remainder = (remainder + int(digit)) * 2 % 11
    value = (12 - remainder) % 11
    return "X" if value == 10 else str(value)


def format_number(division: str, year: int, running: int, *, report: bool = False) -> str:
    """The number as people write it. `division` of fewer than six digits is filled with zeros."""
    code = division.ljust(6, "0")
    body = f"{code}{year:04d}{running:06d}"
    return f"{'R' if report else ''}{code}-{year:04d}-{running:06d}-{check_digit(body)}"


def is_valid(number: str) -> bool:
    """Whether the text has a number's form and its check digit is right."""
    match = _FORM.fullmatch(number)
    return match is not None and check_digit("".join(match.group(2, 3, 4))) == match.group(5)


def next_number(session: Session, *, division: str, year: int, report: bool = False) -> str:
    """Take the next running number of a division and year; reports and cases count apart.

    One atomic upsert: two stations submitting at once never get the same number.
    """
    series = f"{'R' if report else ''}{division.ljust(6, '0')}"
    statement = (
        dialect_insert(session)(NumberSequence)
        .values(series=series, year=year, last=1)
        .on_conflict_do_update(
            index_elements=[NumberSequence.series, NumberSequence.year], set_={"last": NumberSequence.last + 1}
        )
        .returning(NumberSequence.last)
    )
    return format_number(division, year, session.execute(statement).scalar_one(), report=report)
