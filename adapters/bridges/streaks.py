"""Gifts of which a platform repeats the running total: from totals to what was given since the last time."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

LIMIT = 5000  # rows remembered; the one that was quiet longest is forgotten
SECONDS = 600.0


@dataclass(slots=True)
class _Row:
    total: int
    time: float
    ended: bool


class Streaks:
    """Remembers the last total of each row. A row is one viewer's clicks on one gift."""

    def __init__(self) -> None:
        self._rows: OrderedDict[str, _Row] = OrderedDict()

    def given(self, key: str, total: int, now: float, *, ended: bool = False, numbered: bool = False) -> int:
        """How many are new; 0: all were told before.

        `ended`: the platform says that the row is over, and repeats its total. `numbered`: each row has a `key` of its
        own, so a total that does not rise is an old one that comes late. Without numbers it begins the next row.
        """
        row = self._rows.get(key)
        if (
            row is None
            or now - row.time >= SECONDS
            or (not numbered and not ended and (row.ended or total <= row.total))
        ):
            before = 0
        else:
            before = row.total
        self._keep(key, _Row(max(total, before), now, ended))
        return max(0, total - before)

    def _keep(self, key: str, row: _Row) -> None:
        self._rows[key] = row
        self._rows.move_to_end(key)
        if len(self._rows) > LIMIT:
            self._rows.popitem(last=False)

    def __len__(self) -> int:
        return len(self._rows)
