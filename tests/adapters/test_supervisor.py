"""The supervisor around scripted connections, in virtual time."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.base import AdapterError, Phase
from adapters.supervisor import NOTICE_SECONDS, Ended, Retry, Supervised, WaitLong
from bot.messages import Event, Kind, Message, MessageId, Viewer, Withdrawn
from tests.virtual_time import leap

Life = Callable[["Scripted"], AsyncIterator[Event]]


def chat(number: object, viewer: str = "u", text: str = "x", price: float | None = None) -> Message:
    return Message(MessageId(f"p:{number}"), Kind.DANMAKU, Viewer("p", viewer, "阿强"), text, price)


class Scripted(Supervised):
    """Lives the lives that it is given, one after the other; then the chat has ended."""

    def __init__(self, *lives: Life, jitter: Callable[[], float] = lambda: 1.0, limit: int = 1000) -> None:
        self.slept: list[float] = []
        super().__init__("p", clock=now, sleep=self._note, jitter=jitter, limit=limit)
        self._lives = list(lives)

    def connection(self) -> AsyncIterator[Event] | Awaitable[None]:
        return self._lives.pop(0)(self) if self._lives else over(self)

    async def _note(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(seconds)


def now() -> float:
    return asyncio.get_running_loop().time()


async def over(core: Supervised) -> AsyncIterator[Event]:
    raise Ended("直播结束")
    yield


def fails(error: Exception) -> Life:
    async def life(core: Supervised) -> AsyncIterator[Event]:
        raise error
        yield

    return life


def lives(seconds: float, *events: Event, beat: float | None = None) -> Life:
    """Healthy at once, says `events`, stays for `seconds` with a heartbeat every `beat`, and ends."""

    async def life(core: Supervised) -> AsyncIterator[Event]:
        core.healthy()
        for event in events:
            yield event
        end = now() + seconds
        while (left := end - now()) > 0:
            await asyncio.sleep(min(left, beat or left))
            if beat:
                core.alive()

    return life


async def hear(core: Supervised) -> list[Event]:
    return [event async for event in core.messages()]


# -- when it calls again -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [OSError("x"), EOFError(), TimeoutError(), Retry("x")], ids=repr)
def test_a_failing_network_is_called_again_with_growing_pauses(error: Exception):
    """1, 2, 4 … 60 s where chance gives the most."""
    core = Scripted(*[fails(error)] * 8)
    assert leap(hear(core)) == []
    assert core.slept == [1, 2, 4, 8, 16, 32, 60, 60]
    assert core.state.reconnects == 8


def test_the_pauses_have_full_jitter():
    core = Scripted(*[fails(OSError())] * 4, jitter=iter([0.0, 0.5, 0.25, 0.1]).__next__)
    leap(hear(core))
    assert core.slept == [0.0, 1.0, 1.0, 0.8]


def test_only_thirty_seconds_of_healthy_stream_start_the_row_again():
    """A server that takes the login and drops is not called every second; one that stayed half a minute is."""
    core = Scripted(fails(OSError()), lives(1), lives(29, beat=1), lives(31, beat=1), lives(1))
    leap(hear(core))
    assert core.slept == [1, 2, 4, 1, 2]


def test_silence_is_no_healthy_stream():
    """A connection that went quiet after its login lived for nothing, though it took a minute to find out."""
    core = Scripted(fails(OSError()), lives(1000), fails(OSError()))
    core.silence = 70.0
    leap(hear(core))
    assert core.slept == [1, 2, 4]


def test_where_no_heartbeat_is_known_a_quiet_stream_is_healthy():
    """A bridge that says nothing for an hour and restarts is called at once."""
    core = Scripted(fails(OSError()), lives(3600), fails(OSError()))
    leap(hear(core))
    assert core.slept == [1, 1, 2]


def test_a_platform_that_wants_to_be_left_alone_is_for_minutes():
    """And the row of pauses is not touched by it."""
    core = Scripted(fails(OSError()), fails(WaitLong(10, "-352")), fails(OSError()), jitter=lambda: 1.0)
    leap(hear(core))
    assert core.slept == [1, 600 * 1.25, 2]


def test_what_can_never_work_stops_for_good():
    """The error reaches whoever listens; the panel keeps its text."""
    core = Scripted(lives(1, chat(1)), fails(AdapterError("房间号不存在，请检查。")), lives(1))

    async def main() -> list[str]:
        heard = []
        with pytest.raises(AdapterError, match="房间号不存在"):
            async for event in core.messages():
                assert isinstance(event, Message)
                heard.append(event.id)
        return heard

    assert leap(main()) == ["p:1"]
    assert (core.state.state, core.state.detail) == (Phase.FAILED, "房间号不存在，请检查。")


def test_the_end_of_a_chat_is_no_mistake():
    core = Scripted(lives(1, chat(1)))
    assert len(leap(hear(core))) == 1
    assert (core.state.state, core.state.detail) == (Phase.DONE, "直播结束")


def test_a_fault_of_the_adapters_does_not_end_the_show(caplog: pytest.LogCaptureFixture):
    """It is called again; the log and the panel name its type, and quote no viewer."""
    core = Scripted(lives(1, chat(1)), fails(KeyError("某位观众的话")), lives(1, chat(2)))
    with caplog.at_level(logging.INFO):
        assert len(leap(hear(core))) == 2
    assert "KeyError" in caplog.text and "某位观众的话" not in caplog.text
    assert "KeyError" in core.state.notices["fault"].text


def test_a_library_that_cancels_itself_is_called_again():
    """A stray CancelledError must not leave a platform silently dead."""

    async def stray(core: Supervised) -> AsyncIterator[Event]:
        raise asyncio.CancelledError
        yield

    core = Scripted(stray, lives(1, chat(1)))
    assert len(leap(hear(core))) == 1


def test_there_are_not_many_calls_an_hour():
    """Short healthy lives would otherwise make a call every 31 s for ever; beyond sixty, a minute is the least."""
    core = Scripted(*[lives(30, beat=10)] * 70, jitter=lambda: 0.0)
    leap(hear(core))
    assert core.slept[:59] == [0.0] * 59 and core.slept[59:] == [60.0] * 11


# -- silence -------------------------------------------------------------------------------------------------------


def test_a_silent_connection_is_made_again():
    """Also one that hangs before its login."""
    cut: list[float] = []

    async def hangs(core: Supervised) -> AsyncIterator[Event]:
        began = now()
        try:
            await asyncio.sleep(10_000)
        finally:
            cut.append(now() - began)
        yield chat(0)

    core = Scripted(hangs, lives(10_000, chat(1)))
    core.silence = 65.0
    leap(hear(core))
    assert cut == [65.0]
    assert core.state.reconnects == 2
    assert core.state.received == 1


def test_a_heartbeat_keeps_a_mute_chat_alive():
    """Nobody writes for an hour: that is no fault."""
    core = Scripted(lives(3600, beat=30))
    core.silence = 65.0
    leap(hear(core))
    assert core.state.reconnects == 1


# -- what is passed on ---------------------------------------------------------------------------------------------


def test_what_a_platform_sends_twice_is_heard_once():
    """Within a connection and over a reconnect."""
    core = Scripted(lives(1, chat(1), chat(2), chat(1)), lives(1, chat(2), chat(3)))
    assert [event.id for event in leap(hear(core))] == ["p:1", "p:2", "p:3"]  # type: ignore[union-attr]
    assert (core.state.received, core.state.duplicates) == (3, 2)


def test_withdrawals_keep_their_place():
    core = Scripted(lives(1, chat(1), Withdrawn("p", frozenset({MessageId("p:1")})), chat(2, price=3.0)))
    assert [type(event) for event in leap(hear(core))] == [Message, Withdrawn, Message]
    assert core.state.received == 2


def test_our_own_words_that_come_back_are_dropped():
    """By the account, and where nobody says whose words they are, by the words; a viewer may say them, too."""
    core = Scripted(
        lives(
            1,
            chat(1, "me", "大家好"),  # our account
            chat(2, "", "大家  好呀"),  # masked, and we sent this just now
            chat(3, "", "大家 好呀"),  # once
            chat(4, "u", "再见"),  # a viewer says what we said
        )
    )
    core.echoes.mine("me")

    async def main() -> list[Event]:
        core.echoes.sent("大家 好呀")
        core.echoes.sent("再见")
        return await hear(core)

    assert [event.id for event in leap(main())] == ["p:3", "p:4"]  # type: ignore[union-attr]
    assert core.state.echoes == 2


def test_words_sent_long_ago_are_a_viewers_now():
    core = Scripted(lives(61), lives(1, chat(1, "", "大家好")))

    async def main() -> list[Event]:
        core.echoes.sent("大家好")
        return await hear(core)

    assert len(leap(main())) == 1


def test_a_message_that_the_platform_numbered_is_ours_by_its_number():
    core = Scripted(lives(1, chat(1, "", "被平台改过的字")))

    async def main() -> list[Event]:
        core.echoes.sent("原来的字", MessageId("p:1"))
        return await hear(core)

    assert leap(main()) == []


def test_a_burst_without_a_pause_reaches_a_reader_that_keeps_up():
    """A full network buffer does not keep its reader from reading."""
    core = Scripted(lives(0, *(chat(number) for number in range(5000))), limit=100)
    assert len(leap(hear(core))) == 5000
    assert core.state.dropped == 0


def test_a_reader_that_does_not_keep_up_loses_plain_chat_only():
    """The oldest plain messages give way; what was paid and what was taken back stay."""
    burst = [chat(n, price=5.0 if n % 50 == 0 else None) for n in range(300)]
    core = Scripted(lives(5, *burst[:150], Withdrawn("p", everything=True), *burst[150:]), limit=20)

    async def main() -> list[Event]:
        heard = []
        async for event in core.messages():
            if not heard:
                await asyncio.sleep(4)
            heard.append(event)
        return heard

    heard = leap(main())
    assert core.state.dropped == 301 - len(heard)
    assert [event.id for event in heard if isinstance(event, Message) and event.paid] == [
        "p:0", "p:50", "p:100", "p:150", "p:200", "p:250",
    ]  # fmt: skip
    assert len([event for event in heard if isinstance(event, Withdrawn)]) == 1


def test_a_library_that_calls_back_is_served_too():
    """A plain coroutine that gives `take` away and returns at the end."""

    async def calls_back(core: Supervised) -> None:
        asyncio.get_running_loop().call_later(3, core.take, chat(1))
        await asyncio.sleep(5)

    core = Scripted(calls_back)  # type: ignore[arg-type]
    assert len(leap(hear(core))) == 1


# -- what the panel is told ----------------------------------------------------------------------------------------


def test_a_gap_after_a_reconnect_is_said():
    """Counted from the last sign of life, and gone from the panel after ten minutes."""
    core = Scripted(lives(31, chat(1), beat=1), fails(OSError()), lives(5))
    leap(hear(core))
    notice = core.state.notices["gap"]
    assert "3 秒" in notice.text  # 1 s and 2 s of pauses
    assert notice.until == notice.since + NOTICE_SECONDS


def test_a_platform_that_resumes_has_no_gap():
    core = Scripted(lives(31), lives(5))
    core.resumes = True
    leap(hear(core))
    assert core.state.notices == {}


def test_the_state_tells_when_it_calls_again():
    """While it waits; not before, not after."""
    core = Scripted(lives(5), lives(5))
    told: list[tuple[Phase, float | None]] = []

    async def main() -> None:
        async def look() -> None:
            for _ in range(4):
                told.append((core.state.state, core.state.next_try and core.state.next_try - now()))
                await asyncio.sleep(2.75)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(look())
            tasks.create_task(hear(core))

    leap(main())
    assert [phase for phase, _ in told] == [Phase.CONNECTING, Phase.LIVE, Phase.WAITING, Phase.LIVE]
    assert [left for _, left in told] == [None, None, 0.5, None]


def test_a_notice_is_replaced_and_taken_back():
    core = Scripted()

    async def main() -> None:
        core.notice("login", "一")
        core.notice("login", "二")
        assert core.state.notices["login"].text == "二"
        core.withdraw_notice("login")
        core.withdraw_notice("login")

    leap(main())
    assert core.state.notices == {}


# -- the end -------------------------------------------------------------------------------------------------------


def test_a_reader_that_leaves_ends_the_connection():
    """Its `finally` has run when the reader is gone, and no task is left."""
    ended: list[str] = []

    async def stays(core: Supervised) -> AsyncIterator[Event]:
        try:
            for number in count():
                yield chat(number)
                await asyncio.sleep(1)
        finally:
            await asyncio.sleep(0)  # saying goodbye may wait
            ended.append("closed")

    async def main() -> None:
        core = Scripted(stays)
        async with aclosing(core.messages()) as events:  # type: ignore[type-var]
            await anext(events)
        assert ended == ["closed"]
        assert asyncio.all_tasks() == {asyncio.current_task()}

    leap(main())


# -- half an hour of faults ----------------------------------------------------------------------------------------

FAULTS = ("cut", "eof", "bug", "bye", "busy", "silence", "refuse", "twice", "hang", "nothing")


class Room:
    """A chat that goes on whatever becomes of its connections. What it says on a healthy one is in `said`."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.said: list[MessageId] = []
        self.door = ""  # what happens to who connects next
        self.over = False
        self._line: asyncio.Queue[Event | Exception | None] | None = None
        self._past: list[Message] = []

    async def talk(self) -> None:
        for number in count():
            await asyncio.sleep(self.chance.choice((0.0, 0.05, 0.3)))
            self._say(number)

    def _say(self, number: int) -> None:
        if self._line is not None:
            message = chat(number, price=self.chance.choice((None, 1.0)))
            self._past.append(message)
            self.said.append(message.id)
            self._line.put_nowait(message)

    async def spoil(self, seconds: int) -> None:
        for _ in range(seconds):
            await asyncio.sleep(1)
            self._fault(self.chance.choice(FAULTS))

    def _fault(self, fault: str) -> None:
        line, errors = self._line, {"cut": ConnectionResetError(), "eof": EOFError(), "bug": KeyError("x")}
        if fault in ("refuse", "hang"):
            self.door = fault
        elif line is None or fault == "nothing":
            return
        elif fault == "twice":
            for message in self._past[-5:]:
                line.put_nowait(message)
        else:
            self._line = None  # whatever is said from here on is not heard
            if fault != "silence":
                line.put_nowait({"bye": None, "busy": WaitLong(1, "429")}.get(fault, errors.get(fault)))

    async def visit(self) -> AsyncIterator[Event]:
        door, self.door = self.door, ""
        if self.over:
            raise Ended("")
        if door == "refuse":
            raise ConnectionRefusedError
        if door == "hang":
            await asyncio.sleep(10_000)
        line: asyncio.Queue[Event | Exception | None] = asyncio.Queue()
        self._line = line
        for message in self._past[-3:]:  # what platforms do after a reconnect
            yield message
        while (heard := await line.get()) is not None:
            if isinstance(heard, Exception):
                raise heard
            yield heard

    def close(self) -> None:
        self.over = True
        if self._line is not None:
            self._line.put_nowait(None)


class Visitor(Supervised):
    silence = 5.0

    def __init__(self, room: Room) -> None:
        super().__init__("p", clock=now, jitter=room.chance.random)
        self._room = room

    async def connection(self) -> AsyncIterator[Event]:
        async with aclosing(self._room.visit()) as events:  # type: ignore[type-var]
            async for event in events:
                yield event


async def half_an_hour(chance: random.Random) -> tuple[Room, Visitor, list[Event]]:
    room = Room(chance)
    visitor = Visitor(room)
    talk = asyncio.create_task(room.talk())
    spoil = asyncio.create_task(room.spoil(1800))
    spoil.add_done_callback(lambda _: room.close())
    heard = []
    async for event in visitor.messages():
        heard.append(event)
        await asyncio.sleep(chance.choice((0.0, 0.0, 0.3)))  # a reader that is busy now and then
    await spoil
    talk.cancel()
    return room, visitor, heard


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False))
def test_half_an_hour_of_faults_loses_nothing_that_was_said_to_us(chance: random.Random):
    """A fault every second: each message that was sent on a healthy connection is heard once, in order."""
    room, visitor, heard = leap(half_an_hour(random.Random(chance.random())))
    assert [event.id for event in heard if isinstance(event, Message)] == room.said
    assert visitor.state.dropped == 0
    assert visitor.state.reconnects > 20
    assert visitor.state.state is Phase.DONE
