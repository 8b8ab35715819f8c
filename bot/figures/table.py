"""Figures as a table for a spreadsheet: a row for each day, place, show or scene, and character."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from bot.figures.calendar import Calendar
from bot.figures.choices import Choice
from bot.figures.report import Heaps, add_up
from bot.save import Generation

BOM = "\ufeff"  # without it Excel reads UTF-8 as something else
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_COLUMNS = (
    *("generations", "finished", "stopped", "failed", "drafts", "characters", "engine_seconds"),
    *("seconds_per_generation", "seconds_per_character", "characters_per_generation", "first_text_p50"),
    *("first_text_p95", "decided", "taken", "edited", "own", "rejected", "expired", "recalled", "waiting", "hits"),
    *("hit_share", "chosen_characters", "decide_p50", "decide_p95"),
)


def table(
    choices: Iterable[Choice], generations: Iterable[Generation], calendar: Calendar, titles: Mapping[str, str]
) -> str:
    """RFC 4180, for Excel too. A text that a spreadsheet would take for a formula begins with an apostrophe."""
    heaps = Heaps(lambda row: (calendar.bucket(row.at), row.place.value, row.subject, row.character))
    add_up(choices, generations, heaps)
    rows = [
        (start, place, titles.get(subject, subject), character, *(found[name] for name in _COLUMNS))
        for (start, place, subject, character), found in sorted(heaps.figures(), key=lambda one: one[0])
    ]
    return BOM + to_csv([(calendar.unit.value, "place", "title", "character", *_COLUMNS), *rows])


def to_csv(rows: Iterable[Iterable[Any]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([[_cell(value) for value in row] for row in rows])
    return out.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value
