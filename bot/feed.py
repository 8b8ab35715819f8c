"""Notices to browsers. Every reader has a bound; one that lags loses what it has not read and is told so.

Nobody who publishes ever waits for a reader.
"""

from __future__ import annotations

import asyncio
from collections import deque
from types import TracebackType
from typing import Any, Self

Event = dict[str, Any]
DROPPED: Event = {"event": "dropped"}


class Feed:
    """Events for as many readers as there are. A reader sees what is published after it subscribed."""

    def __init__(self, bound: int = 256) -> None:
        self._bound = bound
        self._readers: set[Reader] = set()

    def __len__(self) -> int:
        return len(self._readers)

    def publish(self, event: Event) -> None:
        for reader in self._readers:
            reader.put(event)

    def subscribe(self) -> Reader:
        return Reader(self._readers, self._bound)


class Reader:
    """One browser's share of a feed: `with feed.subscribe() as reader: async for event in reader: …`."""

    def __init__(self, readers: set[Reader], bound: int) -> None:
        self._readers = readers
        self._bound = bound
        self._events: deque[Event] = deque()
        self._something = asyncio.Event()

    def put(self, event: Event) -> None:
        if len(self._events) >= self._bound:
            # All of it gives way at once: a snapshot follows, and half a story would be worse than none.
            self._events.clear()
            event = DROPPED
        self._events.append(event)
        self._something.set()

    def __enter__(self) -> Self:
        self._readers.add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._readers.discard(self)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while not self._events:
            self._something.clear()
            await self._something.wait()
        return self._events.popleft()
