"""A moderation service as a user might run one: a real HTTP server that answers what the test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]


def rude(text: str) -> list[dict[str, Any]]:
    """Finds “笨蛋”."""
    at = text.find("笨蛋")
    found = {"category": "insult", "severity": 3, "start": at, "end": at + 2, "reason": "骂人"}
    return [found] if at >= 0 else []


class Service:
    """`find` makes the findings; an answer waits for `gate`; a text in `broken` gets an error, and so does
    every one that goes in a direction in `directions_down`."""

    def __init__(self, find: Callable[[str], list[dict[str, Any]]] = rude) -> None:
        self.find = find
        self.gate = asyncio.Event()
        self.gate.set()
        self.broken: set[str] = set()
        self.directions_down: set[str] = set()
        self.asked: list[dict[str, str]] = []
        self.headers: list[Mapping[str, str]] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.asked.append(body)
        self.headers.append(request.headers)
        await self.gate.wait()
        if body["text"] in self.broken or body["direction"] in self.directions_down:
            return web.Response(status=500)
        return web.json_response({"findings": self.find(body["text"])})


@asynccontextmanager
async def serving(handle: Handle) -> AsyncIterator[str]:
    """Its address."""
    app = web.Application()
    app.router.add_post("/check", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/check"
    finally:
        await runner.cleanup()
