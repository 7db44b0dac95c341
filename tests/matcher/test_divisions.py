"""`matcher.divisions`: codes, names, hierarchy and search."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher import divisions

REPOSITORY = Path(__file__).parents[2]
SOURCE = REPOSITORY.parent / "shared" / "data" / "cn_admin"
CODES = ["45", "4507", "450702", "450703", "4501", "11", "110101", "429004", "429005", "71", "81", "82", "4419"]


def test_names_and_full_names() -> None:
    assert divisions.name("4507") == "钦州市"
    assert divisions.full_name("450702") == "广西壮族自治区 钦州市 钦南区"
    assert divisions.full_name("110101") == "北京市 东城区"
    assert divisions.full_name("429004") == "湖北省 仙桃市"
    assert [divisions.name(code) for code in ("71", "81", "82")] == ["台湾省", "香港特别行政区", "澳门特别行政区"]


@pytest.mark.parametrize("code", ["450000", "450700", "450702", "441900"])
def test_long_codes_are_the_same_as_short_ones(code: str) -> None:
    assert divisions.exists(code)
    assert divisions.name(code) == divisions.name(divisions.normalise(code))


@pytest.mark.parametrize("code", ["", "99", "4599", "45070", "abc", "北京"])
def test_unknown_codes(code: str) -> None:
    assert not divisions.exists(code)
    with pytest.raises(KeyError):
        divisions.name(code)
    with pytest.raises(KeyError):
        divisions.full_name(code)
    with pytest.raises(KeyError):
        divisions.level(code)


def test_hierarchy() -> None:
    assert divisions.parent("450702") == "4507"
    assert divisions.parent("4507") == "45"
    assert divisions.parent("45") is None
    assert [divisions.level(code) for code in ("45", "4507", "450702", "441900")] == [1, 2, 3, 2]


def test_shared_level() -> None:
    assert divisions.shared_level("450702", "450702") == 3
    assert divisions.shared_level("450702", "450703") == 2
    assert divisions.shared_level("450702", "4501") == 1
    assert divisions.shared_level("450702", "11") == 0
    assert divisions.shared_level("450702", "4507") == 2


def test_counties_directly_under_a_province_are_not_one_city() -> None:
    assert divisions.shared_level("429004", "429005") == 1
    assert divisions.shared_level("429004", "429004") == 3


@given(st.sampled_from(CODES), st.sampled_from(CODES))
def test_shared_level_is_symmetrical_and_within_both(a: str, b: str) -> None:
    shared = divisions.shared_level(a, b)
    assert shared == divisions.shared_level(b, a)
    assert 0 <= shared <= min(divisions.level(a), divisions.level(b))


@pytest.mark.parametrize("text", ["钦州", "钦州市", "qzs", "qinzhou", "QinZhou", " 钦州 ", "4507"])
def test_find(text: str) -> None:
    assert divisions.Division("4507", "钦州市") in divisions.find(text)


@pytest.mark.parametrize(
    "text", ["广西钦州", "广西壮族自治区 钦州市", "gxqz", "gx qzs", "guangxi qinzhou", "guangxiqinz"]
)
def test_names_above_may_stand_before(text: str) -> None:
    assert divisions.find(text)[0] == divisions.Division("4507", "钦州市")


def test_the_own_name_comes_before_what_is_under_it() -> None:
    assert [one.code for one in divisions.find("qzqn")] == ["450702"]
    assert divisions.find("钦州市钦南")[0].code == "450702"
    assert divisions.find("内蒙古呼和浩特")[0].code == "1501"


def test_find_order_and_limits() -> None:
    assert divisions.find("北京")[0].code == "11"
    assert divisions.find("南")[0].name.startswith("南")
    assert len(divisions.find("市", limit=5)) == 5
    assert divisions.find("钦州", limit=0) == []
    assert divisions.find("") == divisions.find("   ") == []
    assert divisions.find("市辖区") == []


@pytest.mark.shared
def test_the_table_is_what_the_tool_derives(tmp_path: Path) -> None:
    if not SOURCE.is_dir():
        pytest.skip(f"no source in {SOURCE}")
    output = tmp_path / "divisions.tsv"
    tool = REPOSITORY / "tools" / "derive_divisions.py"
    subprocess.run([sys.executable, str(tool), str(SOURCE), str(output)], check=True, capture_output=True)
    assert output.read_bytes() == (REPOSITORY / "matcher" / "data" / "divisions.tsv").read_bytes()
