"""A summary that the model drafts before a refresh: what it is asked, how it grows, and what goes wrong."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.desk.summary import ENGLISH, Summaries
from bot.engine.types import EngineState, EngineStatus, Prompt
from bot.scenario import Character, Line, Origin, Scenario
from tests.desk.atelier import Atelier, Writer
from tests.waiting import until

TOLD, HALF = "老周雨夜来访，阿岚点着灯等他，茶凉了。", "老周雨夜来访，"
ABROAD = Scenario("Old", "Rain", "It rains.", (Line("Ann", "You are late.", Origin.OPENING),), (Character("Ann"),))


@pytest.fixture
async def teller(atelier: Atelier) -> AsyncIterator[Writer]:
    """A writer with six confirmed lines."""
    atelier.texts = [TOLD]
    async with atelier.life() as writer:
        await play(writer)
        yield writer


@pytest.fixture
async def slow(atelier: Atelier) -> AsyncIterator[Writer]:
    """The same with an engine that writes when it is told to, and was not there to read the scene before."""
    atelier.texts, atelier.stepped = [TOLD], True
    async with atelier.life() as writer:
        ready = atelier.engine.status
        atelier.engine.status = EngineStatus(EngineState.LOADING, "scripted")
        await play(writer)
        await until(lambda: not atelier.desk._preparing._tasks)
        atelier.engine.status = ready
        yield writer


async def play(writer: Writer) -> None:
    await writer.open()
    await writer.say("灯亮了。", "坐。", "茶凉了。", "走吧。")
    await writer.confirm()


def summed_up(writer: Writer, last: int = 2) -> Any:
    """The request, as a context."""
    return writer.client.post(f"/api/desk/{writer.scene}/summary", json={"last": last})


async def lines_of(writer: Writer, last: int = 2) -> list[Any]:
    async with summed_up(writer, last) as answer:
        assert answer.status == 200 and answer.content_type == "application/x-ndjson"
        return [json.loads(line) async for line in answer.content]


async def read_by_the_model(atelier: Atelier, writer: Writer, last: int = 2) -> Prompt:
    await lines_of(writer, last)
    return atelier.engine.asked[-1][0]


async def test_it_grows_line_by_line(teller: Writer) -> None:
    """What the model was made to begin with is no part of it."""
    assert await lines_of(teller) == [{"text": HALF}, {"text": TOLD}, {"done": True}]


async def test_all_but_the_last_lines_are_read(atelier: Atelier, teller: Writer) -> None:
    """Of the confirmed story, and not what is pending; a chapter that keeps nothing is told whole."""
    await teller.say("还没说定。")
    prompt = await read_by_the_model(atelier, teller)
    read = "".join(prompt.parts)
    assert "茶馆里只点着一盏灯" in read and "坐。" in read and "概括" in read
    assert "茶凉了。" not in read and "走吧。" not in read and "还没说定。" not in read
    assert prompt.urgent and prompt.start_with.strip() == "前情提要："
    read = "".join((await read_by_the_model(atelier, teller, last=0)).parts)
    assert "走吧。" in read and "还没说定。" not in read


async def test_the_authors_note_asks_for_nothing_here(atelier: Atelier, teller: Writer) -> None:
    """It says how to go on, and a summary does not go on."""
    await teller.do("note", text="多写雨声", depth=0)
    assert "多写雨声" not in "".join((await read_by_the_model(atelier, teller)).parts)


async def test_a_further_one_is_made_of_the_one_before(atelier: Atelier, teller: Writer) -> None:
    """After a refresh its summary stands for what it left out; where nothing came since, there is nothing to say."""
    await teller.do("refresh", summary="老周来过。", last=1)
    refused = await teller.post("summary", status=409, last=1)
    assert refused["error"] == "nothing"
    await teller.say("天亮了。", "雨停了。")
    await teller.confirm()
    read = "".join((await read_by_the_model(atelier, teller, last=1)).parts)
    assert "老周来过。" in read and "走吧。" in read and "天亮了。" in read
    assert "灯亮了。" not in read and "雨停了。" not in read


async def test_it_is_asked_in_the_language_of_the_story(atelier: Atelier) -> None:
    async with atelier.life() as writer:
        atelier.save.library.create(ABROAD)
        await writer.open(series="Old", name="Rain")
        prompt = await read_by_the_model(atelier, writer, last=0)
    assert prompt.start_with.strip() == ENGLISH.begin and ENGLISH.hint in "".join(prompt.parts)


async def test_nothing_is_changed_by_it(teller: Writer) -> None:
    """Neither the scene nor what is undone next."""
    before = await teller.get()
    await lines_of(teller)
    assert await teller.get() == before


@pytest.mark.parametrize("last", [-1, 1001, "2", None])
async def test_a_number_that_is_none_is_refused(teller: Writer, last: Any) -> None:
    await teller.post("summary", status=400, last=last)


@pytest.mark.parametrize("last", [6, 1000])
async def test_nothing_to_tell_is_said(teller: Writer, last: int) -> None:
    assert (await teller.post("summary", status=409, last=last))["error"] == "nothing"


async def test_no_engine_no_summary(atelier: Atelier, teller: Writer) -> None:
    atelier.engine.status = EngineStatus(EngineState.RESTARTING, "scripted", "内存不够")
    refused = await teller.post("summary", status=409, last=2)
    assert refused["error"] == "engine" and "内存不够" in refused["message"]


async def test_a_model_without_a_word_is_said(atelier: Atelier) -> None:
    atelier.texts = [" "]
    async with atelier.life() as writer:
        await writer.open()
        assert (await writer.post("summary", status=409, last=0))["error"] == "empty"


async def test_an_engine_that_fails_says_so(atelier: Atelier, teller: Writer) -> None:
    """At once, as any refusal."""
    atelier.engine.fail("模型进程意外退出。")
    refused = await teller.post("summary", status=409, last=2)
    assert (refused["error"], refused["message"]) == ("engine", "模型进程意外退出。")


async def test_an_engine_that_fails_in_the_middle_says_so_at_the_end(atelier: Atelier, slow: Writer) -> None:
    """What came is there. Meanwhile a second one waits; afterwards all is as before."""
    atelier.engine.step()
    async with summed_up(slow) as answer:
        assert json.loads(await answer.content.readline()) == {"text": HALF}
        assert (await slow.post("summary", status=409, last=2))["error"] == "busy"
        atelier.engine.fail("模型进程意外退出。")
        assert json.loads(await answer.content.readline()) == {"error": "engine", "message": "模型进程意外退出。"}
        assert await answer.content.readline() == b""
    atelier.engine.step(2)
    assert (await lines_of(slow))[-1] == {"done": True}


@pytest.mark.parametrize("came", [0, 1])
async def test_a_page_that_goes_ends_it(
    atelier: Atelier, slow: Writer, caplog: pytest.LogCaptureFixture, came: int
) -> None:
    """At once, with or without a word, and the next page may ask. It is no failure."""
    atelier.engine.step(came)
    going = asyncio.create_task(lines_of(slow))
    await until(lambda: atelier.engine.asked)
    going.cancel()
    await until(lambda: atelier.engine.cancelled)
    atelier.engine.step(2)
    assert (await lines_of(slow))[-1] == {"done": True}
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_a_fault_of_ours_has_no_last_line(
    atelier: Atelier, slow: Writer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The page sees that it is not finished; the log has the place."""

    async def broken(*_: Any) -> AsyncIterator[str]:
        yield "老"
        raise ZeroDivisionError

    monkeypatch.setattr(Summaries, "_texts", broken)
    assert await lines_of(slow) == [{"text": "老"}]
    assert "ZeroDivisionError" in caplog.text
