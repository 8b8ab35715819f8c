"""A text as one way of reading sees it; each letter knows where it came from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """`text[i]` was made from `original[starts[i]:ends[i]]`. The three are of one length.

    A view is equal to itself only, so that what was made from it can be remembered without comparing it.
    """

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The place in the original of `text[start:end]`, which must not be empty."""
        return self.starts[start], self.ends[end - 1]

    def width(self, place: int) -> int:
        """How many letters of the original became `text[place]`."""
        return self.ends[place] - self.starts[place]


def view_of(letters: Iterable[tuple[str, int, int]]) -> View:
    """From letters with their places. A "letter" of several characters gives each of them its place."""
    spread = [(each, start, end) for piece, start, end in letters for each in piece]
    if not spread:
        return View("", (), ())
    text, starts, ends = zip(*spread, strict=True)
    return View("".join(text), starts, ends)
