"""The script desk: a scene is played out line by line. Routes and their handlers.

A page that follows a scene says its own name, `/api/desk/{scene}/feed?tab=…`, and gets what stood in its text box, or in
that of a tab that is gone.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from bot.desk.desk import Desk
from bot.web import desk_bodies as bodies
from bot.web import feeds, keys, pages
from bot.web.auth import Who
from bot.web.bodies import checked, read
from bot.web.replies import at_most, growing
from bot.web.routes import Route


async def scenes(request: web.Request) -> web.Response:
    return web.json_response({"scenes": _desk(request).scenes()})


async def open_scene(request: web.Request) -> web.Response:
    new, desk, by = await read(request, bodies.NewScene), _desk(request), request[keys.OPERATOR]
    if new.show:
        return _done(id=await desk.open_aired(new.show, by, day=new.day, title=new.title))
    if new.log:
        return _done(id=await desk.open_log(new.series, new.name, new.log, by, title=new.title))
    return _done(id=desk.open(new.series, new.name, by, title=new.title))


async def bin_scene(request: web.Request) -> web.Response:
    await read(request, bodies.Nothing)
    _desk(request).bin(_scene(request))
    return _done()


async def restore_scene(request: web.Request) -> web.Response:
    await read(request, bodies.Nothing)
    _desk(request).restore(_scene(request))
    return _done()


async def remove_scene(request: web.Request) -> web.Response:
    await read(request, bodies.Nothing)
    _desk(request).remove(_scene(request))
    return _done()


async def do(request: web.Request) -> web.Response:
    order = await read(request, bodies.Do)
    return _done(revision=_desk(request).do(_scene(request), order.revision, order.order, by=request[keys.OPERATOR]))


async def drafts(request: web.Request) -> web.Response:
    order = await read(request, bodies.Drafts)
    return _done(ask=_desk(request).draft(_scene(request), order.revision, order.wanted()))


async def stop_drafts(request: web.Request) -> web.Response:
    order = await read(request, bodies.AskOf)
    _desk(request).stop(_scene(request), order.ask)
    return _done()


async def summary(request: web.Request) -> web.StreamResponse:
    order = await read(request, bodies.SummaryOf)
    return await growing(request, _desk(request).summary(_scene(request), order.last))


async def scratch(request: web.Request) -> web.Response:
    order = checked(request, bodies.ScratchOf, await at_most(request, bodies.SCRATCH_LIMIT))
    _desk(request).keep_scratch(_scene(request), order.tab, order.scratch())
    return _done()


async def save_log(request: web.Request) -> web.Response:
    await read(request, bodies.Nothing)
    return _done(file=await _desk(request).save_log(_scene(request)))


# -- what is read ----------------------------------------------------------------------------------------------------


async def snapshot(request: web.Request) -> web.Response:
    return web.json_response(_desk(request).snapshot(_scene(request), request.query.get("tab", "")))


async def feed(request: web.Request) -> web.StreamResponse:
    desk, scene, tab = _desk(request), _scene(request), request.query.get("tab", "")[:100]
    with desk.following(scene, tab) as events:
        return await feeds.stream(
            request,
            events,
            lambda: {"event": "snapshot", **desk.snapshot(scene, tab)},
            lambda: desk.followed(scene),
        )


async def fed(request: web.Request) -> web.Response:
    return web.json_response(await _desk(request).fed(_scene(request), request.query.get("character")))


async def scenario(request: web.Request) -> web.Response:
    return web.json_response(_desk(request).scenario(_scene(request)))


async def tree(request: web.Request) -> web.Response:
    return web.json_response(_desk(request).tree(_scene(request)))


async def compare(request: web.Request) -> web.Response:
    a, b = request.query.get("a", ""), request.query.get("b", "")
    return web.json_response(_desk(request).compare(_scene(request), a, b))


async def versions(request: web.Request) -> web.Response:
    return web.json_response(_desk(request).versions(_scene(request), request.query.get("line", "")))


PAGES: tuple[Route, ...] = (Route("GET", "/desk", Who.OPERATOR, pages.page("desk/desk.html"), form=True),)

_ONE = "/api/desk/{scene}"

CALLS: tuple[Route, ...] = (
    Route("GET", "/api/desk", Who.OPERATOR, scenes),
    Route("POST", "/api/desk/open", Who.OPERATOR, open_scene),
    Route("GET", _ONE, Who.OPERATOR, snapshot),
    Route("GET", f"{_ONE}/feed", Who.OPERATOR, feed),
    Route("POST", f"{_ONE}/do", Who.OPERATOR, do),
    Route("POST", f"{_ONE}/drafts", Who.OPERATOR, drafts),
    Route("POST", f"{_ONE}/drafts/stop", Who.OPERATOR, stop_drafts),
    Route("POST", f"{_ONE}/summary", Who.OPERATOR, summary),
    Route("POST", f"{_ONE}/scratch", Who.OPERATOR, scratch),
    Route("POST", f"{_ONE}/save", Who.OPERATOR, save_log),
    Route("POST", f"{_ONE}/bin", Who.OPERATOR, bin_scene),
    Route("POST", f"{_ONE}/restore", Who.OPERATOR, restore_scene),
    Route("POST", f"{_ONE}/remove", Who.OPERATOR, remove_scene),
    Route("GET", f"{_ONE}/scenario", Who.OPERATOR, scenario),
    Route("GET", f"{_ONE}/fed", Who.OPERATOR, fed),
    Route("GET", f"{_ONE}/tree", Who.OPERATOR, tree),
    Route("GET", f"{_ONE}/compare", Who.OPERATOR, compare),
    Route("GET", f"{_ONE}/versions", Who.OPERATOR, versions),
)


def _desk(request: web.Request) -> Desk:
    return request.app[keys.DESK]


def _scene(request: web.Request) -> str:
    return request.match_info["scene"]


def _done(**more: Any) -> web.Response:
    return web.json_response({"ok": True, **more})
