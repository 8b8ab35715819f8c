"""What an adapter is: something that can be listened to. Knows no platform, and has no way to send.

The show needs a `name` and an async iterator `messages()`; `state` is optional: with it the panel shows how the
platform is doing. Whoever writes one starts from `adapters.supervisor.Supervised`, which has all three and asks for one
connection. A platform that we post to gets an outlet, which only takes what a person has approved.
"""

from __future__ import annotations

import asyncio
import random
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Hashable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from bot.errors import UserError
from bot.messages import Event, Message

# The version of what adapters and the show expect of each other. It rises when an adapter has to be rewritten.
API = 1


class AdapterError(UserError):
    """The adapter stops for good: its setting is wrong, or the platform said no. The text tells a person what to do."""


class Phase(StrEnum):
    """How an adapter is doing, as the panel shows it."""

    CONNECTING = "connecting"
    LIVE = "live"
    WAITING = "waiting"  # nobody there; goes on by itself when there is
    DONE = "done"  # nothing more will come
    FAILED = "failed"  # stopped for good


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a person should know about a platform that is not an error: a gap, masked names, the quota.

    `since` and `until` are in seconds since 1970; `until` None: it stands until it is taken back.
    """

    text: str
    since: float
    until: float | None = None


@dataclass(slots=True)
class AdapterState:
    """The adapter writes it, the panel reads it. Times are in seconds since 1970, None: not yet, or not now.

    `received` counts messages that were passed on; `bad` what could not be read; `dropped` messages that gave way
    because too many waited; `duplicates` what the platform sent twice; `echoes` our own words that came back;
    `reconnects` connections after the first. `next_try` is when a lost platform is called again.
    """

    state: Phase = Phase.CONNECTING
    detail: str = ""
    last_message: float | None = None
    received: int = 0
    bad: int = 0
    dropped: int = 0
    duplicates: int = 0
    echoes: int = 0
    reconnects: int = 0
    next_try: float | None = None
    notices: dict[str, Notice] = field(default_factory=dict)

    def heard(self, now: float) -> None:
        """One more message has come."""
        self.received += 1
        self.last_message = now

    def note(self, key: str, text: str, now: float, seconds: float | None = None) -> None:
        """Tells the panel (never the chat) for so many seconds; None: until it is taken back. `key`: what it replaces."""
        self.notices[key] = Notice(text, now, None if seconds is None else now + seconds)

    def unnote(self, key: str) -> None:
        self.notices.pop(key, None)

    def become(self, state: Phase, detail: str = "", next_try: float | None = None) -> None:
        self.state, self.detail, self.next_try = state, detail, next_try


class Adapter(Protocol):
    """One source of messages. `name` is the platform of its viewers and the first part of its messages' ids."""

    name: str

    def messages(self) -> AsyncIterator[Event]:
        """Yields what comes until the source ends or the task is cancelled; AdapterError when it can never work.

        Reconnecting is the adapter's own business.
        """
        ...


def state_of(adapter: Adapter) -> AdapterState | None:
    """The adapter's state, or None where its author keeps none."""
    state = getattr(adapter, "state", None)
    return state if isinstance(state, AdapterState) else None


class Inbox:
    """What waits between a connection and whoever reads `messages()`: at most `limit` events, in order.

    Nobody waits to put one in. When it is full the oldest plain message gives way; a paid one only when no plain one
    waits, and a withdrawal only when nothing else does.
    """

    def __init__(self, limit: int = 1000) -> None:
        self._limit = limit
        self._plain: deque[tuple[int, Event]] = deque()
        self._paid: deque[tuple[int, Event]] = deque()
        self._withdrawn: deque[tuple[int, Event]] = deque()
        self._count = 0
        self._stirred = asyncio.Event()
        self._closed = False

    def put(self, event: Event) -> Event | None:
        """Adds it and returns the one that gave way, if any (it may be the new one)."""
        self._count += 1
        self._row(event).append((self._count, event))
        self._stirred.set()
        if len(self) <= self._limit:
            return None
        return (self._plain or self._paid or self._withdrawn).popleft()[1]

    async def get(self) -> Event | None:
        """The oldest; waits for one. None once the inbox is closed and empty."""
        while not len(self):
            if self._closed:
                return None
            self._stirred.clear()
            await self._stirred.wait()
        rows = filter(None, (self._plain, self._paid, self._withdrawn))
        return min(rows, key=lambda waiting: waiting[0][0]).popleft()[1]

    def close(self) -> None:
        """Nothing more will come."""
        self._closed = True
        self._stirred.set()

    def _row(self, event: Event) -> deque[tuple[int, Event]]:
        if not isinstance(event, Message):
            return self._withdrawn
        return self._paid if event.paid else self._plain

    def __len__(self) -> int:
        return len(self._plain) + len(self._paid) + len(self._withdrawn)


class Seen:
    """What was there before: the last `limit` keys, each for `seconds` since it was last there.

    The last `least` stay whatever their age, so that a slow chat's history, sent again after an outage, is known.
    """

    def __init__(self, limit: int = 20_000, seconds: float = 600.0, least: int = 1000) -> None:
        self._limit = limit
        self._least = least
        self._seconds = seconds
        self._times: OrderedDict[Hashable, float] = OrderedDict()  # the one that was there longest ago first

    def first(self, key: Hashable, now: float) -> bool:
        """Whether `key` is new; from now on it is not."""
        new = key not in self._times
        self._times[key] = now
        self._times.move_to_end(key)
        while len(self._times) > self._limit or (len(self._times) > self._least and self._oldest(now) >= self._seconds):
            self._times.popitem(last=False)
        return new

    def _oldest(self, now: float) -> float:
        """Its age, in seconds."""
        return now - next(iter(self._times.values()))

    def __len__(self) -> int:
        return len(self._times)


class Pauses:
    """How long to wait before trying again: up to 1, 2, 4 … 60 s, drawn at random below that (full jitter).

    Full jitter keeps many clients of one restarted server from coming back together. Only a connection that has lived
    for 30 s starts the row again, so that a server which accepts and drops is not called every second.
    """

    def __init__(
        self, jitter: Callable[[], float] = random.random, longest: float = 60.0, healthy: float = 30.0
    ) -> None:
        self._jitter = jitter
        self._longest = longest
        self._healthy = healthy
        self._ceiling = 1.0

    def next(self, lived: float) -> float:
        """Seconds to wait now that a connection ended after `lived` seconds (0: it never came to be)."""
        if lived >= self._healthy:
            self._ceiling = 1.0
        pause = self._jitter() * self._ceiling
        self._ceiling = min(self._longest, self._ceiling * 2)
        return pause
