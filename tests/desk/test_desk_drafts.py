"""Drafts at the desk: how they come, what becomes of them, and what an engine that fails costs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.desk import view
from bot.engine.types import EngineState, EngineStatus
from tests.desk.atelier import RAIN, Atelier, Writer, hear
from tests.waiting import until


@pytest.fixture
async def slow(atelier: Atelier) -> AsyncIterator[Writer]:
    """A writer whose engine writes when it is told to."""
    atelier.stepped = True
    async with atelier.life() as writer:
        await writer.open()
        await until(lambda: not atelier.desk._preparing._tasks or atelier.engine.read_ahead)
        atelier.engine.step(2)  # the scene is read
        await until(lambda: not atelier.desk._preparing._tasks)
        yield writer


async def one_of_two(atelier: Atelier, slow: Writer) -> str:
    """An ask for two drafts, of which one is finished and one still grows."""
    ask: str = await slow.ask(count=2)
    await until(lambda: atelier.engine.asked)
    atelier.engine.step(3)
    async with slow.follow() as socket:
        while not any(draft["done"] for one in (await slow.get())["asks"] for draft in one["drafts"]):
            await hear(socket, "draft")
    return ask


async def test_drafts_stream_and_are_taken(writer: Writer) -> None:
    """As they grow, all of them; the one that is taken is the model's, the one that was changed is an edited one."""
    async with writer.follow() as socket:
        await hear(socket, "snapshot")
        ask = await writer.ask("老周", count=2)
        began = await hear(socket, "ask")
        assert (began["ask"], began["character"], began["running"]) == (ask, "老周", True)
        assert (await hear(socket, "draft"))["done"] is False
        ended = await hear(socket, "ask")
        assert ended["running"] is False and ended["error"] is None
        assert [draft["text"] for draft in ended["drafts"]] == ["进来坐。", "喝口热茶吧。"]
    one, two = ended["drafts"]
    lines = [
        {"character": "老周", "text": one["text"], "draft": one["id"]},
        {"character": "老周", "text": "喝口热茶，慢慢说。", "draft": two["id"]},
    ]
    await writer.do("add", lines=lines)
    assert [line["origin"] for line in (await writer.get())["pending"]] == ["模型生成", "模型生成(人工编辑)"]


async def test_the_server_decides_where_words_come_from(writer: Writer) -> None:
    """A draft that is not there is no draft; one that was taken by hand is a person's; back to its words is the model's."""
    ask = await writer.ask(count=1)
    draft = (await writer.drafts(ask))["drafts"][0]
    for id in ("nothing", f"{ask}.7", f"{ask}.", f"{ask}.-1", f"{ask}.²"):
        refused = await writer.do("add", status=404, lines=[{"character": "阿岚", "text": draft["text"], "draft": id}])
        assert refused["error"] == "not_found"
    await writer.say(draft["text"], character="阿岚")
    assert (await writer.get())["pending"][0]["origin"] == "用户输入"
    await writer.do("undo")
    await writer.do("add", lines=[{"character": "阿岚", "text": draft["text"], "draft": draft["id"]}])
    for text, origin in (("别的话。", "模型生成(人工编辑)"), (draft["text"], "模型生成")):
        line = (await writer.get())["pending"][0]["id"]
        await writer.do("edit", line=line, text=text)
        assert (await writer.get())["pending"][0]["origin"] == origin


async def test_what_a_person_wants_reaches_the_engine(atelier: Atelier, writer: Writer) -> None:
    """How the words begin, how long they are, a hint, another way of drawing them, and whoever is to speak."""
    await writer.say("有人吗？")
    ask = await writer.ask("我", count=8, start_with="其实", min_length=30, hint="压低声音", sampling="chat")
    drafts = (await writer.drafts(ask))["drafts"]
    assert len(drafts) == 8 and all(draft["text"].startswith("其实") for draft in drafts)
    prompt, count, sampling = atelier.engine.asked[-1]
    assert (count, sampling.min_tokens, sampling.top_p) == (8, 30, 0.3)
    assert prompt.urgent and prompt.start_with == " 其实" and prompt.parts[-1] == "我:"
    fed = "".join(prompt.parts)
    assert "有人吗？" in fed and "压低声音" in fed
    await writer.drafts(await writer.ask("老周", sampling={"temperature": 0.5}))
    sampling = atelier.engine.asked[-1][2]
    assert (sampling.temperature, sampling.top_p, sampling.max_tokens) == (
        0.5,
        0.7,
        60,
    )  # over his own, which is "drama"


async def test_a_way_of_drawing_words_that_cannot_be_is_refused(writer: Writer) -> None:
    """With what is wrong and what there is."""
    for wrong in ("没有", {"temperatur": 1.0}, {"top_p": 7.0}):
        revision = (await writer.get())["revision"]
        refused = await writer.post("drafts", revision=revision, character="我", sampling=wrong, status=409)
        assert refused["error"] == "bad_sampling" and refused["message"]
    assert (await writer.get())["asks"] == []


async def test_more_drafts_join_the_same_ask(writer: Writer) -> None:
    """In whatever way they are drawn; up to a number that somebody can read."""
    ask = await writer.ask(count=2)
    first = (await writer.drafts(ask))["drafts"]
    assert await writer.ask(ask=ask, count=3, hint="冷淡些") == ask
    drafts = (await writer.drafts(ask))["drafts"]
    assert len(drafts) == 5 and drafts[:2] == first
    for _ in range(2):
        await writer.ask(ask=ask, count=8)
        await writer.drafts(ask)
    assert (await writer.ask(ask=ask, count=8, status=409)) is None
    assert len((await writer.drafts(ask))["drafts"]) == 21


async def test_a_line_is_gone_on_with(atelier: Atelier, writer: Writer) -> None:
    """The drafts begin with its words, nothing after it is fed, and one of them stands in its place."""
    await writer.say("我想问你一件事。", "不，没什么。")
    line = (await writer.get())["pending"][0]
    ask = await writer.ask("老周", **{"continue": line["id"]}, count=1)
    drafts = await writer.drafts(ask)
    assert drafts["character"] == "我" and drafts["continue"] == line["id"]
    draft = drafts["drafts"][0]
    assert draft["text"].startswith("我想问你一件事。") and len(draft["text"]) > len(line["text"])
    fed = atelier.engine.asked[-1][0]
    assert fed.start_with.strip() == line["text"] and "不，没什么。" not in "".join(fed.parts)
    await writer.do("edit", line=line["id"], text=draft["text"], draft=draft["id"])
    pending = (await writer.get())["pending"]
    assert [one["text"] for one in pending] == [draft["text"], "不，没什么。"]
    assert (pending[0]["origin"], pending[0]["versions"]) == ("模型生成(人工编辑)", 1)
    assert (await writer.ask("我", **{"continue": "nowhere"}, status=404)) is None


async def test_stopped_drafts_end_at_once(atelier: Atelier, slow: Writer) -> None:
    """Within one step of the engine; what is finished stays."""
    ask = await one_of_two(atelier, slow)
    await slow.post("drafts/stop", ask=ask)
    ended = await slow.drafts(ask)
    assert [draft["done"] for draft in ended["drafts"]] == [True, False]
    assert ended["error"] is None and atelier.engine.cancelled >= 1


async def test_drafts_for_a_place_that_was_left_are_stopped(atelier: Atelier, slow: Writer) -> None:
    """Nobody sees them; those that were finished come back with the place."""
    ask = await one_of_two(atelier, slow)
    cancelled = atelier.engine.cancelled
    await slow.say("等等。")
    assert (await slow.get())["asks"] == []
    await until(lambda: atelier.engine.cancelled > cancelled)
    await slow.do("undo")
    back = await slow.drafts(ask)
    assert [draft["done"] for draft in back["drafts"]] == [True, False]


async def test_several_asks_stand_side_by_side(writer: Writer) -> None:
    """Each with its own character, the oldest first; only so many write at a time."""
    first, second = await writer.ask("阿岚", count=1), await writer.ask("老周", count=1)
    await writer.drafts(first)
    await writer.drafts(second)
    assert [(one["ask"], one["character"]) for one in (await writer.get())["asks"]] == [
        (first, "阿岚"),
        (second, "老周"),
    ]


async def test_only_so_many_write_at_a_time(atelier: Atelier, slow: Writer) -> None:
    asks = [await slow.ask(count=1) for _ in range(4)]
    revision = (await slow.get())["revision"]
    refused = await slow.post("drafts", revision=revision, character="我", status=409)
    assert refused["error"] == "busy"
    await slow.post("drafts/stop", ask=asks[0])
    await until(lambda: len(atelier.desk._drafting._running) == 3)
    assert await slow.ask(count=1)


async def test_the_show_finds_room_beside_all_scenes(atelier: Atelier, slow: Writer) -> None:
    """Two scenes together do not take the whole model; a guided draft counts twice."""
    asks = [await slow.ask(count=8) for _ in range(4)]
    other = Writer(slow.client)
    await other.open()
    revision = (await other.get())["revision"]
    guided = {"revision": revision, "character": "阿岚", "sampling": {"guidance": 1.5}}
    assert (await other.post("drafts", **guided, count=5, status=409))["error"] == "busy"
    await other.post("drafts", **guided, count=4)
    await other.post("drafts", revision=revision, character="阿岚", count=1, status=409)
    await slow.post("drafts/stop", ask=asks[0])
    await until(lambda: len(atelier.desk._drafting._running) == 4)
    await other.post("drafts", revision=revision, character="阿岚", count=8)


async def test_an_engine_that_fails_costs_its_ask_and_says_why(atelier: Atelier, slow: Writer) -> None:
    """What was finished stays, the scene goes on, and more can be asked for."""
    ask = await one_of_two(atelier, slow)
    atelier.engine.fail("内存不够。")
    ended = await slow.drafts(ask)
    assert ended["error"] == "内存不够。" and [draft["done"] for draft in ended["drafts"]] == [True, False]
    await slow.ask(ask=ask, count=1)
    atelier.engine.step(9)
    ended = await slow.drafts(ask)
    assert ended["error"] is None and [draft["done"] for draft in ended["drafts"]] == [True, False, True]


async def test_the_desk_is_of_use_while_the_engine_is_down(atelier: Atelier) -> None:
    """A scene opens and is written by hand; drafts are refused with the reason; then the model reads and the page hears
    of it."""
    async with atelier.life() as writer:
        atelier.engine.status = EngineStatus(EngineState.LOADING, "demo", "正在载入模型")
        atelier.desk.engine_changed()
        await writer.open()
        await writer.say("先写着。")
        await writer.confirm()
        revision = (await writer.get())["revision"]
        refused = await writer.post("drafts", revision=revision, character="我", status=409)
        assert refused["error"] == "engine" and "正在载入模型" in refused["message"]
        async with writer.follow() as socket:
            whole = await hear(socket, "snapshot")
            assert whole["engine"]["state"] == "loading" and whole["reading"] is None
            atelier.engine.status = EngineStatus(EngineState.READY, "demo")
            atelier.desk.engine_changed()
            assert (await hear(socket, "engine"))["state"] == "ready"
            assert (await hear(socket, "reading"))["total"] > 0
        assert await writer.ask()


async def test_who_opens_a_scene_sees_the_model_read(atelier: Atelier) -> None:
    """How much of it is done; and one for whom there is nothing to read hears that, too."""
    atelier.stepped = True
    async with atelier.life() as writer:
        await writer.open()
        async with writer.follow() as socket:
            await hear(socket, "snapshot")
            seen = [await hear(socket, "reading")]
            while seen[-1]["done"] < seen[-1]["total"]:
                atelier.engine.step()
                seen.append(await hear(socket, "reading"))
        assert seen[0]["total"] > 0 and [one["done"] for one in seen] == sorted(one["done"] for one in seen)
        async with writer.follow() as socket:
            assert await hear(socket, "reading") == {"event": "reading", "done": 0, "total": 0}
        assert (await writer.get())["reading"] is None


async def test_a_mistake_while_a_scene_is_measured_ends_nothing(
    atelier: Atelier, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even one in telling that a scenario's file is wrong. The desk goes on, and with it the show."""
    atelier.save.library.create(replace(RAIN, name="坏书", extra={"LoreBudget": -1}))
    with monkeypatch.context() as mistake:
        mistake.setattr(view, "measures_json", lambda *_: 1 / 0)
        await writer.open(name="坏书")
        await until(lambda: not atelier.desk._preparing._tasks)
    assert (await writer.get())["problem"]
    await writer.open()
    assert (await writer.drafts(await writer.ask()))["drafts"]


async def test_a_scene_is_measured(writer: Writer) -> None:
    """How long it is in tokens; the figures follow the story."""
    async with writer.follow() as socket:
        await hear(socket, "snapshot")
        await hear(socket, "reading")
        before = (await writer.get())["length"]["tokens"]
        await writer.say("又一句。")
        await hear(socket, "reading")
        scene = await writer.get()
    assert scene["tokens_counted"] is True and scene["length"]["tokens"] > before > 0
    assert scene["length"]["lines"] == 2 and scene["length"]["advice"] is None
