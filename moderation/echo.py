"""Finds in a reply what it has from elsewhere: the character's card, secrets, recent replies, a viewer's flagged words.

Texts are compared by their letters and digits alone, so that punctuation and spaces hide nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from moderation.verdict import FORBIDDEN, NOTABLE, SEVERE, Direction, Finding
from moderation.views import View, plain

CARD_RUN = 12  # as many letters in a row are no chance in Chinese
LATIN_RUN = 32  # and as many in a language of letters
PARROT_RUN = 8
ALIKE = 0.6
RECENT = 20


def _letters(text: str) -> View:
    """Letters and digits alone, in one case and width."""
    seen = plain(text)
    kept = [place for place, letter in enumerate(seen.text) if letter.isalnum()]
    starts, ends = [seen.starts[place] for place in kept], [seen.ends[place] for place in kept]
    return View("".join(seen.text[place] for place in kept), starts, ends)


def _runs(text: str, length: int) -> frozenset[str]:
    return frozenset(text[place : place + length] for place in range(len(text) - length + 1))


def _run_for(text: str, chinese: int) -> int:
    return LATIN_RUN if text.isascii() else chinese


class CardFilter:
    """`card`: what the model was told about its role, which nobody is to read out. `secrets`: words that must never
    appear, for instance a token that stands in the card for no other reason."""

    name = "card"

    def __init__(self, card: str = "", secrets: Sequence[str] = ()) -> None:
        told = _letters(card).text
        self._length = _run_for(told, CARD_RUN)
        self._runs = _runs(told, self._length)
        self._secrets = tuple(secret for each in secrets if (secret := _letters(each).text))

    def check(self, text: str, direction: Direction) -> Iterator[Finding]:
        if direction is not Direction.OUT:
            return
        said = _letters(text)
        for secret in self._secrets:
            if (at := said.text.find(secret)) >= 0:
                span = said.original(at, at + len(secret))
                yield Finding("injection", FORBIDDEN, "secret", *span, "设定里不许说出的话")
        for span in _shared(said.text, self._runs, self._length):
            yield Finding("injection", SEVERE, "leak", *said.original(*span), "念出了角色的设定")


class Echo:
    """One reply beside its surroundings: `recent` are replies before it, `asked` a viewer's words that were flagged."""

    name = "echo"

    def __init__(self, recent: Iterable[str] = (), asked: str = "") -> None:
        self._recent = tuple(recent)[-RECENT:]
        self._asked = _letters(asked).text

    def check(self, text: str, direction: Direction) -> Iterator[Finding]:
        if direction is not Direction.OUT:
            return
        said = _letters(text)
        length = _run_for(self._asked, PARROT_RUN) if self._asked else 0
        for span in _shared(said.text, _runs(self._asked, length), length) if length else ():
            yield Finding("injection", SEVERE, "parrot", *said.original(*span), "照念了被标出的弹幕")
        runs = _runs(said.text, 3)
        if len(said.text) >= 6 and any(_alike(runs, _runs(_letters(other).text, 3)) for other in self._recent):
            yield Finding("quality", NOTABLE, "repeat", 0, len(text), "刚说过差不多的话")


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) > ALIKE * len(one | other)


def _shared(text: str, runs: frozenset[str], length: int) -> Iterator[tuple[int, int]]:
    """The places of `text` whose every run of `length` is one of `runs`, neighbours joined."""
    start = end = -1
    for place in range(len(text) - length + 1):
        if text[place : place + length] not in runs:
            continue
        if place > end:
            if start >= 0:
                yield start, end
            start = place
        end = place + length
    if start >= 0:
        yield start, end
