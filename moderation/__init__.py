"""Automatic checks of what viewers write and what the model proposes. They point; a person decides."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from bot.messages import Message
from moderation.chain import Chain, Filter
from moderation.shape import Links, ShapeFilter
from moderation.terms import WordListError, load_words
from moderation.verdict import Action, Direction, Finding, Verdict
from moderation.words import WordFilter

__all__ = [
    "Action",
    "Chain",
    "Direction",
    "Filter",
    "Finding",
    "Verdict",
    "WordListError",
    "build_chain",
    "screen_message",
    "screen_reply",
]

DEFAULT_WORDS = Path(__file__).parent / "data" / "words.tsv"


def build_chain(
    *,
    word_files: Sequence[Path] = (),
    max_length: int = 80,
    reply_length: int = 200,
    links: Links = "block",
    speakers: Sequence[str] = (),
) -> Chain:
    """The checks of a show: form, our own short word list, and the user's lists. Raises WordListError."""
    terms = [term for file in (DEFAULT_WORDS, *word_files) for term in load_words(file)]
    shape = ShapeFilter(max_length=max_length, reply_length=reply_length, links=links, speakers=speakers)
    return Chain((shape, WordFilter(terms)))


@cache
def _default() -> Chain:
    return build_chain()


def screen_message(message: Message | str) -> Verdict:
    """A viewer's message under the default checks. Actions: pass, mask, flag, hold, drop."""
    return _default().screen_message(message)


def screen_reply(text: str) -> Verdict:
    """A reply under the default checks. Actions: clean, flag, block, hard_block."""
    return _default().screen_reply(text)
