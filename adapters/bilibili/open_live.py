"""Bilibili's official way: a streamer lets a registered program hear the room. https://open-live.bilibili.com/document/

Every connection is a game of its own, which has to be kept alive and to be ended: a room whose game was not ended may be
refused for a while.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession, DummyCookieJar

from adapters.base import AdapterError
from adapters.bilibili.room import HEARTBEAT, Room
from adapters.bilibili.stream import listen
from adapters.bilibili.texts import say
from adapters.bilibili.web_api import BILIBILI, TIMEOUT, Places, answer, plain
from adapters.fields import at, text, whole
from adapters.supervisor import NETWORK_ERRORS, Retry, WaitLong

GAME_HEARTBEAT = 20.0  # seconds; 60 without one end the game
END_SECONDS = 3.0  # how long the end of a game may hold up the end of the program

BAD_CODE, TOO_MANY = 7007, 7010
BAD_KEYS = frozenset({4001, 4002, 4007, 4008})  # no such app, signature, address or rights not allowed
LAPSED = frozenset({7000, 7003})  # the game is closed, or its heartbeat came too late
LEAVE_ALONE = {4009: 5.0, 7001: 2.0, 7002: 2.0}  # too many calls; the room's last game is not over yet: minutes

INTERACTION_END = "LIVE_OPEN_PLATFORM_INTERACTION_END"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Keys:
    """The developer's keys and app, and the streamer's identity code. All four are needed."""

    access_key_id: str = field(repr=False)
    access_key_secret: str = field(repr=False)
    app_id: int
    code: str = field(repr=False)

    def check(self, lang: str) -> None:
        """AdapterError names what is missing."""
        missing = [name for name in ("access_key_id", "access_key_secret", "app_id", "code") if not getattr(self, name)]
        if missing:
            raise AdapterError(say(lang, "half_keys", missing="、".join(missing)))


def signature(body: bytes, key_id: str, secret: str, *, nonce: str, now: float) -> dict[str, str]:
    """The headers that Open Live asks for: six, sorted, one a line, signed with the secret."""
    headers = {
        "x-bili-accesskeyid": key_id,
        "x-bili-content-md5": hashlib.md5(body).hexdigest(),
        "x-bili-signature-method": "HMAC-SHA256",
        "x-bili-signature-nonce": nonce,
        "x-bili-signature-version": "1.0",
        "x-bili-timestamp": str(int(now)),
    }
    lines = "\n".join(f"{name}:{value}" for name, value in headers.items())
    signed = hmac.new(secret.encode(), lines.encode(), hashlib.sha256).hexdigest()
    return headers | {"Authorization": signed, "Content-Type": "application/json", "Accept": "application/json"}


@dataclass(frozen=True, slots=True)
class Game:
    """What was started. `id` is "" while the app is not released: then it needs no heartbeat and no end."""

    id: str
    login: str
    servers: tuple[str, ...]
    room: int
    owner: str


class OpenLive:
    def __init__(
        self,
        keys: Keys,
        *,
        session: ClientSession | None = None,
        places: Places = BILIBILI,
        heartbeat: float = HEARTBEAT,
        game_heartbeat: float = GAME_HEARTBEAT,
    ) -> None:
        """`session` None: an own one for each connection."""
        self._keys = keys
        self._session = session
        self._places = places
        self._heartbeat = heartbeat
        self._game_heartbeat = game_heartbeat
        self._calls = 0

    async def live(self, room: Room) -> None:
        if self._session is not None:
            return await self._live(room, self._session)
        async with ClientSession(cookie_jar=DummyCookieJar()) as session:
            await self._live(room, session)

    async def _live(self, room: Room, session: ClientSession) -> None:
        game = await self._start(room, session)
        room.belongs_to(game.owner)
        tasks = [
            asyncio.create_task(self._listen(room, session, game), name=f"chat {room.name}"),
            asyncio.create_task(self._keep(room, session, game), name=f"game {room.name}"),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._end(room, session, game)

    async def _start(self, room: Room, session: ClientSession) -> Game:
        found = await self._ask(room, session, "/v2/app/start", {"code": self._keys.code, "app_id": self._keys.app_id})
        data, code = at(found, "data"), whole(at(found, "code"))
        if code == BAD_CODE:
            raise AdapterError(say(room.lang, "bad_code", code=code))
        if code == TOO_MANY:
            raise AdapterError(say(room.lang, "too_many", code=code))
        if code in BAD_KEYS:
            raise AdapterError(say(room.lang, "bad_keys", code=code, message=plain(at(found, "message"))))
        if code in LEAVE_ALONE:
            raise WaitLong(LEAVE_ALONE[code], say(room.lang, "code", code=code, message=plain(at(found, "message"))))
        links = at(data, "websocket_info", "wss_link")
        servers = tuple(link for link in links if isinstance(link, str)) if isinstance(links, list) else ()
        login = text(at(data, "websocket_info", "auth_body"))
        if code != 0 or not servers or not login:
            raise Retry(say(room.lang, "code", code=code, message=plain(at(found, "message"))))
        return Game(
            text(at(data, "game_info", "game_id")),
            login,
            servers,
            whole(at(data, "anchor_info", "room_id")),
            text(at(data, "anchor_info", "open_id")),
        )

    async def _listen(self, room: Room, session: ClientSession, game: Game) -> None:
        server = game.servers[self._calls % len(game.servers)]
        self._calls += 1

        def receive(command: object) -> None:
            if at(command, "cmd") == INTERACTION_END and at(command, "data", "game_id") == game.id:
                raise Retry(say(room.lang, "ended"))
            room.receive(command)

        await listen(
            room,
            session,
            self._places.websocket or server,
            game.login.encode(),
            receive,
            detail=say(room.lang, "game", room=game.room),
            heartbeat=self._heartbeat,
        )

    async def _keep(self, room: Room, session: ClientSession, game: Game) -> None:
        """The game's own heartbeat. One that does not get through is no matter: three in a row end the game."""
        while True:
            await asyncio.sleep(self._game_heartbeat)
            if not game.id:
                continue
            try:
                code = whole(at(await self._ask(room, session, "/v2/app/heartbeat", {"game_id": game.id}), "code"))
            except (Retry, WaitLong, *NETWORK_ERRORS) as error:
                log.info("%s: a heartbeat of the game failed: %s", room.name, type(error).__name__)
                continue
            if code in LAPSED:
                raise Retry(say(room.lang, "lapsed", code=code))

    async def _end(self, room: Room, session: ClientSession, game: Game) -> None:
        """However the connection ends, cancelled or not."""
        if not game.id:
            return
        try:
            async with asyncio.timeout(END_SECONDS):
                await self._ask(room, session, "/v2/app/end", {"app_id": self._keys.app_id, "game_id": game.id})
        except (Retry, WaitLong, *NETWORK_ERRORS) as error:
            log.warning("%s: the game could not be ended: %s", room.name, type(error).__name__)

    async def _ask(self, room: Room, session: ClientSession, path: str, fields: Mapping[str, Any]) -> object:
        body = json.dumps(fields).encode()
        headers = signature(
            body,
            self._keys.access_key_id,
            self._keys.access_key_secret,
            nonce=secrets.token_hex(16),
            now=room.clock(),
        )
        async with session.post(
            self._places.open_live + path, data=body, headers=headers, timeout=TIMEOUT, allow_redirects=False
        ) as response:
            return await answer(response, room.lang)
