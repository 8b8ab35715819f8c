"""How a scene begins: from a scenario, from a saved log, or from what was aired. Values only."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from uuid import uuid4

from bot.desk.orders import MOST_LINES
from bot.desk.steps import Began
from bot.errors import Refused
from bot.scenario import Line, Scenario, dump_scenario


def began(
    scenario: Scenario, lines: Iterable[Line], title: str = "", new_id: Callable[[], str] = lambda: uuid4().hex[:12]
) -> Began:
    """The first step of a scene in which these lines are played already. Lines without an id, or with one that another
    has, get one. Raises Refused."""
    found = tuple(_with_ids(lines, new_id))
    if len(found) > MOST_LINES:
        raise Refused(
            "too_much", f"一个场景最多 {MOST_LINES} 行，这里有 {len(found)} 行。 Too many lines for one scene."
        )
    return Began(dump_scenario(scenario), found, " ".join(title.split()) or scenario.name or "无题")


def _with_ids(lines: Iterable[Line], new_id: Callable[[], str]) -> Iterable[Line]:
    seen: set[str] = set()
    for line in lines:
        if not line.id or line.id in seen:
            line = replace(line, id=new_id())
        seen.add(line.id)
        yield line
