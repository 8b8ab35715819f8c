"""The lorebook: what of the world is told now, because the last lines speak of it. Pure; knows no engine and no story.

In 场景剧本.json: "Lorebook": [{"name", "keys": […], "secondary": […], "text", "priority", "enabled", "constant", "case"}],
"LoreBudget": tokens, "LoreDepth": how many of the last lines are searched. Keys are words, not patterns: a pattern could
take for ever, and what a card from elsewhere writes as /…/ is looked for as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.desk.mention import mention
from bot.scenario import Line, Origin, Scenario, ScenarioError, canonical_text, render

BUDGET = 512
"""Tokens."""

DEPTH = 10
"""Lines."""


class Entry(BaseModel):
    """Told when one of the `keys` is mentioned and, where there are `secondary` ones, one of these too; `constant`:
    always. Of those with a higher `priority` there is room for first."""

    model_config = ConfigDict(frozen=True)

    name: str = ""
    keys: tuple[str, ...] = ()
    secondary: tuple[str, ...] = ()
    text: str = ""
    priority: int = 0
    enabled: bool = True
    constant: bool = False
    case: bool = False


class Lorebook(BaseModel):
    model_config = ConfigDict(frozen=True)

    entries: tuple[Entry, ...] = Field((), alias="Lorebook")
    budget: int = Field(BUDGET, alias="LoreBudget", ge=0)
    depth: int = Field(DEPTH, alias="LoreDepth", ge=0)


@dataclass(frozen=True, slots=True)
class Told:
    """An entry whose time it is. `key` is the word that was mentioned, "" for one that is always told."""

    entry: Entry
    tokens: int
    key: str

    @property
    def why(self) -> str:
        """For people."""
        return f"提到“{self.key}” / mentioned" if self.key else "常驻 / always"


@dataclass(frozen=True, slots=True)
class Lore:
    """`active`: those that are told, in the order of the book. `left_out`: those that the `budget` (tokens) has no room
    for."""

    active: tuple[Told, ...] = ()
    left_out: tuple[Told, ...] = ()
    budget: int = BUDGET

    @property
    def tokens(self) -> int:
        return sum(told.tokens for told in self.active)


def lorebook_of(scenario: Scenario, file: str = "场景剧本.json") -> Lorebook:
    """Raises ScenarioError, which names `file` and the place in it."""
    try:
        return Lorebook.model_validate({key: scenario.extra[key] for key in _keys() if key in scenario.extra})
    except ValidationError as error:
        raise ScenarioError(file, *_said(error.errors()[0])) from None


def active(book: Lorebook, lines: Sequence[Line], count: Callable[[str], int]) -> Lore:
    """What is told after these lines (pending ones too). `count`: how many tokens a text is.

    Constant entries are taken first, then by priority, then in the order of the book; what does not fit is passed over.
    """
    searched = render([line for line in lines if line.origin is not Origin.SYSTEM][-book.depth :]) if book.depth else ""
    found = [told for entry in book.entries if (told := _told(entry, searched, count))]
    taken, room = set[int](), book.budget
    for number in sorted(range(len(found)), key=lambda n: (not found[n].entry.constant, -found[n].entry.priority)):
        if found[number].tokens <= room:
            taken.add(number)
            room -= found[number].tokens
    return Lore(
        tuple(told for number, told in enumerate(found) if number in taken),
        tuple(told for number, told in enumerate(found) if number not in taken),
        book.budget,
    )


def _told(entry: Entry, searched: str, count: Callable[[str], int]) -> Told | None:
    if not entry.enabled or not canonical_text(entry.text):
        return None
    key = "" if entry.constant else _key(entry, searched)
    return None if key is None else Told(entry, count(canonical_text(entry.text)), key)


def _key(entry: Entry, searched: str) -> str | None:
    """The first of its keys that is mentioned."""
    if entry.secondary and _first(entry.secondary, entry, searched) is None:
        return None
    return _first(entry.keys, entry, searched)


def _first(keys: Sequence[str], entry: Entry, searched: str) -> str | None:
    return next((key for key in keys if mention(searched, key, case=entry.case) is not None), None)


def _keys() -> tuple[str, ...]:
    return tuple(field.alias or name for name, field in Lorebook.model_fields.items())


def _said(error: Mapping[str, Any]) -> tuple[str, str]:
    """Where, and what is wrong with it."""
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"]).removeprefix(".")
    return where, f"现为 {error['input']!r:.40}，不合要求（{error['msg']}）。请改正。 This cannot be used."
