"""What is written in a cell → what can be compared: one spelling for one value, and the parts that it is made of."""

import re
import unicodedata

from matcher.names.sounds import is_han

_LETTERS = re.compile(r"[^\w' -]+", re.UNICODE)
_DATE = re.compile(r"^(\d{4})[-/.年 ]?(\d{1,2})[-/.月 ]?(\d{1,2})日?(?:[T ].*)?$")
_DAY_LAST = re.compile(r"^(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})(?:[T ].*)?$")
_YEAR = re.compile(r"^(\d{4})年?$")


def plain(text: str) -> str:
    """Lower case, one space between words, no accents, full-width letters as usual ones."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(char for char in decomposed if not unicodedata.combining(char))
    return " ".join(unicodedata.normalize("NFKC", bare).split())


def name_words(text: str) -> tuple[str, ...]:
    """The words of a name, without punctuation; a name in Chinese characters is one word."""
    words = plain(_LETTERS.sub(" ", text.replace("’", "'")))
    return (words.replace(" ", ""),) if is_han(words) else tuple(words.replace("'", "").split())


def person_name(given: str, surname: str, full: str) -> tuple[str, str, tuple[str, ...]]:
    """Given name, surname and further names, "" and () where not known, of whichever of the three is written.

    A full name is read as given name, further names, surname; one word alone is a given name, so that it is compared
    with either. What stands in the columns of their own goes before what the full name says. Chinese names stay whole,
    as the given name.
    """
    own, family, words = name_words(given), name_words(surname), name_words(full)
    first = " ".join(own) or (words[0] if words else "")
    last = " ".join(family) or (words[-1] if len(words) > 1 and not own else "")
    known = {*own, *family, first, last}
    return first, last, tuple(word for word in words if word not in known)


def date_digits(text: str, *, day_first: bool) -> str:
    """A date as YYYYMMDD, a year alone as YYYY, anything else as its digits. Impossible dates are kept as written."""
    text = plain(text)
    if match := _DATE.match(text):
        year, month, day = match.groups()
    elif match := _DAY_LAST.match(text):
        one, two, year = match.groups()
        day, month = (one, two) if day_first else (two, one)
    elif match := _YEAR.match(text):
        return match.group(1)
    else:
        return "".join(char for char in text if char.isdigit())
    return f"{year}{int(month):02d}{int(day):02d}"


def letters_and_digits(text: str) -> str:
    """Letters and digits alone."""
    return "".join(char for char in plain(text) if char.isalnum())


def digits(text: str) -> str:
    """The digits of a telephone number, without leading zeros; international prefixes stay."""
    return "".join(char for char in plain(text) if char.isdigit()).lstrip("0")


def email(text: str) -> str:
    """An address without spaces, lower case."""
    return plain(text).replace(" ", "")
