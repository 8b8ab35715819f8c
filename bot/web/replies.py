"""What handlers share: work in a thread, bodies of other sizes, answers that grow, files."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Callable
from typing import Any, ParamSpec, TypeVar
from urllib.parse import quote

from aiohttp import web

from bot.errors import Refused
from bot.save.library import Library
from bot.web import keys
from bot.web.guard import gone, report
from bot.web.texts import Denied

LOOK = 0.5  # seconds between two looks whether a page that waits for words is still there

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
        raise Denied("too_large", f"{limit >> 20} MiB" if limit >> 20 else f"{limit >> 10} KiB") from None


def library_of(request: web.Request) -> Library:
    return request.app[keys.LIBRARY]


def place_of(request: web.Request) -> tuple[str, str]:
    return request.match_info["series"], request.match_info["scenario"]


def done(**more: Any) -> web.Response:
    return web.json_response({"ok": True, **more})


async def growing(request: web.Request, texts: AsyncGenerator[str, None]) -> web.StreamResponse:
    """A line of JSON, {"text"}, each time that the text has grown, and {"done": true} at the end.

    What is refused before the first of them is refused as usual; later, {"error", "message"} is the last line. A failure
    of ours has no last line. A page that goes ends it.
    """
    writing = asyncio.ensure_future(_write(request, texts))
    try:
        while not (await asyncio.wait({writing}, timeout=LOOK))[0]:
            if gone(request):
                raise ConnectionResetError
        return writing.result()
    finally:
        writing.cancel()
        await asyncio.wait({writing})


async def _write(request: web.Request, texts: AsyncGenerator[str, None]) -> web.StreamResponse:
    async with contextlib.aclosing(texts):
        text = await anext(texts)
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        try:
            await _say(response, text=text)
            async for text in texts:
                await _say(response, text=text)
            await _say(response, done=True)
        except Refused as refused:
            await _say(response, error=refused.code, message=str(refused))
        except ConnectionError:
            pass  # the page is gone
        except Exception as error:
            report(request, error)
    return response


async def _say(response: web.StreamResponse, **line: str | bool) -> None:
    await response.write(json.dumps(line).encode() + b"\n")


def as_file(content: bytes, name: str, content_type: str) -> web.Response:
    """A file to be kept under this name."""
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return web.Response(body=content, content_type=content_type, headers={"Content-Disposition": disposition})
