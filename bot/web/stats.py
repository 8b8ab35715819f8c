"""The figures of the desk and of the show. Routes and their handlers.

A long record takes its time, so it is read in a thread, by a connection of its own, and the show does not wait.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from itertools import islice
from typing import TypeVar

from aiohttp import web

from bot.figures.asked import Asked
from bot.figures.pairs import jsonl
from bot.save.ledger import Ledger
from bot.web import keys, pages
from bot.web.auth import Who
from bot.web.routes import Route

PIECE = 500  # lines

T = TypeVar("T")


async def stats(request: web.Request) -> web.Response:
    return web.json_response(await _answer(request, _asked(request).figures))


async def stats_csv(request: web.Request) -> web.Response:
    text = await _answer(request, _asked(request).table)
    return web.Response(
        body=text.encode(), headers={"Content-Type": "text/csv; charset=utf-8", **_file("stats.csv")}
    )  # fmt: skip


async def pairs(request: web.Request) -> web.StreamResponse:
    """In pieces: there may be many."""
    asked = _asked(request)
    answer = web.StreamResponse(headers={"Content-Type": "application/x-ndjson; charset=utf-8", **_file("pairs.jsonl")})
    with contextlib.closing(request.app[keys.LEDGER]()) as ledger:
        lines = jsonl(asked.pairs(ledger))
        await answer.prepare(request)
        while piece := await to_the_end(lambda: "".join(islice(lines, PIECE))):
            await answer.write(piece.encode())
    return answer


async def to_the_end(work: Callable[[], T]) -> T:
    """In a thread. Who is cancelled waits for it: the database must not be closed under a query."""
    working = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait([working])
        raise


def _file(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="cohost-{name}"'}


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
    Route("GET", "/api/stats/pairs.jsonl", Who.OPERATOR, pairs),
)
