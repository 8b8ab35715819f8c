"""What an adapter is: something that can be listened to. Knows no platform, and has no way to send.

Whoever writes one needs a `name` and an async generator `messages()`. `state` is optional: with it the panel shows how
the platform is doing. A platform that we post to gets an outlet, which only takes what a person has approved.
"""

from __future__ import annotations

import random
from asyncio import Event
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.errors import UserError
from bot.messages import Message


class AdapterError(UserError):
    """The adapter stops for good: its setting is wrong, or the platform said no. The text tells a person what to do."""


class Phase(StrEnum):
    """How an adapter is doing, as the panel shows it."""

    CONNECTING = "connecting"
    LIVE = "live"
    WAITING = "waiting"  # nobody there; goes on by itself when there is
    DONE = "done"  # nothing more will come
    FAILED = "failed"  # stopped for good


@dataclass(slots=True)
class AdapterState:
    """The adapter writes it, the panel reads it. `last_message` is in seconds since 1970, None before the first one.

    `received` counts messages, `bad` what could not be read, `dropped` messages that gave way because too many waited.
    """

    state: Phase = Phase.CONNECTING
    detail: str = ""
    last_message: float | None = None
    received: int = 0
    bad: int = 0
    dropped: int = 0

    def heard(self, now: float) -> None:
        """One more message has come."""
        self.received += 1
        self.last_message = now

    def become(self, state: Phase, detail: str = "") -> None:
        self.state, self.detail = state, detail


class Adapter(Protocol):
    """One source of messages. `name` is the platform of its viewers and the first part of its messages' ids."""

    name: str

    def messages(self) -> AsyncIterator[Message]:
        """Yields messages until the source ends or the task is cancelled; AdapterError when it can never work.

        Reconnecting is the adapter's own business.
        """
        ...


def state_of(adapter: Adapter) -> AdapterState | None:
    """The adapter's state, or None where its author keeps none."""
    state = getattr(adapter, "state", None)
    return state if isinstance(state, AdapterState) else None


class Inbox:
    """Messages between a connection and whoever reads `messages()`: at most `limit` of them, in order.

    Nobody waits to put one in. When it is full the oldest plain message gives way; a paid one only when all are paid.
    """

    def __init__(self, limit: int = 1000) -> None:
        self._limit = limit
        self._paid: deque[tuple[int, Message]] = deque()
        self._plain: deque[tuple[int, Message]] = deque()
        self._count = 0
        self._filled = Event()

    def put(self, message: Message) -> Message | None:
        """Adds the message and returns the one that gave way, if any (it may be the new one)."""
        self._count += 1
        (self._paid if message.paid else self._plain).append((self._count, message))
        self._filled.set()
        if len(self) <= self._limit:
            return None
        return (self._plain or self._paid).popleft()[1]

    async def get(self) -> Message:
        """The oldest message; waits for one."""
        while not len(self):
            self._filled.clear()
            await self._filled.wait()
        return min(filter(None, (self._paid, self._plain)), key=lambda waiting: waiting[0][0]).popleft()[1]

    def __len__(self) -> int:
        return len(self._paid) + len(self._plain)


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
