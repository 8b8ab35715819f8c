"""Bilibili: the official Open Live platform, or a room as the web pages see it. Listens only."""

from __future__ import annotations

from typing import Unpack

from aiohttp import ClientSession

from adapters.base import AdapterError
from adapters.bilibili.open_live import Keys, OpenLive
from adapters.bilibili.room import HEARTBEAT, Room, Transport
from adapters.bilibili.texts import say
from adapters.bilibili.web import Web
from adapters.bilibili.web_api import BILIBILI, USER_AGENT, Places
from adapters.supervisor import Core

__all__ = ["BilibiliAdapter", "Keys", "Places"]


class BilibiliAdapter(Room):
    """A room by its number (the short one will do), or by the streamer's identity code with the keys of Open Live."""

    cohost_api = 1

    def __init__(
        self,
        room_id: int | None = None,
        *,
        transport: str = "auto",
        open_live: Keys | None = None,
        session: ClientSession | None = None,
        sessdata: str = "",
        user_agent: str = USER_AGENT,
        places: Places = BILIBILI,
        heartbeat: float = HEARTBEAT,
        **core: Unpack[Core],
    ) -> None:
        """`open_live` goes before `room_id`, and `transport` is about the latter only. `session` is used and never
        closed; None: an own one for each connection. `sessdata`: the cookie of that name of an account, "" for a guest.
        AdapterError: a setting that can never work."""
        lang = core.get("lang", "zh")
        way: Transport
        if transport not in ("auto", "builtin", "blivedm"):
            raise AdapterError(say(lang, "no_transport", value=transport))
        if open_live is not None:
            open_live.check(lang)
            way = OpenLive(open_live, session=session, places=places, heartbeat=heartbeat)
        elif room_id is None:
            raise AdapterError(say(lang, "no_source"))
        else:
            way = Web(
                room_id,
                session=session,
                sessdata=sessdata,
                user_agent=user_agent,
                places=places,
                heartbeat=heartbeat,
            )
        super().__init__(way, **core)
