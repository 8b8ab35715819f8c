"""What the Bilibili adapter says, in every language."""

from __future__ import annotations

import ast
from pathlib import Path
from string import Formatter

import pytest

import adapters.bilibili
from adapters.bilibili.texts import TEXTS, say


def blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("lang", sorted(set(TEXTS) - {"zh"}))
def test_every_sentence_exists_in_every_language(lang: str) -> None:
    """The same keys, and the same values to fill in."""
    assert {key: blanks(text) for key, text in TEXTS[lang].items()} == {
        key: blanks(text) for key, text in TEXTS["zh"].items()
    }


def test_an_unknown_language_speaks_chinese() -> None:
    """Better than nothing."""
    assert say("eo", "closed") == say("zh", "closed")


def test_every_sentence_is_said_somewhere() -> None:
    """And nothing is said that is not there."""
    (folder,) = adapters.bilibili.__path__
    words = {
        node.value
        for file in Path(folder).glob("*.py")
        if file.name != "texts.py"
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert set(TEXTS["zh"]) <= words
