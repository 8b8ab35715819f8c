"""The websocket that both of Bilibili's protocols share: log in, keep it alive, hand every command on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from aiohttp import ClientSession, ClientWebSocketResponse, ClientWSTimeout, WSMsgType

from adapters.bilibili import packets
from adapters.bilibili.room import HEARTBEAT, Room
from adapters.bilibili.texts import say
from adapters.supervisor import Retry

FRAME_BYTES = 4 << 20
CONNECT_SECONDS = 10.0
LOGIN_SECONDS = 5.0
HEARTBEAT_BODY = b"{}"


async def listen(
    room: Room,
    session: ClientSession,
    url: str,
    login: bytes,
    receive: Callable[[object], object],
    *,
    headers: Mapping[str, str] | None = None,
    detail: str = "",
    heartbeat: float = HEARTBEAT,
) -> None:
    """Until the server closes. `login` is the body of the first packet; Retry when it is refused or not answered."""
    async with asyncio.timeout(CONNECT_SECONDS):
        socket = await session.ws_connect(
            url, headers=headers, max_msg_size=FRAME_BYTES, timeout=ClientWSTimeout(ws_close=1.0)
        )
    async with socket:
        await socket.send_bytes(packets.packet(packets.AUTH, login))
        try:
            async with asyncio.timeout(LOGIN_SECONDS):
                early = await _logged_in(room, socket)
        except TimeoutError:
            raise Retry(say(room.lang, "no_answer")) from None
        room.healthy(detail)
        beats = asyncio.create_task(_beat(socket, heartbeat), name=f"heartbeat {room.name}")
        try:
            for command in early:
                receive(command)
            while (found := await _next(room, socket)) is not None:
                if found.auth not in (None, 0):
                    raise Retry(say(room.lang, "refused", code=found.auth))
                for command in found.commands:
                    receive(command)
                if found.heartbeats or found.commands:
                    room.alive()
                await asyncio.sleep(0)  # a full buffer must not keep whoever reads the messages from reading
        finally:
            beats.cancel()
            await asyncio.gather(beats, return_exceptions=True)  # a beat that failed: the reading side ends as well
    raise Retry(say(room.lang, "closed"))


async def _logged_in(room: Room, socket: ClientWebSocketResponse) -> list[object]:
    """Waits for the server's yes; what came with it."""
    early: list[object] = []
    while (found := await _next(room, socket)) is not None:
        early += found.commands
        if found.auth == 0:
            return early
        if found.auth is not None:
            raise Retry(say(room.lang, "refused", code=found.auth))
    raise Retry(say(room.lang, "closed"))


async def _next(room: Room, socket: ClientWebSocketResponse) -> packets.Found | None:
    """The next frame; None: the connection is over."""
    message = await socket.receive()
    if message.type is WSMsgType.BINARY:
        found = packets.read(message.data)
        room.state.bad += found.bad
        return found
    if message.type is WSMsgType.TEXT:
        room.state.bad += 1
        return packets.Found()
    if message.type is WSMsgType.ERROR and isinstance(message.data, Exception):
        raise message.data
    return None


async def _beat(socket: ClientWebSocketResponse, seconds: float) -> None:
    while True:
        await socket.send_bytes(packets.packet(packets.HEARTBEAT, HEARTBEAT_BODY))
        await asyncio.sleep(seconds)
