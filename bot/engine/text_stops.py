"""Ends a draft at a stop text, wherever the tokens' borders fall. Text in pieces in, safe text out; knows no tokens."""

from __future__ import annotations

import codecs
from collections.abc import Iterable


class TextStops:
    """Lets text through until a stop is complete, and holds back an end that could become one.

    The text ends where the stop that is complete first begins; of several complete at the same place, the longest
    counts. So the result does not depend on how the text was cut into pieces. Time is linear in the text.
    """

    def __init__(self, stops: Iterable[str]) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._held = ""
        self.stopped = False

    def feed(self, text: str) -> str:
        """The text that is now certain to be part of the draft. After a stop nothing comes any more."""
        if self.stopped or not text:
            return ""
        text = self._held + text
        cut = self._first_stop(text)
        if cut is not None:
            self.stopped, self._held = True, ""
            return text[:cut]
        keep = self._possible_start(text)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def flush(self) -> str:
        """What was held back, when the text ends without a stop."""
        held, self._held = self._held, ""
        return held

    def _first_stop(self, text: str) -> int | None:
        ends = [(at + len(stop), at) for stop in self._stops if (at := text.find(stop)) >= 0]
        return min(ends)[1] if ends else None

    def _possible_start(self, text: str) -> int:
        """The length of the longest end of `text` with which some stop begins."""
        longest = min(len(text), max(map(len, self._stops), default=1) - 1)
        for length in range(longest, 0, -1):
            if any(stop.startswith(text[len(text) - length :]) for stop in self._stops):
                return length
        return 0


class WholeCharacters:
    """Bytes in any pieces to whole characters; what is no UTF-8 becomes U+FFFD, an unfinished end waits."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, data: bytes) -> str:
        return self._decoder.decode(data)
