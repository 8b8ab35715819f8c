"""How much of our own list is found when it is hidden. The techniques are in evasions.py."""

from __future__ import annotations

import pytest

from moderation import DEFAULT_WORDS
from moderation.terms import Term, load_words
from moderation.verdict import Direction
from moderation.words import WordFilter
from tests.moderation.evasions import IN_PINYIN, LEET, TECHNIQUES, Hide, hidden

TERMS = [term for term in load_words(DEFAULT_WORDS) if not term.exception and not term.wild]
WORDS = WordFilter(load_words(DEFAULT_WORDS))


def missed(terms: list[Term], hide: Hide) -> tuple[float, list[str]]:
    """The share that is found, and texts in which the term is not."""
    texts = hidden(terms, hide)
    assert len(texts) > 50, "a technique that fits almost no term shows nothing"
    lost = [text for term, text in texts if not finds(term, text)]
    return 1 - len(lost) / len(texts), lost


def finds(term: Term, text: str) -> bool:
    return any(one.rule == f"word:{term.text}" for one in WORDS.check(text, Direction.IN))


@pytest.mark.parametrize("name", TECHNIQUES)
def test_a_hidden_term_is_found(name: str) -> None:
    """At least 97 of 100, whatever the technique."""
    recall, lost = missed(TERMS, TECHNIQUES[name])
    assert recall >= 0.97, lost[:20]


def test_most_leet_is_found() -> None:
    """At least 80 of 100; what is too short to be told from a number is left alone."""
    recall, lost = missed([term for term in TERMS if term.folded.isascii()], LEET)
    assert recall >= 0.8, lost[:20]


@pytest.mark.parametrize("name", IN_PINYIN)
def test_a_term_that_is_flagged_for_its_sound_is_always_found(name: str) -> None:
    """By syllables typed together or apart, one of them only, or other letters that sound the same."""
    recall, lost = missed([term for term in TERMS if "p" in term.flags], IN_PINYIN[name])
    assert recall == 1, lost[:20]
