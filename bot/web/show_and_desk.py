"""The show and the desk together: which scenario the co-host plays, and what was aired. Routes and their handlers."""

from __future__ import annotations

import asyncio
import contextlib
from itertools import groupby
from typing import TYPE_CHECKING, Any

from aiohttp import web
from pydantic import Field

from bot.approval import Operator, Refused
from bot.desk.as_scenario import write_scenario
from bot.save.ledger import Aired, Ledger
from bot.web import keys
from bot.web.auth import Who
from bot.web.bodies import Body, read
from bot.web.routes import Route

if TYPE_CHECKING:
    from bot.show import Show


class Played(Body):
    """Both "": the scenario of the settings."""

    series: str = Field("", max_length=200)
    name: str = Field("", max_length=200)


class Written(Body):
    """`name` "": the scene's title, with a number where there is such a scenario already. `play`: the co-host goes on
    with it at once."""

    series: str = Field("", max_length=200)
    name: str = Field("", max_length=200)
    play: bool = True


async def change_scenario(request: web.Request) -> web.Response:
    order = await read(request, Played)
    request.app[keys.SHOW].change_scenario(order.series, order.name, by=request[keys.OPERATOR])
    return web.json_response({"ok": True})


async def as_scenario(request: web.Request) -> web.Response:
    order, show = await read(request, Written), request.app[keys.SHOW]
    if order.play:
        show.check_quiet()  # before anything is written
    scene, library = request.app[keys.DESK].scene(request.match_info["scene"]), request.app[keys.LIBRARY]
    series, name = await asyncio.to_thread(write_scenario, library, scene, order.series, order.name)
    if order.play:
        _play(show, series, name, request[keys.OPERATOR])
    return web.json_response({"ok": True, "series": series, "name": name})


def _play(show: Show, series: str, name: str, by: Operator) -> None:
    try:
        show.change_scenario(series, name, by=by)
    except Refused as refused:
        raise Refused(
            refused.code, f"已存为剧本 {series}/{name}，但现在换不上：{refused} It is saved, and not played yet."
        ) from refused


async def aired(request: web.Request) -> web.Response:
    """What can be opened at the desk: each show with its days, the newest first."""
    return web.json_response({"shows": await asyncio.to_thread(_shows, request.app[keys.LEDGER]())})


def _shows(ledger: Ledger) -> list[dict[str, Any]]:
    with contextlib.closing(ledger):
        days = sorted(ledger.aired(), key=lambda one: one.show)
    shows = [_show(name, list(found)) for name, found in groupby(days, key=lambda one: one.show)]
    return sorted(shows, key=lambda show: -show["last"])


def _show(name: str, days: list[Aired]) -> dict[str, Any]:
    days.sort(key=lambda one: one.day, reverse=True)
    series, _, scenario = name.partition("/")
    return {
        "show": name,
        "series": series,
        "name": scenario,
        "replies": sum(one.replies for one in days),
        "last": max(one.last for one in days),
        "days": [{"day": one.day, "replies": one.replies} for one in days],
    }


CALLS: tuple[Route, ...] = (
    Route("POST", "/api/show/scenario", Who.OPERATOR, change_scenario),
    Route("POST", "/api/desk/{scene}/as-scenario", Who.OPERATOR, as_scenario),
    Route("GET", "/api/show/aired", Who.OPERATOR, aired),
)
