"""Two tabs, text boxes, and starting again: nobody's words are lost, and nobody's are written over."""

from __future__ import annotations

import random
from typing import Any

import pytest

from bot.desk import desk
from bot.save import SaveError
from bot.save.desk import DeskRecord
from bot.web.desk_bodies import MOST_SCRATCH
from tests.desk.atelier import Atelier, Writer, hear


async def type_in(writer: Writer, tab: str, text: str, **more: Any) -> None:
    await writer.post("scratch", tab=tab, text=text, cursor=len(text), **more)


async def found_in(writer: Writer, tab: str) -> Any:
    """What a tab gets that opens now and stays open for a moment."""
    async with writer.follow(tab) as socket:
        scratch = (await hear(socket, "snapshot"))["scratch"]
        return scratch and scratch["text"]


async def test_two_tabs_follow_one_scene(writer: Writer) -> None:
    """What one does is seen in both; the slower of two orders on the same screen changes nothing."""
    async with writer.follow("a") as one, writer.follow("b") as two:
        seen = (await hear(one, "snapshot"))["revision"]
        assert (await hear(two, "snapshot"))["revision"] == seen
        await writer.do("add", revision=seen, lines=[{"character": "我", "text": "快的。"}])
        refused = await writer.do("add", revision=seen, status=409, lines=[{"character": "我", "text": "慢的。"}])
        assert refused["error"] == "stale_revision"
        for socket in (one, two):
            assert [line["text"] for line in (await hear(socket, "scene"))["pending"]] == ["快的。"]


async def test_what_a_page_makes_of_the_events_is_what_there_is(writer: Writer) -> None:
    """Only the lines after those that stayed are told; put together they are the story, whatever was done to it."""
    dice, done = random.Random(20261123), set()
    async with writer.follow("a") as socket:
        page = await hear(socket, "snapshot")
        for number in range(60):
            there = await writer.get()
            line = dice.choice(there["lines"])["id"]
            orders: list[dict[str, Any]] = [
                {"kind": "add", "lines": [{"character": "我", "text": f"第 {number} 句。"}]},
                {"kind": "confirm", "lines": [{"id": one["id"], "text": one["text"]} for one in there["pending"]]},
                {"kind": "edit", "line": line, "text": f"改了 {number} 次。"},
                {"kind": "rewind", "line": line},
                {"kind": "branch", "line": line, "name": f"支线 {number}"},
                {"kind": "switch", "branch": dice.choice(there["branches"])["id"]},
                {"kind": dice.choice(["undo", "redo", "undo"])},
            ]
            order = dice.choice(orders[:2] * 2 + orders)
            body = {"revision": there["revision"], "order": order}
            answer = await writer.client.post(f"/api/desk/{writer.scene}/do", json=body)
            if answer.status == 200:
                done.add(order["kind"])
            there = await writer.get()
            while page["revision"] < there["revision"]:
                event = await hear(socket, "scene")
                page = {**event, "lines": page["lines"][: event["kept"]] + event["lines"]}
            assert all(page[key] == there[key] for key in ("lines", "pending", "branch", "branches"))
    assert done >= {"add", "confirm", "edit", "rewind", "branch", "switch", "undo"}


async def test_each_open_tab_keeps_its_own_words(writer: Writer) -> None:
    """Whatever the other one types, and whoever comes anew."""
    async with writer.follow("a") as one, writer.follow("b") as two:
        await hear(one, "snapshot")
        await hear(two, "snapshot")
        await type_in(writer, "a", "甲在写")
        await type_in(writer, "b", "乙在写", character="老周", mode="advanced")
        assert (await writer.get(tab="a"))["scratch"]["text"] == "甲在写"
        scratch = (await writer.get(tab="b"))["scratch"]
        assert scratch | {"text": "乙在写", "cursor": 3, "character": "老周", "mode": "advanced"} == scratch
        assert await found_in(writer, "c") is None
    assert (await found_in(writer, "a"), await found_in(writer, "b")) == ("甲在写", "乙在写")


async def test_the_words_of_a_tab_that_is_gone_are_left_to_one_other(writer: Writer) -> None:
    """To the first that opens; and it is the heir's alone once it has typed."""
    await type_in(writer, "gone", "没写完的")
    async with writer.follow("heir") as heir, writer.follow("late") as late:
        assert (await hear(heir, "snapshot"))["scratch"]["text"] == "没写完的"
        assert (await hear(late, "snapshot"))["scratch"] is None
    assert await found_in(writer, "third") == "没写完的"  # the heir closed without a word
    async with writer.follow("heir") as heir:
        await hear(heir, "snapshot")
        await type_in(writer, "heir", "没写完的，写完了")
    assert await found_in(writer, "third") == "没写完的，写完了"


async def test_words_go_before_an_empty_box(writer: Writer) -> None:
    """A tab that sent its line off leaves nothing; one that had not is not forgotten for it."""
    await type_in(writer, "first", "还没发出去")
    await type_in(writer, "second", "", mode="quick")
    assert await found_in(writer, "third") == "还没发出去"
    assert await found_in(writer, "second") == ""


async def test_full_boxes_are_kept(writer: Writer) -> None:
    """As much as each of them may hold, in characters that take six bytes each on their way."""
    text = "雨" * MOST_SCRATCH
    edit = {"id": "x", "character": "我", "text": text, "cursor": 0}
    await type_in(writer, "a", text, start="雨" * 500, hint="雨" * 500, edit=edit)
    assert await found_in(writer, "a") == text


async def test_only_so_many_boxes_are_kept(atelier: Atelier, writer: Writer) -> None:
    """The oldest of those that are closed give way; an open one never does."""
    async with writer.follow("open") as socket:
        await hear(socket, "snapshot")
        await type_in(writer, "open", "我还在")
        for number in range(40):
            await type_in(writer, f"tab{number}", f"第 {number} 个")
        kept = [kept.id for kept in atelier.save.desk.scratches(writer.scene)]
        assert len(kept) == 16 and "open" in kept and "tab39" in kept
        assert (await writer.get(tab="open"))["scratch"]["text"] == "我还在"


async def test_everything_comes_back_after_a_start(atelier: Atelier) -> None:
    """Pending lines, proposals, undo and redo, branches, the text box with its cursor; and a page that has seen the
    newest words can go on where it was."""
    async with atelier.life() as writer:
        await writer.open()
        await writer.say("一。")
        await writer.confirm()
        await writer.do("branch", line=(await writer.get())["lines"][-1]["id"], name="支线")
        await writer.say("二。", "三。")
        await writer.do("undo")
        await writer.say("四。")
        ask = await writer.ask(count=2)
        await writer.drafts(ask)
        await type_in(writer, "t", "写到一半", character="老周", mode="advanced")
        scene, before = writer.scene, await writer.get(tab="t")
    async with atelier.life() as writer:
        writer.scene = scene
        after = await writer.get(tab="t")
        volatile = {"length", "lore", "tokens_counted", "reading", "problem"}
        assert {key: after[key] for key in after if key not in volatile} == {
            key: before[key] for key in before if key not in volatile
        }
        assert [len(one["drafts"]) for one in after["asks"]] == [2]
        await writer.do("undo", revision=before["revision"])
        assert (await writer.get())["pending"] == [] and (await writer.get())["asks"] == []
        await writer.do("redo")
        assert [one["ask"] for one in (await writer.get())["asks"]] == [ask]
        await writer.do("undo", revision=before["revision"], status=409)


async def test_where_the_disk_refuses_nothing_has_changed(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the story, not the revision; and it is said."""
    await writer.say("写得进去的。")
    before = await writer.get()

    def full(*args: object, **more: object) -> None:
        raise SaveError("存档写不进去（disk full）。")

    with monkeypatch.context() as patched:
        for method in ("step", "move", "keep_scratch", "begin", "keep_proposal"):
            patched.setattr(DeskRecord, method, full)
        for order in ({"kind": "discard"}, {"kind": "undo"}):
            answer = await writer.do(**order, status=409)
            assert answer["error"] == "save_failed" and "disk full" in answer["message"]
        await writer.post("scratch", tab="t", text="写不进去", status=409)
        await writer.post("/api/desk/open", series="旧城", name="雨夜", status=409)
        ask = await writer.ask(count=2)
        assert "disk full" in (await writer.drafts(ask))["error"]
    after = await writer.get()
    changed = {"asks", "length", "tokens_counted", "lore"}
    assert {key: after[key] for key in after if key not in changed} == {
        key: before[key] for key in before if key not in changed
    }
    await writer.do("discard", revision=before["revision"])


async def test_pages_are_bounded_over_all_scenes(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is an open file, and the show would not get any more."""
    monkeypatch.setattr(desk, "MOST_PAGES", 2)
    async with writer.follow("a") as one, writer.follow("b") as other:
        for socket in (one, other):
            await hear(socket, "snapshot")
        await writer.open()
        assert (await writer.get("feed", status=409))["error"] == "too_many_pages"
