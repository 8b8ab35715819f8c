"""The view that the others start from: one case, one width, one script, nothing invisible, no marks on letters."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from bot.letters import CONTROL, INVISIBLE, PLAIN_LETTERS
from moderation.views.tables import LOOK_ALIKES, simplified
from moderation.views.view import View, view_of

# Letters that become one with the letter before them: Japanese voice marks, Hangul vowels and tails.
_JOINS = re.compile("[\u3099\u309a\uff9e\uff9f\u1160-\u11ff]")
_JOINED = re.compile(f".{_JOINS.pattern}*", re.DOTALL)
_SIMPLIFIED = simplified()
# A text could hold every letter there is; what is remembered of them stays below a few megabytes.
_MOST_REMEMBERED = 30_000
_LONGEST = 8  # a single sign for a whole sentence, such as ﷺ, is no way to write a word


@lru_cache(maxsize=16)  # every filter reads the same text, one after the other
def plain(text: str) -> View:
    """Letter by letter, so that a letter's place never depends on its neighbours, but for those that join."""
    if _JOINS.search(text):
        return view_of((_fold(one[0]), *one.span()) for one in _JOINED.finditer(text))
    pieces = [_FOLDED[letter] for letter in text]
    folded = "".join(pieces)
    if len(folded) == len(text) and "" not in pieces:  # one letter each, as in nearly every message
        return View(folded, range(len(text)), range(1, len(text) + 1))
    return view_of((piece, place, place + 1) for place, piece in enumerate(pieces))


def fold(text: str) -> str:
    """The same without places: how terms are written."""
    return plain(text).text


@lru_cache(maxsize=8192)
def _fold(letter: str) -> str:
    """One letter, or one with those that join it."""
    seen = CONTROL.sub("", INVISIBLE.sub("", letter)).translate(PLAIN_LETTERS)
    seen = LOOK_ALIKES.get(seen, seen)
    folded = unicodedata.normalize("NFKC", seen).casefold()
    if len(folded) > _LONGEST:
        return " "
    return "".join(_bare(one) for one in folded)


def _bare(letter: str) -> str:
    """Without marks, out of another script, simplified."""
    if unicodedata.category(letter) in ("Mn", "Me"):
        return ""
    base = unicodedata.normalize("NFD", letter)[0]
    if base < "\u0530":  # Latin, Greek, Cyrillic; in other scripts a mark makes another letter
        letter = base
    return _SIMPLIFIED.get(letter := LOOK_ALIKES.get(letter, letter), letter)


class _Folded(dict[str, str]):
    """What each letter becomes, worked out when it is first seen."""

    def __missing__(self, letter: str) -> str:
        folded = _fold(letter)
        if len(self) < _MOST_REMEMBERED:
            self[letter] = folded
        return folded


_FOLDED = _Folded()
