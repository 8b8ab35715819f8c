"""Two lists that a person rules over: messages that a check has stopped, and viewers who are not heard for a while.

No I/O, no clock: `now` is an argument.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from bot.approval import Flag
from bot.messages import Message, MessageId, Viewer, Withdrawn

MUTE_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Held:
    """A message and what the checks found in it. `screened`: what they were made with."""

    message: Message
    flags: tuple[Flag, ...]
    screened: str
    since: float


class HeldLane:
    """Held messages, oldest first. Beyond `limit` the oldest that nobody paid for gives way; it stays among those that
    were passed over."""

    def __init__(self, limit: int = 100) -> None:
        self._limit = limit
        self._rows: dict[MessageId, Held] = {}

    def __iter__(self) -> Iterator[Held]:
        return iter(tuple(self._rows.values()))

    def __len__(self) -> int:
        return len(self._rows)

    def put(self, held: Held) -> None:
        self._rows[held.message.id] = held
        if len(self._rows) > self._limit:
            first = min(self._rows.values(), key=lambda row: row.message.paid)  # min keeps the oldest of equals
            del self._rows[first.message.id]

    def take(self, message_id: str) -> Held | None:
        return self._rows.pop(MessageId(message_id), None)

    def withdraw(self, event: Withdrawn) -> None:
        """The platform has deleted messages: nobody has to decide about them any more."""
        self._rows = {name: row for name, row in self._rows.items() if not event.covers(row.message)}


@dataclass(frozen=True, slots=True)
class Mute:
    viewer: Viewer
    until: float


class Mutes:
    """Who is not heard, and until when. A viewer whom nobody knows cannot be muted: that would mute them all."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], Mute] = {}

    def put(self, viewer: Viewer, until: float) -> None:
        if not viewer.known:
            raise ValueError("a viewer without an id is nobody in particular")
        self._rows[viewer.key] = Mute(viewer, until)

    def lift(self, platform: str, viewer_id: str) -> bool:
        """Whether there was one to lift."""
        return self._rows.pop((platform, viewer_id), None) is not None

    def covers(self, viewer: Viewer, now: float) -> bool:
        mute = self._rows.get(viewer.key)
        return viewer.known and mute is not None and now < mute.until

    def now(self, now: float) -> list[Mute]:
        """Those that are not over, which are forgotten."""
        self._rows = {key: mute for key, mute in self._rows.items() if now < mute.until}
        return list(self._rows.values())

    def dump(self) -> str:
        rows = [[mute.viewer.platform, mute.viewer.id, mute.viewer.name, mute.until] for mute in self._rows.values()]
        return json.dumps(rows, ensure_ascii=False)

    def load(self, text: str) -> None:
        for platform, viewer_id, name, until in json.loads(text):
            self.put(Viewer(platform, viewer_id, name), until)
