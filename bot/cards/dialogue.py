"""Dialogue as cards write it, in lines: greetings, and examples between <START> marks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.cards.macros import Names
from bot.scenario import NARRATOR, Line, Origin, canonical_text, render

_START = re.compile(r"<START>", re.IGNORECASE)


def example(text: str, names: Names) -> str:
    """The canonical text of example dialogue: whoever opens a line with a name and a colon speaks until the next one."""
    return render(line for block in _START.split(names.put_into(text)) for line in turns(block, names, NARRATOR))


def greeting(text: str, names: Names) -> tuple[Line, ...]:
    """What opens the story: the character's own words, unless they themselves say who speaks."""
    return tuple(turns(names.put_into(text), names, names.char))


def turns(text: str, names: Names, first: str) -> Iterator[Line]:
    """Who says what; until somebody is named, `first` speaks. Blank lines within what one person says are closed up: a blank
    line ends a line of ours."""
    speaker = re.compile(rf"({re.escape(names.char)}|{re.escape(names.user)})[ \t]*[:：]")
    who, words = first, [""]
    for row in text.split("\n"):
        if opening := speaker.match(row):
            yield from _line(who, words)
            who, words, row = opening[1], [], row[opening.end() :]
        words.append(row)
    yield from _line(who, words)


def _line(who: str, words: list[str]) -> Iterator[Line]:
    if text := canonical_text("\n".join(words)):
        yield Line(who, text, Origin.OPENING)
