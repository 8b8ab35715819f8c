"""Bilibili: the official Open Live platform, or a room as the web pages see it. Listens only."""

from __future__ import annotations

from importlib.util import find_spec
from types import ModuleType
from typing import Unpack

from aiohttp import ClientSession

from adapters.base import AdapterError
from adapters.bilibili import blivedm
from adapters.bilibili.blivedm import Blivedm
from adapters.bilibili.open_live import Keys, OpenLive
from adapters.bilibili.room import HEARTBEAT, Room, Transport
from adapters.bilibili.texts import say
from adapters.bilibili.web import Access, Web
from adapters.bilibili.web_api import BILIBILI, USER_AGENT, Places
from adapters.supervisor import Core

__all__ = ["USER_AGENT", "BilibiliAdapter", "Keys", "Places"]


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
        unfit = ""
        if transport not in ("auto", "builtin", "blivedm"):
            raise AdapterError(say(lang, "no_transport", value=transport))
        if open_live is not None:
            open_live.check(lang)
            way = OpenLive(open_live, session=session, places=places, heartbeat=heartbeat)
        elif room_id is None:
            raise AdapterError(say(lang, "no_source"))
        else:
            library, unfit = _library(transport, lang)
            access = Access(room_id, session, sessdata, user_agent, places, heartbeat)
            way = Web(access) if library is None else Blivedm(access, library)
        super().__init__(way, **core)
        if unfit:
            self.notice("blivedm", unfit)


def _library(transport: str, lang: str) -> tuple[ModuleType | None, str]:
    """The `blivedm` to use, None for our own transport; and why one that is installed is not used."""
    if transport == "builtin" or (transport == "auto" and find_spec("blivedm") is None):
        return None, ""
    try:
        return blivedm.load(lang), ""
    except AdapterError as error:
        if transport == "blivedm":
            raise
        return None, str(error)
