"""A text as word lists read it: one case, one width, nothing invisible; each letter knows where it came from."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from bot.letters import CONTROL, INVISIBLE, PLAIN_LETTERS


@dataclass(frozen=True, slots=True)
class View:
    """`text[i]` was made from `original[spans[i][0]:spans[i][1]]`."""

    text: str
    spans: tuple[tuple[int, int], ...]

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The place in the original of `text[start:end]`, which must not be empty."""
        return self.spans[start][0], self.spans[end - 1][1]


def view(text: str) -> View:
    """NFKC and case folded letter by letter (a letter with its marks counts as one), the invisible left out."""
    letters: list[str] = []
    spans: list[tuple[int, int]] = []
    for start, end in _segments(text):
        folded = _fold(text[start:end])
        letters.append(folded)
        spans.extend([(start, end)] * len(folded))
    return View("".join(letters), tuple(spans))


def fold(text: str) -> str:
    """The same without places: how terms are written in the matcher."""
    return view(text).text


def _segments(text: str) -> list[tuple[int, int]]:
    """Each letter with the marks that belong to it."""
    segments: list[tuple[int, int]] = []
    for place, letter in enumerate(text):
        if segments and _continues(letter):
            segments[-1] = (segments[-1][0], place + 1)
        else:
            segments.append((place, place + 1))
    return segments


def _continues(letter: str) -> bool:
    """A combining mark, a half-width Japanese voice mark, or a Hangul vowel or tail."""
    return bool(unicodedata.combining(letter)) or letter in "\uff9e\uff9f" or "\u1160" <= letter <= "\u11ff"


@lru_cache(maxsize=8192)
def _fold(segment: str) -> str:
    plain = CONTROL.sub("", INVISIBLE.sub("", segment)).translate(PLAIN_LETTERS)
    return unicodedata.normalize("NFKC", plain).casefold()
