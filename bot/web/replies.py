"""What the handlers of scenarios share: work in a thread, bodies of other sizes, answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar
from urllib.parse import quote

from aiohttp import web

from bot.save.library import Library
from bot.web import keys
from bot.web.texts import Denied

P = ParamSpec("P")
T = TypeVar("T")


async def apart(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """In a thread: the disk may be slow and a picture large, and the show goes on meanwhile."""
    return await asyncio.to_thread(work, *args, **kwargs)


async def at_most(request: web.Request, limit: int) -> bytes:
    """The body; no more than `limit` bytes of it are ever held. Raises Denied."""
    try:
        return await request.clone(client_max_size=limit).read()
    except web.HTTPRequestEntityTooLarge:
        raise Denied("too_large", f"{limit >> 20} MiB") from None


def library_of(request: web.Request) -> Library:
    return request.app[keys.LIBRARY]


def place_of(request: web.Request) -> tuple[str, str]:
    return request.match_info["series"], request.match_info["scenario"]


def done(**more: Any) -> web.Response:
    return web.json_response({"ok": True, **more})


def as_file(content: bytes, name: str, content_type: str) -> web.Response:
    """A file to be kept under this name."""
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return web.Response(body=content, content_type=content_type, headers={"Content-Disposition": disposition})
