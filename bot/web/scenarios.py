"""The scenarios: list, edit, import, export. Routes and their handlers.

The disk may be slow and a picture large, so the library works in threads; it keeps its own order.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec, TypeVar
from urllib.parse import quote

from aiohttp import web

from bot.save.library import Library, Listed, LogFile
from bot.scenario import Scenario, parse
from bot.web import keys, pages
from bot.web import scenario_form as forms
from bot.web.auth import Who
from bot.web.bodies import AnyBody, read
from bot.web.routes import Route
from bot.web.texts import Denied

FORM_LIMIT = 4 * 2**20
FIRST_WORDS = 400  # of the background, in the list

P = ParamSpec("P")
T = TypeVar("T")


async def listing(request: web.Request) -> web.Response:
    return web.json_response(await _apart(_listing, _library(request), request.app[keys.PRESETS]))


async def scenario(request: web.Request) -> web.Response:
    return web.json_response(await _apart(_scenario, _library(request), *_place(request)))


async def opening(request: web.Request) -> web.Response:
    """How a text would be read as an opening; nothing is kept."""
    order = await _form(request, forms.OpeningText)
    lines = parse(order.text, order.names)
    return _done(lines=[{"character": line.character, "text": line.text} for line in lines])


async def create(request: web.Request) -> web.Response:
    form = await _form(request, forms.NewScenario)
    return _done(**await _apart(_create, _library(request), form))


async def edit(request: web.Request) -> web.Response:
    form = await _form(request, forms.Edit)
    return _done(digest=await _apart(_edit, _library(request), *_place(request), form))


async def rename(request: web.Request) -> web.Response:
    to = await read(request, forms.Place)
    return _now_at(await _apart(_library(request).rename, *_place(request), to.series, to.name))


async def duplicate(request: web.Request) -> web.Response:
    copy = await read(request, forms.Copy)
    return _now_at(await _apart(_library(request).duplicate, *_place(request), copy.name))


async def discard(request: web.Request) -> web.Response:
    return _done(id=await _apart(_library(request).discard, *_place(request)))


async def restore(request: web.Request) -> web.Response:
    binned = await read(request, forms.InBin)
    return _now_at(await _apart(_library(request).restore, binned.id))


async def empty(request: web.Request) -> web.Response:
    order = await read(request, forms.Emptied)
    ids = None if order.ids is None else tuple(order.ids)
    return _done(gone=await _apart(_library(request).empty, ids))


async def avatar(request: web.Request) -> web.StreamResponse:
    path = await _apart(_library(request).avatar, *_place(request), request.match_info["character"])
    if path is None:
        raise Denied("not_found")
    return pages.picture(path)


PAGES: tuple[Route, ...] = (
    Route("GET", "/scenarios", Who.OPERATOR, pages.page("scenarios/scenarios.html"), form=True),
)

_ONE = "/api/scenarios/{series}/{scenario}"

CALLS: tuple[Route, ...] = (
    Route("GET", "/api/scenarios", Who.OPERATOR, listing),
    Route("POST", "/api/scenarios/opening", Who.OPERATOR, opening),
    Route("POST", "/api/scenarios/create", Who.OPERATOR, create),
    Route("POST", "/api/scenarios/restore", Who.OPERATOR, restore),
    Route("POST", "/api/scenarios/empty", Who.OPERATOR, empty),
    Route("GET", _ONE, Who.OPERATOR, scenario),
    Route("POST", f"{_ONE}/edit", Who.OPERATOR, edit),
    Route("POST", f"{_ONE}/rename", Who.OPERATOR, rename),
    Route("POST", f"{_ONE}/duplicate", Who.OPERATOR, duplicate),
    Route("POST", f"{_ONE}/bin", Who.OPERATOR, discard),
    Route("GET", f"{_ONE}/avatars/{{character}}", Who.OPERATOR, avatar),
)


# -- read and answer -------------------------------------------------------------------------------------------------


async def _apart(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    return await asyncio.to_thread(work, *args, **kwargs)


async def _form(request: web.Request, form: type[AnyBody]) -> AnyBody:
    """Lorebooks are longer than what other pages send."""
    with _at_most(FORM_LIMIT):
        return await read(request.clone(client_max_size=FORM_LIMIT), form)


@contextlib.contextmanager
def _at_most(limit: int) -> Iterator[None]:
    try:
        yield
    except web.HTTPRequestEntityTooLarge:
        raise Denied("too_large", f"{limit >> 20} MiB") from None


def _library(request: web.Request) -> Library:
    return request.app[keys.LIBRARY]


def _place(request: web.Request) -> tuple[str, str]:
    return request.match_info["series"], request.match_info["scenario"]


def _now_at(place: tuple[str, str]) -> web.Response:
    return _done(series=place[0], name=place[1])


def _done(**more: Any) -> web.Response:
    return web.json_response({"ok": True, **more})


# -- what the library does -------------------------------------------------------------------------------------------


def _create(library: Library, form: forms.NewScenario) -> dict[str, str]:
    kept = library.create(form.over(Scenario(form.series.strip(), form.name.strip())))
    return {"series": kept.series, "name": kept.name, "digest": kept.digest}


def _edit(library: Library, series: str, name: str, form: forms.Edit) -> str:
    kept = library.edit(series, name, form.over(library.read(series, name).scenario), form.digest)
    for before, after in form.renamed().items():
        library.rename_avatar(series, name, before, after)
    return kept.digest


# -- JSON ------------------------------------------------------------------------------------------------------------


def _listing(library: Library, presets: tuple[str, ...]) -> dict[str, Any]:
    series: dict[str, list[dict[str, Any]]] = {}
    for listed in library.listing():
        series.setdefault(listed.series, []).append(_listed_json(listed))
    return {
        "series": [{"series": name, "scenarios": scenarios} for name, scenarios in series.items()],
        "bin": [{"id": one.id, "series": one.series, "name": one.name, "at": one.at} for one in library.binned()],
        "presets": list(presets),
    }


def _listed_json(listed: Listed) -> dict[str, Any]:
    found = listed.scenario
    characters = [
        {"name": one.name, "side": one.side, "avatar": _avatar(listed.series, listed.name, one.name, listed.avatars)}
        for one in (found.characters if found else ())
    ]
    return {
        "name": listed.name,
        **({"title": found.name} if found and found.name != listed.name else {}),
        "background": found.background[:FIRST_WORDS] if found else "",
        "characters": characters,
        "logs": [_log_json(log) for log in listed.logs],
        "changed": listed.changed,
        **({"problem": listed.problem} if listed.problem else {}),
    }


def _log_json(log: LogFile) -> dict[str, Any]:
    problem = {"problem": log.problem} if log.problem else {}
    return {"file": log.file, "lines": log.lines, "changed": log.changed, **problem}


def _scenario(library: Library, series: str, name: str) -> dict[str, Any]:
    kept = library.read(series, name)
    filled = forms.form_json(kept)
    there = frozenset(library.avatars(series, name))
    for character in filled["characters"]:
        character["avatar"] = _avatar(kept.series, kept.name, character["name"], there)
    return {**filled, "logs": [_log_json(log) for log in library.logs(series, name)]}


def _avatar(series: str, name: str, character: str, there: frozenset[str]) -> str | None:
    if character not in there:
        return None
    return "/".join(
        ("/api/scenarios", *(quote(part, safe="") for part in (series, name)), "avatars", quote(character, safe=""))
    )
