"""Everything around a platform's connection, so that whoever writes an adapter writes one connection.

The core owns: when to connect again and when to stop, silence, order, duplicates, our own echoes, the bounded queue, and
what the panel is told. It knows no platform. An author subclasses `Supervised`:

    class LineChat(Supervised):
        silence = 70.0                                   # the platform's own heartbeat comes every 30 s

        def __init__(self, room: int, **core: Unpack[Core]) -> None:
            super().__init__("line_chat", **core)        # lang, limit, clock, sleep, jitter
            self._room = room

        async def connection(self) -> AsyncIterator[Event]:
            reader, writer = await asyncio.open_connection("chat.example", 9000)
            with contextlib.closing(writer):             # also runs when the core cancels: silence, end of the program
                self.healthy()                           # logged in: what is sent from now on reaches us
                async for line in reader:
                    if line == b"pong\\n":
                        self.alive()                     # no message, yet a sign of life
                    else:
                        yield self._read(line)           # a Message or a Withdrawn; both are signs of life, too

How a connection ends says what happens next:

| it …                                                  | the core …                                                    |
|-------------------------------------------------------|---------------------------------------------------------------|
| returns, or raises Retry(why), OSError, EOFError,     | calls again after 1, 2, 4 … 60 s, drawn at random below that; |
| TimeoutError, aiohttp's or websockets' own errors     | the row starts anew only after 30 s of healthy stream         |
| raises WaitLong(minutes, why): −352, 412, 429, 4009   | calls again after that many minutes                           |
| raises Ended(why): the stream is over for good        | ends `messages()`; the panel shows "done"                     |
| raises AdapterError(text): wrong code, no such room   | ends `messages()` with it; the text tells a person what to do |
| raises anything else                                  | logs its type, says so on the panel, and calls again          |

`why` is one short line for the panel and the log, in `self.lang`: never a token, a cookie or a viewer's words.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import TypedDict, cast

from aiohttp import ClientError
from websockets.exceptions import WebSocketException

from adapters.base import AdapterError, AdapterState, Inbox, Pauses, Phase, Seen
from adapters.echoes import Echoes
from adapters.texts import say
from bot.messages import Event, Message

NOTICE_SECONDS = 600.0  # how long the panel tells of a gap or a fault that is over
CALLS_AN_HOUR = 60  # more than that, and calls are at least a minute apart

# How networks fail; anything else that a connection raises is a fault of the adapter's.
NETWORK_ERRORS = (OSError, EOFError, TimeoutError, ClientError, WebSocketException)

log = logging.getLogger(__name__)


class Core(TypedDict, total=False):
    """What every adapter takes beside its own settings and hands on to the core. `name` is not among them.

    `limit` events wait at most; `clock` is in seconds since 1970; `sleep` and `jitter` (0 to 1) are for tests.
    """

    lang: str
    limit: int
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[object]]
    jitter: Callable[[], float]


class Retry(Exception):
    """This connection is over; the next one may work. `Retry("登录失效")`."""


class WaitLong(Exception):
    """The platform wants to be left alone for some minutes: calling at once would make it worse."""

    def __init__(self, minutes: float, why: str) -> None:
        super().__init__(why)
        self.minutes = minutes


class Ended(Exception):
    """There is nothing more to hear, and that is no mistake: the chat was closed, the recording is over."""


class Supervised(ABC):
    """An adapter whose author writes `connection()` (the module's text says how).

    `silence`: seconds without a sign of life after which a connection counts as dead and is made again; None: never.
    Set it to a little more than two of the platform's own heartbeats: a chat in which nobody writes is not dead.
    `resumes`: whether a new connection brings what was written since the last one, so that there is no gap to tell of.
    """

    silence: float | None = None
    resumes = False

    def __init__(
        self,
        name: str,
        *,
        lang: str = "zh",
        limit: int = 1000,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """The arguments are those of `Core`. What the core keeps to itself has two underscores: no author's name clashes."""
        self.name = name
        self.lang = lang
        self.clock = clock
        self.state = AdapterState()
        self.echoes = Echoes(_now)
        self.__limit = limit
        self.__sleep = sleep
        self.__jitter = jitter
        self.__pauses = Pauses(jitter)
        self.__calls: deque[float] = deque(maxlen=CALLS_AN_HOUR)
        self.__seen = Seen()
        self.__inbox = Inbox(limit)
        self.__healthy_since: float | None = None  # of this connection, by the loop's clock; None: not yet
        self.__sign_of_life = 0.0  # the last one, by the loop's clock
        self.__lost: float | None = None  # the last sign of life of the healthy connection before this one

    # -- what an author writes, and calls ----------------------------------------------------------------------------

    @abstractmethod
    def connection(self) -> AsyncIterator[Event] | Awaitable[None]:
        """One life of one connection: connect, `healthy()`, yield what comes, return or raise when it ends.

        For a library that calls back, a plain `async def` instead: give `take` to the library, wait for its end.
        """

    def healthy(self, detail: str = "") -> None:
        """Connected and logged in: from here on the platform sends us what is written. The first event says so, too."""
        now = _now()
        self.__sign_of_life = now
        if self.__healthy_since is not None:
            return
        self.__healthy_since = now
        if detail or self.state.state is not Phase.LIVE:
            self.state.become(Phase.LIVE, detail)
        if self.__lost is not None and not self.resumes:
            gap = now - self.__lost
            self.notice("gap", say(self.lang, "gap", seconds=max(1.0, gap)), NOTICE_SECONDS)

    def alive(self) -> None:
        """A sign of life that is no message: the platform's own heartbeat."""
        self.__sign_of_life = _now()

    def notice(self, key: str, text: str, seconds: float | None = None) -> None:
        """Tell the panel (never the chat): `notice("login", "未登录，名字已打码")`. One of the same `key` is replaced."""
        self.state.note(key, text, self.clock(), seconds)

    def withdraw_notice(self, key: str) -> None:
        self.state.unnote(key)

    def take(self, event: Event) -> None:
        """What `connection()` yields comes here; a library's callback calls it itself. Never waits."""
        self.healthy()
        if isinstance(event, Message):
            if not self.__seen.first(event.id, _now()):
                self.state.duplicates += 1
                return
            if self.echoes.has(event):
                self.state.echoes += 1
                return
            self.state.heard(self.clock())
        self.state.dropped += self.__inbox.put(event) is not None

    # -- what the show reads -----------------------------------------------------------------------------------------

    async def messages(self) -> AsyncIterator[Event]:
        """What viewers write and what is taken back, in the platform's order, each once. AdapterError: stopped for good."""
        inbox = self.__inbox
        work = asyncio.create_task(self.__supervise(), name=f"adapter {self.name}")
        work.add_done_callback(lambda _: inbox.close())
        try:
            while (event := await inbox.get()) is not None:
                yield event
            await work
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            self.__inbox = Inbox(self.__limit)

    # -- the core ----------------------------------------------------------------------------------------------------

    async def __supervise(self) -> None:
        """Connection after connection, until one ends for good."""
        while True:
            pause = await self.__call()
            if pause is None:
                return
            self.state.next_try = self.clock() + pause
            log.info("%s: %s; %.1f s", self.name, self.state.detail, pause)
            await self.__sleep(pause)
            self.state.reconnects += 1

    async def __call(self) -> float | None:
        """One connection. The seconds until the next one; None: there is none."""
        self.__healthy_since = None
        self.__sign_of_life = _now()
        self.__calls.append(_now())
        self.state.become(Phase.CONNECTING)
        try:
            await self.__live()
            why = say(self.lang, "ended")
        except AdapterError as error:
            self.state.become(Phase.FAILED, str(error))
            raise
        except Ended as end:
            self.state.become(Phase.DONE, str(end))
            return None
        except WaitLong as wait:
            self.__end(say(self.lang, "wait_long", why=wait))
            return wait.minutes * 60 * (1 + self.__jitter() / 4)
        except Retry as error:
            why = str(error)
        except NETWORK_ERRORS as error:
            why = reason(error)
        except Exception as error:
            why = type(error).__name__
            log.error("%s: the connection failed with %s", self.name, why)
            log.debug("in full", exc_info=error)  # what it says may quote a viewer
            self.notice("fault", say(self.lang, "fault", why=why), NOTICE_SECONDS)
        return self.__pause(self.__end(say(self.lang, "lost", why=why)))

    def __end(self, detail: str) -> float:
        """This connection is over; for how many seconds it was healthy."""
        self.state.become(Phase.WAITING, detail)
        if self.__healthy_since is None:
            return 0.0
        # Without a heartbeat to watch, a quiet connection counts as well until it ends.
        self.__lost = _now() if self.silence is None else self.__sign_of_life
        return self.__lost - self.__healthy_since

    def __pause(self, lived: float) -> float:
        pause = self.__pauses.next(lived)
        many = len(self.__calls) == CALLS_AN_HOUR and _now() - self.__calls[0] < 3600
        return max(pause, 3600 / CALLS_AN_HOUR) if many else pause

    async def __live(self) -> None:
        """Runs one connection to its end; ends it when it has been silent for too long."""
        life = asyncio.create_task(self.__read(), name=f"connection {self.name}")
        try:
            while not life.done():
                left = None if self.silence is None else self.__sign_of_life + self.silence - _now()
                if left is not None and left <= 0:
                    raise Retry(say(self.lang, "silent", seconds=self.silence))
                await asyncio.wait({life}, timeout=left)
            if life.cancelled():  # something inside cancelled itself, nobody us
                raise Retry(say(self.lang, "ended"))
            life.result()
        finally:
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)

    async def __read(self) -> None:
        life = self.connection()
        if not isinstance(life, AsyncGenerator):
            await cast(Awaitable[None], life)
            return
        async with aclosing(life):
            async for event in life:
                self.take(event)
                if len(self.__inbox) > self.__limit // 2:
                    await asyncio.sleep(0)  # else a connection with a full buffer keeps its reader from reading


def _now() -> float:
    return asyncio.get_running_loop().time()


def reason(error: BaseException) -> str:
    """One short line of an error that a library raised; a peer may have written part of it."""
    text = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return " ".join(text.split())[:120]
