"""Everything the audience perceives. An outlet takes an Approved and nothing else; it can always take it back."""

from __future__ import annotations

import json
from collections.abc import Callable, Container
from typing import Any, Protocol
from urllib.parse import quote

from bot.approval import Approved
from bot.feed import Feed

# An outlet hears of a reply a little later than its time begins to run: within this it was not taken back, but is over.
_LATE = 1.0  # seconds


class Outlet(Protocol):
    """Where approved words appear. `hide` and `clear` never wait: taking words away must not be held up."""

    name: str

    async def show(self, reply: Approved) -> None: ...

    def hide(self, item_id: str) -> None: ...

    def clear(self) -> None: ...


class Overlay:
    """The page in OBS. It also tells a page that connects late what is on the air, with the time it has left."""

    name = "overlay"

    def __init__(
        self, feed: Feed, label: str, clock: Callable[[], float], avatars: Container[str] = frozenset()
    ) -> None:
        """`avatars`: the characters who have a picture at /avatar/NAME."""
        self._feed = feed
        self._label = label
        self._clock = clock
        self._avatars = avatars
        self._on_air: tuple[Approved, float] | None = None

    async def show(self, reply: Approved) -> None:
        self._on_air = (reply, self._clock() + reply.seconds)
        self._feed.publish(self.now_showing())

    def hide(self, item_id: str) -> None:
        if self._on_air is not None and self._on_air[0].id == item_id:
            self._on_air = None
            self._feed.publish({"event": "hide", "id": item_id})

    def clear(self) -> None:
        self._on_air = None
        self._feed.publish({"event": "clear"})

    def now_showing(self) -> dict[str, Any]:
        """The event for a page that has just connected: `show` with what is on the air, else `clear`."""
        if self._on_air is None:
            return {"event": "clear"}
        reply, until = self._on_air
        return {
            "event": "show",
            "reply": {
                "id": reply.id,
                "text": reply.text,
                "character": reply.character,
                "question": reply.quote.text if reply.quote else None,
                "viewer": reply.quote.viewer if reply.quote else None,
                "label": self._label,
                "avatar": f"/avatar/{quote(reply.character)}" if reply.character in self._avatars else None,
            },
            "duration": reply.seconds,
            "remaining": max(0.0, until - self._clock()),
        }


class Peers:
    """The programs on our websocket are told what was aired, by the id that their own message came with.

    Nothing before it airs. When words are taken off the air early they are told that as well; their time being over is
    no news. `platform` is the websocket's: a message of another source keeps its whole id.
    """

    name = "websocket"

    def __init__(self, broadcast: Callable[[str], None], platform: str, clock: Callable[[], float]) -> None:
        """`broadcast` gives one text to every peer, and waits for none."""
        self._broadcast = broadcast
        self._platform = platform
        self._clock = clock
        self._on_air: tuple[Approved, float] | None = None

    async def show(self, reply: Approved) -> None:
        self._on_air = (reply, self._clock() + reply.seconds)
        self._tell("reply", reply, text=reply.text, character=reply.character)

    def hide(self, item_id: str) -> None:
        if self._on_air is not None and self._on_air[0].id == item_id:
            reply, until = self._on_air
            self._on_air = None
            if self._clock() < until - _LATE:
                self._tell("recall", reply)

    def clear(self) -> None:
        if self._on_air is not None:
            self._tell("recall", self._on_air[0])
            self._on_air = None

    def _tell(self, what: str, reply: Approved, **more: str) -> None:
        to = reply.asked and reply.asked.removeprefix(f"{self._platform}:")
        self._broadcast(json.dumps({"type": what, "to": to, **more}, ensure_ascii=False))


def reading_seconds(text: str, *, least: float, per_character: float, most: float) -> float:
    """How long a text stays on the air: in proportion to its length, within bounds."""
    return min(most, max(least, len(text) * per_character))
