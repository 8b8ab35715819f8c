"""Bilibili: the official Open Live platform, or a room as the web pages see it. Listens only."""

from __future__ import annotations

from typing import Unpack

from aiohttp import ClientSession

from adapters.base import AdapterError
from adapters.bilibili.room import HEARTBEAT, Room, Transport
from adapters.bilibili.texts import say
from adapters.bilibili.web import Web
from adapters.bilibili.web_api import BILIBILI, USER_AGENT, Places
from adapters.supervisor import Core


class BilibiliAdapter(Room):
    """A room, by its number (the short one will do)."""

    cohost_api = 1

    def __init__(
        self,
        room_id: int | None = None,
        *,
        transport: str = "auto",
        session: ClientSession | None = None,
        sessdata: str = "",
        user_agent: str = USER_AGENT,
        places: Places = BILIBILI,
        heartbeat: float = HEARTBEAT,
        **core: Unpack[Core],
    ) -> None:
        """`session` is used and never closed; None: an own one for each connection. `sessdata`: the cookie of that name
        of an account, "" for a guest. AdapterError: a setting that can never work."""
        super().__init__(
            _transport(
                room_id,
                transport,
                session=session,
                sessdata=sessdata,
                user_agent=user_agent,
                places=places,
                heartbeat=heartbeat,
                lang=core.get("lang", "zh"),
            ),
            **core,
        )


def _transport(
    room_id: int | None,
    transport: str,
    *,
    session: ClientSession | None,
    sessdata: str,
    user_agent: str,
    places: Places,
    heartbeat: float,
    lang: str,
) -> Transport:
    if transport not in ("auto", "builtin"):
        raise AdapterError(say(lang, "no_transport", value=transport))
    if room_id is None:
        raise AdapterError(say(lang, "no_source"))
    return Web(room_id, session=session, sessdata=sessdata, user_agent=user_agent, places=places, heartbeat=heartbeat)
