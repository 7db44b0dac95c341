"""`matcher.names`: reading, sounding and comparing names."""

from math import isfinite

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.names.reading import readings
from matcher.names.similarity import NameAgreement, NameLevel, compare_names
from matcher.names.sounds import fold, plain_latin, split_latin, syllables
from matcher.names.tables import load_tables

NAMES = (
    st.text("王李张陈欧阳覃曾小阿老明强伟娜·", max_size=5)
    | st.text("wangliqnhzo 'ü-", max_size=14)
    | st.text(max_size=8)
)


def agree(a: str, b: str, *, heard: bool = False) -> NameAgreement:
    found = compare_names(a, b, heard=heard)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("surname", "sound"),
    [("曾", "zeng"), ("单", "shan"), ("仇", "qiu"), ("区", "ou"), ("查", "zha"), ("解", "xie"), ("覃", "qin")],
)
def test_surnames_have_their_own_readings(surname: str, sound: str) -> None:
    assert syllables(surname, surname=True) == (sound,)


def test_compound_surnames() -> None:
    assert syllables("尉迟", surname=True) == ("yu", "chi")
    (reading,) = readings("欧阳娜")
    assert (reading.surname, reading.given) == ("欧阳", "娜")


def test_latin_is_cut_into_syllables() -> None:
    assert split_latin("Wángxiǎomíng") == ("wang", "xiao", "ming")
    assert split_latin("john") == ("john",)
    assert split_latin("LYU") == split_latin("lǚ") == ("lv",)
    assert plain_latin("Ünal-Öz 3") == "vnaloz"


@pytest.mark.parametrize(
    ("a", "b"), [("nan", "lan"), ("zhang", "zan"), ("shi", "si"), ("fu", "hu"), ("ren", "leng"), ("ling", "nin")]
)
def test_folding(a: str, b: str) -> None:
    assert fold(a) == fold(b)


def test_folding_keeps_what_no_dialect_merges() -> None:
    assert fold("wang") != fold("zhang")
    assert fold("ma") != fold("mai")


@pytest.mark.parametrize(
    ("a", "b", "level"),
    [
        ("王伟", "王伟", NameLevel.CHARACTERS),
        ("王伟", "汪伟", NameLevel.SOUND),
        ("曾国强", "Zeng Guoqiang", NameLevel.SOUND),
        ("曾国强", "zengguoqiang", NameLevel.SOUND),
        ("王小明", "Xiaoming Wang", NameLevel.SOUND),
        ("張偉", "张伟", NameLevel.SOUND),
        ("吕布", "LYU BU", NameLevel.SOUND),
        ("李志强", "阿强", NameLevel.PARTIAL),
        ("小李", "李志强", NameLevel.PARTIAL),
        ("买买提·艾力", "Maimaiti Aili", NameLevel.SOUND),
        ("王伟", "李强", NameLevel.DIFFERENT),
    ],
)
def test_levels(a: str, b: str, level: NameLevel) -> None:
    found = agree(a, b)
    assert found.level is level
    assert (found.log10_lr > 0) is (level is not NameLevel.DIFFERENT)


def test_dialects_merge_what_was_heard() -> None:
    found = agree("刘兰", "牛南", heard=True)
    assert found.level is NameLevel.SIMILAR
    assert found.log10_lr > 1
    assert agree("刘兰", "牛南").log10_lr < 0.2


def test_a_rare_surname_says_more() -> None:
    assert agree("覃伟", "覃伟").surname_log10_lr > agree("王伟", "王伟").surname_log10_lr + 1
    assert agree("王伟", "王伟").surname_log10_lr == pytest.approx(1.087, abs=0.01)


def test_an_unlisted_surname_counts_as_the_rarest_listed() -> None:
    found = agree("亓伟", "亓伟")
    assert found.surname_log10_lr == pytest.approx(agree_rarest(), abs=1e-9)


def agree_rarest() -> float:
    tables = load_tables()
    rarest = min(tables.surname_ppm, key=lambda surname: tables.surname_ppm[surname])
    return agree(f"{rarest}伟", f"{rarest}伟").surname_log10_lr


def test_heard_characters_do_not_count() -> None:
    assert agree("王伟", "汪伟", heard=True).log10_lr == agree("王伟", "王伟", heard=True).log10_lr
    assert agree("王伟", "汪伟", heard=True).log10_lr > agree("王伟", "汪伟").log10_lr
    assert agree("王伟", "李强", heard=True).log10_lr > agree("王伟", "李强").log10_lr


def test_the_other_order_costs_a_little() -> None:
    assert 0 < agree("王小明", "Xiaoming Wang").log10_lr < agree("王小明", "Wang Xiaoming").log10_lr


def test_a_nickname_that_is_not_in_the_name_says_nothing() -> None:
    assert agree("阿花", "李志强").log10_lr == 0


@pytest.mark.parametrize("text", ["", "  ", "?", "（）", "--"])
def test_nothing_to_read(text: str) -> None:
    assert compare_names(text, "王伟") is None


@settings(max_examples=300, deadline=None)
@given(NAMES, NAMES, st.booleans())
def test_symmetrical_finite_and_bounded(a: str, b: str, heard: bool) -> None:  # hypothesis passes by name
    found = compare_names(a, b, heard=heard)
    assert found == compare_names(b, a, heard=heard)
    if found is not None:
        cap = load_tables().agreement.cap_log10
        assert all(isfinite(x) for x in (found.surname_log10_lr, found.given_log10_lr, found.log10_lr))
        assert -cap <= found.log10_lr <= cap


@settings(max_examples=200, deadline=None)
@given(NAMES)
def test_a_name_never_speaks_against_itself(name: str) -> None:
    found = compare_names(name, name)
    assert found is None or found.log10_lr > 0
