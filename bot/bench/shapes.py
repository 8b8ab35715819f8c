"""A chat in every shape that is read: frames of our own making, and what reads them. No I/O, no clock.

Twenty messages in a hundred are something other than chat (gifts, people coming in), as in a lively room.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from adapters.bilibili import packets
from adapters.bilibili.normaliser import Normaliser
from adapters.bridges.presets import PRESETS
from adapters.bridges.reading import Reading, reading
from adapters.fields import at
from adapters.twitch.irc import lines, parse
from adapters.twitch.reading import Reader
from adapters.wire import FrameError, read_json
from adapters.youtube.reading import read as read_youtube
from bot.messages import Event, Message, Withdrawn

NOW = 1_800_000_000.0
TOGETHER = 10  # messages in a frame, where a platform sends several

Read = Callable[[bytes], list[Event]]


@dataclass(frozen=True, slots=True)
class Shape:
    """`frame` makes the n-th frame, `messages` in each; `reader` a fresh reader of them."""

    name: str
    frame: Callable[[int], bytes]
    reader: Callable[[], Read]
    messages: int = 1


def words(number: int) -> str:
    return f"主播今天唱的第 {number} 首歌叫什么名字？"


# -- our own frames and bridges ----------------------------------------------------------------------------------------


def _bytes(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _reads(make: Callable[[], Reading], platform: str) -> Callable[[], Read]:
    def reader() -> Read:
        way = make()
        return lambda data: [one for one in way.read(data, platform, NOW) if isinstance(one, Message | Withdrawn)]

    return reader


def _bridge(name: str, frame: Callable[[int], object], messages: int = 1) -> Shape:
    return Shape(
        name, lambda number: _bytes(frame(number)), _reads(lambda: reading(name), PRESETS[name].platform), messages
    )


def _own(number: int) -> bytes:
    user = {"id": f"u{number % 5000}", "name": f"观众{number % 5000}"}
    if number % 10 == 9:
        return _bytes({"type": "gift", "id": f"m{number}", "user": user, "text": "荧光棒 x5", "price": 1})
    if number % 10 == 8:
        return _bytes({"type": "enter", "id": f"m{number}", "user": user})
    return _bytes({"type": "danmaku", "id": f"m{number}", "user": user, "text": words(number), "time": NOW})


def _grab(number: int) -> object:
    data: dict[str, Any] = {"MsgId": number, "User": {"Id": number % 5000 + 1, "Nickname": f"观众{number % 5000}"}}
    kind = {9: 5, 8: 3}.get(number % 10, 1)
    if kind == 5:
        data |= {"GiftId": 463, "GiftName": "小心心", "GroupId": number, "RepeatCount": 2, "DiamondCount": 1}
    return {
        "Type": kind,
        "ProcessName": "直播伴侣",
        "Data": json.dumps({**data, "Combo": kind == 5, "Content": words(number)}),
    }


_METHODS = {9: "WebcastGiftMessage", 8: "WebcastMemberMessage"}


def _live(number: int) -> object:
    frame: dict[str, Any] = {
        "method": _METHODS.get(number % 10, "WebcastChatMessage"),
        "common": {"msgId": str(number), "roomId": "9"},
        "user": {"id": str(number % 5000 + 1), "nickname": f"观众{number % 5000}"},
        "content": words(number),
    }
    if number % 10 == 9:
        gift = {"id": "463", "name": "小心心", "diamondCount": 1, "combo": True}
        frame |= {"repeatCount": "2", "groupId": str(number), "gift": gift}
    return frame


def _cast(number: int) -> object:
    return [_cast_one(one) for one in range(number * TOGETHER, (number + 1) * TOGETHER)]


def _cast_one(number: int) -> object:
    frame: dict[str, Any] = {
        "id": str(number),
        "method": _METHODS.get(number % 10, "WebcastChatMessage"),
        "user": {"id": f"MS4{number % 5000}", "name": f"观众{number % 5000}"},
        "content": words(number),
    }
    if number % 10 == 9:
        frame["gift"] = {"id": str(number), "name": "小心心", "price": 1, "count": "2", "repeatEnd": 0}
    return frame


def _laplace(number: int) -> object:
    user = {"uid": number % 5000 + 1, "username": f"观众{number % 5000}", "guardType": 0, "userType": 0}
    base = {"id": f"i{number}", "origin": 1, "timestamp": NOW * 1000, "timestampNormalized": NOW * 1000, **user}
    if number % 10 == 9:
        return {
            "type": "gift",
            "giftName": "小花花",
            "giftAmount": 2,
            "coinType": "gold",
            "priceNormalized": 0.2,
            **base,
        }
    if number % 10 == 8:
        return {"type": "interaction", "action": 1, **base}
    return {"type": "message", "message": words(number), "idStr": f"{number:x}", "medal": {"level": 3}, **base}


def _ninja(number: int) -> object:
    emote = f'{words(number)} <img src="https://example.com/e.png" alt="Kappa"> &amp; more'
    return {
        "chatname": f"viewer{number % 5000}",
        "chatmessage": emote,
        "chatimg": "https://example.com/a.png",
        "type": "twitch",
        "userid": str(number % 5000),
        "hasDonation": "$2.00" if number % 10 == 9 else "",
        "donoValue": 2 if number % 10 == 9 else 0,
        "membership": "",
        "event": "joined" if number % 10 == 8 else "",
        "meta": {"messageId": f"m{number}"},
        "id": number,
    }


def _blivechat(number: int) -> object:
    name, viewer = f"观众{number % 5000}", f"o{number % 5000}"
    if number % 10 == 9:
        data = {"id": f"e{number}", "authorName": name, "uid": viewer, "totalCoin": 200, "giftName": "花", "num": 2}
        return {"cmd": 51, "data": {**data, "timestamp": NOW}, "extra": {"roomId": 1}}
    avatar = "https://example.com/a.jpg"
    row = [avatar, NOW, name, 0, words(number), 0, 0, 20, 0, 1, 0, f"e{number}", "", 0, [], [], viewer, ""]
    return {"cmd": 50, "data": row, "extra": {"roomId": 1, "isFromPlugin": False}}


# -- Bilibili ----------------------------------------------------------------------------------------------------------


def command(number: int) -> dict[str, Any]:
    """One of the web protocol, about as large as a real one."""
    uid, name = number % 5000 + 1, f"观众{number % 5000}"
    if number % 10 == 9:
        gift = {
            "giftName": "小花花",
            "num": 1,
            "price": 100,
            "total_coin": 100,
            "coin_type": "gold",
            "tid": str(number),
        }
        more = {"face": "https://example.com/a.jpg", "giftId": 1, "giftType": 5, "action": "投喂", "rnd": str(number)}
        base = {"uid": uid, "uname": name, "timestamp": int(NOW), "guard_level": 0, "gift_info": {"img_basic": ""}}
        return {"cmd": "SEND_GIFT", "data": {**base, **more, **gift}}
    if number % 10 == 8:
        data = {"uid": uid, "uname": name, "msg_type": 1, "timestamp": int(NOW) - number}
        return {"cmd": "INTERACT_WORD", "data": data}
    extra = {"send_from_me": False, "content": words(number), "user_hash": "775533", "id_str": f"{number:032x}"}
    face = "https://example.com/bfs/face/0123456789abcdef0123456789abcdef01234567.jpg"
    shown = {"name": name, "face": face, "name_color": 0, "is_mystery": False, "risk_ctrl_info": None}
    user = {"uid": uid, "base": {**shown, "origin_info": {"name": name, "face": face}}, "medal": None, "guard": None}
    details = {"mode": 0, "show_player_type": 0, "extra": json.dumps(extra, ensure_ascii=False), "user": user}
    head: list[object] = [0, 1, 25, 16777215, int(NOW * 1000) + number, 1, 0, "ab", 0, 0, 0, "", 0, "{}", "{}", details]
    medal = [12, "歌单", "主播", 1, 6126494, "", 0, 12478086, 12478086, 6126494, 0, 1, 999]
    rest = [
        [20, 0, 6406234, ">50000", 0],
        ["", ""],
        0,
        0,
        None,
        {"ts": int(NOW), "ct": "1A2B3C"},
        0,
        0,
        None,
        None,
        0,
        7,
        [3],
    ]
    return {
        "cmd": "DANMU_MSG",
        "dm_v2": "",
        "info": [head, words(number), [uid, name, 0, 0, 0, 10000, 1, ""], medal, *rest],
    }


def open_command(number: int) -> dict[str, Any]:
    """One of the official protocol."""
    user = {"uname": f"观众{number % 5000}", "open_id": f"o{number % 5000:032x}", "uface": "https://example.com/a.jpg"}
    base = {"room_id": 1, "msg_id": f"{number:032x}", "timestamp": int(NOW), "guard_level": 0, **user}
    if number % 10 == 9:
        gift = {"gift_name": "花", "gift_num": 1, "price": 100, "paid": True, "combo_gift": False}
        return {"cmd": "LIVE_OPEN_PLATFORM_SEND_GIFT", "data": {**base, **gift}}
    if number % 10 == 8:
        return {"cmd": "LIVE_OPEN_PLATFORM_LIVE_ROOM_ENTER", "data": base}
    return {"cmd": "LIVE_OPEN_PLATFORM_DM", "data": {**base, "msg": words(number), "dm_type": 0, "is_admin": 0}}


def packed(make: Callable[[int], object]) -> Callable[[int], bytes]:
    return lambda number: packets.packet(packets.COMMAND, _bytes(make(number)), packets.JSON)


def _zlib(make: Callable[[int], object]) -> Callable[[int], bytes]:
    """Several packets, packed together."""

    def frame(number: int) -> bytes:
        row = b"".join(map(packed(make), range(number * TOGETHER, (number + 1) * TOGETHER)))
        return packets.packet(packets.COMMAND, zlib.compress(row), packets.ZLIB)

    return frame


def bilibili_reader() -> Read:
    """Gifts that come in rows are told when the row is over."""
    normaliser = Normaliser()

    def read(frame: bytes) -> list[Event]:
        return [event for one in packets.read(frame).commands for event in normaliser.read(one, NOW).events]

    return read


# -- Twitch, YouTube ---------------------------------------------------------------------------------------------------


def _twitch(number: int) -> bytes:
    who = f"viewer{number % 5000}"
    tags = (
        f"@badge-info=;badges=subscriber/12;bits={100 if number % 10 == 9 else 0};color=#1E90FF;display-name={who};emotes=;"
        f"first-msg=0;id=0000-{number:012x};mod=0;room-id=1;subscriber=1;tmi-sent-ts={int(NOW * 1000)};turbo=0;"
        f"user-id={number % 5000};user-type="
    )
    return f"{tags} :{who}!{who}@{who}.tmi.twitch.tv PRIVMSG #channel :{words(number)}\r\n".encode()


def _twitch_reader() -> Read:
    reader = Reader("mark")

    def read(frame: bytes) -> list[Event]:
        parsed = (parse(line) for line in lines(frame))
        found = (reader.read(line, NOW) for line in parsed if line is not None)
        return [one for one in found if isinstance(one, Message | Withdrawn)]

    return read


def _youtube(number: int) -> bytes:
    """A page of the API's."""
    items = [_youtube_item(one) for one in range(number * TOGETHER, (number + 1) * TOGETHER)]
    return _bytes({"kind": "youtube#liveChatMessageListResponse", "pollingIntervalMillis": 5000, "items": items})


def _youtube_item(number: int) -> object:
    author = {"channelId": f"UC{number % 5000}", "displayName": f"viewer{number % 5000}", "isChatSponsor": False}
    snippet: dict[str, Any] = {"type": "textMessageEvent", "publishedAt": "2026-11-23T12:00:00.000000+00:00"}
    if number % 10 == 9:
        snippet |= {"type": "superChatEvent"}
        snippet["superChatDetails"] = {"amountMicros": "5000000", "currency": "USD", "userComment": words(number)}
    else:
        snippet["textMessageDetails"] = {"messageText": words(number)}
    return {"kind": "youtube#liveChatMessage", "id": f"LCC.{number}", "snippet": snippet, "authorDetails": author}


def _youtube_reader() -> Read:
    def read(page: bytes) -> list[Event]:
        try:
            items = at(read_json(page), "items")
        except FrameError:
            return []
        found = (read_youtube(item, NOW) for item in (items if isinstance(items, list) else []))
        return [one for one in found if isinstance(one, Message | Withdrawn)]

    return read


SHAPES = (
    Shape("websocket", _own, _reads(reading, "websocket")),
    Shape("bilibili_json", packed(command), bilibili_reader),
    Shape("bilibili_zlib", _zlib(command), bilibili_reader, TOGETHER),
    Shape("open_live", _zlib(open_command), bilibili_reader, TOGETHER),
    Shape("twitch", _twitch, _twitch_reader),
    Shape("youtube", _youtube, _youtube_reader, TOGETHER),
    _bridge("douyin_barrage_grab", _grab),
    _bridge("douyin_live", _live),
    _bridge("dycast", _cast, TOGETHER),
    _bridge("laplace", _laplace),
    _bridge("social_stream_ninja", _ninja),
    _bridge("blivechat", _blivechat),
)


def frames(shape: Shape, messages: int) -> Iterator[bytes]:
    """Frames with that many messages, no two with the same id."""
    return map(shape.frame, range(messages // shape.messages))


def count(read: Read, given: Iterable[bytes]) -> int:
    """How many messages the frames bring."""
    return sum(len(read(frame)) for frame in given)
