"""`matcher.names.channel` and `hearing`: what a listener hears of a name, and what that is worth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.names.channel import load_channel, parts
from matcher.names.hearing import UNKNOWN, chance, encode, heard_sounds, log10_lrs
from matcher.names.sounds import tonal_syllables
from tests.matcher.names.one_by_one import heard_log10_lr

SURNAMES = "王李张刘陈覃曾单仇区查解欧阳尉迟"
TEXT = (
    st.text("王李张刘牛陈欧阳覃曾小阿老明强伟娜兰南·", max_size=6)
    | st.text("wangliqnhzo '", max_size=12)
    | st.text(max_size=6)
)


def ratio(heard: str, name: str, region: str | None = None) -> float:
    found = heard_log10_lr(heard, name, region)
    assert found is not None
    return found


def test_every_matrix_is_a_channel() -> None:
    channel = load_channel()
    for matrix in (*channel.regions.values(), channel.mixture, channel.matrix("wu"), channel.matrix("nowhere")):
        assert matrix.min() > 0
        assert matrix.sum(axis=1) == pytest.approx(1.0)
    assert channel.surname.sum() == pytest.approx(1.0)
    assert channel.given.sum() == pytest.approx(1.0)
    assert sum(channel.listener.forms.values()) == pytest.approx(1.0)
    assert set(channel.provinces.values()) <= set(channel.regions)


@pytest.mark.parametrize(("syllable", "initial", "final"), [("zhang", "zh", "ang"), ("ou", "", "ou"), ("ya", "y", "a")])
def test_parts(syllable: str, initial: str, final: str) -> None:
    assert parts(syllable) == (initial, final)


@pytest.mark.parametrize(
    ("surname", "sound"),
    [
        ("曾", ("zeng1",)), ("单", ("shan4",)), ("仇", ("qiu2",)), ("区", ("ou1",)), ("查", ("zha1",)),
        ("解", ("xie4",)), ("覃", ("qin2",)), ("尉迟", ("yu4", "chi2")), ("欧阳", ("ou1", "yang2")),
    ],
)  # fmt: skip
def test_surnames_are_heard_by_their_own_readings(surname: str, sound: tuple[str, ...]) -> None:
    assert tonal_syllables(surname, surname=True) == sound
    spelled = " ".join(one[:-1] for one in sound)
    assert ratio(f"{spelled} hai hua", f"{surname}海华") > 3


@pytest.mark.parametrize(
    ("heard", "name", "region"),
    [
        ("牛南", "刘兰", "xiang"), ("黄明", "王明", "cantonese"), ("华强", "法强", "min"), ("层志", "陈志", "wu"),
        ("李宁", "李林", "mandarin_southwest"), ("张先", "张宣", "hakka_gan"), ("蓝英", "南英", "mandarin_southwest"),
    ],
)  # fmt: skip
def test_an_accent_is_understood_where_it_is_spoken(heard: str, name: str, region: str) -> None:
    assert ratio(heard, name, region) > 1.5
    names = encode([name])
    assert log10_lrs(heard, names, region)[0] > log10_lrs(heard, names, "mandarin_north")[0]


def test_what_no_accent_merges_speaks_against() -> None:
    assert ratio("王强", "李梅") == load_channel().listener.floor_log10


@pytest.mark.parametrize(
    "heard", ["建国", "国建韦", "阿国", "老韦", "韦建", "韦国", "韦建国强", "wei jianguo", "韦jian国", "国国"]
)
def test_a_name_said_in_part_or_in_another_way(heard: str) -> None:
    names = encode(["韦建国", "李秀英", "王伟"])
    found = log10_lrs(heard, names)
    assert int(np.argmax(found)) == 0
    assert found[0] > 0.5


def test_a_rare_name_says_more() -> None:
    assert ratio("覃", "覃海") > ratio("王", "王海") + 0.5


def test_a_tone_is_a_weak_signal() -> None:
    same, other = ratio("王", "王海"), ratio("网", "王海")
    assert 0 < same - other < 1.2
    assert ratio("wang", "王海") == pytest.approx(ratio("wang", "汪海"), abs=0.05)


@pytest.mark.parametrize("text", ["", "?", "Иван", "买买提·艾力"])
def test_what_has_no_chinese_reading_says_nothing(text: str) -> None:
    assert heard_log10_lr(text, "王伟") is None
    assert heard_log10_lr("王伟", text) is None


def test_one_against_many_is_the_same_as_one_by_one() -> None:
    names = ["刘兰", "韦建国", "欧阳娜", "阿强", "Wang Wei", "买买提·艾力", ""]
    found = log10_lrs("欧阳拉", encode(names))
    for name, value in zip(names, found, strict=True):
        alone = log10_lrs("欧阳拉", encode([name]))[0]
        assert value == pytest.approx(alone, abs=1e-12)


def test_the_chance_is_the_mean_over_the_population() -> None:
    """The denominator against names drawn one by one: the same probability within the error of sampling."""
    channel = load_channel()
    rng = np.random.default_rng(7)
    inventory = {number: name for name, number in channel.inventory.items()}
    tones = channel.surname.shape[1]
    sounds = heard_sounds("王伟")
    flat = [channel.surname.ravel(), channel.given.ravel()]
    surname = rng.choice(len(flat[0]), 4000, p=flat[0])
    given = rng.choice(len(flat[1]), (4000, 2), p=flat[1])
    one = rng.random(4000) < channel.listener.given_one
    spelled = [
        " ".join(inventory[number // tones] for number in (first, *(rest[:1] if alone else rest)))
        for first, rest, alone in zip(surname, given, one, strict=True)
    ]
    toneless = tuple(type(sound)(sound.syllable, 0) for sound in sounds)
    assert UNKNOWN not in {sound.syllable for sound in toneless}
    ratios = 10 ** log10_lrs("wang wei", encode(spelled))
    # A likelihood ratio has mean 1 over the population it is set against.
    assert ratios.mean() == pytest.approx(1.0, abs=5 * ratios.std() / np.sqrt(len(ratios)) + 0.1)
    assert 0 < chance(toneless) < 1


def test_a_doubled_syllable_is_drawn_once() -> None:
    """Over given names drawn from the population, hearing 红红 has the chance that is said of it."""
    channel = load_channel()
    flat = channel.given.sum(axis=1)
    red = channel.inventory["hong"]
    (first, second) = heard_sounds("红红")
    ours = chance((type(first)(red, 0), type(first)(red, 0)))
    assert (first, second) == (first, first)
    # Who is called so and says it doubled, with both sounds heard as they were said.
    listener = channel.listener
    keep = (1 - listener.dropped - listener.added) * channel.matrices[-1][red, red]
    assert ours > listener.forms["doubled"] * flat[red] * keep**2
    # What two people who say so have in common is one syllable, not two.
    assert 1 < ratio("红红", "陈虹") < np.log10(1.5 / flat[red])


@settings(max_examples=200, deadline=None)
@given(TEXT, TEXT, st.sampled_from([None, *load_channel().regions]))
def test_bounded_and_finite(heard: str, name: str, region: str | None) -> None:
    found = heard_log10_lr(heard, name, region)
    listener = load_channel().listener
    assert found is None or listener.floor_log10 <= found <= listener.cap_log10


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(SURNAMES[:9]), st.text("明强伟娜兰南建国华海秀英", min_size=1, max_size=2))
def test_a_name_heard_right_speaks_for_itself(surname: str, own: str) -> None:
    assert ratio(surname + own, surname + own) > 1
