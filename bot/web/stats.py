"""The figures of the desk and of the show. Routes and their handlers.

A long record takes its time, so it is read in a thread, by a connection of its own, and the show does not wait.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TypeVar

from aiohttp import web

from bot.figures.asked import Asked
from bot.save.ledger import Ledger
from bot.web import keys, pages
from bot.web.auth import Who
from bot.web.routes import Route

T = TypeVar("T")


async def stats(request: web.Request) -> web.Response:
    return web.json_response(await _answer(request, _asked(request).figures))


async def stats_csv(request: web.Request) -> web.Response:
    text = await _answer(request, _asked(request).table)
    name = {"Content-Disposition": 'attachment; filename="cohost-stats.csv"'}
    return web.Response(body=text.encode(), headers={"Content-Type": "text/csv; charset=utf-8", **name})


def _asked(request: web.Request) -> Asked:
    return Asked.of(*(request.query.get(name, "") for name in ("from", "to", "place")))


async def _answer(request: web.Request, question: Callable[[Ledger], T]) -> T:
    def ask() -> T:
        with contextlib.closing(request.app[keys.LEDGER]()) as ledger:
            return question(ledger)

    return await asyncio.to_thread(ask)


PAGES: tuple[Route, ...] = (Route("GET", "/stats", Who.OPERATOR, pages.page("stats/stats.html"), form=True),)
CALLS: tuple[Route, ...] = (
    Route("GET", "/api/stats", Who.OPERATOR, stats),
    Route("GET", "/api/stats.csv", Who.OPERATOR, stats_csv),
)
