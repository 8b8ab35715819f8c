"""Where a word or a name stands in a text. Plain search, so no word that a person writes down can take long."""

from __future__ import annotations

import string

_LATIN = frozenset(string.ascii_letters + string.digits)


def mention(text: str, word: str, *, case: bool = False) -> int | None:
    """The first place where `word` stands, None where it does not. Latin words count whole: "art" is not in "party".

    Without `case`, capitals do not count; the place is then one in the text as `str.casefold` writes it.
    """
    if not case:
        text, word = text.casefold(), word.casefold()
    word = word.strip()
    at = text.find(word) if word else -1
    while at >= 0:
        if _is_whole(text, at, at + len(word)):
            return at
        at = text.find(word, at + 1)
    return None


def _is_whole(text: str, begin: int, end: int) -> bool:
    """Whether no Latin letter or digit goes on beyond an edge that is one."""
    runs_in = begin > 0 and text[begin] in _LATIN and text[begin - 1] in _LATIN
    runs_on = end < len(text) and text[end - 1] in _LATIN and text[end] in _LATIN
    return not (runs_in or runs_on)
