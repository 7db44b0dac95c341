"""Names as a table has them: read from columns, and compared with what people do to them."""

import pytest

from matcher.linkage.person_names import FURTHER_NAMES, GIVEN_NAME, SURNAME
from matcher.linkage.values import person_name
from tests.matcher.linkage.test_comparison import level


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (("William", "Soothill", "William Edward Soothill"), ("william", "soothill", ("edward",))),
        (("", "", "Mary Eliza Kennard"), ("mary", "kennard", ("eliza",))),
        (("", "", "gundry"), ("gundry", "", ())),
        (("gundry", "", "gundry"), ("gundry", "", ())),
        (("Zoë-Anne", "O’Brien", ""), ("zoe-anne", "obrien", ())),
        (("", "", "欧阳 丽华"), ("欧阳丽华", "", ())),
        (("", "", " "), ("", "", ())),
    ],
)
def test_reading(columns: tuple[str, str, str], expected: tuple[str, str, tuple[str, ...]]) -> None:
    assert person_name(*columns) == expected


@pytest.mark.parametrize(
    ("a", "b", "given", "surname", "further"),
    [
        ("robert allen", "bob alen", "short form", "close", "unknown"),
        ("robert allen", "rob allen", "short form", "equal", "unknown"),
        ("robert allen", "rboert alle", "close", "close", "unknown"),
        ("isla hall", "hall isla", "swapped", "unknown", "unknown"),  # once is enough
        ("gabriel thomas", "thomas green", "different", "different", "unknown"),  # no swap: half of one
        ("gundry", "georgia gundry", "swapped", "unknown", "unknown"),
        ("j smith", "john smith", "initial", "equal", "unknown"),
        ("bill louis", "william louis shipton", "short form", "a further name", "unknown"),
        ("mary eliza kennard", "mary liza kennard", "equal", "equal", "close"),
        ("mary eliza ann kennard", "mary ann kennard", "equal", "equal", "one in common"),
        ("mary e kennard", "mary eliza kennard", "equal", "equal", "initial"),
        ("mary eliza kennard", "mary jane kennard", "equal", "equal", "different"),
        ("anna smith-jones", "anna jones", "equal", "half of it", "unknown"),
        ("刘兰", "劉蘭", "short form", "unknown", "unknown"),  # the same sound stands where short forms do
        ("曾丽华", "曾莉华", "short form", "unknown", "unknown"),
        ("王强", "欧阳丽华", "different", "unknown", "unknown"),
    ],
)
def test_levels(a: str, b: str, given: str, surname: str, further: str) -> None:
    one, other = person_name("", "", a), person_name("", "", b)
    found = [level(comparator, one, other) for comparator in (GIVEN_NAME, SURNAME, FURTHER_NAMES)]
    assert found == [given, surname, further]
