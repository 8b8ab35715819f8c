"""What a command of Bilibili's comes to, and the parts that both of its protocols share. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from hashlib import blake2b

from adapters.fields import NAME_LENGTH, text, whole
from bot.messages import Event, Kind, Message, MessageId, Role, Viewer

PLATFORM = "bilibili"
GUARDS = {1: "总督", 2: "提督", 3: "舰长"}
COINS_A_YUAN = 1000  # gold; silver is worth nothing
ID_LENGTH = 200
STRANGER = "观众"  # the name of someone the platform does not name


class Reason(StrEnum):
    """Why a command brings no message."""

    NOT_CHAT = "not_chat"  # a command that we know, about something else
    UNKNOWN = "unknown"  # a command that we do not know
    NO_COMMAND = "no_command"  # not an object with a `cmd`
    NO_TEXT = "no_text"
    BROKEN = "broken"  # nothing of use can be read
    COUNTED = "counted"  # it only adds up what comes one by one as well
    WAITS = "waits"  # the message comes later, merged with others
    SAID_TWICE = "said_twice"  # another command told of the same


class Told(StrEnum):
    """What a command says to the streamer rather than to the chat."""

    LIVE = "live"
    OFFLINE = "offline"
    WARNING = "warning"
    CUT_OFF = "cut_off"
    NOT_LOGGED_IN = "not_logged_in"


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of one command: events in order; or what the panel should be told, in Bilibili's own words if it has
    any (`detail`); or neither, and the reason."""

    events: tuple[Event, ...] = ()
    reason: Reason | None = None
    told: Told | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Combo:
    """A gift that may be one of a row: the same `key` goes on with it. `tid` is unique a gift."""

    key: str
    tid: str
    name: str
    count: int
    message: Message


def person(uid: object, name: object, roles: frozenset[Role] = frozenset(), user_hash: str = "") -> Viewer:
    """A viewer by id. Without one, by the hash that Bilibili still tells of masked viewers; else nobody in particular."""
    known = _short(text(uid))
    if known in ("", "0"):
        known = f"anon:{_short(user_hash)}" if user_hash not in ("", "0") else ""
    return Viewer(PLATFORM, known, text(name, NAME_LENGTH).strip() or known or STRANGER, roles)


def roles(guard: object = 0, admin: object = 0, member: bool = False, streamer: bool = False) -> frozenset[Role]:
    return _roles(whole(guard) in GUARDS, whole(admin) == 1, member, streamer)


@cache
def _roles(guard: bool, admin: bool, member: bool, streamer: bool) -> frozenset[Role]:
    has = {Role.STREAMER: streamer, Role.MODERATOR: admin, Role.GUARD: guard, Role.MEMBER: member}
    return frozenset(role for role, true in has.items() if true)


def message(kind: Kind, key: str, viewer: Viewer, words: str, time: float, price: float | None = None) -> Message:
    """`key` is unique among Bilibili's messages of this kind. A price below 0 counts as none."""
    paid = price if price is not None and price > 0 else None
    return Message(MessageId(f"{PLATFORM}:{_short(key)}"), kind, viewer, words, paid, time)


def _short(key: str) -> str:
    """An id is never cut: two long ones could become the same."""
    return key if len(key) <= ID_LENGTH else digest(key)


def digest(*parts: object) -> str:
    """A short key for something that has no id of its own."""
    return blake2b(repr(parts).encode("utf-8", "replace"), digest_size=8).hexdigest()


def gift(tid: str, combo: str, name: str, count: int, yuan: float, viewer: Viewer, time: float) -> Combo:
    """`yuan` for all of them; 0: it was free."""
    name, count = name or "礼物", max(count, 1)
    tid = tid or digest(viewer.id, viewer.name, name, time)
    sent = message(Kind.GIFT, f"gift:{tid}", viewer, f"{name} x{count}", time, yuan)
    return Combo(f"{viewer.id}/{viewer.name}/{name}/{combo}" if combo else "", tid, name, count, sent)
