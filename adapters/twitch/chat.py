"""Listens to a Twitch chat: anonymous IRC over a websocket. Needs no account, and has none to write with.

The order of the talk, found in clients and recordings: CAP REQ for tags and commands, PASS, NICK justinfan and
digits, `001`, JOIN; the chat's ROOMSTATE says that we are in. Twitch itself prefers EventSub, which needs a user's token.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Unpack

from websockets.asyncio.client import ClientConnection, connect

from adapters.base import AdapterError
from adapters.supervisor import Core, Retry, Supervised, WaitLong
from adapters.texts import say
from adapters.twitch.irc import Line, channel_name, lines, parse
from adapters.twitch.reading import PLATFORM, Reader, Reason, SharedChat
from bot.messages import Message, Withdrawn
from bot.pace import Pace

URL = "wss://irc-ws.chat.twitch.tv:443"
JOINS = (20, 10.0)  # so many in so many seconds, or Twitch takes none for minutes
FRAME_BYTES = 1 << 20
NOTICE_SECONDS = 600.0
NO_SUCH_CHANNEL = frozenset({"msg_channel_suspended", "msg_room_not_found", "tos_ban"})
REFUSED_LOGIN = ("login authentication failed", "login unsuccessful", "improperly formatted auth", "invalid nick")
PASSWORD = "SCHMOOPIIE"  # the one that anonymous readers have always sent; none is checked
WELCOME, JOINED = frozenset({"001"}), frozenset({"ROOMSTATE", "366"})

# The library's debug log holds whole lines, viewers' words and all.
_library_log = logging.getLogger("adapters.twitch.connection")
_library_log.setLevel(logging.WARNING)


class TwitchAdapter(Supervised):
    """The chat of one channel (its name, or the address of its page).

    `shared_chat`: what becomes of messages that were written in another room of a shared chat; "mark" adds it to the
    viewer's name. Raises AdapterError where there can be no such channel.
    """

    silence = 150.0  # Twitch answers our PING, once a minute; its own comes every five
    ping_seconds = 60.0
    answer_seconds = 15.0  # for the login, and again for being let into the chat

    def __init__(self, channel: str, *, shared_chat: SharedChat = "mark", url: str = URL, **core: Unpack[Core]) -> None:
        super().__init__(PLATFORM, **core)
        name = channel_name(channel)
        if name is None:
            raise AdapterError(say(self.lang, "twitch_channel", value=channel[:60]))
        if shared_chat not in ("mark", "drop"):
            raise AdapterError(say(self.lang, "twitch_shared", value=shared_chat))
        self.channel = name
        self._url = url
        self._reader = Reader(shared_chat)
        self._joins = Pace(*JOINS, sleep=core.get("sleep", asyncio.sleep))

    async def connection(self) -> None:
        """Logs in, joins, and hands over what is written until the connection ends."""
        async with await self._call() as socket, aclosing(_lines(socket)) as heard:  # type: ignore[type-var]
            await self._log_in(socket, heard)
            self.healthy(f"#{self.channel}")
            self.withdraw_notice("no_answer")
            pings = asyncio.create_task(self._ping(socket), name="twitch pings")
            try:
                async for line in heard:
                    await self._hear(socket, line)
            finally:
                pings.cancel()
                await asyncio.gather(pings, return_exceptions=True)

    async def _call(self) -> ClientConnection:
        try:
            return await connect(self._url, max_size=FRAME_BYTES, open_timeout=10, close_timeout=1, logger=_library_log)
        except ImportError as error:  # the library takes the system's proxy, and for one kind needs another package
            raise AdapterError(say(self.lang, "twitch_socks")) from error

    async def _log_in(self, socket: ClientConnection, heard: AsyncIterator[Line | None]) -> None:
        """Returns when we are in the chat. A name that does not exist is answered with silence."""
        nick = f"justinfan{random.randrange(10_000, 100_000)}"
        await socket.send(f"CAP REQ :twitch.tv/tags twitch.tv/commands\r\nPASS {PASSWORD}\r\nNICK {nick}\r\n")
        await self._until(socket, heard, WELCOME)
        await self._joins.turn()
        await socket.send(f"JOIN #{self.channel}\r\n")
        try:
            await self._until(socket, heard, JOINED)
        except TimeoutError:
            why = say(self.lang, "twitch_no_answer", channel=self.channel)
            self.notice("no_answer", why)
            raise Retry(why) from None

    async def _until(
        self, socket: ClientConnection, heard: AsyncIterator[Line | None], commands: frozenset[str]
    ) -> None:
        async with asyncio.timeout(self.answer_seconds):
            async for line in heard:
                await self._hear(socket, line)
                if line is not None and line.command in commands:
                    return
        raise Retry(say(self.lang, "closed"))

    async def _ping(self, socket: ClientConnection) -> None:
        """Twitch's PONG is the sign of life of a chat in which nobody writes."""
        while True:
            await asyncio.sleep(self.ping_seconds)
            await socket.send("PING :cohost\r\n")

    async def _hear(self, socket: ClientConnection, line: Line | None) -> None:
        if line is None:
            self.state.bad += 1
            return
        self.alive()
        match line.command:
            case "PING":
                await socket.send(f"PONG :{line.params[-1] if line.params else ''}\r\n")
            case "RECONNECT":
                raise Retry(say(self.lang, "twitch_reconnect"))
            case "CAP" if "NAK" in line.params:
                raise WaitLong(10, say(self.lang, "twitch_no_tags"))
            case "NOTICE":
                self._told(line)
            case _:
                self._take(line)

    def _take(self, line: Line) -> None:
        found = self._reader.read(line, self.clock())
        if isinstance(found, Message | Withdrawn):
            self.take(found)
        elif found is Reason.BROKEN:
            self.state.bad += 1

    def _told(self, line: Line) -> None:
        """What Twitch says to us. Its words go to the panel; no viewer wrote them."""
        what, words = line.tags.get("msg-id", ""), " ".join(line.words.split())[:200]
        if what in NO_SUCH_CHANNEL:
            raise AdapterError(say(self.lang, "twitch_no_channel", channel=self.channel, why=words))
        if words.lower().startswith(REFUSED_LOGIN):
            raise WaitLong(10, say(self.lang, "twitch_no_login", why=words))
        if words:
            self.notice("told", f"Twitch：{words}", NOTICE_SECONDS)


async def _lines(socket: ClientConnection) -> AsyncIterator[Line | None]:
    """Line by line; None for one that cannot be read. Lets others run after every frame: the library, with frames in
    store, does not."""
    async for frame in socket:
        for line in lines(frame):
            yield parse(line)
        await asyncio.sleep(0)
