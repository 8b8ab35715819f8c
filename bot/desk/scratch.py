"""What stands in the text boxes, by tab: kept as it is typed, and given to the next tab after a crash.

A tab never sees the words of another tab that is open, and never writes over them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import TypeAdapter

from bot.save.desk import DeskRecord, Kept

MOST_TABS = 16  # whose words are kept; beyond it the oldest of those that are closed give way


@dataclass(frozen=True, slots=True)
class Edit:
    """Words that are being changed in their place. `id`: the line's or the draft's; `cursor` as in Scratch."""

    id: str
    character: str
    text: str
    cursor: int


@dataclass(frozen=True, slots=True)
class Scratch:
    """`cursor` counts UTF-16 units, as browsers do. `character` and `mode` are what the page had chosen. `writer`, `start`
    and `hint`: who was to write drafts, how they were to begin, and what the model was to be told. `edit`: the line that was
    being changed, if any."""

    text: str
    cursor: int
    character: str
    mode: str
    writer: str = ""
    start: str = ""
    hint: str = ""
    edit: Edit | None = None


_SCRATCH = TypeAdapter(Scratch)


class Tabs:
    """The tabs of one scene."""

    def __init__(self, scene: str, record: DeskRecord, clock: Callable[[], float]) -> None:
        self._scene = scene
        self._record = record
        self._clock = clock
        self._kept = {kept.id: kept for kept in reversed(record.scratches(scene))}  # oldest first
        self._open: Counter[str] = Counter()
        self._inherited: dict[str, str] = {}  # an open tab -> the closed one whose words it was given

    @property
    def any_open(self) -> bool:
        return bool(self._open)

    def opened(self, tab: str) -> None:
        self._open[tab] += 1
        if tab not in self._kept and (left := self._orphan()) is not None:
            self._inherited.setdefault(tab, left)

    def closed(self, tab: str) -> None:
        self._open -= Counter({tab: 1})
        if not self._open[tab]:
            self._inherited.pop(tab, None)

    def scratch(self, tab: str = "") -> Scratch | None:
        """A tab's own words, or those that were left to it, or would be left to a tab that opened now. None: there are
        none."""
        left = self._inherited.get(tab) if self._open[tab] else self._orphan()
        kept = self._kept.get(tab) or self._kept.get(left or "")
        return None if kept is None else _SCRATCH.validate_json(kept.body)

    def keep(self, tab: str, scratch: Scratch) -> None:
        """On disk when this returns. Raises SaveError."""
        kept = Kept(tab, self._clock(), _SCRATCH.dump_json(scratch).decode())
        self._record.keep_scratch(self._scene, kept)
        self._kept.pop(tab, None)
        self._kept[tab] = kept
        inherited = self._inherited.pop(tab, None)
        if inherited is not None and not self._open[inherited]:
            self._drop(inherited)
        for old in [one for one in self._kept if not self._open[one]][: max(0, len(self._kept) - MOST_TABS)]:
            self._drop(old)

    def _drop(self, tab: str) -> None:
        self._record.drop_scratch(self._scene, tab)
        self._kept.pop(tab, None)

    def _orphan(self) -> str | None:
        """The closed tab that was written in last, before it one with words; not one that somebody has inherited."""
        taken = set(self._inherited.values())
        orphans = [tab for tab in self._kept if not self._open[tab] and tab not in taken]
        with_words = [tab for tab in orphans if _has_words(_SCRATCH.validate_json(self._kept[tab].body))]
        return next(reversed(with_words or orphans), None)


def _has_words(scratch: Scratch) -> bool:
    return bool(scratch.text or scratch.edit)
