"""What is looked for so that a term is found: the letters of the term as each view shows them. Finds nothing itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby, islice, product
from typing import Any

from moderation.terms import Term, compile_regex
from moderation.views.leet import LEET
from moderation.views.pinyin import sounds
from moderation.views.tables import split_letters
from moderation.views.view import View

_MOST_SPLITS = 64
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Pattern:
    """`letters` of a view that mean `term`.

    `runs`: places in it where the original has to have that many letters, as in "asshole", which a view without
    repetition shows as "ashole". `shape`: what has to be there in full where `letters` are only a part of it. `how`:
    how the writer hid the term, for people; "" where it was not hidden.
    """

    letters: str
    term: Term
    runs: tuple[tuple[int, int], ...] = ()
    shape: Any = None  # a pattern of `re`, or of `regex`, which is optional
    how: str = ""

    def fits(self, seen: View, start: int, end: int) -> bool:
        """Whether the letters at this place of a view really are the term."""
        if self.whole and (_latin(seen.text[start - 1 : start]) or _latin(seen.text[end : end + 1])):
            return False
        return all(seen.width(start + place) >= count for place, count in self.runs)

    @property
    def whole(self) -> bool:
        """Latin words stand alone: no "sb" in "usb"."""
        return "w" in self.term.flags or self.letters.isascii()


def plain_patterns(term: Term) -> Iterator[Pattern]:
    """The term as it is written, and what is looked for as an expression."""
    if term.regex:
        return
    if not term.wild:
        yield Pattern(term.folded, term)
    else:
        yield Pattern(max(re.split("[*?]", term.folded), key=len), term, shape=_wild(term))


def tight_patterns(term: Term) -> Iterator[Pattern]:
    """Pulled together, in pieces of letters, and backwards."""
    if not term.strict:
        yield from (_squeezed(form, term) for form in _forms(term))
        if not term.exception:
            yield from _hidden(_together(term), term)


def leet_patterns(term: Term) -> Iterator[Pattern]:
    """Latin words of three letters and more: "5b" is not always an insult."""
    if term.folded.isascii() and len(term.folded) > 2 and not (term.strict or term.exception):
        yield from (_squeezed(form.translate(LEET), term, "形近字符") for form in _forms(term))


def pinyin_patterns(term: Term) -> Iterator[Pattern]:
    """How terms with the flag `p` sound."""
    if "p" in term.flags and not term.strict:
        yield from (Pattern(letters, term, how="拼音或同音") for letters in sorted(sounds(_together(term))))


def compiled(term: Term) -> Any:
    """The regular expression of a term with the flag `re`."""
    return compile_regex(term.text)


def _forms(term: Term) -> list[str]:
    """Without what stands between letters; Latin words with a space between them, too."""
    spaced = " ".join(_WORD.findall(term.folded))
    forms = {_together(term), spaced if spaced.isascii() else ""}
    return sorted(form for form in forms if len(form) > 1)


def _together(term: Term) -> str:
    return "".join(_WORD.findall(term.folded))


def _hidden(together: str, term: Term) -> Iterator[Pattern]:
    for letters in islice(product(*map(_ways, together)), 1, _MOST_SPLITS):
        yield _squeezed("".join(letters), term, "拆字")
    if together != together[::-1] and len(together) >= (4 if together.isascii() else 2):
        yield _squeezed(together[::-1], term, "倒写")


def _ways(letter: str) -> tuple[str, ...]:
    return letter, *_split_letters().get(letter, ())


_split_letters = cache(split_letters)


def _squeezed(letters: str, term: Term, how: str = "") -> Pattern:
    runs = [(letter, len(list(run))) for letter, run in groupby(letters)]
    longer = tuple((place, count) for place, (_, count) in enumerate(runs) if count > 1)
    return Pattern("".join(letter for letter, _ in runs), term, longer, how=how)


def _wild(term: Term) -> re.Pattern[str]:
    body = "".join({"*": ".{0,8}?", "?": "."}.get(letter) or re.escape(letter) for letter in term.folded)
    whole = "w" in term.flags or term.folded.isascii()
    return re.compile(rf"(?<![a-z0-9]){body}(?![a-z0-9])" if whole else body)


def _latin(letter: str) -> bool:
    return letter.isascii() and letter.isalnum()
