"""Comparators of columns: golden levels, and what holds for every value."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.linkage.comparison import CATEGORY, DATE, EMAIL, NUMBER, PLACE, POSTCODE, TEXT, Comparator
from matcher.linkage.person_names import FURTHER_NAMES, GIVEN_NAME, SURNAME, Person
from matcher.linkage.values import person_name

WORDS = st.text(alphabet="abcdeéøß '-王丽欧阳1290@.", max_size=12)
DATES = st.one_of(st.dates().map(lambda day: f"{day:%Y%m%d}"), st.text(alphabet="0123456789", max_size=9))
PEOPLE = st.builds(person_name, WORDS, WORDS, WORDS)
OF_TEXT = (CATEGORY, DATE, EMAIL, NUMBER, PLACE, POSTCODE, TEXT)


def level(comparator: Comparator, a: object, b: object) -> str:
    found = int(comparator.compare([a], [b])[0])
    return "unknown" if found < 0 else comparator.levels[found]


@pytest.mark.parametrize("comparator", OF_TEXT)
@settings(deadline=None)
@given(a=WORDS | DATES, b=WORDS | DATES)
def test_texts_compare_alike_both_ways(comparator: Comparator, a: str, b: str) -> None:
    assert level(comparator, a, b) == level(comparator, b, a)
    assert level(comparator, a, a) == ("equal" if a else "unknown")
    assert level(comparator, a, "") == "unknown"
    assert (level(comparator, a, b) == "equal") == (a == b != "")


@pytest.mark.parametrize("comparator", [GIVEN_NAME, SURNAME, FURTHER_NAMES])
@settings(deadline=None)
@given(a=PEOPLE, b=PEOPLE)
def test_names_compare_alike_both_ways(comparator: Comparator, a: Person, b: Person) -> None:
    assert level(comparator, a, b) == level(comparator, b, a)
    assert level(comparator, a, a) in {"equal", "unknown"}
    assert level(comparator, a, ("", "", ())) == "unknown"


@settings(deadline=None)
@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=5))
def test_a_pair_is_compared_by_itself(pairs: list[tuple[str, str]]) -> None:
    together = PLACE.compare([a for a, _ in pairs], [b for _, b in pairs])
    assert [PLACE.levels[at] if at >= 0 else "unknown" for at in together] == [level(PLACE, a, b) for a, b in pairs]


@pytest.mark.parametrize(
    ("comparator", "a", "b", "expected"),
    [
        (DATE, "19710624", "19710524", "one slip"),
        (DATE, "19710624", "19710642", "one slip"),
        (DATE, "19710306", "19710603", "one slip"),  # day and month changed over
        (DATE, "18600101", "18600714", "a rough date's year"),
        (DATE, "1860", "18600714", "a rough date's year"),
        (DATE, "18601231", "18611231", "one slip"),
        (DATE, "18601213", "18751213", "two parts"),
        (DATE, "18600203", "18601120", "the year"),
        (DATE, "18600203", "18621120", "two years"),
        (DATE, "18600203", "19321120", "different"),
        (PLACE, "london", "lonodn", "close"),
        (PLACE, "london", "lnoodn", "close"),  # the same letters
        (PLACE, "kingston upon hull", "hull", "one within the other"),
        (PLACE, "广西钦州", "广西钦州灵山", "one within the other"),
        (PLACE, "london", "leeds", "different"),
        (POSTCODE, "sg191nz", "sg191nx", "one slip"),
        (POSTCODE, "sg191nz", "sg191ab", "the sector"),
        (POSTCODE, "sg191nz", "sg194ab", "the district"),
        (POSTCODE, "sg191nz", "sg54ab", "the area"),
        (POSTCODE, "4011", "4101", "one slip"),
        (POSTCODE, "4011", "7364", "different"),
        (EMAIL, "roberta25@smith.net", "roberta25@smtih.net", "close"),
        (EMAIL, "roberta25@smith.net", "roberta25@jones.com", "the name"),
        (EMAIL, "abc@smith-jones.net", "xyzzy@smith-jnes.net", "the host"),
        (EMAIL, "roberta25@smith.net", "quinn@elsewhere.org", "different"),
        (NUMBER, "6988048", "6988084", "one slip"),
        (NUMBER, "13900001234", "18755551234", "the last four"),
        (TEXT, "nr cnr school art", "school art nr cnr", "close"),
        (TEXT, "school art", "nr cnr school art", "one within the other"),
        (CATEGORY, "painter", "paintre", "different"),
    ],
)
def test_levels(comparator: Comparator, a: str, b: str, expected: str) -> None:
    assert level(comparator, a, b) == expected
