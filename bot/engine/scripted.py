"""An engine that says what it was told to: for tests of everything around the engine. No model, no process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from bot.engine.types import (
    Counted,
    DraftDone,
    DraftText,
    Ending,
    EngineError,
    EngineState,
    EngineStatus,
    Prompt,
    Reading,
    Sampling,
)


class ScriptedEngine:
    """Each answer takes the next `texts` in turn, from the first again after the last, and grows them by halves.

    A token is a character. `asked` holds every request for drafts, `read_ahead` every prompt that was to be read. With
    `stepped`, an event comes for each `step()` (the first Reading needs none); otherwise at once. `fail(message)` loses
    the answers in progress, or the next one when there is none.
    """

    def __init__(self, texts: Sequence[str] = ("晚上好！",), *, stepped: bool = False) -> None:
        self.asked: list[tuple[Prompt, int, Sampling]] = []
        self.read_ahead: list[Prompt] = []
        self.cancelled = 0
        self.status = EngineStatus(EngineState.READY, "scripted")
        self._texts = list(texts)
        self._next = 0
        self._steps = asyncio.Semaphore(0) if stepped else None
        self._failure: str | None = None
        self._known: list[str] = []

    def step(self, times: int = 1) -> None:
        """Lets that many events out. Only for an engine that is `stepped`."""
        assert self._steps is not None, "this engine is not stepped"
        for _ in range(times):
            self._steps.release()

    def fail(self, message: str = "模型进程意外退出，请再试一次。") -> None:
        self._failure = message
        if self._steps is not None:
            self._steps.release()

    async def drafts(self, prompt: Prompt, count: int, sampling: Sampling) -> AsyncIterator[DraftText | DraftDone]:
        self.asked.append((prompt, count, sampling))
        left = self._events(prompt, count, sampling.min_tokens)
        self._known.append(_text_of(prompt))
        try:
            while left:
                await self._turn()
                yield left.pop(0)
        except (GeneratorExit, asyncio.CancelledError):
            self.cancelled += 1
            raise

    async def read(self, prompt: Prompt) -> AsyncIterator[Reading]:
        """In two steps, of which a prompt whose text was read already needs none."""
        self.read_ahead.append(prompt)
        text = _text_of(prompt)
        total = len(text) - max((_common(text, known) for known in self._known), default=0)
        try:
            for done in dict.fromkeys((0, total // 2, total)):
                if done:
                    await self._turn()
                yield Reading(done, total)
        except (GeneratorExit, asyncio.CancelledError):
            self.cancelled += 1
            raise
        self._known.append(text)

    async def count(self, texts: Sequence[str]) -> Counted:
        return Counted(tuple(map(len, texts)))

    def _events(self, prompt: Prompt, count: int, least: int) -> list[DraftText | DraftDone]:
        texts = [prompt.start_with.lstrip() + self._text(least) for _ in range(count)]
        half = [DraftText(i, text[: (len(text) + 1) // 2]) for i, text in enumerate(texts)]
        return [*half, *(DraftDone(i, text, Ending.STOP) for i, text in enumerate(texts))]

    def _text(self, least: int) -> str:
        """Said again until it has that many characters, one for a token."""
        text = self._texts[self._next % len(self._texts)]
        self._next += 1
        return text * -(-least // len(text)) if len(text) < least and text else text

    async def _turn(self) -> None:
        if self._steps is not None:
            await self._steps.acquire()
        else:
            await asyncio.sleep(0)
        if self._failure is not None:
            message, self._failure = self._failure, None
            raise EngineError(message)


def _common(a: str, b: str) -> int:
    """The length of the longest beginning that both have."""
    return next((at for at, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _text_of(prompt: Prompt) -> str:
    return "".join(prompt.parts) + prompt.start_with
