"""The commands of Bilibili's official protocol (Open Live), as messages. No I/O, no memory.

Field tables: https://open-live.bilibili.com/document/ ; every event has a `msg_id`, users are `open_id`.
"""

from __future__ import annotations

from typing import Any

from adapters.bilibili.commands import Command, Found, super_chats_gone
from adapters.bilibili.reading import (
    COINS_A_YUAN,
    GUARDS,
    Reading,
    Reason,
    Told,
    digest,
    gift,
    message,
    person,
    roles,
)
from adapters.fields import at, number, seconds, text, whole
from bot.messages import Kind, Viewer

PREFIX = "LIVE_OPEN_PLATFORM_"


def read(command: Command, name: str, now: float, owner: str = "") -> Found:
    """What a command means; None: it is not one that we know. `owner` is the streamer's `open_id`."""
    if not name.startswith(PREFIX):
        return None
    data = at(command, "data")
    data = data if isinstance(data, dict) else {}
    time = seconds(data.get("timestamp"), now)
    sender = _viewer(data, owner)
    match name.removeprefix(PREFIX):
        case "DM" | "DM_MIRROR":
            words = text(data.get("msg"))
            if not words.strip():
                return Reading(reason=Reason.NO_TEXT)
            return message(Kind.DANMAKU, f"dm:{_key(data, sender, words, time)}", sender, words, time)
        case "SEND_GIFT":
            return _gift(data, sender, time)
        case "SUPER_CHAT":
            time = seconds(data.get("start_time") or data.get("timestamp"), now)
            words = text(data.get("message"))
            key = text(data.get("message_id")) or _key(data, sender, words, time)
            return message(Kind.SUPER_CHAT, f"sc:{key}", sender, words, time, number(data.get("rmb")))
        case "SUPER_CHAT_DEL":
            return super_chats_gone(data.get("message_ids"))
        case "GUARD":
            return _guard(data, owner, time)
        case "LIKE":
            return message(Kind.LIKE, f"like:{_key(data, sender, 'like', time)}", sender, "", time)
        case "LIVE_ROOM_ENTER":
            return message(Kind.ENTER, f"enter:{_key(data, sender, 'enter', time)}", sender, "", time)
        case "LIVE_START":
            return Reading(told=Told.LIVE)
        case "LIVE_END":
            return Reading(told=Told.OFFLINE)
        case "INTERACTION_END":
            return Reading(reason=Reason.NOT_CHAT)  # the connection acts on it
    return None


def _viewer(user: dict[str, Any], owner: str) -> Viewer:
    open_id = text(user.get("open_id"))
    return person(
        open_id or user.get("uid"),
        user.get("uname"),
        roles(
            guard=user.get("guard_level"),
            admin=user.get("is_admin"),
            member=user.get("fans_medal_wearing_status") is True,
            streamer=bool(owner) and open_id == owner,
        ),
    )


def _key(data: dict[str, Any], sender: Viewer, words: str, time: float) -> str:
    return text(data.get("msg_id")) or digest(sender.id, sender.name, words, time)


def _gift(data: dict[str, Any], sender: Viewer, time: float) -> Found:
    count = max(whole(data.get("gift_num")), 1)
    coins = whole(data.get("price")) * count if data.get("paid") else 0
    return gift(
        tid=text(data.get("msg_id")),
        combo=text(at(data, "combo_info", "combo_id")) if data.get("combo_gift") else "",
        name=text(data.get("gift_name"), 40),
        count=count,
        yuan=coins / COINS_A_YUAN,
        viewer=sender,
        time=time,
    )


def _guard(data: dict[str, Any], owner: str, time: float) -> Found:
    user = at(data, "user_info")
    sender = _viewer((user if isinstance(user, dict) else {}) | {"guard_level": data.get("guard_level")}, owner)
    title = GUARDS.get(whole(data.get("guard_level")), "")
    if not title:
        return Reading(reason=Reason.BROKEN)
    count = max(whole(data.get("guard_num")), 1)
    words = title if count == 1 else f"{title} x{count}"
    price = whole(data.get("price")) / COINS_A_YUAN
    return message(Kind.GUARD, f"guard:{_key(data, sender, words, time)}", sender, words, time, price)
