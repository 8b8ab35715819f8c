"""Between the engine and the reader of one answer: what the reader has not taken yet, and nothing that is out of date."""

from __future__ import annotations

import asyncio

from bot.engine.types import DraftDone, DraftText, Ending, EngineError, Reading


class Mailbox:
    """Of a draft that grew several times only the newest text waits, so a slow reader costs one text a draft."""

    def __init__(self, count: int) -> None:
        self.open = count  # drafts that are not finished
        self._texts: dict[int, str] = {}
        self._news: dict[int, DraftText | DraftDone] = {}  # by draft; the first one is taken first
        self._error: str | None = None
        self._wake = asyncio.Event()

    def __len__(self) -> int:
        return len(self._news)

    def grew(self, index: int, gained: str) -> None:
        self._texts[index] = self._texts.get(index, "") + gained
        self._put(DraftText(index, self._texts[index].rstrip()))

    def finished(self, index: int, text: str, ending: Ending) -> None:
        self.open -= 1
        self._texts.pop(index, None)
        self._put(DraftDone(index, text, ending))

    def lose(self, message: str) -> None:
        """The answer will not be completed. What waits already still comes out first."""
        self._error = message
        self._wake.set()

    async def take(self) -> DraftText | DraftDone:
        """The next event, waiting for it; EngineError when the answer was lost."""
        while not self._news:
            if self._error is not None:
                raise EngineError(self._error)
            self._wake.clear()
            await self._wake.wait()
        return self._news.pop(next(iter(self._news)))

    def _put(self, event: DraftText | DraftDone) -> None:
        self._news[event.index] = event
        self._wake.set()


class Progress:
    """How far a prompt is read. The newest waits, and before it the first, which says how much there is to read."""

    def __init__(self) -> None:
        self.open = True  # not read to its end
        self._left = self._total = 0
        self._begun = self._new = False
        self._error: str | None = None
        self._wake = asyncio.Event()

    def __len__(self) -> int:
        return int(self._new)

    def left(self, tokens: int) -> None:
        """So many have still to be read; 0 is the end. More than before when what was known had to give way."""
        self._left, self._total = tokens, max(self._total, tokens)
        self.open, self._new = tokens > 0, True
        self._wake.set()

    def lose(self, message: str) -> None:
        """It will not be read to its end."""
        self._error = message
        self._wake.set()

    async def take(self) -> Reading:
        """The next report, waiting for it; EngineError when the reading was lost."""
        while not self._new:
            if self._error is not None:
                raise EngineError(self._error)
            self._wake.clear()
            await self._wake.wait()
        if not self._begun:
            self._begun, self._new = True, self._left < self._total
            return Reading(0, self._total)
        self._new = False
        return Reading(self._total - self._left, self._total)
