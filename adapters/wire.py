"""The JSON frame of the generic websocket and of recordings, to a Message and back. No I/O.

Tolerant where the meaning is plain (an id that is a number, `null` for absent, unknown keys and roles); where it is
not, FrameError names the field, its value and what to write. Nothing else escapes, whatever comes in: a peer is not
trusted to be sane.
"""

from __future__ import annotations

import json
import math
import secrets
from collections.abc import Mapping
from typing import Any

from adapters.fields import MILLISECONDS, unbroken
from adapters.texts import say
from bot.messages import Event, Kind, Message, MessageId, Role, Viewer, Withdrawn

FRAME_BYTES = 64 * 1024
TEXT_LENGTH = 4000
NAME_LENGTH = 200
ID_LENGTH = 200
WITHDRAW = "withdraw"  # the type of a frame that takes messages back
MASK = "***"  # how platforms end a name that they hide; without an id such a viewer is nobody in particular
NAMED = "name:"  # a viewer's id that is only a name: two people of that name cannot be told apart


class FrameError(ValueError):
    """A frame that cannot be read. `field` is empty when the whole frame is wrong."""

    def __init__(self, field: str, value: object, advice: str, **values: object) -> None:
        super().__init__(field)
        self.field = field
        self._shown = _shown(value)
        self._advice = advice
        self._values = values

    def text(self, lang: str = "zh") -> str:
        """One line for whoever wrote the frame: the field, its value, what to write."""
        advice = say(lang, self._advice, **self._values)
        return say(lang, "field", field=self.field, advice=advice, value=self._shown) if self.field else advice

    def __str__(self) -> str:
        return self.text()


def read_frame(data: str | bytes) -> dict[str, Any]:
    """The JSON object of one frame, as it came."""
    frame = read_json(data)
    if not isinstance(frame, dict):
        raise FrameError("", None, "not_object")
    return frame


def read_json(data: str | bytes) -> object:
    """Any JSON. Raises FrameError."""
    try:
        return _DECODER.decode(data if isinstance(data, str) else data.decode(json.detect_encoding(data)))
    except (ValueError, RecursionError):  # not JSON, not UTF-8, a number of 5,000 digits, 10,000 brackets
        raise FrameError("", None, "not_json") from None


def message_from_frame(frame: Mapping[str, Any], platform: str, now: float) -> Message:
    """The message that a frame means. `now` stands for a time that is missing or lies ahead.

    Ids are prefixed with the platform. A missing message id is made up; a missing viewer id becomes `name:` and the
    name. Raises FrameError.
    """
    text = _word(frame, "text", TEXT_LENGTH)
    kind = _kind(frame)
    if kind is Kind.DANMAKU and not text.strip():
        raise FrameError("text", frame.get("text"), "text")
    name = _id(frame, "id") or secrets.token_hex(8)
    return Message(
        id=MessageId(f"{platform}:{name}"),
        kind=kind,
        viewer=_viewer(frame.get("user"), platform),
        text=text,
        price=_price(frame.get("price")),
        time=_time(frame.get("time"), now),
    )


def event_from_frame(frame: Mapping[str, Any], platform: str, now: float) -> Event:
    """The message that a frame means, or what a frame of type `withdraw` takes back. Raises FrameError."""
    if frame.get("type") != WITHDRAW:
        return message_from_frame(frame, platform, now)
    ids, users, everything = _ids(frame, "ids"), _ids(frame, "users"), frame.get("all") is True
    if not (ids or users or everything):
        raise FrameError("", None, "withdraw")
    return Withdrawn(platform, frozenset(MessageId(f"{platform}:{name}") for name in ids), users, everything)


def frame_from_event(event: Event) -> dict[str, Any]:
    """The frame that reads as this event again."""
    if isinstance(event, Message):
        return frame_from_message(event)
    frame: dict[str, Any] = {"type": WITHDRAW}
    if event.messages:
        frame["ids"] = sorted(name.removeprefix(f"{event.platform}:") for name in event.messages)
    if event.viewers:
        frame["users"] = sorted(event.viewers)
    return frame | ({"all": True} if event.everything else {})


def frame_from_message(message: Message) -> dict[str, Any]:
    """The frame that reads as this message again."""
    viewer = message.viewer
    user: dict[str, Any] = {"name": viewer.name}
    if not viewer.known:
        user["anonymous"] = True
    elif viewer.id != NAMED + viewer.name:
        user["id"] = viewer.id
    if viewer.roles:
        user["roles"] = sorted(viewer.roles)
    frame: dict[str, Any] = {"type": message.kind.value, "id": message.id.removeprefix(f"{viewer.platform}:")}
    frame |= {"user": user, "text": message.text, "time": message.time}
    if message.price is not None:
        frame["price"] = message.price
    return frame


def _kind(frame: Mapping[str, Any]) -> Kind:
    value = frame.get("type")
    try:
        return Kind(value.lower() if isinstance(value, str) else "")
    except ValueError:
        raise FrameError("type", value, "kind", kinds=", ".join(Kind)) from None


def _viewer(user: object, platform: str) -> Viewer:
    """A viewer is known by id; the name is decoration, unless it is all there is."""
    if isinstance(user, str):
        user = {"name": user}
    if user is not None and not isinstance(user, dict):
        raise FrameError("user", user, "user")
    fields = user or {}
    viewer_id = _id(fields, "id", "user.id")
    name = _word(fields, "name", NAME_LENGTH, "user.name").strip() or viewer_id
    if not name:
        raise FrameError("user.name", fields.get("name"), "viewer")
    anonymous = not viewer_id and (fields.get("anonymous") is True or name.endswith(MASK))
    return Viewer(platform, "" if anonymous else viewer_id or NAMED + name, name, _roles(fields.get("roles")))


def _roles(value: object) -> frozenset[Role]:
    """The roles that we know; a platform may have many more."""
    if value is None:
        return frozenset()
    if not isinstance(value, list) or not all(isinstance(role, str) for role in value):
        raise FrameError("user.roles", value, "roles")
    return frozenset(Role(role) for role in value if role in set(Role))


def _word(fields: Mapping[str, Any], key: str, limit: int, field: str = "") -> str:
    """A string, or a number that was meant as one, cut to `limit` before anything else looks at it."""
    value = fields.get(key)
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**20:
        return str(value)
    if not isinstance(value, str):
        raise FrameError(field or key, value, "word")
    return unbroken(value[:limit])


def _id(fields: Mapping[str, Any], key: str, field: str = "") -> str:
    """An id is never cut: two long ones could become the same."""
    word = _word(fields, key, ID_LENGTH + 1, field).strip()
    if len(word) > ID_LENGTH:
        raise FrameError(field or key, word, "long_id", limit=ID_LENGTH)
    return word


def _ids(frame: Mapping[str, Any], key: str) -> frozenset[str]:
    """A list of ids; an id may be a number here, as everywhere."""
    value = frame.get(key)
    if value is None:
        return frozenset()
    if not isinstance(value, list):
        raise FrameError(key, value, "ids")
    return frozenset(filter(None, (_id({key: one}, key) for one in value)))


def _price(value: object) -> float | None:
    """Yuan; None when nothing was paid."""
    if value is None:
        return None
    price = _number(value)
    if price is None or price < 0:
        raise FrameError("price", value, "price")
    return price or None


def _time(value: object, now: float) -> float:
    """When it was sent. A clock ahead of ours must not make a message live longer than the others."""
    if value is None:
        return now
    time = seconds(value)
    if time is None:
        raise FrameError("time", value, "time")
    return min(now, time)


def seconds(value: object) -> float | None:
    """A point in time in seconds, given in seconds or milliseconds; None when it is no number or below 0."""
    number = _number(value)
    if number is None or number < 0:
        return None
    return number / 1000 if number > MILLISECONDS else number


def _number(value: object) -> float | None:
    """A finite number, or None. `true` is no number here, and 10**400 is none to a float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _refuse(constant: str) -> float:
    """NaN and Infinity are no JSON."""
    raise ValueError(constant)


_DECODER = json.JSONDecoder(parse_constant=_refuse)  # made once: that costs as much as reading a frame


def _shown(value: object) -> str:
    """A value in a line for people: short, and one line."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (ValueError, TypeError, RecursionError):
        text = type(value).__name__
    return unbroken(text if len(text) <= 60 else text[:60] + "…")
