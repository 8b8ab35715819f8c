"""The story to read, to search and to take away. Routes and their handlers.

Which story is meant is said in the query: `scene=ID`, `series=…&name=…&log=…`, or `show=series/name`. It may be long, so
it is written in a thread, and the show goes on meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from aiohttp import web

from bot.chapter import FORMS, Choices, Paragraph, Person, Quotes, file_name
from bot.chapter.chapter import colon, language
from bot.chapter.search import Found
from bot.web import keys, pages
from bot.web.auth import Who
from bot.web.guard import Handler
from bot.web.replies import apart
from bot.web.routes import Route
from bot.web.stories import Listed, Opened, Place
from bot.web.texts import Denied

LONGEST_QUERY = 200  # characters
QUOTES: Mapping[str, Quotes] = {"corner": "「」", "curly": "“”"}


async def reading(request: web.Request) -> web.Response:
    """One story; without a place in the query, the list of all."""
    stories, place = request.app[keys.STORIES], Place.named(request.query)
    if place is None:
        return web.json_response({"stories": [_listed(story) for story in await stories.listing()]})
    opened = await stories.open(place)
    return web.Response(text=await apart(_story_text, opened, place), content_type="application/json")


async def export(request: web.Request) -> web.Response:
    place, form = Place.named(request.query), FORMS.get(request.query.get("form", ""))
    if place is None or form is None:
        raise Denied("bad_request", f"scene=…, series=…&name=…&log=…, show=…；form={'|'.join(FORMS)}")
    chapter = (await request.app[keys.STORIES].open(place)).chapter
    content = await apart(form.write, chapter, _choices(request.query), datetime.now(UTC))
    return web.Response(body=content, headers=_attachment(file_name(chapter.title, form.suffix), form.content_type))


async def find(request: web.Request) -> web.Response:
    query = request.query.get("q", "")[:LONGEST_QUERY]
    searched = await request.app[keys.STORIES].search(query)
    stories = [_listed(story) | _hits(found) for story, found in searched.found]
    return web.json_response({"query": query, "stories": stories, "complete": searched.complete})


def moved(to: str) -> Handler:
    """A page of the program that this one follows, whose bookmarks people still have."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": to})

    return answer


PAGES: tuple[Route, ...] = (
    Route("GET", "/output", Who.OPERATOR, pages.page("output/output.html"), form=True),
    Route("GET", "/Tester/NewChat.html", Who.OPERATOR, moved("/scenarios"), form=True),
    Route("GET", "/Tester/Chat.html", Who.OPERATOR, moved("/desk"), form=True),
    Route("GET", "/Tester/Output.html", Who.OPERATOR, moved("/output"), form=True),
)
CALLS: tuple[Route, ...] = (
    Route("GET", "/api/reading", Who.OPERATOR, reading),
    Route("GET", "/api/reading/export", Who.OPERATOR, export),
    Route("GET", "/api/reading/search", Who.OPERATOR, find),
)


# -- what is asked ---------------------------------------------------------------------------------------------------


def _choices(query: Mapping[str, str]) -> Choices:
    """Everything is shown that is not refused with 0."""
    names, opening, headings, avatars = (query.get(key) != "0" for key in ("names", "opening", "headings", "avatars"))
    return Choices(names, opening, headings, avatars, QUOTES.get(query.get("quotes", ""), QUOTES["corner"]))


def _attachment(name: str, content_type: str) -> dict[str, str]:
    """RFC 6266: the name in UTF-8, and something like it for programs that read ASCII only."""
    plain = "".join(letter if letter.isascii() and letter.isprintable() else "_" for letter in name)
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    return {"Content-Type": content_type, "Content-Disposition": disposition}


# -- JSON ------------------------------------------------------------------------------------------------------------


def _listed(story: Listed) -> dict[str, Any]:
    about = {"title": story.title, "series": story.series, "name": story.name}
    return {"place": story.place.query(), **about, "lines": story.lines, "changed": story.changed}


def _hits(found: Found) -> dict[str, Any]:
    hits = [{"name": h.paragraph.name, "before": h.before, "match": h.match, "after": h.after} for h in found.hits]
    return {"count": found.count, "hits": hits}


def _story_text(opened: Opened, place: Place) -> str:
    return json.dumps(_story(opened, place))


def _story(opened: Opened, place: Place) -> dict[str, Any]:
    chapter = opened.chapter
    sections = [
        {"title": section.title, "lines": [_line(paragraph) for paragraph in section.paragraphs]}
        for section in chapter.sections(Choices())
    ]
    people = [_person(person, opened) for person in chapter.people]
    about = {"title": chapter.title, "series": chapter.series, "name": chapter.log.scenario.name}
    reading = {"language": language(chapter), "colon": colon(chapter), "people": people, "sections": sections}
    return {"place": place.query(), **about, **reading}


def _line(paragraph: Paragraph) -> dict[str, Any]:
    """`quoted`: without names it is shown between quotation marks. `told`: it is not of the opening."""
    quoted, line = paragraph.quoted("「」") != paragraph.words, paragraph.line
    return {"id": line.id, "name": paragraph.name, "text": paragraph.words, "quoted": quoted, "told": line.told}


def _person(person: Person, opened: Opened) -> dict[str, Any]:
    scenario = "/".join(quote(part, safe="") for part in (opened.series, opened.name))
    avatar = f"/api/scenarios/{scenario}/avatars/{quote(person.name, safe='')}" if person.picture else None
    return {"name": person.name, "side": person.side, "avatar": avatar}
