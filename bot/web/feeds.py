"""The websockets: what is going on for operators, what is on the air for the overlay; the desk's are in desk.py. Browsers
only listen.

Whoever connects gets the present first and then every change; whoever was too slow is told so and gets the present
again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Coroutine
from typing import Any

from aiohttp import WSCloseCode, web

from bot.errors import Refused
from bot.feed import Event, Feed, Reader
from bot.web import keys
from bot.web.guard import report
from bot.web.texts import Denied

PING: Event = {"event": "ping"}
OVER = "binned"  # the event after which nothing more comes; the page may knock again
SILENCE = 8.0  # seconds; a page cannot see websocket pings, and takes 15 s of silence for a lost connection
HEARTBEAT = 20.0  # seconds; finds connections whose other end is gone
OPEN_PAGES = 64  # for each feed
CLOSING = 0.2  # seconds that a page has to answer our close

SOCKETS: web.AppKey[set[web.WebSocketResponse]] = web.AppKey("sockets")


async def operator_feed(request: web.Request) -> web.StreamResponse:
    """GET /api/feed. While it is open, somebody is at the panel."""
    show, feed = request.app[keys.SHOW], request.app[keys.FEED]
    return await stream(
        request, feed, lambda: {"event": "snapshot", **show.snapshot()}, lambda: show.operators_changed(len(feed))
    )


async def overlay_feed(request: web.Request) -> web.StreamResponse:
    """GET /overlay/feed. A page that connects late sees only what is on the air now, never what it missed."""
    show, feed = request.app[keys.SHOW], request.app[keys.OVERLAY_FEED]
    return await stream(request, feed, request.app[keys.NOW_SHOWING], lambda: show.overlays_changed(len(feed)))


async def stream(
    request: web.Request, feed: Feed, present: Callable[[], Event], counted: Callable[[], None]
) -> web.StreamResponse:
    """`counted` is called when a reader has come and when it has gone."""
    if len(feed) >= OPEN_PAGES:
        raise Denied("too_many_pages")
    socket = web.WebSocketResponse(timeout=CLOSING, heartbeat=HEARTBEAT, compress=False, max_msg_size=4096)
    sockets = request.app[SOCKETS]
    await socket.prepare(request)
    sockets.add(socket)
    try:
        with feed.subscribe() as reader:
            counted()
            await _until_closed(socket, _send(socket, reader, present))
    except* Exception as errors:
        # The handshake is done, so no JSON can be sent any more: say it in the log and close.
        report(request, errors.exceptions[0])
        await socket.close(code=WSCloseCode.INTERNAL_ERROR)
    finally:
        sockets.discard(socket)
        counted()
    return socket


async def _until_closed(socket: web.WebSocketResponse, sending: Coroutine[Any, Any, None]) -> None:
    """Send until either side is gone. Reading is how we notice that the page was closed; its words do not matter."""
    async with asyncio.TaskGroup() as group:
        sender = group.create_task(sending)
        async for _ in socket:
            pass
        sender.cancel()


async def _send(socket: web.WebSocketResponse, reader: Reader, present: Callable[[], Event]) -> None:
    # Between subscribing and this line nothing was awaited, so no change falls between the present and the reader.
    with contextlib.suppress(ConnectionError, Refused):  # the page is gone, or what it follows
        await _say(socket, present())
        while (event := await _next(reader)).get("event") != OVER:
            await _say(socket, event)
            if event.get("event") == "dropped":
                await _say(socket, present())
        await _say(socket, event)
    await socket.close(code=WSCloseCode.GOING_AWAY)


async def _next(reader: Reader) -> Event:
    try:
        async with asyncio.timeout(SILENCE):
            return await anext(reader)
    except TimeoutError:
        return PING


async def _say(socket: web.WebSocketResponse, event: Event) -> None:
    await socket.send_str(json.dumps(event))


async def close_all(app: web.Application) -> None:
    """At the end of the program: tell every page, and wait for none."""
    sockets = app[SOCKETS].copy()
    closing = [socket.close(code=WSCloseCode.GOING_AWAY) for socket in sockets]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(2 * CLOSING):
            await asyncio.gather(*closing, return_exceptions=True)
