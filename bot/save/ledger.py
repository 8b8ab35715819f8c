"""Reads show.db for the figures, a row at a time and by a connection of its own, so that another thread may.

Nothing here writes, and nothing here counts.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from bot.approval import State
from bot.save.generations import Generation, Outcome, Place

MOST = 253402300799.0  # the end of the year 9999


@dataclass(frozen=True, slots=True)
class CardRow:
    """A card of the show as it stands now. `drafts`: the model's proposals on it, in their order. `asked`: the words of
    the viewer that it answers, None: nobody's. `decided`: when a person approved or rejected it the first time, None where nobody has."""

    scenario: str
    created: float
    state: State
    character: str
    text: str | None
    drafts: tuple[str, ...]
    asked: str | None
    decided: float | None


@dataclass(frozen=True, slots=True)
class Aired:
    """What a show (series/name) aired on one day (2026-11-23, as this machine's clock is set), recalled replies left
    out. `last`: when it aired the last one."""

    show: str
    day: str
    replies: int
    last: float


@dataclass(frozen=True, slots=True)
class SceneRows:
    """The steps of a scene that are in effect, the first one left out, in order: when, and the step as JSON."""

    id: str
    steps: tuple[tuple[float, dict[str, Any]], ...]


class Ledger:
    """`start` and `end` are seconds since 1970; what is at `end` is left out."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, check_same_thread=False)

    def close(self) -> None:
        self._db.close()

    def generations(self, start: float = 0.0, end: float = MOST) -> Iterator[Generation]:
        """In the order in which they began."""
        rows = self._db.execute(
            "SELECT place, subject, character, at, seconds, first_text, drafts, characters, outcome FROM generations "
            "WHERE at >= ? AND at < ? ORDER BY at",
            (start, end),
        )
        for place, subject, character, at, seconds, first, drafts, characters, outcome in rows:
            yield Generation(
                Place(place), subject, character, at, seconds, first, drafts, characters, Outcome(outcome)
            )  # fmt: skip

    def cards(self, start: float = 0.0, end: float = MOST) -> Iterator[CardRow]:
        """Those that came up then."""
        for scenario, created, state, character, text, drafts, asked, decided in self._db.execute(_CARDS, (start, end)):
            proposed = tuple(draft["text"] for draft in json.loads(drafts or "[]") if not draft.get("by_person"))
            yield CardRow(scenario, created, State(state), character, text, proposed, asked, decided)

    def scenes(self, start: float = 0.0, end: float = MOST) -> Iterator[SceneRows]:
        """The whole record of every scene that was changed in that time or after."""
        rows = self._db.execute(_STEPS, (start, end))
        for scene, steps in groupby(rows, key=lambda row: str(row[0])):
            yield SceneRows(scene, tuple((at, json.loads(body)) for _, at, body in steps))

    def asks(self, scene: str) -> dict[str, tuple[str, ...]]:
        """The finished drafts of each ask at the desk, by its id."""
        rows = self._db.execute("SELECT id, json_extract(body, '$.drafts') FROM proposals WHERE scene = ?", (scene,))
        return {id: tuple(draft["text"] for draft in json.loads(drafts)) for id, drafts in rows}

    def asked(self, scene: str) -> dict[str, float]:
        """When each ask at the desk was made, by its id."""
        return dict(self._db.execute("SELECT id, at FROM proposals WHERE scene = ?", (scene,)))

    def aired(self) -> list[Aired]:
        """The newest day first."""
        return [Aired(*row) for row in self._db.execute(_AIRED)]

    def extent(self) -> tuple[float, float] | None:
        """When the first and the last thing happened that is counted; None where there is nothing."""
        first, last = self._db.execute(_EXTENT).fetchone()
        return None if first is None else (first, last)

    def titles(self) -> dict[str, str]:
        """What the scenes are called, by their ids."""
        return {id: title or f"{series}/{name}" for id, title, series, name in self._db.execute(_TITLES)}


_CARDS = """
    SELECT scenario, created, state, json_extract(body, '$.character'), json_extract(body, '$.text'),
        json_extract(body, '$.drafts'), json_extract(body, '$.message.text'),
        (SELECT MIN(at) FROM decisions WHERE item = items.id AND action IN ('approve', 'reject') AND by IS NOT NULL)
    FROM items WHERE created >= ? AND created < ?
"""
_AIRED = """
    SELECT scenario, date(at, 'unixepoch', 'localtime') AS day, COUNT(*), MAX(at)
    FROM items JOIN decisions ON decisions.item = items.id AND decisions.action = 'air'
    WHERE state IN ('aired', 'done') GROUP BY scenario, day ORDER BY MAX(at) DESC
"""
_STEPS = """
    SELECT scene, at, body FROM steps JOIN scenes ON scenes.id = scene
    WHERE number > 0 AND number <= position AND changed >= ? AND created < ? ORDER BY scene, number
"""
_EXTENT = """
    SELECT MIN(at), MAX(at) FROM (
        SELECT MIN(created) AS at FROM items UNION ALL SELECT MAX(created) FROM items
        UNION ALL SELECT MIN(at) FROM generations UNION ALL SELECT MAX(at) FROM generations
        UNION ALL SELECT MIN(created) FROM scenes UNION ALL SELECT MAX(changed) FROM scenes)
"""
_TITLES = "SELECT id, title, series, name FROM scenes"
