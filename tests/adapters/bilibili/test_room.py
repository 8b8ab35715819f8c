"""A room around scripted transports, in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing

from adapters.bilibili.room import UNKNOWN_NAMES, Room
from adapters.supervisor import Retry
from bot.messages import Event, Message
from tests.adapters.bilibili.listening import TIME, gift, line, texts
from tests.virtual_time import leap

Life = Callable[[Room], Awaitable[None]]


class Script:
    """Lives the lives that it is given, one a connection; the last one for ever."""

    def __init__(self, *lives: Life) -> None:
        self._lives = list(lives)

    async def live(self, room: Room) -> None:
        room.healthy()
        if self._lives:
            return await self._lives.pop(0)(room)
        await asyncio.Event().wait()


def click(tid: int, row: str) -> dict[str, object]:
    found = gift(tid, "花", 1, 1000)
    found["data"]["batch_combo_id"] = row
    return found


def now() -> float:
    return asyncio.get_running_loop().time()


def hear(room: Room, count: int) -> list[tuple[float, Event]]:
    """The first `count` events, each with the seconds after which it came."""

    async def listen() -> list[tuple[float, Event]]:
        heard: list[tuple[float, Event]] = []
        start = now()
        async with aclosing(room.messages()) as events:  # type: ignore[type-var]
            async for event in events:
                heard.append((round(now() - start, 1), event))
                if len(heard) == count:
                    return heard
        raise AssertionError("it ended")

    return leap(listen())


def test_a_row_of_gifts_comes_when_nobody_clicks_any_more() -> None:
    """Without another command to remind us; a second row waits for its own end."""

    async def life(room: Room) -> None:
        room.receive(click(1, "a"))
        await asyncio.sleep(2)
        room.receive(click(2, "a"))
        room.receive(click(3, "b"))
        await asyncio.sleep(1)
        room.receive(click(4, "b"))
        await asyncio.sleep(50)

    heard = hear(Room(Script(life), clock=lambda: TIME), 2)
    assert [(second, event.text) for second, event in heard if isinstance(event, Message)] == [
        (5.0, "花 x2"),
        (6.0, "花 x2"),
    ]


def test_what_waits_is_told_when_the_connection_ends() -> None:
    """And not a second time by the next one."""

    async def life(room: Room) -> None:
        room.receive(click(1, "a"))
        await asyncio.sleep(1)
        raise Retry("断了")

    async def another(room: Room) -> None:
        room.receive(click(1, "a"))
        room.receive(line(1, "二"))
        await asyncio.sleep(50)

    room = Room(Script(life, another), clock=lambda: TIME, jitter=lambda: 1.0)
    heard = hear(room, 2)
    assert texts([event for _, event in heard]) == ["花 x1", "二"]
    assert [second for second, _ in heard] == [1.0, 2.0]


def test_rows_end_in_time_although_the_machine_s_clock_was_set_back() -> None:
    """An hour back between two connections."""
    times = [TIME + 3600.0, TIME + 3600.0]

    async def life(room: Room) -> None:
        room.receive(line(1, "一"))
        times.clear()
        raise Retry("断了")

    async def another(room: Room) -> None:
        room.receive(click(1, "a"))
        await asyncio.sleep(50)

    room = Room(Script(life, another), clock=lambda: times[0] if times else float(TIME), jitter=lambda: 1.0)
    assert [(second, getattr(event, "text", "")) for second, event in hear(room, 2)] == [(0.0, "一"), (4.0, "花 x1")]


def test_what_is_not_known_is_counted_by_name_within_bounds() -> None:
    """A name that keeps changing fills no memory; what cannot be read counts as bad."""

    async def life(room: Room) -> None:
        for number in range(3 * UNKNOWN_NAMES):
            room.receive({"cmd": f"NEW_{number}"})
        room.receive({"cmd": "NEW_0"})
        room.receive({"cmd": "SEND_GIFT"})
        room.receive("?")
        room.receive(line(1, "一"))

    room = Room(Script(life), clock=lambda: TIME)
    hear(room, 1)
    assert len(room.unknown) == UNKNOWN_NAMES and room.unknown["NEW_0"] == 2 and room.state.bad == 2


def test_being_cut_off_is_on_the_panel_until_the_stream_goes_on() -> None:
    """In Bilibili's own words."""
    seen: list[str] = []

    async def life(room: Room) -> None:
        room.receive({"cmd": "CUT_OFF", "msg": "违反规范"})
        seen.append(room.state.notices["cut_off"].text)
        room.receive({"cmd": "PREPARING"})
        seen.append(room.state.notices["offline"].text)
        room.receive({"cmd": "LIVE"})
        seen.extend(room.state.notices)
        room.receive(line(1, "一"))

    hear(Room(Script(life), clock=lambda: TIME), 1)
    assert seen == ["直播被切断：违反规范", "直播间未开播；弹幕照样会收到"]
