"""One chat in both of Bilibili's protocols, and adapters that hear it from the fake."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

from adapters.bilibili import BilibiliAdapter
from bot.messages import Event, Message, Withdrawn
from tests.adapters.bilibili.shapes import with_protobuf
from tests.adapters.patience import soon
from tests.fakes.bilibili import ROOM, Fake

TIME = 1_800_000_000


def line(number: int, text: str, uid: int = 1001, name: str = "阿强", time: int = TIME) -> dict[str, Any]:
    extra = f'{{"id_str":"dm-{number}","user_hash":"77"}}'
    return {
        "cmd": "DANMU_MSG",
        "info": [
            [0, 1, 25, 1, time * 1000, 1, 0, "77", 0, 0, 0, "", 0, "{}", "{}", {"extra": extra}],
            text,
            [uid, name],
        ],
    }


def gift(tid: int, name: str, count: int, coins: int) -> dict[str, Any]:
    data = {"uid": 1002, "uname": "小雨", "giftName": name, "num": count, "total_coin": coins, "coin_type": "gold"}
    return {"cmd": "SEND_GIFT", "data": data | {"tid": str(tid), "batch_combo_id": "", "timestamp": TIME}}


def gift_v2(tid: int, name: str, count: int, coins: int) -> dict[str, Any]:
    item = {"2": name, "3": count, "7": coins, "8": "gold", "9": str(tid), "10": TIME}
    found = with_protobuf({"cmd": "SEND_GIFT_V2", "data": {"pb": {"1": 1002, "2": "小雨", "10": [item]}}})
    assert isinstance(found, dict)
    return found


SUPER_CHAT = {"id": 1, "uid": 1003, "user_info": {"uname": "老王"}, "message": "唱一首", "price": 30, "ts": TIME}
TOAST = {
    "uid": 1005,
    "username": "船员",
    "guard_level": 3,
    "num": 1,
    "price": 198000,
    "payflow_id": "p1",
    "start_time": TIME,
}

WEB: list[dict[str, Any]] = [
    line(1, "晚上好"),
    gift(1, "小花花", 5, 500),
    {"cmd": "SUPER_CHAT_MESSAGE", "data": SUPER_CHAT},
    {"cmd": "SUPER_CHAT_MESSAGE", "data": SUPER_CHAT},
    {"cmd": "INTERACT_WORD", "data": {"uid": 1004, "uname": "小北", "msg_type": 1, "timestamp": TIME}},
    {"cmd": "ONLINE_RANK_COUNT", "data": {"count": 5}},
    {"cmd": "USER_TOAST_MSG", "data": TOAST},
    {"cmd": "SUPER_CHAT_MESSAGE_DELETE", "data": {"ids": [1]}},
    line(2, "再见"),
]

PAID_LINE = {
    "msg_id": "m3",
    "open_id": "o3",
    "uname": "老王",
    "message_id": 1,
    "message": "唱一首",
    "rmb": 30,
    "start_time": TIME,
}
ROCKET = {
    "msg_id": "m2",
    "open_id": "o2",
    "uname": "小雨",
    "gift_name": "小花花",
    "gift_num": 5,
    "price": 100,
    "paid": True,
}
CREW = {
    "msg_id": "m5",
    "user_info": {"open_id": "o5", "uname": "船员"},
    "guard_level": 3,
    "guard_num": 1,
    "price": 198000,
}

OPEN: list[dict[str, Any]] = [
    {"cmd": "LIVE_OPEN_PLATFORM_" + name, "data": {"timestamp": TIME, "room_id": ROOM} | data}
    for name, data in (
        ("DM", {"msg_id": "m1", "open_id": "o1", "uname": "阿强", "msg": "晚上好"}),
        ("SEND_GIFT", ROCKET),
        ("SUPER_CHAT", PAID_LINE),
        ("SUPER_CHAT", PAID_LINE),
        ("LIVE_ROOM_ENTER", {"msg_id": "m4", "open_id": "o4", "uname": "小北"}),
        ("GUARD", CREW),
        ("SUPER_CHAT_DEL", {"msg_id": "m6", "message_ids": [1]}),
        ("DM", {"msg_id": "m7", "open_id": "o1", "uname": "阿强", "msg": "再见"}),
    )
]

# What both come to: kind, name, words, yuan; or what was taken back.
TOLD = [
    ("danmaku", "阿强", "晚上好", None),
    ("gift", "小雨", "小花花 x5", 0.5),
    ("super_chat", "老王", "唱一首", 30.0),
    ("enter", "小北", "", None),
    ("guard", "船员", "舰长", 198.0),
    ("gone", "bilibili:sc:1"),
    ("danmaku", "阿强", "再见", None),
]


def told(events: list[Event]) -> list[tuple[Any, ...]]:
    return [
        ("gone", *sorted(event.messages))
        if isinstance(event, Withdrawn)
        else (event.kind.value, event.viewer.name, event.text, event.price)
        for event in events
    ]


def texts(events: list[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Message)]


class Pauses:
    """Stands in for `asyncio.sleep` between connections: no waiting, and a record of what was waited."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await asyncio.sleep(0)


@asynccontextmanager
async def adapter(fake: Fake, room_id: int | None = ROOM, **more: Any) -> AsyncIterator[tuple[BilibiliAdapter, Pauses]]:
    """Listens through the fake's own session; pauses take no time and are as long as they can be."""
    pauses = Pauses()
    async with fake.session() as session:
        settings = {"transport": "builtin", "heartbeat": 0.02, "clock": lambda: TIME + 5.0, "lang": "zh"} | more
        yield BilibiliAdapter(room_id, session=session, sleep=pauses, jitter=lambda: 1.0, **settings), pauses


async def hear(source: BilibiliAdapter, count: int) -> list[Event]:
    """The first `count` events."""
    heard: list[Event] = []

    async def listen() -> None:
        async with aclosing(source.messages()) as events:  # type: ignore[type-var]
            async for event in events:
                heard.append(event)
                if len(heard) == count:
                    return

    await soon(listen())
    return heard
