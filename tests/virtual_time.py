"""An event loop whose clock leaps to the next thing that is due: hours of pauses in no time. Has no real network."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def leap(main: Coroutine[Any, Any, T]) -> T:
    """What `main` returns. A test in which nothing will ever happen again fails instead of hanging."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(main)


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._virtual = 1000.0
        super().__init__(_Selector(self))

    def time(self) -> float:
        return self._virtual

    def leap(self, seconds: float) -> None:
        self._virtual += seconds


class _Selector(selectors.SelectSelector):
    def __init__(self, loop: _Loop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise AssertionError("everybody waits for ever")
        if not ready and timeout is not None:
            self._loop.leap(timeout)
        return ready
