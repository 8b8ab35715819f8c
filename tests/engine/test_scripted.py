"""The engine for tests keeps the promises of the real one."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from bot.engine.scripted import ScriptedEngine
from bot.engine.types import Counted, DraftDone, DraftText, Ending, Engine, EngineError, Prompt, Reading, Sampling


async def test_it_says_what_it_was_told_to() -> None:
    """Every draft grows once and ends; texts are taken in turn."""
    engine: Engine = ScriptedEngine(["一二", "三"])
    events = [event async for event in engine.drafts(Prompt((), start_with=" 嗯"), 3, Sampling())]
    assert events[0] == DraftText(0, "嗯一")
    assert [e.text for e in events if isinstance(e, DraftDone)] == ["嗯一二", "嗯三", "嗯一二"]
    assert events[-1] == DraftDone(2, "嗯一二", Ending.STOP)


async def test_it_keeps_the_least_length() -> None:
    """Of what it adds to the beginning."""
    engine = ScriptedEngine(["一二", "一二三四五六"])
    events = [event async for event in engine.drafts(Prompt((), start_with=" 嗯"), 2, Sampling(min_tokens=5))]
    assert [e.text for e in events if isinstance(e, DraftDone)] == ["嗯一二一二一二", "嗯一二三四五六"]


async def test_it_can_be_stepped_and_fail() -> None:
    """One event a step; a failure loses the answer; the next one works."""
    engine = ScriptedEngine(["好"], stepped=True)
    answer = engine.drafts(Prompt(()), 1, Sampling())
    engine.step()
    assert await anext(answer) == DraftText(0, "好")
    engine.fail("没了")
    with pytest.raises(EngineError, match="没了"):
        await anext(answer)
    engine.step(2)
    assert len([event async for event in engine.drafts(Prompt(()), 1, Sampling())]) == 2


async def test_it_counts_what_was_cancelled() -> None:
    """By closing the iterator or by cancelling the task that reads it."""
    engine = ScriptedEngine(stepped=True)
    engine.step()
    async with aclosing(engine.drafts(Prompt(()), 1, Sampling())) as answer:
        await anext(answer)
    assert engine.cancelled == 1

    async def read() -> None:
        async for _ in engine.drafts(Prompt(()), 1, Sampling()):
            pass

    task = asyncio.create_task(read())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert engine.cancelled == 2


async def test_it_reads_ahead_what_it_has_not_read() -> None:
    """A character is a token; what it read once, or drafted for, is known."""
    engine: Engine = ScriptedEngine()
    assert [reading async for reading in engine.read(Prompt(("一二", "三四")))] == [
        Reading(0, 4),
        Reading(2, 4),
        Reading(4, 4),
    ]
    assert [reading async for reading in engine.read(Prompt(("一二",), start_with="三"))] == [Reading(0, 0)]
    assert [reading.total async for reading in engine.read(Prompt(("一二三", "五")))] == [1, 1]


async def test_reading_can_fail_and_be_cancelled() -> None:
    """As drafts can."""
    engine = ScriptedEngine(stepped=True)
    reading = engine.read(Prompt(("一二三四",)))
    assert await anext(reading) == Reading(0, 4)
    engine.fail("没了")
    with pytest.raises(EngineError, match="没了"):
        await anext(reading)
    async with aclosing(engine.read(Prompt(("一二三四",)))) as reading:
        assert await anext(reading) == Reading(0, 4)
    assert engine.cancelled == 1


async def test_it_counts_characters() -> None:
    """Each text by itself."""
    assert await ScriptedEngine().count(["一二", "", "abc"]) == Counted((2, 0, 3))
