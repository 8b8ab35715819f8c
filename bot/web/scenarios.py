"""The scenarios: list, edit, import, export. Routes and their handlers.

Files that come and go are the matter of scenario_files.py. The library works in threads; it keeps its own order.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from aiohttp import web

from bot.save.catalogue import Listed, LogFile
from bot.save.library import Library
from bot.scenario import Scenario, parse
from bot.web import keys, pages, scenario_files
from bot.web import scenario_form as forms
from bot.web.auth import Who
from bot.web.bodies import AnyBody, checked, read
from bot.web.replies import apart, at_most, done, library_of, place_of
from bot.web.routes import Route

FORM_LIMIT = 4 * 2**20
FIRST_WORDS = 400  # of the background, in the list


async def listing(request: web.Request) -> web.Response:
    return web.json_response(await apart(_listing, library_of(request), request.app[keys.PRESETS]))


async def scenario(request: web.Request) -> web.Response:
    return web.json_response(await apart(_scenario, library_of(request), *place_of(request)))


async def opening(request: web.Request) -> web.Response:
    """How a text would be read as an opening; nothing is kept."""
    order = await _form(request, forms.OpeningText)
    lines = parse(order.text, order.names)
    return done(lines=[{"character": line.character, "text": line.text} for line in lines])


async def create(request: web.Request) -> web.Response:
    form = await _form(request, forms.NewScenario)
    return done(**await apart(_create, library_of(request), form))


async def edit(request: web.Request) -> web.Response:
    form = await _form(request, forms.Edit)
    return done(digest=await apart(_edit, library_of(request), *place_of(request), form))


async def rename(request: web.Request) -> web.Response:
    to = await read(request, forms.Place)
    after = await apart(library_of(request).rename, *place_of(request), to.series, to.name)
    request.app[keys.DESK].scenario_moved(place_of(request), after)
    return _now_at(after)


async def duplicate(request: web.Request) -> web.Response:
    copy = await read(request, forms.Copy)
    return _now_at(await apart(library_of(request).duplicate, *place_of(request), copy.name))


async def discard(request: web.Request) -> web.Response:
    return done(id=await apart(library_of(request).discard, *place_of(request)))


async def restore(request: web.Request) -> web.Response:
    binned = await read(request, forms.InBin)
    return _now_at(await apart(library_of(request).restore, binned.id))


async def empty(request: web.Request) -> web.Response:
    order = await read(request, forms.Emptied)
    ids = None if order.ids is None else tuple(order.ids)
    return done(gone=await apart(library_of(request).empty, ids))


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
    *scenario_files.CALLS,
)


# -- read and answer -------------------------------------------------------------------------------------------------


async def _form(request: web.Request, form: type[AnyBody]) -> AnyBody:
    """Lorebooks are longer than what other pages send."""
    return checked(request, form, await at_most(request, FORM_LIMIT))


def _now_at(place: tuple[str, str]) -> web.Response:
    return done(series=place[0], name=place[1])


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
