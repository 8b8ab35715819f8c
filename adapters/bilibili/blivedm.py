"""A room by way of the `blivedm` library, where it is installed: its connection, our supervisor and our normaliser.

Only the raw commands are taken: its own models raise on many real shapes. It calls again by itself every second for
ever, or stops for good; here each of its connections is one of ours, so that pauses are the core's.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
from types import ModuleType
from typing import Any

from aiohttp import ClientSession, CookieJar
from yarl import URL

from adapters.base import AdapterError
from adapters.bilibili.room import Room
from adapters.bilibili.texts import say
from adapters.bilibili.web import Access, tell_if_masked
from adapters.bilibili.web_api import ACCOUNT_HOSTS, PAGE_MINUTES, RoomInfo, WebApi, account_cookie
from adapters.supervisor import Retry, WaitLong

# Not from PyPI, where 0.1.1 is somebody else's upload; without its dependencies, because it asks for an aiohttp of 2024
# (its code runs on today's).
INSTALL = (
    'pip install "pure-protobuf>=3.1.2,<4" "brotli>=1.1" && '
    'pip install --no-deps "blivedm @ git+https://github.com/xfgryujk/blivedm"'
)
LEAST = (1, 1)
BEAT = "_HEARTBEAT"  # the name under which it hands on answers to heartbeats
NO_CALL = 3600.0  # seconds that it may think it waits before it calls again; it is stopped before

logging.getLogger("blivedm").setLevel(logging.CRITICAL)  # it logs whole commands, viewers and all


def load(lang: str) -> ModuleType:
    """AdapterError when it is not installed, or is one that cannot work."""
    try:
        module = importlib.import_module("blivedm")
    except ImportError as error:
        raise AdapterError(say(lang, "no_blivedm", install=INSTALL)) from error
    version = str(getattr(module, "__version__", "0.1.1"))  # the upload on PyPI does not say
    if _numbers(version) < LEAST or not hasattr(module.BLiveClient, "set_reconnect_policy"):
        raise AdapterError(say(lang, "old_blivedm", version=version, install=INSTALL))
    return module


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())


class Blivedm:
    """Asks for the room first, so that a wrong number, or risk control, is told apart from a bad moment."""

    def __init__(self, access: Access, module: ModuleType) -> None:
        """Of the session of `access` only the connector is used: the library takes a session's cookies everywhere."""
        self._access = access
        self._module = module

    async def live(self, room: Room) -> None:
        connector = self._access.session.connector if self._access.session is not None else None
        jar = CookieJar()
        if self._access.sessdata:
            for host in ACCOUNT_HOSTS:  # of these hosts alone: the library also takes the jar to the chat servers
                jar.update_cookies({"SESSDATA": account_cookie(self._access.sessdata)}, URL(f"https://{host}/"))
        async with ClientSession(connector=connector, connector_owner=connector is None, cookie_jar=jar) as session:
            await self._live(room, session)

    async def _live(self, room: Room, session: ClientSession) -> None:
        access = self._access
        info = await WebApi(session, access.places, user_agent=access.user_agent, lang=room.lang).room(access.room_id)
        room.belongs_to(str(info.owner or ""))
        room.on_air(info.live)
        room.withdraw_notice("login")
        client = self._module.BLiveClient(access.room_id, session=session, heartbeat_interval=access.heartbeat)
        listener = _Listener(room, info)
        client.set_handler(listener)
        client.set_reconnect_policy(listener.lost)
        client.start()
        try:
            await listener.over
        finally:
            await client.stop_and_close()


class _Listener:
    """What the library calls. `over` ends as a connection of ours ends."""

    def __init__(self, room: Room, info: RoomInfo) -> None:
        self._room = room
        self._owner = info.owner
        self._detail = say(room.lang, "room", room=info.number)
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def handle(self, client: Any, command: dict[str, Any]) -> None:
        self._room.healthy(self._detail)
        if command.get("cmd") == BEAT:
            self._room.alive()
            return
        if client.uid and client.uid != self._owner:
            self._room.echoes.mine(str(client.uid))
        tell_if_masked(self._room, self._room.receive(command), logged_in=bool(client.uid))

    def lost(self, retries: int, all_retries: int) -> float:
        """Its connection has ended: from here on the pauses are the core's."""
        self._end(Retry(say(self._room.lang, "closed")))
        return NO_CALL

    def on_client_stopped(self, client: Any, exception: Exception | None) -> None:
        """It has given up: −352, 412, a page, or no network. It does not tell which, so it is not called soon."""
        why = type(exception).__name__ if exception is not None else "stopped"
        self._end(WaitLong(PAGE_MINUTES, say(self._room.lang, "blivedm_ended", why=why)))

    def _end(self, error: Exception) -> None:
        if not self.over.done():
            self.over.set_exception(error)
