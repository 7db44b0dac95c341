"""`matcher.names.pairs`: many names at once are the same as one by one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.names.channel import load_channel
from matcher.names.hearing import encode, heard_sounds, log10_lrs
from matcher.names.pairs import PreparedName, pair_log10_lrs, prepare_name, prepare_names
from matcher.names.similarity import compare_names
from matcher.names.sounds import syllables
from tests.matcher.names.one_by_one import heard_log10_lr, stack_names

TEXT = (
    st.text("王李覃曾单欧阳尉迟小阿老明强伟兰南·", max_size=5)
    | st.text("wangliqnhzo '", max_size=12)
    | st.text(max_size=6)
)
REGION = st.sampled_from([None, *load_channel().regions])


@st.composite
def prepared(draw: st.DrawFn) -> PreparedName:
    return prepare_name(draw(TEXT), heard=draw(st.booleans()), region=draw(REGION))


def expected(a: PreparedName, b: PreparedName) -> float | None:
    regions = [*load_channel().regions, None]
    ways = [heard_log10_lr(one.text, other.text, regions[one.region]) for one, other in ((a, b), (b, a)) if one.heard]
    said = [one for one in ways if one is not None]
    agreement = compare_names(a.text, b.text, heard=a.heard or b.heard)
    if agreement is None:
        return None
    return sum(said) / len(said) if said else agreement.log10_lr


@settings(max_examples=80, deadline=None)
@given(prepared(), st.lists(st.lists(prepared(), max_size=3), max_size=4))
def test_many_at_once_are_one_by_one(ours: PreparedName, people: list[list[PreparedName]]) -> None:
    stacked = stack_names([prepare_names(names) for names in people])
    assert stacked.rows.tolist() == [row for row, names in enumerate(people) for _ in names]
    flat = [name for names in people for name in names]
    for theirs, value in zip(flat, pair_log10_lrs(ours, stacked), strict=True):
        wanted = expected(ours, theirs)
        if wanted is None:
            assert value != value
        else:
            assert value == pytest.approx(wanted, abs=1e-9), (ours.text, theirs.text)


def of_pair(ours: PreparedName, theirs: PreparedName) -> float:
    (value,) = pair_log10_lrs(ours, stack_names([prepare_names([theirs])]))
    assert value == value
    return float(value)


def written(a: str, b: str) -> float:
    return of_pair(prepare_name(a, heard=False), prepare_name(b, heard=False))


def heard(a: str, b: str) -> float:
    return of_pair(prepare_name(a, heard=True), prepare_name(b, heard=False))


@pytest.mark.parametrize(
    ("surname", "own", "wrong"),
    [
        ("曾", "zeng", "ceng"), ("单", "shan", "dan"), ("仇", "qiu", "chou"), ("区", "ou", "qu"), ("查", "zha", "cha"),
        ("解", "xie", "jie"), ("覃", "qin", "tan"), ("尉迟", "yu chi", "wei chi"), ("任", "ren", "jin"),
        ("盖", "ge", "gai"), ("朴", "piao", "pu"), ("万俟", "mo qi", "wan si"), ("华", "hua", "ye"),
    ],
)  # fmt: skip
def test_a_surname_is_read_as_its_bearers_read_it(surname: str, own: str, wrong: str) -> None:
    name = f"{surname}海华"
    right, other = (float(log10_lrs(f"{one} hai hua", encode([name]))[0]) for one in (own, wrong))
    assert right > other + 0.3
    assert written(f"{own} hai hua".title(), name) > written(f"{wrong} hai hua".title(), name)


@pytest.mark.parametrize("surname", ["欧阳", "尉迟", "司徒", "上官", "诸葛", "皇甫"])
def test_a_compound_surname_is_one_surname(surname: str) -> None:
    name = f"{surname}明"
    assert written(name, name) > written(name, f"{surname[0]}明") + 1
    assert heard(name, name) > 2
    assert heard(surname, name) > 0, "the surname alone"
    assert written(" ".join(syllables(surname, surname=True)) + " ming", name) > 1


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("海琴王", "王海琴"),  # given name first
        ("阿琴", "王海琴"), ("小琴", "王海琴"), ("琴琴", "王海琴"), ("小王", "王海琴"), ("老覃", "覃海琴"),  # nicknames
        ("小曾", "曾海琴"), ("海琴", "王海琴"), ("覃", "覃海琴"), ("qin", "覃海琴"),  # a part, one syllable
        ("wang haiqin", "王海琴"), ("WANG Hai-Qin", "王海琴"),  # romanised
    ],
)  # fmt: skip
def test_other_ways_to_say_a_name_still_speak_for_it(said: str, name: str) -> None:
    assert heard(said, name) > 0
    assert heard(said, name) > heard(said, "李建国")


@pytest.mark.parametrize(
    ("a", "b"),
    [("买买提·艾力", "Maimaiti Aili"), ("阿依古丽·买买提", "阿依古丽买买提"), ("Aygul Mamat", "aygul mamat")],
)
def test_minority_names_are_compared_in_one_piece(a: str, b: str) -> None:
    assert written(a, b) > 0.5
    assert written(a, "努尔·江") < written(a, b)


@pytest.mark.parametrize(
    ("address", "sound"),
    [("老覃", "qin"), ("老单", "shan"), ("小曾", "zeng"), ("小乐", "le"), ("老乐", "yue"), ("小王", "wang")],
)
def test_a_form_of_address_is_read_as_surname_or_given_name(address: str, sound: str) -> None:
    inventory = {number: name for name, number in load_channel().inventory.items()}
    assert inventory[heard_sounds(address)[-1].syllable] == sound
