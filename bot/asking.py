"""Asks the user's own services (moderation/providers.py) in time: about messages before they are heard, about words before
a person may approve them. Without services nothing here waits or costs anything.

Nothing is lost by it and nothing is let through: what has no answer in time goes on as unchecked, and the checks say so.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from bot.messages import Event, Message
from moderation import Direction
from moderation.providers import Providers

log = logging.getLogger(__name__)

MOST_WAITING = 200  # messages of one platform

Hear = Callable[[Event], None]


class Asking:
    """`services` None: nobody is asked."""

    def __init__(self, services: Providers | None = None, *, most: int = MOST_WAITING) -> None:
        self._services = services
        self._most = most
        self._under_way: dict[tuple[str, Direction], asyncio.Task[None]] = {}

    @asynccontextmanager
    async def in_turn(self, hear: Hear) -> AsyncIterator[Hear]:
        """Gives what takes a platform's events and hands each to `hear`, in their order, once it has been asked about."""
        if self._services is None:
            yield hear
            return
        row = _Row(self._about, hear, self._most)
        try:
            yield row.put
            await row.settled()
        finally:
            row.close()

    def masked(self, message: Message) -> None:
        """What the checks have made of a message is another text, and will be screened as well."""
        self._start(message.text, Direction.IN)
        self._start(message.viewer.name, Direction.IN)

    async def about_reply(self, text: str) -> None:
        if self._services is not None:
            await self._services.ask(text, Direction.OUT)

    def must_ask(self, text: str) -> bool:
        """Whether a service has not said what it finds in these words for the audience."""
        return self._services is not None and not self._services.answered(text, Direction.OUT)

    def too_early(self, text: str) -> bool:
        """Whether a service may still answer about these words, or one was never asked. In any case it is asked now if
        it has not answered, so that it is known the next time."""
        if self._services is None or not self.must_ask(text):
            return False
        early = not self._services.asked(text, Direction.OUT)
        self.soon(text)
        return early

    def soon(self, text: str) -> None:
        """These words for the audience will be proposed: by then it should be known what a service finds in them."""
        self._start(text, Direction.OUT)

    async def _about(self, event: Event) -> None:
        if isinstance(event, Message) and self._services is not None:
            name = self._services.ask(event.viewer.name, Direction.IN)
            await asyncio.gather(name, self._services.ask(event.text, Direction.IN))

    def _start(self, text: str, direction: Direction) -> None:
        key = text, direction
        if self._services is not None and key not in self._under_way:
            self._under_way[key] = asking = asyncio.create_task(self._services.ask(text, direction))
            asking.add_done_callback(lambda _: self._under_way.pop(key, None))


class _Row:
    """A platform's events in the order in which they came, each with the task that asks about it.

    A slow service does not hold up the platform: when more than `most` wait, the first goes on without an answer.
    """

    def __init__(self, ask: Callable[[Event], Awaitable[None]], hear: Hear, most: int) -> None:
        self._ask = ask
        self._hear = hear
        self._most = most
        self._row: deque[tuple[Event, asyncio.Task[None]]] = deque()

    def put(self, event: Event) -> None:
        asking = asyncio.create_task(self._asked(event))
        self._row.append((event, asking))
        asking.add_done_callback(lambda _: self._go_on())
        self._go_on()

    async def settled(self) -> None:
        while self._row:
            await asyncio.wait([asking for _, asking in self._row])
            self._go_on()

    def close(self) -> None:
        """Whoever closes before all is settled ends the show: what waits here goes the way of all that waits."""
        tasks = [asking for _, asking in self._row]
        self._row.clear()
        for asking in tasks:
            asking.cancel()

    def _go_on(self) -> None:
        while self._row and (self._row[0][1].done() or len(self._row) > self._most):
            event, asking = self._row.popleft()
            asking.cancel()
            self._hear(event)

    async def _asked(self, event: Event) -> None:
        try:
            await self._ask(event)
        except Exception as error:  # a fault of ours: the message is heard all the same, unchecked
            log.error("asking about a message failed: %s", type(error).__name__)
            log.debug("in full", exc_info=error)
