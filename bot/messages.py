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
    """Who wrote. Two viewers are the same person only if `platform` and `id` agree; names are decoration.

    `id` is "" where the platform does not say who it was (masked names, `uid` 0): such a viewer is nobody in
    particular, and nothing that is meant for one person (a mute, a rest, a history) may be kept under that key.
    """

    platform: str
    id: str
    name: str
    roles: frozenset[Role] = frozenset()

    @property
    def key(self) -> tuple[str, str]:
        return self.platform, self.id

    @property
    def known(self) -> bool:
        """Whether the next message of this person can be told to be theirs."""
        return bool(self.id)


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


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The platform has taken back what viewers wrote until now: single messages, all of some viewers, or everything.

    `platform` and the `viewers` (their ids) are those of `Viewer`; `messages` are ids of `Message`, prefix and all.
    """

    platform: str
    messages: frozenset[MessageId] = frozenset()
    viewers: frozenset[str] = frozenset()
    everything: bool = False

    def covers(self, message: Message) -> bool:
        """Whether this message is among those taken back."""
        viewer = message.viewer
        if viewer.platform != self.platform:
            return False
        return self.everything or message.id in self.messages or (viewer.known and viewer.id in self.viewers)


Event = Message | Withdrawn
