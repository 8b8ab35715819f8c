"""The conformance check finds what it says it finds, and finds nothing wrong with our own adapters."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.base import AdapterState
from adapters.replay import Replay
from adapters.testing import check_adapter
from bot.messages import Event, Kind, Message, MessageId, Viewer, Withdrawn

GOOD = Message(MessageId("tv:1"), Kind.DANMAKU, Viewer("tv", "u1", "阿强"), "晚上好", time=1.8e9)


class Tv:
    """Says what it is given, and stays."""

    name = "tv"

    def __init__(self, *events: Any) -> None:
        self.state = AdapterState()
        self._events = events

    async def messages(self) -> AsyncIterator[Event]:
        for event in self._events:
            self.state.heard(1.0)
            self.state.become("live")  # type: ignore[arg-type]
            yield event
        await asyncio.Event().wait()


def numbered(message: Message, count: int) -> list[Message]:
    return [replace(message, id=MessageId(f"{message.id}-{number}")) for number in range(count)]


async def problems(*events: Any, seconds: float = 10.0) -> list[str]:
    return await check_adapter(lambda: Tv(*events), len(events), seconds)


async def test_a_good_adapter_has_none():
    assert await problems(GOOD, Withdrawn("tv", frozenset({GOOD.id}))) == []


async def test_our_replay_passes(tmp_path: Path):
    path = tmp_path / "show.jsonl"
    lines = [{"type": "danmaku", "user": {"id": f"u{n}", "name": "阿强"}, "text": "好", "at": n} for n in range(3)]
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    assert await check_adapter(lambda: Replay(path, speed=0), 2) == []


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"text": "hi"}, "yielded dict"),
        (replace(GOOD, id=MessageId("1")), "Message.id"),
        (replace(GOOD, id=MessageId("tv:")), "Message.id"),
        (replace(GOOD, kind="danmaku"), "Message.kind"),  # type: ignore[arg-type]
        (replace(GOOD, text=" "), "without text"),
        (replace(GOOD, text="\ud83d"), "surrogate"),
        (replace(GOOD, price=0.0), "Message.price"),
        (replace(GOOD, price=float("nan")), "Message.price"),
        (replace(GOOD, time=1.8e12), "Message.time"),
        (replace(GOOD, time=0.0), "Message.time"),
        (replace(GOOD, viewer=Viewer("twitch", "u1", "阿强")), "Viewer.platform"),
        (replace(GOOD, viewer=Viewer("tv", "阿强", "阿强")), "is the shown name"),
        (replace(GOOD, viewer=Viewer("tv", "0", "观***")), "would make one person"),
        (replace(GOOD, viewer=Viewer("tv", "u1", "阿强", frozenset({"vip"}))), "Viewer.roles"),  # type: ignore[arg-type]
        (Withdrawn("other", everything=True), "Withdrawn.platform"),
        (Withdrawn("tv", frozenset({MessageId("1")})), "Withdrawn.messages"),
        (Withdrawn("tv"), "takes nothing back"),
    ],
)
async def test_each_mistake_in_an_event_is_named(event: Any, said: str):
    found = await problems(event)
    assert len(found) == 1 and said in found[0]


async def test_the_same_id_twice_is_named():
    assert await problems(GOOD, GOOD) == ["the same Message.id twice: ['tv:1']"]


async def test_too_little_is_named():
    """An adapter that hears nothing, and one that ends."""
    assert await check_adapter(lambda: Tv(), 1, 0.05) == ["heard 0 of 1 events in 0.05 s"]

    class Ends(Tv):
        async def messages(self) -> AsyncIterator[Event]:
            return
            yield

    assert (await check_adapter(Ends, 1))[0] == "ended after 0 of 1 events"


async def test_an_error_that_ends_the_chat_is_named():
    class Breaks(Tv):
        async def messages(self) -> AsyncIterator[Event]:
            raise KeyError("info")
            yield

    assert "messages() raised KeyError('info')" in (await check_adapter(Breaks, 1))[0]


async def test_what_is_left_running_is_named():
    """A task without an owner, from messages() or from making it."""
    left: list[asyncio.Task[Any]] = []

    class Leaves(Tv):
        async def messages(self) -> AsyncIterator[Event]:
            left.append(asyncio.create_task(asyncio.Event().wait(), name="orphan"))
            async for event in super().messages():
                yield event

    class Early(Tv):
        def __init__(self) -> None:
            super().__init__()
            left.append(asyncio.create_task(asyncio.Event().wait()))

    assert "orphan" in (await check_adapter(lambda: Leaves(GOOD), 1))[-1]
    assert await check_adapter(Early) == ["making it started a task: begin in messages()"]
    for task in left:
        task.cancel()


async def test_the_shape_is_checked_first():
    class Wrong:
        name = ""
        state = "live"

        async def messages(self) -> list[Event]:
            return []

        def send(self) -> None: ...

    assert len(await check_adapter(Wrong)) == 4  # type: ignore[arg-type, type-abstract]

    class NoGenerator(Tv):
        async def messages(self) -> list[Event]:  # type: ignore[override]
            return []

    assert "must be an async generator, is coroutine" in (await check_adapter(NoGenerator))[0]  # type: ignore[arg-type]


async def test_a_state_that_is_not_kept_is_named():
    class Careless(Tv):
        async def messages(self) -> AsyncIterator[Event]:
            yield GOOD
            await asyncio.Event().wait()

    found = " ".join(await check_adapter(lambda: Careless(), 1))
    assert "state.received" in found and "last_message" in found and "connecting" in found
