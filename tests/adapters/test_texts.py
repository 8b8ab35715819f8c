"""What the adapters say, in every language."""

from string import Formatter

import pytest

from adapters.texts import TEXTS, say


def blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("lang", sorted(set(TEXTS) - {"zh"}))
def test_every_sentence_exists_in_every_language(lang: str):
    """The same keys, and the same values to fill in."""
    assert {key: blanks(text) for key, text in TEXTS[lang].items()} == {
        key: blanks(text) for key, text in TEXTS["zh"].items()
    }


def test_an_unknown_language_speaks_chinese():
    """Better than nothing."""
    assert say("eo", "closed") == say("zh", "closed") == "对方关闭"
