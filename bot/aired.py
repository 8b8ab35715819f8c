"""What was aired live, as lines of a story: the viewer's words and the reply. What was recalled is not among them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime

from bot.approval import Item
from bot.engine.prompting import viewer_line
from bot.save import Save
from bot.save.library import Library
from bot.scenario import Line, Origin, Scenario


def aired_lines(save: Save, show: str, speakers: Iterable[str] = (), day: date | None = None) -> list[Line]:
    """Of a show (series/name), in the order in which they were aired; `speakers` are its scenario's. `day`: only what
    was aired then, as this machine's clock is set. A viewer's line and the reply to it share an id."""
    known = tuple(speakers)
    items = save.published_items(show)
    return [line for item in items if day is None or _day(item) == day for line in item_lines(item, known)]


def scenario_of(
    library: Library, show: str, running: Scenario | None = None
) -> tuple[tuple[str, str], Scenario | None]:
    """The scenario of a show (series/name), and the library's folder that it belongs to. Shows go by what their
    scenario's file says of its series and name. `running` need not be one of the library's. None: it is gone."""
    for listed in library.listing():
        if listed.scenario and listed.scenario.key == show:
            return (listed.series, listed.name), listed.scenario
    series, _, name = show.partition("/")
    return (series, name), running if running and running.key == show else None


def item_lines(item: Item, speakers: Iterable[str]) -> tuple[Line, ...]:
    """What a card becomes in the story: what the viewer did, safe to feed, and the approved words, edits included."""
    reply = Line(item.character, item.text or "", _origin(item), id=item.id)
    if item.message is None:
        return (reply,)
    return replace(viewer_line(item.message, speakers), id=item.id), reply


def _origin(item: Item) -> Origin:
    if not item.edited:
        return Origin.MODEL
    proposed = any(not draft.by_person for draft in item.drafts)
    return Origin.EDITED if proposed else Origin.PERSON


def _day(item: Item) -> date | None:
    return None if item.aired is None else datetime.fromtimestamp(item.aired).date()
