"""Writes what a platform sent as the lines that `--replay` reads. Knows no file.

Unless names are asked for, a recording names nobody: viewers and messages get ids that are the same within a recording
and in no other (a keyed hash, so nothing has to be remembered), names become 观众 and a number, and `@somebody` in a text
becomes `@观众`. The words are the viewers' own.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import replace
from hashlib import blake2b

from adapters.wire import MASK, frame_from_event
from bot.messages import Event, MessageId, Viewer, Withdrawn

_MENTION = re.compile(r"@[^\s@,:;!?，。：；！？]{1,40}")


class Tape:
    """One recording that begins at `start`, in seconds since 1970. `names`: as they are."""

    def __init__(self, start: float, *, names: bool = False) -> None:
        self._start = start
        self._names = names
        self._key = secrets.token_bytes(16)
        self._at = 0.0

    def line(self, event: Event, now: float) -> str:
        """One line, with its end. A clock that steps back makes no line earlier than the one before."""
        self._at = max(self._at, round(now - self._start, 3))
        frame = frame_from_event(event if self._names else self._hidden(event))
        return json.dumps({"at": self._at, **frame}, ensure_ascii=False) + "\n"

    def _hidden(self, event: Event) -> Event:
        if isinstance(event, Withdrawn):
            messages = frozenset(self._message_id(event.platform, message_id) for message_id in event.messages)
            return replace(event, messages=messages, viewers=frozenset(map(self._hash, event.viewers)))
        return replace(
            event,
            id=self._message_id(event.viewer.platform, event.id),
            viewer=self._viewer(event.viewer),
            text=_MENTION.sub("@观众", event.text),
        )

    def _viewer(self, viewer: Viewer) -> Viewer:
        if not viewer.known:
            return replace(viewer, name=f"观众{MASK}")
        hidden = self._hash(viewer.id)
        return replace(viewer, id=hidden, name=f"观众{int(hidden, 16) % 100_000:05}")

    def _message_id(self, platform: str, message_id: MessageId) -> MessageId:
        return MessageId(f"{platform}:{self._hash(message_id)}")

    def _hash(self, text: str) -> str:
        return blake2b(text.encode(), key=self._key, digest_size=8).hexdigest()
