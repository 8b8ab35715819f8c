"""What stands between letters taken out, and a letter that is written many times taken once."""

from __future__ import annotations

import re
from collections.abc import Iterator

from moderation.views.view import View, view_of

# Whatever is no letter and no digit; and a platform's emote such as [doge], which is written out in letters.
_GAP = re.compile(r"\[[^\[\]]{2,10}\]|[\W_]+")
_DOUBLE = re.compile(r"(.)\1")
_BREAK = re.compile(r"[\s.,!?;:。，、！？；：]")


def tight(seen: View) -> View:
    """Between Latin words one space stays, or "pen is" would be another word; not so in "p e n".

    A letter that stands for a run of itself spans the whole run.
    """
    if seen.text.isalnum() and not _DOUBLE.search(seen.text):
        return seen
    return view_of(_squeezed(_without_gaps(seen)))


Letter = tuple[str, int, int]


def _without_gaps(seen: View) -> Iterator[Letter]:
    text, done = seen.text, 0
    letters = list(zip(text, seen.starts, seen.ends, strict=True))
    for gap in _GAP.finditer(text):
        yield from letters[done : gap.start()]
        if _parts_words(text, gap):
            yield " ", seen.starts[gap.start()], seen.ends[gap.end() - 1]
        done = gap.end()
    yield from letters[done:]


def _parts_words(text: str, gap: re.Match[str]) -> bool:
    before, after = text[max(0, gap.start() - 2) : gap.start()], text[gap.end() : gap.end() + 2]
    if not (_latin(before[-1:]) and _latin(after[:1]) and _BREAK.search(gap[0])):
        return False
    return _latin(before[-2:-1]) or _latin(after[1:])  # a word of more than one letter, on one side at least


def _latin(letter: str) -> bool:
    return letter.isascii() and letter.isalnum()


def _squeezed(letters: Iterator[Letter]) -> Iterator[Letter]:
    last = next(letters, None)
    for each in letters:
        if last is not None and each[0] == last[0]:
            last = (last[0], last[1], each[2])
            continue
        if last is not None:
            yield last
        last = each
    if last is not None:
        yield last
