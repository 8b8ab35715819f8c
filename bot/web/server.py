"""The web application: every route with its door in two tables, three-line handlers, and the listening itself.

It shows and passes on; the show decides. What stands before every route is in guard.py, who is asking in auth.py.
"""

from __future__ import annotations

import errno
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.engine.sampling.presets import BUILT_IN
from bot.errors import UserError
from bot.feed import Event, Feed
from bot.save.ledger import Ledger
from bot.save.library import Library
from bot.web import auth, bodies, desk, feeds, guard, keys, pages, reading, scenarios, show_and_desk, stats
from bot.web.auth import Doorkeeper, Who
from bot.web.bodies import read
from bot.web.guard import Door, Hosts
from bot.web.metrics import CONTENT_TYPE, Metrics
from bot.web.routes import Route
from bot.web.stories import Stories
from bot.web.texts import Language

if TYPE_CHECKING:
    from bot.desk.desk import Desk
    from bot.show import Show

METRICS = web.AppKey("metrics", Metrics)
LAST_ANSWERS = 0.3  # seconds for requests under way when the program ends; aiohttp allows it twice: to end, to give up


# -- what a person does: read, call, answer --------------------------------------------------------------------------


async def approve(request: web.Request) -> web.Response:
    order = await read(request, bodies.Approve)
    by = request[keys.OPERATOR]
    request.app[keys.SHOW].approve(_item(request), order.revision, order.text, by=by, override=order.override or "")
    return _done()


async def reject(request: web.Request) -> web.Response:
    order = await read(request, bodies.Reject)
    request.app[keys.SHOW].reject(_item(request), order.revision, by=request[keys.OPERATOR], mute=order.mute)
    return _done()


async def undo(request: web.Request) -> web.Response:
    order = await read(request, bodies.Seen)
    request.app[keys.SHOW].undo(_item(request), order.revision, by=request[keys.OPERATOR])
    return _done()


async def recall(request: web.Request) -> web.Response:
    order = await read(request, bodies.Seen)
    request.app[keys.SHOW].recall(_item(request), order.revision, by=request[keys.OPERATOR])
    return _done()


async def more(request: web.Request) -> web.Response:
    order = await read(request, bodies.More)
    request.app[keys.SHOW].more(_item(request), by=request[keys.OPERATOR], **order.model_dump())
    return _done()


async def say(request: web.Request) -> web.Response:
    order = await read(request, bodies.Say)
    return _done(id=request.app[keys.SHOW].say(order.character, order.text, by=request[keys.OPERATOR]))


async def generate(request: web.Request) -> web.Response:
    order = await read(request, bodies.Generate)
    return _done(id=request.app[keys.SHOW].generate(by=request[keys.OPERATOR], **order.model_dump()))


async def answer(request: web.Request) -> web.Response:
    order = await read(request, bodies.Answer)
    return _done(id=request.app[keys.SHOW].answer(order.message, by=request[keys.OPERATOR]))


async def release(request: web.Request) -> web.Response:
    order = await read(request, bodies.MessageOf)
    request.app[keys.SHOW].release(order.message, by=request[keys.OPERATOR])
    return _done()


async def dismiss(request: web.Request) -> web.Response:
    order = await read(request, bodies.MessageOf)
    request.app[keys.SHOW].dismiss(order.message, by=request[keys.OPERATOR])
    return _done()


async def mute(request: web.Request) -> web.Response:
    order = await read(request, bodies.ViewerOf)
    request.app[keys.SHOW].mute(order.viewer_value(), by=request[keys.OPERATOR])
    return _done()


async def unmute(request: web.Request) -> web.Response:
    order = await read(request, bodies.ViewerOf)
    request.app[keys.SHOW].unmute(order.viewer_value(), by=request[keys.OPERATOR])
    return _done()


async def check(request: web.Request) -> web.Response:
    order = await read(request, bodies.Words)
    return _done(**await request.app[keys.SHOW].check(order.text))


async def list_word(request: web.Request) -> web.Response:
    order = await read(request, bodies.ListedWord)
    await request.app[keys.SHOW].list_word(by=request[keys.OPERATOR], **order.model_dump())
    return _done()


async def pause(request: web.Request) -> web.Response:
    order = await read(request, bodies.Pause)
    request.app[keys.SHOW].pause(order.mode, by=request[keys.OPERATOR])
    return _done()


async def stop(request: web.Request) -> web.Response:
    """Takes no body: nothing that could be wrong stands between a person and the emergency stop."""
    request.app[keys.SHOW].stop(by=request[keys.OPERATOR])
    return _done()


async def sign_in(request: web.Request) -> web.Response:
    order = await read(request, bodies.SignIn)
    session = request.app[keys.DOORKEEPER].sign_in(order.token, order.label, request.remote or "")
    done = _done()
    done.set_cookie(
        auth.COOKIE, session, max_age=auth.SESSION_SECONDS, httponly=True, samesite="Strict", secure=request.secure
    )
    return done


# -- what is read ----------------------------------------------------------------------------------------------------


async def state(request: web.Request) -> web.Response:
    return web.json_response(request.app[keys.SHOW].snapshot())


async def health(request: web.Request) -> web.Response:
    """Liveness: an answer at all means alive, whatever the engine is doing."""
    status = request.app[keys.SHOW].status()
    alive = {"status": "ok", "engine": status["engine"]["state"], "version": status["version"]}
    # The page that waits in OBS for the program to start is a local file, which is another site: it may see that we
    # answer. What we answer it cannot read.
    return web.json_response(alive, headers={"Cross-Origin-Resource-Policy": "cross-origin"})


async def metrics(request: web.Request) -> web.Response:
    return web.Response(body=request.app[METRICS].text(), headers={"Content-Type": CONTENT_TYPE})


# -- the tables ------------------------------------------------------------------------------------------------------

# Opened by typing, by a bookmark, by OBS or by a link from anywhere; nothing here changes anything.
PAGES = (
    Route("GET", "/", Who.OPERATOR, pages.panel, form=True),
    Route("GET", "/login", Who.ANYONE, pages.login),
    Route("GET", "/overlay", Who.OVERLAY, pages.overlay),
    Route("GET", "/avatar/{name}", Who.OVERLAY, pages.avatar),
    Route("GET", "/static/{name:.+}", Who.ANYONE, pages.static),
    Route("GET", "/health", Who.ANYONE, health),
    Route("GET", "/metrics", Who.MONITOR, metrics),
    *scenarios.PAGES,
    *desk.PAGES,
    *reading.PAGES,
    *stats.PAGES,
)

# Made by our own pages and by programs; a page of another site is refused.
CALLS = (
    Route("POST", "/login", Who.ANYONE, sign_in),
    Route("GET", "/api/state", Who.OPERATOR, state),
    Route("GET", "/api/feed", Who.OPERATOR, feeds.operator_feed),
    Route("POST", "/api/items/{id}/approve", Who.OPERATOR, approve),
    Route("POST", "/api/items/{id}/reject", Who.OPERATOR, reject),
    Route("POST", "/api/items/{id}/undo", Who.OPERATOR, undo),
    Route("POST", "/api/items/{id}/recall", Who.OPERATOR, recall),
    Route("POST", "/api/items/{id}/more", Who.OPERATOR, more),
    Route("POST", "/api/say", Who.OPERATOR, say),
    Route("POST", "/api/generate", Who.OPERATOR, generate),
    Route("POST", "/api/answer", Who.OPERATOR, answer),
    Route("POST", "/api/release", Who.OPERATOR, release),
    Route("POST", "/api/dismiss", Who.OPERATOR, dismiss),
    Route("POST", "/api/mute", Who.OPERATOR, mute),
    Route("POST", "/api/unmute", Who.OPERATOR, unmute),
    Route("POST", "/api/words", Who.OPERATOR, list_word),
    Route("POST", "/api/check", Who.OPERATOR, check),
    Route("POST", "/api/pause", Who.OPERATOR, pause),
    Route("POST", "/api/stop", Who.OPERATOR, stop),
    Route("GET", "/overlay/feed", Who.OVERLAY, feeds.overlay_feed),
    *scenarios.CALLS,
    *desk.CALLS,
    *reading.CALLS,
    *show_and_desk.CALLS,
    *stats.CALLS,
)


def create_app(
    show: Show,
    feed: Feed,
    overlay_feed: Feed,
    now_showing: Callable[[], Event],
    *,
    desk: Desk,
    ledger: Callable[[], Ledger],
    library: Library,
    stories: Stories,
    operator_token: str,
    overlay_token: str,
    host: str = "127.0.0.1",
    names: Iterable[str] = (),
    lang: Language = "zh",
    static: Path = pages.STATIC,
    avatars: Mapping[str, Path] | None = None,
    doorkeeper: Doorkeeper | None = None,
    presets: Iterable[str] = BUILT_IN,
) -> web.Application:
    """The application for one show.

    `host` is where it listens and `names` are further host names it answers to. `now_showing` gives the overlay event
    for a page that has just connected (`Overlay.now_showing`). `avatars`: the characters' pictures (PNG) by name.
    `presets`: the names of ways of drawing words that a scenario may ask for.
    """
    app = web.Application(middlewares=guard.MIDDLEWARES, client_max_size=guard.BODY_LIMIT)
    app[keys.SHOW] = show
    app[keys.DESK] = desk
    app[keys.FEED] = feed
    app[keys.OVERLAY_FEED] = overlay_feed
    app[keys.NOW_SHOWING] = now_showing
    app[keys.DOORKEEPER] = doorkeeper or Doorkeeper(operator_token, overlay_token)
    app[keys.LANGUAGE] = lang
    app[keys.FOLDER] = static
    app[keys.AVATARS] = {} if avatars is None else avatars
    app[keys.LEDGER] = ledger
    app[keys.LIBRARY] = library
    app[keys.STORIES] = stories
    app[keys.PRESETS] = tuple(presets)
    app[pages.FILES] = pages.find_files(static)
    app[METRICS] = Metrics(show.status)
    app[feeds.SOCKETS] = set()
    app[guard.HOSTS] = Hosts(host, names)
    app[guard.DOORS] = {}
    for route in PAGES:
        _add(app, route, "GET", Door(route.who, linkable=True, form=route.form))
        _add(app, route, "HEAD", Door(route.who, linkable=True, form=route.form))
    for route in CALLS:
        _add(app, route, route.method, Door(route.who))
    app.on_response_prepare.append(guard.add_headers)
    app.on_shutdown.append(feeds.close_all)
    return app


def _add(app: web.Application, route: Route, method: str, door: Door) -> None:
    resource = app.router.add_route(method, route.path, route.handler).resource
    assert resource is not None
    app[guard.DOORS][method, resource.canonical] = door


@asynccontextmanager
async def serve(app: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Answers on `host` and `port` (0: any free one) inside the block, which is given the real port; prints nothing.

    Raises UserError when it cannot listen there. Leaving the block takes less than two seconds, whoever is connected.
    """
    # No access log: addresses hold the overlay's token.
    runner = web.AppRunner(app, access_log=None, logger=_http_log(), shutdown_timeout=LAST_ANSWERS)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except (OSError, OverflowError) as error:
            raise UserError(_cannot_listen(host, port, error)) from error
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def _http_log() -> logging.Logger:
    """Where aiohttp says what it could not read as HTTP."""
    log = logging.getLogger(f"{__name__}.http")
    log.addFilter(_without_quotes)  # the same function twice is one filter
    return log


def _without_quotes(record: logging.LogRecord) -> bool:
    """Keeps the kind of an error and drops its words: they quote the request, and with it the overlay's token."""
    if record.exc_info and record.exc_info[0]:
        record.msg = f"{record.msg}: {record.exc_info[0].__name__}"
        record.exc_info = record.exc_text = None
    return True


def _cannot_listen(host: str, port: int, error: Exception) -> str:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return (
            f"端口 {port} 已被占用：关掉占用它的程序（可能是另一个 cohost），或用 --port 换一个。"
            f" Port {port} is taken: stop what uses it, or choose another with --port."
        )
    if isinstance(error, PermissionError):
        return (
            f"没有权限使用端口 {port}：请用 --port 换一个 1024 以上的。"
            f" Not allowed to use port {port}: choose one above 1024 with --port."
        )
    return (
        f"无法在 {host}:{port} 上监听（{error}）：请检查 web.host 和 web.port。"
        " Cannot listen there: check web.host and web.port."
    )


def _item(request: web.Request) -> str:
    return request.match_info["id"]


def _done(**more: Any) -> web.Response:
    return web.json_response({"ok": True, **more})
