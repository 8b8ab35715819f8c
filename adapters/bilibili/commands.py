"""The commands of Bilibili's web protocol, as messages. Tolerant: odd fields never cost the rest. No I/O, no memory.

The shapes were collected from public clients and recordings; the protocol is unofficial and changes without notice.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from adapters.bilibili import protobuf
from adapters.bilibili.reading import (
    COINS_A_YUAN,
    GUARDS,
    PLATFORM,
    Combo,
    Reading,
    Reason,
    Told,
    digest,
    gift,
    message,
    person,
    roles,
)
from adapters.fields import at, nth, number, seconds, text, whole
from bot.messages import Kind, Message, MessageId, Withdrawn

Command = dict[str, Any]
Found = Reading | Message | Withdrawn | Combo | list[Combo] | None

ENTER, FOLLOW, SHARE, SPECIAL_FOLLOW, MUTUAL_FOLLOW = 1, 2, 3, 4, 5
RECALL_OF_VIEWER = 2
GIVEN_AGAIN = 2  # `option.source` of a guard that is told a second time as a present

# Quotes inside a value of JSON are escaped, so neither can be forged by what a viewer writes.
ID_STR = re.compile(r'"id_str"\s*:\s*"([^"\\]{1,100})"')
USER_HASH = re.compile(r'"user_hash"\s*:\s*"([^"\\]{1,100})"')

NOT_CHAT = Reading(reason=Reason.NOT_CHAT)


def read(command: Command, name: str, now: float, owner: str = "") -> Found:
    """What a command means; None: it is not one that we know. `owner` is the id of the room's streamer."""
    reader = READERS.get(name)
    if reader is not None:
        return reader(command, now, owner)
    return NOT_CHAT if name in ELSEWHERE or name.startswith(ELSEWHERE_PREFIXES) else None


def danmaku(command: Command, now: float, owner: str) -> Found:
    """`info` is a list by position; newer servers add an object (15) with a JSON string (`extra`) inside."""
    info = at(command, "info")
    if not isinstance(info, list):
        return Reading(reason=Reason.BROKEN)
    head, user = nth(info, 0), nth(info, 2)
    more = nth(head, 15)
    extra = at(more, "extra")
    words = text(nth(info, 1)) or text(at(_json(extra), "content"))
    if not words.strip():
        return Reading(reason=Reason.NO_TEXT)
    uid = text(nth(user, 0)) or text(at(more, "user", "uid"))
    masked = uid in ("", "0")
    sender = person(
        uid,
        text(nth(user, 1)) or text(at(more, "user", "base", "name")),
        roles(
            guard=nth(info, 7),
            admin=nth(user, 2),
            member=_wears(nth(info, 3), owner),
            streamer=bool(owner) and uid == owner,
        ),
        (_in_json(extra, USER_HASH) or text(nth(head, 7))) if masked else "",
    )
    stamp = nth(head, 4)
    own_id = _in_json(extra, ID_STR) or digest(sender.id, sender.name, text(stamp), words)
    return message(Kind.DANMAKU, f"dm:{own_id}", sender, words, seconds(stamp, now))


def _wears(medal: object, owner: str) -> bool:
    """Whether the medal is of this room: its last place names whose it is. An old one, without that, counts."""
    whose = text(nth(medal, 12))
    return bool(whole(nth(medal, 0))) and (not owner or not whose or whose == owner)


def send_gift(command: Command, now: float, owner: str) -> Found:
    data = at(command, "data")
    if not isinstance(data, dict):
        return Reading(reason=Reason.BROKEN)
    count = max(whole(at(data, "num")), 1)
    coins = whole(at(data, "total_coin")) or whole(at(data, "price")) * count
    if box := whole(at(data, "blind_gift", "original_gift_price")):
        coins = box * count  # what the box cost, not what was in it
    return gift(
        tid=text(at(data, "tid")) or text(at(data, "rnd")),
        combo=text(at(data, "batch_combo_id")),
        name=text(at(data, "giftName"), 40),
        count=count,
        yuan=_yuan(coins, at(data, "coin_type")),
        viewer=person(at(data, "uid"), at(data, "uname"), roles(guard=at(data, "guard_level"))),
        time=seconds(at(data, "timestamp"), now),
    )


def send_gift_v2(command: Command, now: float, owner: str) -> Found:
    """A protobuf with several gifts: 1 uid, 2 uname, 5 guard, 9 box {6 price}, 10 gifts {2 name, 3 number, 5 price,
    7 total, 8 coin, 9 tid, 10 time, 12 combo}, 15 the sender once more."""
    data = _protobuf(command)
    gifts = list(_messages(data, 10))
    if not gifts:
        return Reading(reason=Reason.BROKEN)
    sender = person(
        protobuf.whole(data, 1) or protobuf.whole(protobuf.inner(data, 15), 1),
        protobuf.text(data, 2),
        roles(guard=protobuf.whole(data, 5)),
    )
    box = protobuf.whole(protobuf.inner(data, 9), 6)
    tids = [protobuf.text(item, 9) for item in gifts]
    return [_gift_of(item, tids[:place].count(tids[place]), box, sender, now) for place, item in enumerate(gifts)]


def _gift_of(item: protobuf.Fields, nth: int, box: int, sender: Any, now: float) -> Combo:
    """`nth`: how many before it in the same message have the same number."""
    count = max(protobuf.whole(item, 3), 1)
    coins = box * count or protobuf.whole(item, 7) or protobuf.whole(item, 5) * count
    tid = protobuf.text(item, 9)
    return gift(
        tid=f"{tid}.{nth}" if tid and nth else tid,
        combo=protobuf.text(item, 12),
        name=protobuf.text(item, 2)[:40],
        count=count,
        yuan=_yuan(coins, protobuf.text(item, 8)),
        viewer=sender,
        time=seconds(protobuf.whole(item, 10), now),
    )


def super_chat(command: Command, now: float, owner: str) -> Found:
    """Also the Japanese form, which is the same one again with a translation: the id makes them one."""
    data = at(command, "data")
    words = text(at(data, "message"))
    if not isinstance(data, dict):
        return Reading(reason=Reason.BROKEN)
    user = at(data, "user_info")
    sender = person(at(data, "uid"), at(user, "uname"), roles(guard=at(user, "guard_level"), admin=at(user, "manager")))
    stamp = seconds(at(data, "ts") or at(data, "start_time"), now)
    own_id = text(at(data, "id")) or digest(sender.id, sender.name, words, stamp)
    return message(Kind.SUPER_CHAT, f"sc:{own_id}", sender, words, stamp, number(at(data, "price")))


def super_chat_deleted(command: Command, now: float, owner: str) -> Found:
    return super_chats_gone(at(command, "data", "ids"))


def super_chats_gone(ids: object) -> Found:
    """The list of their ids, in either protocol."""
    named = [text(one) for one in ids] if isinstance(ids, list) else []
    return _taken_back(f"sc:{one}" for one in named if one)


def toast(command: Command, now: float, owner: str) -> Found:
    """A guard was bought; the older of the two commands that say so."""
    data = at(command, "data")
    return _guard(
        flow=text(at(data, "payflow_id")),
        uid=at(data, "uid"),
        name=at(data, "username"),
        level=whole(at(data, "guard_level")),
        title=text(at(data, "role_name"), 40),
        count=whole(at(data, "num")),
        coins=whole(at(data, "price")),
        time=seconds(at(data, "start_time"), now),
    )


def toast_v2(command: Command, now: float, owner: str) -> Found:
    data = at(command, "data")
    if whole(at(data, "option", "source")) == GIVEN_AGAIN:
        return Reading(reason=Reason.SAID_TWICE)
    return _guard(
        flow=text(at(data, "pay_info", "payflow_id")),
        uid=at(data, "sender_uinfo", "uid"),
        name=at(data, "sender_uinfo", "base", "name"),
        level=whole(at(data, "guard_info", "guard_level")),
        title=text(at(data, "guard_info", "role_name"), 40),
        count=whole(at(data, "pay_info", "num")),
        coins=whole(at(data, "pay_info", "price")),
        time=seconds(at(data, "guard_info", "start_time"), now),
    )


def guard_buy(command: Command, now: float, owner: str) -> Found:
    """The third telling of a purchase, without its number; for rooms where no toast comes."""
    data = at(command, "data")
    return _guard(
        flow="",
        uid=at(data, "uid"),
        name=at(data, "username"),
        level=whole(at(data, "guard_level")),
        title=text(at(data, "gift_name"), 40),
        count=whole(at(data, "num")),
        coins=whole(at(data, "price")),
        time=seconds(at(data, "start_time"), now),
    )


def _guard(
    *, flow: str, uid: object, name: object, level: int, title: str, count: int, coins: int, time: float
) -> Found:
    title = title or GUARDS.get(level, "")
    if not title:
        return Reading(reason=Reason.BROKEN)
    sender = person(uid, name, roles(guard=level or 3))
    count = max(count, 1)
    key = flow or digest(sender.id, sender.name, level, time)
    words = title if count == 1 else f"{title} x{count}"
    return message(Kind.GUARD, f"guard:{key}", sender, words, time, coins * count / COINS_A_YUAN)


def interact(command: Command, now: float, owner: str) -> Found:
    data = at(command, "data")
    sender = person(
        at(data, "uid"), at(data, "uname"), roles(guard=at(data, "privilege_type"), streamer=_is(data, owner))
    )
    return _came(whole(at(data, "msg_type")), sender, seconds(at(data, "timestamp"), now))


def interact_v2(command: Command, now: float, owner: str) -> Found:
    """A protobuf: 1 uid, 2 uname, 5 what, 7 seconds, 22 the viewer once more {1 uid, 2 {1 name}}."""
    data = _protobuf(command)
    again = protobuf.inner(data, 22)
    uid = protobuf.whole(data, 1) or protobuf.whole(again, 1)
    name = protobuf.text(data, 2) or protobuf.text(protobuf.inner(again, 2), 1)
    return _came(protobuf.whole(data, 5), person(uid, name), seconds(protobuf.whole(data, 7), now))


def _came(what: int, sender: Any, time: float) -> Found:
    kinds = {ENTER: Kind.ENTER, FOLLOW: Kind.FOLLOW, SPECIAL_FOLLOW: Kind.FOLLOW, MUTUAL_FOLLOW: Kind.FOLLOW}
    if what not in kinds:
        return Reading(reason=Reason.NOT_CHAT if what == SHARE else Reason.BROKEN)
    kind = kinds[what]
    return message(kind, f"{kind}:{sender.id or sender.name}:{time:.0f}", sender, "", time)


def like(command: Command, now: float, owner: str) -> Found:
    data = at(command, "data")
    if not isinstance(data, dict):
        return Reading(reason=Reason.BROKEN)
    sender = person(at(data, "uid"), at(data, "uname"), roles(guard=at(data, "fans_medal", "guard_level")))
    return message(Kind.LIKE, f"like:{sender.id or sender.name}:{now:.0f}", sender, "", now)


def recalled(command: Command, now: float, owner: str) -> Found:
    """Type 2 names a viewer whose words are all gone; otherwise one danmaku."""
    target = text(at(command, "data", "target_id"))
    if not target or target == "0":
        return Reading(reason=Reason.BROKEN)
    if whole(at(command, "data", "recall_type")) == RECALL_OF_VIEWER:
        return Withdrawn(PLATFORM, viewers=frozenset({target}))
    return _taken_back([f"dm:{target}"])


def blocked(command: Command, now: float, owner: str) -> Found:
    """A viewer was silenced by the room: what they wrote goes with them."""
    viewer = text(at(command, "data", "uid")) or text(at(command, "uid"))
    if viewer in ("", "0"):
        return Reading(reason=Reason.BROKEN)
    return Withdrawn(PLATFORM, viewers=frozenset({viewer}))


def _taken_back(keys: Any) -> Found:
    ids = frozenset(MessageId(f"{PLATFORM}:{key}") for key in keys)
    return Withdrawn(PLATFORM, messages=ids) if ids else Reading(reason=Reason.BROKEN)


def _tells(told: Told) -> Callable[[Command, float, str], Found]:
    def teller(command: Command, now: float, owner: str) -> Found:
        data = at(command, "data")
        words = text(at(command, "msg"), 200) or text(at(data, "msg"), 200) or text(at(data, "notice_msg"), 200)
        return Reading(told=told, detail=" ".join(words.split()))

    return teller


def _counted(command: Command, now: float, owner: str) -> Found:
    return Reading(reason=Reason.COUNTED)


def _is(data: object, owner: str) -> bool:
    return bool(owner) and text(at(data, "uid")) == owner


def _yuan(coins: int, kind: object) -> float:
    return coins / COINS_A_YUAN if kind in ("gold", "") else 0.0


def _json(value: object) -> object:
    """The object in a JSON string; None where there is none."""
    if not isinstance(value, str):
        return None
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def _in_json(value: object, field: re.Pattern[str]) -> str:
    """One plain word of a JSON string that need not be parsed as a whole: that costs as much as all the rest."""
    found = field.search(value) if isinstance(value, str) else None
    return found[1] if found else ""


def _protobuf(command: Command) -> protobuf.Fields:
    """The message in `data.pb`, base64; empty where there is none."""
    try:
        return protobuf.fields(base64.b64decode(text(at(command, "data", "pb"), 1 << 20), validate=True))
    except (binascii.Error, ValueError):
        return {}


def _messages(data: protobuf.Fields, number: int) -> Iterator[protobuf.Fields]:
    for value in data.get(number, ()):
        if isinstance(value, bytes):
            try:
                yield protobuf.fields(value)
            except ValueError:
                continue  # the other gifts of the message are still good


READERS: dict[str, Callable[[Command, float, str], Found]] = {
    "DANMU_MSG": danmaku,
    "DANMU_MSG_MIRROR": danmaku,
    "SEND_GIFT": send_gift,
    "SEND_GIFT_V2": send_gift_v2,
    "SUPER_CHAT_MESSAGE": super_chat,
    "SUPER_CHAT_MESSAGE_JPN": super_chat,
    "SUPER_CHAT_MESSAGE_DELETE": super_chat_deleted,
    "USER_TOAST_MSG_V2": toast_v2,
    "USER_TOAST_MSG": toast,
    "GUARD_BUY": guard_buy,
    "INTERACT_WORD": interact,
    "INTERACT_WORD_V2": interact_v2,
    "LIKE_INFO_V3_CLICK": like,
    "RECALL_DANMU_MSG": recalled,
    "ROOM_BLOCK_MSG": blocked,
    "LIVE": _tells(Told.LIVE),
    "PREPARING": _tells(Told.OFFLINE),
    "WARNING": _tells(Told.WARNING),
    "CUT_OFF": _tells(Told.CUT_OFF),
    "CUT_OFF_V2": _tells(Told.CUT_OFF),
    "LOG_IN_NOTICE": _tells(Told.NOT_LOGGED_IN),
    # These add up what comes one by one as well: to take them too would count twice.
    "COMBO_SEND": _counted,
    "DM_INTERACTION": _counted,
    "LIKE_INFO_V3_UPDATE": _counted,
    "ENTRY_EFFECT": _counted,
}

ELSEWHERE = frozenset(
    {
        "NOTICE_MSG",
        "ROOM_CHANGE",
        "ROOM_REAL_TIME_MESSAGE_UPDATE",
        "ROOM_SILENT_ON",
        "ROOM_SILENT_OFF",
        "ROOM_ADMINS",
        "ROOM_ADMIN_REVOKE",
        "room_admin_entrance",
        "STOP_LIVE_ROOM_LIST",
        "WATCHED_CHANGE",
        "HOT_RANK_CHANGED",
        "INTERACTIVE_USER",
        "USER_VIRTUAL_MVP",
        "WIDGET_BANNER",
        "AREA_RANK_CHANGED",
        "LIVE_INTERACTIVE_GAME",
        "GUARD_ACHIEVEMENT_ROOM",
        "CHANGE_ROOM_INFO",
        "SYS_MSG",
    }
)
"""Commands that we know and that are not about what a viewer says or gives."""

ELSEWHERE_PREFIXES = (
    *("ANCHOR_LOT_", "ONLINE_RANK_", "POPULARITY_R", "HOT_RANK_", "PK_", "VOICE_JOIN_"),
    *("ROOM_SKIN_", "GIFT_STAR_", "RANK_CHANGED"),
)
