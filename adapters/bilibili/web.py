"""A room as Bilibili's web pages see it: unofficial, needs no permission, and masks names for guests."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field

from aiohttp import ClientSession, DummyCookieJar

from adapters.bilibili.reading import Reading
from adapters.bilibili.room import HEARTBEAT, Room, masked
from adapters.bilibili.stream import listen
from adapters.bilibili.texts import say
from adapters.bilibili.web_api import BILIBILI, KEY_SECONDS, USER_AGENT, Account, Places, WebApi
from adapters.supervisor import WaitLong

PROTOCOL = 2  # zlib, which the standard library reads; 3 would be brotli


@dataclass(frozen=True, slots=True)
class Access:
    """How a room is reached. `session` is used and never closed; None: an own one for each connection. `sessdata`: the
    cookie of that name of an account, "" for a guest."""

    room_id: int
    session: ClientSession | None = None
    sessdata: str = field(default="", repr=False)
    user_agent: str = USER_AGENT
    places: Places = BILIBILI
    heartbeat: float = HEARTBEAT


class Web:
    """Every connection asks for a new token and takes the next server of the list."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._buvid3 = ""
        self._account: tuple[Account, float] | None = None  # and until when it holds, by the loop's clock
        self._calls = 0

    async def live(self, room: Room) -> None:
        if self._access.session is not None:
            return await self._live(room, self._access.session)
        async with ClientSession(cookie_jar=DummyCookieJar()) as session:
            await self._live(room, session)

    async def _live(self, room: Room, session: ClientSession) -> None:
        access = self._access
        api = WebApi(session, access.places, sessdata=access.sessdata, user_agent=access.user_agent, lang=room.lang)
        api.buvid3 = self._buvid3
        account = await self._who_we_are(room, api)
        await api.find_buvid3()
        self._buvid3 = api.buvid3
        info = await api.room(access.room_id)
        room.belongs_to(str(info.owner or ""))
        if account.uid and account.uid != info.owner:  # streamers also write by hand: there the words decide
            room.echoes.mine(str(account.uid))
        room.on_air(info.live)
        try:
            token, servers = await api.chat_servers(info.number, account.key, room.clock())
        except WaitLong:
            self._account = None  # the key may have changed
            raise
        host, port = servers[self._calls % len(servers)]
        self._calls += 1
        login = {
            "uid": account.uid,
            "roomid": info.number,
            "protover": PROTOCOL,
            "platform": "web",
            "type": 2,
            "buvid": self._buvid3,
            "key": token,
        }
        await listen(
            room,
            session,
            access.places.websocket or f"wss://{host}:{port}/sub",
            json.dumps(login).encode(),
            lambda command: tell_if_masked(room, room.receive(command), logged_in=account.uid != 0),
            headers=api.headers,
            detail=say(room.lang, "room", room=info.number),
            heartbeat=access.heartbeat,
        )

    async def _who_we_are(self, room: Room, api: WebApi) -> Account:
        """The account of SESSDATA, or a guest; kept for as long as its key holds."""
        now = asyncio.get_running_loop().time()
        if self._account is not None and now < self._account[1]:
            return self._account[0]
        account = await api.account()
        self._account = account, now + KEY_SECONDS
        room.withdraw_notice("login")
        if not account.uid and self._access.sessdata:
            room.notice("login", say(room.lang, "expired"))
        return account


def tell_if_masked(room: Room, reading: Reading, *, logged_in: bool) -> None:
    """Names that Bilibili hides are a sign that we are not logged in: said once a connection."""
    if masked(reading) and "login" not in room.state.notices:
        room.notice("login", say(room.lang, "still_masked" if logged_in else "not_logged_in"))
