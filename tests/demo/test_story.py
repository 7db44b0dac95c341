"""Choosing stories on the command line. `make story` plays them."""

from pathlib import Path

import pytest

from tests.factories.commands import tracing
from tracing.demo.stories.catalogue import STORIES
from tracing.demo.story import chosen


def test_the_stories_are_named_in_both_languages(tmp_path: Path) -> None:
    listed = tracing(tmp_path, "story", "--list")
    assert listed.exit_code == 0
    for story in STORIES:
        assert story.name in listed.stdout
        assert story.zh in listed.stdout
        assert story.en in listed.stdout
    assert list(tmp_path.iterdir()) == []


def test_chosen_by_name_in_the_order_of_telling_all_for_none(tmp_path: Path) -> None:
    names = [story.name for story in STORIES]
    assert [story.name for story in chosen(())] == names
    assert [story.name for story in chosen(list(reversed(names)))] == names
    with pytest.raises(KeyError):
        chosen(["nobody"])
    refused = tracing(tmp_path, "story", "nobody")
    assert refused.exit_code == 2
    assert "There is no story" in refused.stderr
