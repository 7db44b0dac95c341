"""Name keys: names that could be one person's share a key, whatever happened on the way; others only common ones."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.names.keys import LONGEST, NameKey, name_keys

TELLING = {NameKey.WHOLE, NameKey.PAIR, NameKey.GIVEN, NameKey.SHINGLE}


def shared(one: str, other: str) -> set[NameKey]:
    return {kind for kind, _ in name_keys(one) & name_keys(other)}


@pytest.mark.parametrize(
    ("written", "heard", "expected"),
    [
        ("王建国", "汪见果", NameKey.WHOLE),  # other characters of the same sounds
        ("宁海燕", "林海燕", NameKey.WHOLE),  # n and l
        ("张志强", "臧自强", NameKey.WHOLE),  # zh and z, ang and an
        ("王建国", "王国", NameKey.PAIR),  # a syllable lost
        ("王建国", "李建国", NameKey.GIVEN),  # the surname misheard
        ("王建国", "jianguo wang", NameKey.WHOLE),  # in Latin letters, the other way round
        ("王建国", "建国王", NameKey.WHOLE),
        ("王建国", "阿国", NameKey.SYLLABLE),
        ("王建国", "小王", NameKey.SURNAME),
        ("欧阳海", "ouyang hai", NameKey.WHOLE),
        ("单雄信", "shan xiong xin", NameKey.WHOLE),  # a surname with a reading of its own
        ("买买提·艾力", "Maimaiti Aili", NameKey.WHOLE),
        ("买买提·艾力", "Maimaiti Ali", NameKey.SHINGLE),
    ],
)
def test_what_could_be_one_name_shares_a_key(written: str, heard: str, expected: NameKey) -> None:
    assert expected in shared(written, heard)
    assert shared(written, heard) == shared(heard, written)


@pytest.mark.parametrize(("one", "other"), [("王建国", "李海燕"), ("王建国", "王海燕"), ("欧阳海", "王建国")])
def test_other_names_share_nothing_telling(one: str, other: str) -> None:
    assert shared(one, other) & TELLING == set()


@pytest.mark.parametrize("empty", ["", "  ", "？", "()"])
def test_nothing_to_read_has_no_key(empty: str) -> None:
    assert name_keys(empty) == frozenset()


@settings(deadline=None)
@given(st.text(max_size=80))
def test_any_text_has_short_keys_and_shares_all_of_them_with_itself(text: str) -> None:
    keys = name_keys(text)
    assert all(0 < len(key) <= LONGEST for _, key in keys)
    assert keys == name_keys(text)
