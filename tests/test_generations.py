"""What is on record of a request to the engine, however it ends; and a disk that refuses costs no draft."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.engine.types import DraftDone, DraftText, Ending, EngineError
from bot.save import Generation, Outcome, Place, Save
from bot.save.generations import Event, Generations


class Clock:
    """A second goes by whenever it is looked at; the time of day stands at 1000."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now - 1.0


@pytest.fixture
def save(tmp_path: Path) -> Iterator[Save]:
    save = Save(tmp_path)
    save.generations = Generations(save._db, lambda: 1000.0, Clock())
    yield save
    save.close()


def on_record(save: Save) -> list[Generation]:
    rows = save._db.execute(
        "SELECT place, subject, character, at, seconds, first_text, drafts, characters, outcome FROM generations"
    )
    return [Generation(Place(row[0]), *row[1:8], Outcome(row[8])) for row in rows]


async def said(*events: Event) -> AsyncIterator[Event]:
    for event in events:
        yield event


def watched(save: Save, events: AsyncIterator[Event], begun: str = "") -> AsyncGenerator[Event, None]:
    return save.generations.watched(events, Place.SHOW, "演示/直播间", "小芽", begun)


TWO = (DraftText(0, ""), DraftText(1, "晚"), DraftDone(1, "晚上好", Ending.STOP), DraftDone(0, "嗯", Ending.STOP))


async def test_a_request_that_ends_is_on_record(save: Save) -> None:
    """The events go through unchanged; an empty text is nothing to read; the characters of all drafts are counted."""
    assert [event async for event in watched(save, said(*TWO))] == list(TWO)
    assert on_record(save) == [Generation(Place.SHOW, "演示/直播间", "小芽", 1000.0, 2.0, 1.0, 2, 4, Outcome.FINISHED)]


async def test_words_that_a_person_began_with_are_nobodys_work(save: Save) -> None:
    """A draft that adds nothing to them is none."""
    events = (DraftText(0, "说起来"), DraftDone(0, "说起来", Ending.STOP), DraftDone(1, "说起来啊", Ending.STOP))
    assert len([event async for event in watched(save, said(*events), " 说起来")]) == 3
    assert [(one.drafts, one.characters) for one in on_record(save)] == [(1, 1)]


async def test_a_request_that_fails_says_so_and_raises(save: Save) -> None:
    async def failing() -> AsyncIterator[Event]:
        yield DraftText(0, "晚上")
        raise EngineError("引擎重启中")

    with pytest.raises(EngineError):
        _ = [event async for event in watched(save, failing())]
    assert [(one.outcome, one.drafts, one.characters) for one in on_record(save)] == [(Outcome.FAILED, 0, 2)]


async def test_a_reader_that_goes_has_stopped_it(save: Save) -> None:
    """The engine's own iterator is closed by then; nothing that could be read leaves no time to the first text."""
    closed = []

    async def endless() -> AsyncIterator[Event]:
        try:
            while True:
                yield DraftText(0, "")
        finally:
            closed.append(True)

    async with contextlib.aclosing(watched(save, endless())) as events:
        async for _ in events:
            break
    assert closed and [(one.outcome, one.first_text) for one in on_record(save)] == [(Outcome.STOPPED, None)]


async def test_a_cancelled_reader_has_stopped_it(save: Save) -> None:
    async def silent() -> AsyncIterator[Event]:
        started.set()
        await asyncio.Event().wait()
        yield DraftText(0, "")

    async def read() -> None:
        async for _ in watched(save, silent()):
            pass

    started = asyncio.Event()
    reading = asyncio.create_task(read())
    await started.wait()
    reading.cancel()
    await asyncio.wait([reading])
    assert [one.outcome for one in on_record(save)] == [Outcome.STOPPED]


async def test_a_disk_that_refuses_costs_the_row_and_no_draft(save: Save, caplog: pytest.LogCaptureFixture) -> None:
    """It is said once, and again after the disk has been well."""
    with caplog.at_level(logging.WARNING):
        for refuse in (True, True, False, True):
            save._db.execute(f"PRAGMA query_only = {'ON' if refuse else 'OFF'}")
            assert [event async for event in watched(save, said(*TWO))] == list(TWO)
    assert len(on_record(save)) == 1 and len(caplog.records) == 2
