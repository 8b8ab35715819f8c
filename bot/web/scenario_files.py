"""Scenario files coming and going: importing with a preview, exports, avatars and logs. Routes and their handlers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web

from bot import cards
from bot.cards import drama, writing
from bot.cards.found import Found, Kind, Wishes
from bot.save.library import Library, New
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
    found = await apart(_read, content, asked.get("name") or "粘贴的文字", wishes, asked.get("series", ""))
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


def _read(content: bytes, file: str, wishes: Wishes, series: str) -> list[Found]:
    """What is in the file, in the series that the person chose."""
    found = cards.read(content, file, wishes)
    return [_in_series(one, series.strip()) if series.strip() else one for one in found]


def _in_series(found: Found, series: str) -> Found:
    place = (series, found.place[1]) if found.place else None
    return replace(found, scenario=replace(found.scenario, series=series), place=place)


def _preview(library: Library, found: Sequence[Found]) -> dict[str, Any]:
    return {"found": [_found_json(library, one) for one in found], "warnings": _warnings(found)}


def _take_in(library: Library, found: Sequence[Found]) -> dict[str, Any]:
    return _preview(library, found) | {"taken": take_all(library, found)}


def take_all(library: Library, found: Sequence[Found]) -> list[dict[str, str]]:
    """Keeps what was found: new folders, and logs with the scenario that they were played from, if it is there."""
    joining = [_home(library, one) for one in found]
    new = [one for one, home in zip(found, joining, strict=True) if home is None]
    places = iter(library.take_in([New(one.scenario, one.avatars, one.logs, one.place) for one in new]))
    taken: list[dict[str, str]] = []
    for one, home in zip(found, joining, strict=True):
        series, name = home or next(places)
        logs = [library.add_log(series, name, content, file) for file, content in one.logs.items()] if home else []
        taken.append({"series": series, "name": name, **({"log": logs[0]} if logs else {})})
    return taken


def _home(library: Library, found: Found) -> tuple[str, str] | None:
    """The scenario to which a log that came alone belongs."""
    return library.find(found.scenario.series, found.scenario.name) if found.kind is Kind.LOG else None


def _found_json(library: Library, found: Found) -> dict[str, Any]:
    home = _home(library, found)
    return {
        "kind": found.kind,
        "series": found.scenario.series,
        "name": found.scenario.name,
        "characters": [
            {"name": one.name, "side": one.side, "avatar": one.name in found.avatars}
            for one in found.scenario.characters
        ],
        "opening": len(found.scenario.opening),
        "lore": len(found.scenario.extra.get("Lorebook", ())),
        "logs": list(found.logs),
        "greetings": list(found.greetings),
        "notes": list(found.notes),
        **({"into": {"series": home[0], "name": home[1]}} if home else {}),
    }


def _warnings(found: Sequence[Found]) -> list[str]:
    return [f"{one.scenario.name}：{note}" for one in found for note in one.notes]


# -- exporting -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Form:
    """A kind of file, and how a scenario becomes one."""

    end: str
    content_type: str
    write: Callable[[Library, str, str], bytes]


def _drama(library: Library, series: str, name: str) -> bytes:
    return writing.drama_file(library.read(series, name).scenario)


def _card(library: Library, series: str, name: str) -> bytes:
    return writing.card_file(library.read(series, name).scenario)


def _picture(library: Library, series: str, name: str) -> bytes:
    pictures = {character: path.read_bytes() for character, path in library.avatars(series, name).items()}
    return writing.card_picture(library.read(series, name).scenario, pictures)


def _zip(library: Library, series: str, name: str) -> bytes:
    return writing.folder_file(series, name, library.contents(series, name))


FORMS = {
    "drama": Form(".json", "application/json", _drama),
    "card": Form(".card.json", "application/json", _card),
    "png": Form(".png", "image/png", _picture),
    "zip": Form(".zip", "application/zip", _zip),
}
