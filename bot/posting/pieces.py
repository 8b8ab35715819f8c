"""Cuts an approved reply into pieces that a platform's chat takes. A piece has no words of its own, only a place in the reply."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

from bot.approval import Approved

SENTENCE = frozenset("。！？!?…；;\n")
PAUSE = frozenset("，、,：: \t")
JOINER = "\u200d"


@final
@dataclass(frozen=True, slots=True)
class Piece:
    """The characters from `start` to `end` of what a person has approved. Everything that is posted is one."""

    reply: Approved
    start: int
    end: int

    @property
    def text(self) -> str:
        """On one line, as a chat has it: white space in the approved words becomes one space."""
        return " ".join(self.reply.text[self.start : self.end].split())


def cut(reply: Approved, limit: int) -> list[Piece]:
    """Pieces of at most `limit` characters that together are the whole reply, cut after a sentence where that is possible."""
    pieces = (Piece(reply, start, end) for start, end in _places(reply.text, limit))
    return [piece for piece in pieces if piece.text]


def _places(text: str, limit: int) -> Iterator[tuple[int, int]]:
    start = 0
    while len(text) - start > limit:
        end = _end(text, start, start + limit)
        yield start, end
        start = end
    yield start, len(text)


def _end(text: str, start: int, most: int) -> int:
    """Behind the last sentence in the second half, else behind the last pause, else between two characters."""
    half = start + (most - start) // 2
    for marks in (SENTENCE, PAUSE):
        for end in range(most, half, -1):
            if text[end - 1] in marks:
                return end
    return next((end for end in range(most, start, -1) if not _joined(text, end)), most)


def _joined(text: str, place: int) -> bool:
    """Whether a cut here would part what is shown as one character: an accent, an emoji made of several."""
    after = text[place]
    return JOINER in (text[place - 1], after) or unicodedata.category(after) in ("Mn", "Me", "Sk", "Cf")
