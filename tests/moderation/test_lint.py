"""What is said of a word list before it is used."""

from __future__ import annotations

import pytest

from moderation.lint import remarks
from moderation.lists import DEFAULT_WORDS, benign_lines
from moderation.terms import load_words, parse_words


def said(words: str) -> list[tuple[str, str]]:
    """(where, what), in English only."""
    found = remarks(parse_words(words), ["今天下雨了", "主播好", "主播晚上好"])
    return [(one.place, one.text.rpartition(" / ")[2]) for one in found]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("紫薯精\n绿皮怪\tinsult\t3\tp", []),
        ("紫薯精\n绿皮怪\n紫 薯精\n紫薯精\tinsult", [("words.tsv:4", "the same as there")]),
        ("紫薯精\t\t\tin\n紫薯精\t\t\tout", []),
        ("114514", [("words.tsv:1", "digits only")]),
        ("冰毒\t\t\tp", [("words.tsv:1", "sounds like everyday words")]),
        ("冰毒", []),
        ("紫薯精\t\t\tp\n子鼠京\t\t\tp", [("words.tsv:2", "sounds like that one")]),
        ("主播", [("words.tsv:1", "found in everyday chat")]),
        ("主播\n主播好\t\t\ta\n主播晚上好\t\t\ta", []),
    ],
)
def test_what_is_wrong_is_said_with_its_line(words: str, expected: list[tuple[str, str]]) -> None:
    """Twice the same, digits, everyday sounds, everyday words; and nothing of a list that is fine."""
    assert said(words) == expected


def test_a_remark_gives_the_words_that_sound_so() -> None:
    """So that a person sees what it would flag."""
    (one,) = remarks(parse_words("冰毒\t\t\tp"), [])
    assert "病毒" in one.text


def test_our_own_list_is_free_of_remarks() -> None:
    """It keeps what it asks of others."""
    assert remarks(load_words(DEFAULT_WORDS), benign_lines()) == []
