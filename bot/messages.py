"""What viewers send, whatever the platform. Values only: nothing here reads, waits or decides."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

MessageId = NewType("MessageId", str)


class Kind(StrEnum):
    """What a viewer did. The values are the `type` of the generic websocket frame."""

    DANMAKU = "danmaku"
    SUPER_CHAT = "super_chat"
    GIFT = "gift"
    GUARD = "guard"
    ENTER = "enter"
    FOLLOW = "follow"
    LIKE = "like"


class Role(StrEnum):
    """What a viewer is in the room."""

    STREAMER = "streamer"
    MODERATOR = "moderator"
    GUARD = "guard"
    MEMBER = "member"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who wrote. Two viewers are the same person only if `platform` and `id` agree; names are decoration."""

    platform: str
    id: str
    name: str
    roles: frozenset[Role] = frozenset()

    @property
    def key(self) -> tuple[str, str]:
        return self.platform, self.id


@dataclass(frozen=True, slots=True)
class Message:
    """One thing a viewer sent.

    `id` is unique over platforms (an adapter prefixes its own name). `price` is in yuan, None when nothing was paid.
    `time` is when it was sent, in seconds since 1970. `text` is as it came: unsafe for a prompt, a page or a log.
    """

    id: MessageId
    kind: Kind
    viewer: Viewer
    text: str = ""
    price: float | None = None
    time: float = 0.0

    @property
    def paid(self) -> bool:
        return self.kind in (Kind.SUPER_CHAT, Kind.GUARD) or bool(self.price)
