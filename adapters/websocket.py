"""The generic websocket: any program that can send JSON can be a chat. Listens as a server, or calls as a client.

Who may speak: whoever knows the token, compared in constant time. A web page of another site can open a connection to
127.0.0.1 from the streamer's own browser, but it brings no cookie and no password with it, only what it knows; so the
token is asked of everyone and `Origin` adds nothing to a right one (bridges inside a browser have odd origins).
With a wrong token another site's page is told 403, anyone else 401.

Answers only bad frames, with `{"type": "error", …}` to the peer that sent them. Replies are an outlet's business.
"""

from __future__ import annotations

import asyncio
import hmac
import http
import json
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Literal, Unpack
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidStatus, InvalidURI
from websockets.frames import CloseCode
from websockets.http11 import Request, Response

from adapters.base import AdapterError, Phase
from adapters.supervisor import NETWORK_ERRORS, Core, Retry, Supervised, reason
from adapters.texts import say
from adapters.wire import FRAME_BYTES, FrameError, event_from_frame, read_frame
from bot.messages import Event

PATH = "/chat"
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_OUR_ANSWERS = {"error", "reply"}  # a peer that speaks our side of the protocol must not start an endless exchange

log = logging.getLogger(__name__)

# The library's debug log holds whole requests, tokens and viewers' words, so it gets a logger that stays above that.
_library_log = logging.getLogger("adapters.websocket.connection")
_library_log.setLevel(logging.WARNING)


class WebsocketServer(Supervised):
    """Programs connect to `ws://host:port/chat?token=…`, or send the token as `Authorization: Bearer …`.

    Port 0 takes a free one; `port` says which after `start`.
    """

    def __init__(self, host: str, port: int, token: str, *, name: str = "websocket", **core: Unpack[Core]) -> None:
        super().__init__(name, **core)
        if not token:
            raise AdapterError(say(self.lang, "no_token"))
        self._host = host
        self._port = port
        self._token = token
        self._server: Server | None = None
        self._peers = 0

    @property
    def port(self) -> int:
        """The port listened on; before `start` the one asked for."""
        return self._port

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
                max_size=FRAME_BYTES,
                open_timeout=5,
                close_timeout=1,
                logger=_library_log,
            )
        except (OSError, OverflowError) as error:
            self.state.become(Phase.FAILED, reason(error))
            text = say(self.lang, "port_taken", host=self._host, port=self._port, reason=reason(error))
            raise AdapterError(text) from error
        self._port = next(iter(self._server.sockets)).getsockname()[1]
        self._count_peers(0)

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
        self._count_peers(0)
        try:
            await asyncio.Event().wait()
        finally:
            await self.close()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """None lets the peer in."""
        if request.path.partition("?")[0] != PATH:
            return connection.respond(http.HTTPStatus.NOT_FOUND, f"Connect to {PATH}?token=...\n")
        if any(_same(given, self._token) for given in _tokens(request)):
            return None
        if _other_site(request):
            return connection.respond(http.HTTPStatus.FORBIDDEN, "Another site's page needs the chat token.\n")
        return connection.respond(http.HTTPStatus.UNAUTHORIZED, f"Wrong token. Connect to {PATH}?token=...\n")

    async def _converse(self, peer: ServerConnection) -> None:
        self._count_peers(+1)
        try:
            async for data in peer:
                try:
                    await self._take(peer, data)
                except FrameError as error:
                    self.state.bad += 1
                    await peer.send(_error_frame(error, self.lang))
        except ConnectionClosed:
            pass  # a peer that falls away, or sent more than 64 KiB, is its own matter
        finally:
            self._count_peers(-1)

    async def _take(self, peer: ServerConnection, data: str | bytes) -> None:
        frame = read_frame(data)
        if frame.get("type") in _OUR_ANSWERS:
            return
        self.take(event_from_frame(frame, self.name, self.clock()))
        # Otherwise a peer with a full buffer keeps the loop to itself, and the inbox drops what could have been read.
        await asyncio.sleep(0)

    def _count_peers(self, change: int) -> None:
        self._peers += change
        detail = say(self.lang, "listening", peers=self._peers) if self._peers else say(self.lang, "nobody")
        self.state.become(Phase.LIVE if self._peers else Phase.WAITING, detail)
        log.info("%s: %s", self.name, detail)


class WebsocketClient(Supervised):
    """Calls a program that offers its chat at `url`."""

    def __init__(self, url: str, *, name: str = "websocket_client", **core: Unpack[Core]) -> None:
        super().__init__(name, **core)
        self._url = url
        self._place = _place(url, self.lang)

    async def connection(self) -> AsyncIterator[Event]:
        """The other side's messages. AdapterError when it refuses the token; everything else is tried again."""
        self.state.become(Phase.CONNECTING, say(self.lang, "calling", place=self._place))
        try:
            async with self._call() as connection:
                self.healthy(say(self.lang, "connected", place=self._place))
                try:
                    async for data in connection:
                        if (event := await self._read(connection, data)) is not None:
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
            self._url, max_size=FRAME_BYTES, open_timeout=10, close_timeout=1, proxy=proxy, logger=_library_log
        )

    async def _read(self, connection: ClientConnection, data: str | bytes) -> Event | None:
        try:
            frame = read_frame(data)
            return None if frame.get("type") in _OUR_ANSWERS else event_from_frame(frame, self.name, self.clock())
        except FrameError as error:
            self.state.bad += 1
            await connection.send(_error_frame(error, self.lang))
            return None

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


def _tokens(request: Request) -> list[str]:
    """Every token that the request offers."""
    offered = parse_qs(request.path.partition("?")[2]).get("token", [])
    for header in request.headers.get_all("Authorization"):
        scheme, _, value = header.partition(" ")
        if scheme.lower() == "bearer":
            offered.append(value.strip())
    return offered


def _same(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "backslashreplace"), token.encode("utf-8", "backslashreplace"))


def _other_site(request: Request) -> bool:
    """True for a browser's page that did not come from this very host and port."""
    origins = request.headers.get_all("Origin")
    hosts = request.headers.get_all("Host")
    return any(origin.partition("://")[2] not in hosts for origin in origins)


def _error_frame(error: FrameError, lang: str) -> str:
    return json.dumps({"type": "error", "error": error.text(lang)}, ensure_ascii=False)
