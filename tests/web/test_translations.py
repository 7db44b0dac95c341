"""Every sentence and label of the pages is there in both languages."""

import string

from api.messages import translate
from models.user import Locale
from tests.web.extraction import enum_msgids, policy_msgids, python_msgids, template_msgids


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_sentence_has_its_translation_with_the_same_placeholders() -> None:
    found = [*template_msgids(), *python_msgids()]
    assert len(found) > 300
    missing = [pair for pair in found if translate(Locale.ZH, pair[1]) == pair[1]]
    assert missing == []
    for where, msgid in found:
        assert _placeholders(translate(Locale.ZH, msgid)) == _placeholders(msgid), (where, msgid)


def test_sources_of_the_policies_are_named_in_chinese() -> None:
    assert [pair for pair in policy_msgids() if translate(Locale.ZH, pair[1]) == pair[1]] == []


def test_every_enum_member_has_a_label_in_both_languages() -> None:
    for locale in Locale:
        assert [msgid for msgid in enum_msgids() if translate(locale, msgid) == msgid] == []
