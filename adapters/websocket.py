"""The generic websocket: any program that can send JSON can be a chat. Listens as a server, or calls as a client.

What a peer sends is our own frames, or another program's by a preset or a mapping (adapters/bridges). A bad one of ours
is answered with `{"type": "error", …}` to the peer that sent it; a bridge hears nothing but what its preset says that it
must. Replies are an outlet's business.
"""

from __future__ import annotations

import asyncio
import http
import json
import logging
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import suppress
from typing import Any, Literal, Unpack
from urllib.parse import urlsplit

from websockets.asyncio.client import connect
from websockets.asyncio.connection import Connection
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidStatus, InvalidURI
from websockets.frames import CloseCode
from websockets.http11 import Request, Response

from adapters.admission import Admission, Allowance
from adapters.base import AdapterError, Phase
from adapters.bridges.mapping import Passed
from adapters.bridges.reading import Answer, Reading, reading
from adapters.supervisor import NETWORK_ERRORS, Core, Retry, Supervised, reason
from adapters.texts import say
from adapters.wire import FRAME_BYTES, FrameError
from bot.messages import Event

PING_SECONDS = 20.0
BAD_FRAMES = 20  # at once; one more is forgiven every three seconds
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}

log = logging.getLogger(__name__)

# The library's debug log holds whole requests, tokens and viewers' words, so it gets a logger that stays above that.
_library_log = logging.getLogger("adapters.websocket.connection")
_library_log.setLevel(logging.WARNING)


class _Ear(Supervised):
    """What both roles do with a frame."""

    _reading: Reading

    async def _heard(self, peer: Connection, data: str | bytes) -> tuple[list[Event], int]:
        """The events in a frame, and how many mistakes. Answers where an answer is due."""
        events: list[Event] = []
        mistakes = 0
        for outcome in self._reading.read(data, self.name, self.clock()):
            if isinstance(outcome, FrameError):
                mistakes += 1
                if self._reading.tells:
                    await peer.send(_error_frame(outcome, self.lang))
            elif isinstance(outcome, Answer):
                await peer.send(outcome.text)
            elif not isinstance(outcome, Passed):
                events.append(outcome)
            elif outcome.reason == "no_rule" and not self.state.received:
                self.notice("bridge", say(self.lang, "bridge_unknown"))
        self.state.bad += mistakes
        if events:
            self.withdraw_notice("bridge")
        return events, mistakes


class WebsocketServer(_Ear):
    """Programs connect to `ws://host:port/chat?token=…`, or send the token as a header or a subprotocol.

    Port 0 takes a free one; `port` says which after `start`. Without a token there is no server, on no address. A peer
    that sends more than `rate` frames a second (twice as many at once) is read more slowly, so that nothing is lost; one
    that goes on sending bad ones is closed.
    """

    def __init__(
        self,
        host: str,
        port: int,
        token: str,
        *,
        name: str = "websocket",
        preset: str = "",
        mapping: Mapping[str, Any] | None = None,
        origins: Collection[str] = (),
        connections: int = 20,
        rate: float = 2000.0,
        **core: Unpack[Core],
    ) -> None:
        super().__init__(name, **core)
        if not token:
            raise AdapterError(say(self.lang, "no_token"))
        self._host = host
        self._port = port
        self._admission = Admission(token, origins)
        self._reading = reading(preset, mapping)
        self._connections = connections
        self._rate = rate
        self._sleep = core.get("sleep", asyncio.sleep)
        self._server: Server | None = None
        self._peers: set[ServerConnection] = set()
        self._told = ""

    @property
    def port(self) -> int:
        """The port listened on; before `start` the one asked for."""
        return self._port

    @property
    def peers(self) -> frozenset[ServerConnection]:
        """Who is connected, for an outlet that tells them what was aired: an adapter itself has nothing to say."""
        return frozenset(self._peers)

    async def start(self) -> None:
        """Listens from now on; AdapterError when the port cannot be had. `messages` does it where nobody has."""
        if self._server is not None:
            return
        try:
            self._server = await serve(
                self._converse,
                self._host,
                self._port,
                process_request=self._admit,
                select_subprotocol=self._admission.subprotocol,
                max_size=FRAME_BYTES,
                open_timeout=5,
                close_timeout=1,
                ping_interval=PING_SECONDS if self._reading.pings else None,
                logger=_library_log,
            )
        except (OSError, OverflowError) as error:
            self.state.become(Phase.FAILED, reason(error))
            text = say(self.lang, "port_taken", host=self._host, port=self._port, reason=reason(error))
            raise AdapterError(text) from error
        self._port = next(iter(self._server.sockets)).getsockname()[1]
        self._count_peers()

    async def close(self) -> None:
        """Says goodbye to every peer; a peer that does not answer is left after a second."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(1.5):
                await server.wait_closed()
        self.state.become(Phase.DONE)

    async def connection(self) -> None:
        """Listens until it is cancelled; each peer's messages come by `take`."""
        await self.start()
        self._count_peers()
        try:
            await asyncio.Event().wait()
        finally:
            await self.close()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        return self._admission.answer(connection, request, full=len(self._peers) >= self._connections)

    async def _converse(self, peer: ServerConnection) -> None:
        self._peers.add(peer)
        self._count_peers()
        try:
            await self._listen(peer)
        except ConnectionClosed:
            pass  # a peer that falls away, or sent more than 64 KiB, is its own matter
        finally:
            self._peers.discard(peer)
            self._count_peers()

    async def _listen(self, peer: ServerConnection) -> None:
        """Until the peer goes, or has sent more bad frames than can be put up with."""
        now = asyncio.get_running_loop().time
        speed, patience = Allowance(self._rate, 2 * self._rate), Allowance(1 / 3, BAD_FRAMES)
        async for data in peer:
            events, mistakes = await self._heard(peer, data)
            for event in events:
                self.take(event)
            if any(patience.take(now()) for _ in range(mistakes)):
                await peer.close(CloseCode.POLICY_VIOLATION, "too many bad frames")
                return
            # 0 as well: otherwise a peer with a full buffer keeps the loop, and the inbox drops what could be read.
            await self._sleep(speed.take(now()))

    def _count_peers(self) -> None:
        peers = len(self._peers)
        detail = say(self.lang, "listening", peers=peers) if peers else say(self.lang, "nobody")
        self.state.become(Phase.LIVE if peers else Phase.WAITING, detail)
        if detail != self._told:
            log.info("%s: %s", self.name, detail)
            self._told = detail


class WebsocketClient(_Ear):
    """Calls a program that offers its chat at `url`; `token` is sent as `Authorization: Bearer …`."""

    def __init__(
        self,
        url: str,
        *,
        name: str = "websocket_client",
        token: str = "",
        preset: str = "",
        mapping: Mapping[str, Any] | None = None,
        **core: Unpack[Core],
    ) -> None:
        super().__init__(name, **core)
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._reading = reading(preset, mapping)
        self._place = _place(url, self.lang)

    async def connection(self) -> AsyncIterator[Event]:
        """The other side's messages. AdapterError when it refuses the token; everything else is tried again."""
        self.state.become(Phase.CONNECTING, say(self.lang, "calling", place=self._place))
        try:
            async with self._call() as connection:
                self.healthy(say(self.lang, "connected", place=self._place))
                try:
                    async for data in connection:
                        for event in (await self._heard(connection, data))[0]:
                            yield event
                finally:
                    await connection.close(CloseCode.GOING_AWAY)  # the library calls a cancelled reader an error
        except NETWORK_ERRORS as error:
            self._give_up_if_refused(error)
            raise Retry(say(self.lang, "lost_place", place=self._place, reason=reason(error))) from error
        raise Retry(say(self.lang, "lost_place", place=self._place, reason=say(self.lang, "closed")))

    def _call(self) -> connect:
        # A bridge on this machine is never behind the proxy that the system is set to use.
        proxy: Literal[True] | None = None if urlsplit(self._url).hostname in _LOOPBACK else True
        return connect(
            self._url,
            additional_headers=self._headers,
            max_size=FRAME_BYTES,
            open_timeout=10,
            close_timeout=1,
            ping_interval=PING_SECONDS if self._reading.pings else None,
            proxy=proxy,
            logger=_library_log,
        )

    def _give_up_if_refused(self, error: Exception) -> None:
        """A wrong token stays wrong; a bridge that starts later than we do answers 404 or 502 for a while."""
        if isinstance(error, InvalidURI):
            raise AdapterError(say(self.lang, "bad_url")) from error
        status = error.response.status_code if isinstance(error, InvalidStatus) else None
        if status in (http.HTTPStatus.UNAUTHORIZED, http.HTTPStatus.FORBIDDEN):
            raise AdapterError(say(self.lang, "refused", place=self._place, status=int(status))) from error


def _place(url: str, lang: str) -> str:
    """Host and port of an address: all of it that a log or a screen may show (the rest can hold a token)."""
    try:
        parts = urlsplit(url)
        place = f"{parts.hostname}:{parts.port}" if parts.port else f"{parts.hostname}"
    except ValueError:
        raise AdapterError(say(lang, "bad_url")) from None
    if parts.scheme not in ("ws", "wss") or not parts.hostname:
        raise AdapterError(say(lang, "bad_url"))
    return place


def _error_frame(error: FrameError, lang: str) -> str:
    return json.dumps({"type": "error", "error": error.text(lang)}, ensure_ascii=False)
