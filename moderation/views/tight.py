"""What stands between letters taken out, and a letter that is written many times taken once."""

from __future__ import annotations

import re
from functools import lru_cache

from moderation.views.view import View

# Whatever is no letter and no digit; and a platform's emote such as [doge], which is written out in letters.
_GAP = re.compile(r"\[[^\[\]]{2,10}\]|[\W_]+")
_DOUBLE = re.compile(r"(.)\1")
_BREAK = re.compile(r"[\s.,!?;:。，、！？；：]")


@lru_cache(maxsize=16)  # as for `plain`
def tight(seen: View) -> View:
    """Between Latin words one space stays, or "pen is" would be another word; not so in "p e n".

    A letter that stands for a run of itself spans the whole run.
    """
    if not seen.text.isalnum():
        seen = _without_gaps(seen)
    return _squeezed(seen) if _DOUBLE.search(seen.text) else seen


def _without_gaps(seen: View) -> View:
    letters, kept, done = list(seen.text), list[int](), 0
    for gap in _GAP.finditer(seen.text):
        kept += range(done, gap.start())
        if _parts_words(seen.text, gap):
            letters[gap.start()] = " "
            kept.append(gap.start())
        done = gap.end()
    kept += range(done, len(letters))
    return View("".join([letters[at] for at in kept]), [seen.starts[at] for at in kept], [seen.ends[at] for at in kept])


def _parts_words(text: str, gap: re.Match[str]) -> bool:
    before, after = text[max(0, gap.start() - 2) : gap.start()], text[gap.end() : gap.end() + 2]
    if not (_latin(before[-1:]) and _latin(after[:1]) and _BREAK.search(gap[0])):
        return False
    return _latin(before[-2:-1]) or _latin(after[1:])  # a word of more than one letter, on one side at least


def _latin(letter: str) -> bool:
    return letter.isascii() and letter.isalnum()


def _squeezed(seen: View) -> View:
    text, starts, ends = seen.text, seen.starts, seen.ends
    first = [at for at in range(len(text)) if at == 0 or text[at] != text[at - 1]]
    after = [*first[1:], len(text)]
    return View("".join([text[at] for at in first]), [starts[at] for at in first], [ends[at - 1] for at in after])
