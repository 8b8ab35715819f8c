"""How a scene begins: from a scenario, from a saved log, or from what was aired. Reads; changes nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from uuid import uuid4

from bot.aired import aired_lines
from bot.desk.orders import MOST_LINES
from bot.desk.steps import Began
from bot.errors import Refused
from bot.letters import LONE_SURROGATE
from bot.save import Save
from bot.save.library import Library
from bot.scenario import Line, Scenario, dump_scenario

NewId = Callable[[], str]

_ID = re.compile(r"[!-~]{1,100}")


@dataclass(frozen=True, slots=True)
class Source:
    """`place`: series and name of the scenario's folder."""

    place: tuple[str, str]
    began: Began


def of_scenario(library: Library, series: str, name: str, title: str, new_id: NewId) -> Source:
    """From its opening. Raises Refused, and UserError for what is wrong with a file; so do the others."""
    kept = library.read(series, name)
    return Source((kept.series, kept.name), began(kept.scenario, kept.scenario.opening, title, new_id))


def of_log(library: Library, series: str, name: str, log: str, title: str, new_id: NewId) -> Source:
    """From where it was saved, with the scenario that is in the log."""
    played, folder = library.read_log(series, name, log), library.folder(series, name)
    return Source((folder.parent.name, folder.name), began(played.scenario, played.lines, title, new_id))


def of_show(
    save: Save,
    show: str,
    place: tuple[str, str],
    scenario: Scenario | None,
    day: date | None,
    title: str,
    new_id: NewId,
) -> Source:
    """What was aired after the opening. `scenario` None: it is gone, and only its name is known."""
    scenario = scenario or Scenario(*place)
    lines = aired_lines(save, show, scenario.speakers, day)
    if not lines:
        raise Refused("nothing_aired", f"{show} 还没有播出过。 Nothing of it was aired.")
    return Source(place, began(scenario, (*scenario.opening, *lines), title, new_id))


def began(
    scenario: Scenario, lines: Iterable[Line], title: str = "", new_id: NewId = lambda: uuid4().hex[:12]
) -> Began:
    """The first step of a scene in which these lines are played already. Those without an id that an order could name,
    or with one that another has, get one. Raises Refused where they are too many."""
    found = tuple(_with_ids(map(_whole_line, lines), new_id))
    if len(found) > MOST_LINES:
        raise Refused(
            "too_much", f"一个场景最多 {MOST_LINES} 条，这里有 {len(found)} 条。 Too many lines for one scene."
        )
    title = " ".join(title.split()) or _whole(scenario.name) or "无题"
    return Began(dump_scenario(scenario), found, title)


def _whole_line(line: Line) -> Line:
    return replace(line, character=_whole(line.character), text=_whole(line.text))


def _whole(text: str) -> str:
    """Some programs cut an emoji in half; a record cannot keep that."""
    return LONE_SURROGATE.sub("\ufffd", text)


def _with_ids(lines: Iterable[Line], new_id: NewId) -> Iterable[Line]:
    seen: set[str] = set()
    for line in lines:
        if not _ID.fullmatch(line.id) or line.id in seen:
            line = replace(line, id=new_id())
        seen.add(line.id)
        yield line
