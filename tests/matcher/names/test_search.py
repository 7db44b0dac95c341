"""Names in lists: found by characters, by pinyin whole or in part, by initials; not by other names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.names.keys import name_keys
from matcher.names.search import INITIALS_MOST, asked_keys, initials_keys


def finds(typed: str, name: str) -> bool:
    asked = asked_keys(typed)
    stored = {f"{kind.value}:{key}" for kind, key in name_keys(name)}
    short = asked.initials is not None and any(key.startswith(asked.initials) for key in initials_keys(name))
    return bool(asked.keys & stored) or short


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("韦建国", "韦建国"), ("韦建", "韦建国"), ("建国", "韦建国"), ("国", "韦建国"), ("魏见国", "韦建国"),
        ("wei jianguo", "韦建国"), ("WeiJianguo", "韦建国"), ("jianguo", "韦建国"), ("wei", "韦建国"),
        ("wjg", "韦建国"), ("WJ", "韦建国"), ("欧阳", "欧阳慧"), ("ouyang hui", "欧阳慧"), ("oyh", "欧阳慧"),
        ("阿国", "阿国"), ("国", "阿国"), ("李", "老李"), ("买买提", "买买提·艾力"), ("mmt", "买买提·艾力"),
        ("宁建国", "林建国"), ("smith", "John Smith"),
    ],
)  # fmt: skip
def test_a_name_is_found(typed: str, name: str) -> None:
    assert finds(typed, name)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("王建国", "韦建国"),
        ("wjh", "韦建国"),
        ("慧", "韦建国"),
        ("jg", "韦建国"),
        ("国韦", "李国"),
        ("?", "韦建国"),
        ("", "韦建国"),
    ],
)
def test_another_name_is_not_found(typed: str, name: str) -> None:
    assert not finds(typed, name)


@given(st.text(max_size=40))
def test_whatever_is_typed_makes_short_keys(typed: str) -> None:
    assert all(len(key) <= 80 for key in asked_keys(typed).keys)
    assert all(3 <= len(key) <= INITIALS_MOST + 2 for key in initials_keys(typed))
