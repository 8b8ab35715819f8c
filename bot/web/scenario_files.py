"""Scenario files coming and going: importing with a preview, exports, avatars and logs. Routes and their handlers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from bot import cards
from bot.cards import drama
from bot.cards.found import Found, Wishes
from bot.save.library import Library
from bot.scenario_files import FORMS, Shelved, home_of, look, shelve
from bot.web import pages
from bot.web.auth import Who
from bot.web.replies import apart, as_file, at_most, done, library_of, place_of
from bot.web.routes import Route
from bot.web.texts import Denied

AVATAR_LIMIT = 8 * 2**20


async def take_in(request: web.Request) -> web.Response:
    """The file is the body, as it is. With `preview` it is only looked at."""
    asked = request.query
    content = await at_most(request, cards.MOST_BYTES)
    wishes = Wishes(asked.get("user") or cards.DEFAULT_USER, _whole(asked.get("greeting", "0")))
    found = await apart(look, content, asked.get("name") or "粘贴的文字", wishes, asked.get("series", ""))
    work = _preview if asked.get("preview") else _take_in
    return done(**await apart(work, library_of(request), found))


async def export(request: web.Request) -> web.Response:
    form = FORMS.get(request.query.get("form", "zip"))
    if form is None:
        raise Denied("bad_request", f"form：{'、'.join(FORMS)}")
    series, name = place_of(request)
    content = await apart(form.write, library_of(request), series, name)
    return as_file(content, f"{name}{form.end}", form.content_type)


async def avatar(request: web.Request) -> web.StreamResponse:
    path = await apart(library_of(request).avatar, *place_of(request), request.match_info["character"])
    if path is None:
        raise Denied("not_found")
    return pages.picture(path)


async def write_avatar(request: web.Request) -> web.Response:
    """The picture is the body: a PNG, which the page has cut out."""
    content, character = await at_most(request, AVATAR_LIMIT), request.match_info["character"]
    picture = await apart(drama.picture, content, character)
    await apart(library_of(request).write_avatar, *place_of(request), character, picture)
    return done()


async def remove_avatar(request: web.Request) -> web.Response:
    await apart(library_of(request).remove_avatar, *place_of(request), request.match_info["character"])
    return done()


async def log(request: web.Request) -> web.Response:
    file = request.match_info["file"]
    path = await apart(library_of(request).log_file, *place_of(request), file)
    return as_file(await apart(path.read_bytes), file, "application/json")


_ONE = "/api/scenarios/{series}/{scenario}"

CALLS: tuple[Route, ...] = (
    Route("POST", "/api/scenarios/import", Who.OPERATOR, take_in),
    Route("GET", f"{_ONE}/export", Who.OPERATOR, export),
    Route("GET", f"{_ONE}/logs/{{file}}", Who.OPERATOR, log),
    Route("GET", f"{_ONE}/avatars/{{character}}", Who.OPERATOR, avatar),
    Route("POST", f"{_ONE}/avatars/{{character}}", Who.OPERATOR, write_avatar),
    Route("POST", f"{_ONE}/avatars/{{character}}/remove", Who.OPERATOR, remove_avatar),
)


# -- importing -------------------------------------------------------------------------------------------------------


def _whole(number: str) -> int:
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 6 else 0


def _preview(library: Library, found: Sequence[Found]) -> dict[str, Any]:
    warnings = [f"{one.scenario.name}：{note}" for one in found for note in one.notes]
    return {"found": [_found_json(library, one) for one in found], "warnings": warnings}


def _take_in(library: Library, found: Sequence[Found]) -> dict[str, Any]:
    seen = _preview(library, found)
    return seen | {"taken": [_shelved_json(one) for one in shelve(library, found)]}


def _shelved_json(shelved: Shelved) -> dict[str, str]:
    return {"series": shelved.series, "name": shelved.name, **({"log": shelved.log} if shelved.log else {})}


def _found_json(library: Library, found: Found) -> dict[str, Any]:
    home, scenario = home_of(library, found), found.scenario
    return {
        "kind": found.kind,
        "series": scenario.series,
        "name": scenario.name,
        "characters": [
            {"name": one.name, "side": one.side, "avatar": one.name in found.avatars} for one in scenario.characters
        ],
        "opening": len(scenario.opening),
        "lore": len(entries) if isinstance(entries := scenario.extra.get("Lorebook"), list) else 0,
        "logs": list(found.logs),
        "greetings": list(found.greetings),
        "notes": list(found.notes),
        **({"into": {"series": home[0], "name": home[1]}} if home else {}),
    }
