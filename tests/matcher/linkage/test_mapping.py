"""What a mapping may say, and what its reader says of one that is wrong."""

from pathlib import Path
from typing import Any

import pytest

from matcher.linkage.mapping import ColumnKind, Key, MappingInvalid, parse_mapping, read_mapping

HEADINGS = ["id", "name", "born", "town"]
GOOD: dict[str, Any] = {
    "columns": {"name": "full_name", "born": {"kind": "date", "day_first": False}},
    "blocking": [["name:3", "born"], ["born:4"]],
    "truth": {"pattern": "^(x[0-9]+)"},
    "missing": ["N/A", "unknown "],
}


def test_a_mapping_is_read_whole() -> None:
    mapping = parse_mapping(GOOD, HEADINGS)
    assert [(column.name, column.kind, column.day_first) for column in mapping.columns] == [
        ("name", ColumnKind.FULL_NAME, True),
        ("born", ColumnKind.DATE, False),
    ]
    assert mapping.blocking == ((Key("name", 3), Key("born")), (Key("born", 4),))
    assert mapping.truth_pattern is not None
    assert mapping.truth_pattern.pattern == "^(x[0-9]+)"
    assert mapping.missing == {"n/a", "unknown"}


@pytest.mark.parametrize(
    ("name", "text"), [("a.toml", '[columns]\ntown = "place"\n'), ("a.json", '{"columns": {"town": "place"}}')]
)
def test_toml_and_json_say_the_same(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    assert read_mapping(path, HEADINGS) == parse_mapping({"columns": {"town": "place"}}, HEADINGS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"columns": {}}, "columns: is empty"),
        ({"columns": {"city": "place"}}, "columns.city: the table has no such column; it has id, name, born, town"),
        ({"columns": {"town": "city"}}, "columns.town: kind 'city' is not known; it is one of given_name, surname"),
        ({"columns": {"town": {"kind": "place", "weight": 2}}}, "columns.town.weight: is not known"),
        ({"columns": {"town": {"kind": "date", "day_first": 1}}}, "columns.town.day_first: is true or false"),
        ({"columns": {"name": "surname", "town": "surname"}}, "name and town both hold a surname; keep one"),
        ({"columns": ["town"]}, "columns: is a table of keys and values"),
        ({"blocking": "name"}, "blocking: is a list of rules"),
        ({"blocking": [["town"]]}, "blocking: 'town' is not among the mapping's columns"),
        ({"blocking": [["name:0"]]}, "'name:0': after the colon stands how many characters count"),
        ({"truth": {"pattern": "("}}, "truth.pattern: is no regular expression"),
        ({"truth": {"regex": "a"}}, "truth.regex: is not known"),
        ({"missing": "n/a"}, "missing: is a list of texts"),
        ({"colums": {}}, "colums: is not known; a mapping has columns, blocking, truth and missing"),
    ],
)
def test_what_is_wrong_is_named_with_its_remedy(change: dict[str, Any], message: str) -> None:
    with pytest.raises(MappingInvalid) as caught:
        parse_mapping(GOOD | change, HEADINGS)
    assert message in str(caught.value)


def test_a_file_that_is_no_mapping(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text("columns = [", "utf-8")
    with pytest.raises(MappingInvalid, match="is no TOML or JSON"):
        read_mapping(broken, HEADINGS)
    with pytest.raises(MappingInvalid, match="cannot be read"):
        read_mapping(tmp_path / "none.toml", HEADINGS)
