"""The bridges that are known by name: each a mapping, and a function only where a bridge wants to be answered.

The formats are those of the programs' own sources and pages in 2026; none is under our control. A gift of Douyin's is
counted in diamonds, ten to the yuan.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.money import YUAN

Frame = Mapping[str, Any]

DIAMOND = 0.1  # yuan
COIN = 0.001  # yuan; Bilibili's gold
CHAT, GIFT, LIKE = "WebcastChatMessage", "WebcastGiftMessage", "WebcastLikeMessage"
MEMBER, SOCIAL = "WebcastMemberMessage", "WebcastSocialMessage"


@dataclass(frozen=True, slots=True)
class Preset:
    """`platform`: where its viewers are. `answer`: what a frame wants to hear at once, None: nothing; that, and nothing
    else, is ever said to a bridge. `pings`: whether it may be sent the websocket's own pings."""

    platform: str
    mapping: dict[str, Any]
    answer: Callable[[Frame], Frame | None] | None = None
    pings: bool = True


# https://github.com/HaoDong108/DouyinBarrageGrab: we call ws://127.0.0.1:8888. It obeys commands, so nothing is said.
# For a gift that can be clicked in a row `RepeatCount` is the total; `GiftCount` is its own idea of what is new.
_GRAB_USER = {
    "id": "Data.User.Id | Data.User.SecUid",
    "name": "Data.User.Nickname",
    "roles": {
        "streamer": {"Data.User.IsAnchor": True},
        "moderator": {"Data.User.IsAdmin": True},
        "member": {"Data.User.FansClub.Level": True},
    },
}
_GRAB_GIFT = {
    "type": "gift",
    "id": "Data.MsgId",
    "user": _GRAB_USER,
    "text": "{Data.GiftName} x{count}",
    "price": "Data.DiamondCount",
    "unit": DIAMOND,
}
_GRAB = {
    "json": "Data",
    "rules": [
        {"when": {"Type": 1}, "type": "danmaku", "id": "Data.MsgId", "user": _GRAB_USER, "text": "Data.Content"},
        {"when": {"Type": 2}, "type": "like", "id": "Data.MsgId", "user": _GRAB_USER},
        {"when": {"Type": 3}, "type": "enter", "id": "Data.MsgId", "user": _GRAB_USER},
        {"when": {"Type": 4}, "type": "follow", "id": "Data.MsgId", "user": _GRAB_USER},
        {
            "when": {"Type": 5, "Data.Combo": True, "Data.GroupId": True},
            **_GRAB_GIFT,
            "count": "Data.RepeatCount | Data.GiftCount",
            "streak": "{Data.GiftId}/{Data.GroupId}",
        },
        {"when": {"Type": 5}, **_GRAB_GIFT, "count": "Data.GiftCount | Data.RepeatCount"},
        {"when": {"Type": [6, 7, 8, 9]}, "type": "ignore"},
    ],
}

# https://github.com/jwwsjlm/douyinLive: we call ws://127.0.0.1:1088/ws/ROOM. Protobuf as JSON: what is 0 is left out,
# large numbers are strings.
_LIVE_USER = {"id": "user.idStr | user.id | user.secUid", "name": "user.nickname | user.nickName"}
_LIVE_ID = "common.msgId"
_LIVE_GIFT = {
    "type": "gift",
    "id": _LIVE_ID,
    "user": _LIVE_USER,
    "text": "{gift.name} x{count}",
    "price": "gift.diamondCount",
    "unit": DIAMOND,
    "count": "repeatCount | comboCount",
}
_LIVE = {
    "rules": [
        {"when": {"method": CHAT}, "type": "danmaku", "id": _LIVE_ID, "user": _LIVE_USER, "text": "content"},
        {
            "when": {"method": GIFT, "gift.combo": True, "groupId": True},
            **_LIVE_GIFT,
            "streak": "{giftId | gift.id}/{groupId}",
        },
        {"when": {"method": GIFT, "gift.combo": True}, **_LIVE_GIFT, "streak": "gift.id", "ended": {"repeatEnd": 1}},
        {"when": {"method": GIFT}, **_LIVE_GIFT},
        {"when": {"method": LIKE}, "type": "like", "id": _LIVE_ID, "user": _LIVE_USER},
        {"when": {"method": MEMBER}, "type": "enter", "id": _LIVE_ID, "user": _LIVE_USER},
        {"when": {"method": SOCIAL, "action": 1}, "type": "follow", "id": _LIVE_ID, "user": _LIVE_USER},
        {"when": {"type": "system"}, "type": "ignore"},
        {"when": {"method": True}, "type": "ignore"},
    ],
}

# https://github.com/skmcj/dycast: a page that calls us, with lists of messages. Rows of gifts have no number; a row ends
# with a message that repeats its total.
_CAST_USER = {"id": "user.id", "name": "user.name"}
_CAST = {
    "rules": [
        {"when": {"method": CHAT}, "type": "danmaku", "id": "id", "user": _CAST_USER, "text": "content"},
        {
            "when": {"method": GIFT},
            "type": "gift",
            "id": "id",
            "user": _CAST_USER,
            "text": "{gift.name} x{count}",
            "price": "gift.price",
            "unit": DIAMOND,
            "count": "gift.count",
            "streak": "gift.id | gift.name",
            "ended": {"gift.repeatEnd": 1},
        },
        {"when": {"method": LIKE}, "type": "like", "id": "id", "user": _CAST_USER},
        {"when": {"method": MEMBER}, "type": "enter", "id": "id", "user": _CAST_USER},
        {"when": {"method": SOCIAL}, "type": "follow", "id": "id", "user": _CAST_USER},
        {"when": {"method": True}, "type": "ignore"},
    ],
}

# https://github.com/laplace-live/event-bridge: we call ws://127.0.0.1:9696/?token=…; its types are published as
# @laplace.live/event-types (Apache-2.0). It asks `ping` and wants a `pong`. What it tells is Bilibili's.
_LAPLACE_USER = {
    "id": "uid",
    "name": "username",
    "roles": {
        "streamer": {"userType": 100},
        "moderator": {"userType": 1},
        "guard": {"guardType": [1, 2, 3]},
    },
}
_LAPLACE_GIFT = {
    "type": "gift",
    "id": "id",
    "user": _LAPLACE_USER,
    "text": "{giftName} x{giftAmount}",
    "time": "timestampNormalized",
}
_LAPLACE = {
    "rules": [
        {
            "when": {"type": "message"},
            "type": "danmaku",
            "id": "idStr | id",
            "user": _LAPLACE_USER,
            "text": "message",
            "time": "timestampNormalized",
        },
        {
            "when": {"type": "superchat"},
            "type": "super_chat",
            "id": "sc:{scId | id}",
            "user": _LAPLACE_USER,
            "text": "message",
            "price": "priceNormalized",
            "time": "timestampNormalized",
        },
        {"when": {"type": "gift", "coinType": "gold"}, **_LAPLACE_GIFT, "price": "priceNormalized"},
        {"when": {"type": "gift"}, **_LAPLACE_GIFT},
        {
            "when": {"type": "toast"},
            "type": "guard",
            "id": "stableKey | id",
            "user": {**_LAPLACE_USER, "roles": {"guard": {"uid": True}}},
            "text": "toastName",
            "price": "priceNormalized",
            "time": "timestampNormalized",
        },
        {"when": {"type": "interaction", "action": 1}, "type": "enter", "id": "id", "user": _LAPLACE_USER},
        {"when": {"type": "interaction", "action": [2, 4, 5]}, "type": "follow", "id": "id", "user": _LAPLACE_USER},
        {"when": {"type": "like-click"}, "type": "like", "id": "id", "user": _LAPLACE_USER},
        {"when": {"type": "superchat-delete"}, "type": "withdraw", "ids": "sc:{scIds}"},
        {"when": {"type": "user-block"}, "type": "withdraw", "users": "uid"},
        {"when": {"type": True}, "type": "ignore"},
    ],
}


def _pong(frame: Frame) -> Frame | None:
    return {"type": "pong", "respondingTo": frame.get("timestamp")} if frame.get("type") == "ping" else None


# https://socialstream.ninja/docs/event-reference.html: we call wss://io.socialstream.ninja/join/SESSION/4. `type` is the
# site, so ids of viewers begin with it. `id` counts from 0 at each start and is of no use. `donoValue` is in US dollars.
_NINJA_USER = {
    "id": "{type}:{userid}",
    "name": "chatname",
    "roles": {"moderator": {"moderator": True}, "member": {"membership": True}},
}
_NINJA_SAYS = {"id": "meta.messageId", "user": _NINJA_USER, "text": "chatmessage", "time": "timestamp"}
_NINJA = {
    "html": {"textonly": False},
    "rules": [
        {"when": {"chatname": False}, "type": "ignore"},
        {"when": {"event": ["new_follower", "followed", "follow"]}, "type": "follow", "user": _NINJA_USER},
        {"when": {"event": ["joined", "join"]}, "type": "enter", "user": _NINJA_USER},
        {"when": {"event": ["liked", "like"]}, "type": "like", "user": _NINJA_USER},
        {
            "when": {"hasDonation": True, "chatmessage": True},
            "type": "super_chat",
            **_NINJA_SAYS,
            "price": "donoValue",
            "unit": YUAN["USD"],
        },
        {
            "when": {"hasDonation": True},
            "type": "gift",
            **_NINJA_SAYS,
            "text": "hasDonation",
            "price": "donoValue",
            "unit": YUAN["USD"],
        },
        {"when": {"event": False}, "type": "danmaku", **_NINJA_SAYS},
        {"when": {"event": True}, "type": "ignore"},
    ],
}

# https://github.com/xfgryujk/blivechat, a plugin's websocket: ws://127.0.0.1:${BLC_PORT}/api/plugin/websocket with the
# token ${BLC_TOKEN}; blivechat starts its plugins and tells them both. It wants each heartbeat (0) back.
_BLC_ROLES = {"guard": {"data.privilegeType": [1, 2, 3]}}
_BLC_USER = {"id": "data.uid", "name": "data.authorName", "roles": _BLC_ROLES}
_BLC = {
    "rules": [
        {"when": {"extra.isFromPlugin": True}, "type": "ignore"},
        {
            "when": {"cmd": 50},
            "type": "danmaku",
            "id": "data.11",
            "user": {
                "id": "data.16",
                "name": "data.2",
                "roles": {
                    "streamer": {"data.3": 3},
                    "moderator": {"data.3": 2},
                    "guard": {"data.5": [1, 2, 3]},
                    "member": {"data.10": True},
                },
            },
            "text": "data.4",
            "time": "data.1",
        },
        {
            "when": {"cmd": 51},
            "type": "gift",
            "id": "data.id",
            "user": _BLC_USER,
            "text": "{data.giftName} x{data.num}",
            "price": "data.totalCoin",
            "unit": COIN,
            "time": "data.timestamp",
        },
        {
            "when": {"cmd": 52},
            "type": "guard",
            "id": "data.id",
            "user": _BLC_USER,
            "text": "{data.num}{data.unit}",
            "price": "data.total_coin | data.totalCoin",
            "unit": COIN,
            "time": "data.timestamp",
        },
        {
            "when": {"cmd": 53},
            "type": "super_chat",
            "id": "data.id",
            "user": _BLC_USER,
            "text": "data.content",
            "price": "data.price",
            "time": "data.timestamp",
        },
        {"when": {"cmd": 54}, "type": "withdraw", "ids": "data.ids"},
        {"when": {"cmd": True}, "type": "ignore"},
        {"when": {"cmd": 0}, "type": "ignore"},
    ],
}


def _heartbeat(frame: Frame) -> Frame | None:
    return {"cmd": 0, "data": {}} if frame.get("cmd") == 0 else None


PRESETS = {
    "douyin_barrage_grab": Preset("douyin", _GRAB, pings=False),
    "douyin_live": Preset("douyin", _LIVE),
    "dycast": Preset("douyin", _CAST),
    "laplace": Preset("bilibili", _LAPLACE, answer=_pong),
    "social_stream_ninja": Preset("social_stream", _NINJA),
    "blivechat": Preset("bilibili", _BLC, answer=_heartbeat),
}
