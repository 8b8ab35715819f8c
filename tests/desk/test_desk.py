"""The desk over HTTP: scenes are opened, played, looked at and put away."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.approval import Action, Decision, Item, ItemId, State
from bot.messages import Kind, Message, MessageId, Viewer
from bot.scenario import Character
from tests.desk.atelier import Atelier, Writer, hear


async def test_a_scene_begins_with_its_opening(writer: Writer) -> None:
    """With the people of the scenario, and ids for every line."""
    scene = await writer.get()
    assert [(line["character"], line["text"], line["origin"]) for line in scene["lines"]] == [
        ("阿岚", "你来晚了。", "初始对话"),
        ("", "雨声更大了。", "初始对话"),
    ]
    assert len({line["id"] for line in scene["lines"]}) == 2
    assert [one["name"] for one in scene["characters"]] == ["阿岚", "老周", "我"]
    assert scene["characters"][1] == {
        "name": "老周",
        "side": "AI",
        "avatar": None,
        "preset": "drama",
        "note": "茶馆掌柜",
    }
    assert (scene["title"], scene["series"], scene["name"]) == ("雨夜", "旧城", "雨夜")
    assert (scene["undo"], scene["redo"]) == (None, None)


async def test_lines_wait_until_they_are_confirmed(writer: Writer) -> None:
    """Each keeps where it came from, and undo takes any of it back."""
    await writer.say("我来晚了。", "对不起。")
    scene = await writer.get()
    assert [line["origin"] for line in scene["pending"]] == ["用户输入", "用户输入"]
    assert len(scene["lines"]) == 2
    await writer.confirm()
    scene = await writer.get()
    assert len(scene["lines"]) == 4 and scene["pending"] == [] and scene["undo"] == "confirmed"
    await writer.do("undo")
    assert len((await writer.get())["pending"]) == 2
    await writer.do("undo")
    scene = await writer.get()
    assert scene["pending"] == [] and (scene["undo"], scene["redo"]) == (None, "added")


async def test_an_order_on_an_old_screen_changes_nothing(writer: Writer) -> None:
    """409, and the words are as they were."""
    old = (await writer.get())["revision"]
    await writer.say("第一句。")
    refusal = await writer.do("add", revision=old, status=409, lines=[{"character": "我", "text": "第二句。"}])
    assert refusal["error"] == "stale_revision"
    assert (await writer.words())[2:] == ["第一句。"]


async def test_confirm_takes_exactly_the_words_on_the_screen(writer: Writer) -> None:
    """Other words, fewer of them, or in another order: nothing is confirmed."""
    await writer.say("一。", "二。")
    one, two = [{"id": line["id"], "text": line["text"]} for line in (await writer.get())["pending"]]
    for seen in ([], [one], [two, one], [one, {**two, "text": "二！"}], [one, {**two, "id": one["id"]}]):
        assert (await writer.do("confirm", lines=seen, status=409))["error"] == "changed"
    assert len((await writer.get())["pending"]) == 2
    await writer.do("confirm", lines=[one, two])
    assert (await writer.get())["pending"] == []


async def test_pending_lines_are_edited_moved_and_deleted(writer: Writer) -> None:
    """And a line that was edited keeps its older words."""
    await writer.say("一。", "二。", "三。")
    pending = (await writer.get())["pending"]
    await writer.do("move", line=pending[2]["id"], to=0)
    await writer.do("delete", line=pending[1]["id"])
    await writer.do("edit", line=pending[0]["id"], text="一了。", character="老周")
    scene = await writer.get()
    assert [(line["character"], line["text"]) for line in scene["pending"]] == [("我", "三。"), ("老周", "一了。")]
    assert scene["pending"][1]["versions"] == 1
    older = await writer.get("versions", line=scene["pending"][1]["id"])
    assert [line["text"] for line in older["versions"]] == ["一。"]
    await writer.do("discard")
    assert (await writer.get())["pending"] == []


async def test_a_story_parts_and_is_compared(writer: Writer) -> None:
    """Branches share their beginning; the way not gone stays."""
    await writer.say("往左。")
    await writer.confirm()
    second = (await writer.get())["lines"][1]["id"]
    await writer.do("branch", line=second, name="右边")
    await writer.say("往右。")
    await writer.confirm()
    tree = await writer.get("tree")
    assert [(one["name"], one["lines"], one["current"]) for one in tree["branches"]] == [
        ("主线", 3, False),
        ("右边", 3, True),
    ]
    left, right = (one["id"] for one in tree["branches"])
    assert tree["branches"][1]["fork"] == second
    compared = await writer.get("compare", a=left, b=right)
    assert compared["common"] == 2
    assert [line["text"] for line in (*compared["a"], *compared["b"])] == ["往左。", "往右。"]
    await writer.do("switch", branch=left)
    assert (await writer.words())[2:] == ["往左。"]


async def test_a_rewind_keeps_what_it_leaves(writer: Writer) -> None:
    """As a branch of its own, unless a checkpoint has it."""
    await writer.say("一。", "二。")
    await writer.confirm()
    scene = await writer.get()
    await writer.do("checkpoint", name="天亮前")
    await writer.do("rewind", line=scene["lines"][1]["id"])
    assert len((await writer.get())["branches"]) == 1
    checkpoint = (await writer.get())["checkpoints"][0]
    assert (checkpoint["name"], checkpoint["line"]) == ("天亮前", scene["lines"][3]["id"])
    await writer.do("restore", checkpoint=checkpoint["id"])
    assert (await writer.words())[2:] == ["一。", "二。"]
    await writer.do("drop_checkpoint", checkpoint=checkpoint["id"])
    await writer.do("rewind", line=scene["lines"][2]["id"])
    kept = (await writer.get())["branches"][1]
    assert kept["name"].startswith("回退前") and kept["lines"] == 4


async def test_what_is_fed_can_be_looked_at(writer: Writer) -> None:
    """Part by part, with tokens; the parts together are the whole."""
    await writer.do("note", text="他们很久没见了。", depth=1)
    fed = await writer.get("fed", character="老周")
    labels = [part["label"] for part in fed["parts"]]
    assert labels[0] == "background" and labels[-1] == "cue" and "note" in labels and "character" in labels
    assert fed["parts"][-1]["name"] == "老周"
    assert fed["total"] == sum(part["tokens"] for part in fed["parts"])
    assert "".join(part["text"] for part in fed["parts"]).endswith("老周:")


async def test_a_log_is_saved_and_opened_again(atelier: Atelier, writer: Writer) -> None:
    """The same lines with the same origins, in a scene of its own."""
    await writer.say("我来了。")
    await writer.confirm()
    file = (await writer.post("save"))["file"]
    assert file.endswith("_Log.json")
    before = await writer.get()
    await writer.open(log=file, title="接着写")
    after = await writer.get()
    assert after["title"] == "接着写" and after["id"] != before["id"]
    told = [[(line["character"], line["text"], line["origin"]) for line in one["lines"]] for one in (before, after)]
    assert told[0] == told[1]


async def test_nobody_waits_for_a_log_to_be_saved(atelier: Atelier, writer: Writer) -> None:
    """The library may be at something long just then, an import on a slow disk; the desk and the show go on."""
    with atelier.save.library._lock:  # of this thread, in which the program runs
        saving = asyncio.create_task(writer.post("save"))
        await writer.say("接着写。")
        assert not saving.done()
    assert (await saving)["file"].endswith("_Log.json")


async def test_scenes_are_listed_binned_and_restored(writer: Writer) -> None:
    """What is in the bin cannot be played, and comes back as it was."""
    first = writer.scene
    await writer.say("还没写完。")
    await writer.open(title="另一幕")
    listed = (await writer.get("/api/desk"))["scenes"]
    assert {(one["id"], one["title"]) for one in listed} == {(first, "雨夜"), (writer.scene, "另一幕")}
    writer.scene = first
    await writer.post("bin")
    await writer.get(status=404)
    assert (await writer.do("undo", revision=1, status=404))["error"] == "not_found"
    await writer.post("restore")
    assert (await writer.words())[2:] == ["还没写完。"]


async def test_only_what_is_in_the_bin_is_deleted_for_ever(atelier: Atelier, writer: Writer) -> None:
    """Nothing of it is left, and the others are as they were."""
    other, kept = writer.scene, await writer.words()
    await writer.open(title="写坏了")
    await writer.say("删掉我。")
    assert (await writer.post("remove", status=409))["error"] == "not_binned"
    await writer.post("bin")
    await writer.post("remove")
    assert atelier.save.desk.steps(writer.scene) == []
    await writer.post("remove", status=404)
    await writer.post("restore", status=404)
    assert [one["id"] for one in (await writer.get("/api/desk"))["scenes"]] == [other]
    writer.scene = other
    assert await writer.words() == kept


async def test_pages_follow_a_scene(writer: Writer) -> None:
    """First the whole, then only what changed: the lines after those that stayed."""
    async with writer.follow() as socket:
        whole = await hear(socket, "snapshot")
        assert whole["revision"] == (await writer.get())["revision"]
        await writer.say("进来了。")
        change = await hear(socket, "scene")
        assert (change["kept"], change["lines"], len(change["pending"])) == (2, [], 1)
        await writer.confirm()
        change = await hear(socket, "scene")
        while change["pending"]:
            change = await hear(socket, "scene")  # figures came in between
        assert (change["kept"], [line["text"] for line in change["lines"]]) == (2, ["进来了。"])


async def test_a_page_hears_no_more_of_a_scene_in_the_bin(writer: Writer, caplog: pytest.LogCaptureFixture) -> None:
    """It is told, and let go: when the scene comes back, it is another one in memory. Nobody takes it for a failure."""
    async with writer.follow("a") as socket:
        await hear(socket, "snapshot")
        await writer.post("bin")
        await hear(socket, "binned")
        assert (await socket.receive(timeout=30)).data == 1001
    await writer.post("restore")
    async with writer.follow("a") as socket:
        await hear(socket, "snapshot")
        await writer.say("又回来了。")
        while not (await hear(socket, "scene"))["pending"]:
            pass  # figures came in between
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_a_scene_is_not_put_away_while_a_page_begins_to_follow_it(atelier: Atelier, writer: Writer) -> None:
    """Between its request and its first word others may open many scenes."""
    with atelier.desk.following(writer.scene, "a") as feed:  # its connection is not made yet
        first = writer.scene
        for _ in range(12):
            await writer.open()
        writer.scene = first
        with feed.subscribe() as reader:
            await writer.say("还有人听。")
            async with asyncio.timeout(30):
                while (await anext(reader))["event"] != "scene":
                    pass


async def test_what_is_not_there_is_404_and_what_is_wrong_is_400(writer: Writer) -> None:
    """With words for people."""
    scene, writer.scene = writer.scene, "nowhere"
    for path in ("", "tree", "fed", "compare", "versions", "feed"):
        await writer.get(path, status=404)
    writer.scene = scene
    await writer.post("/api/desk/open", series="旧城", name="没有", status=404)
    await writer.post("/api/desk/open", series="旧城", name="雨夜", log="../x_Log.json", status=404)
    for order in ({"kind": "approve"}, {"kind": "add", "lines": []}, {"kind": "move", "line": "x", "to": -1}, {}):
        answer = await writer.post("do", revision=1, order=order, status=400)
        assert answer["error"] == "bad_request"
    too_long = [{"character": "我", "text": "长" * 4001}]
    await writer.do("add", lines=too_long, status=400)
    for _ in range(3):
        await writer.do("add", lines=[{"character": "我", "text": "长" * 4000}])
    refused = await writer.do("add", lines=[{"character": "我", "text": "再来"}], status=409)
    assert refused["error"] == "too_much"


async def test_a_scenario_that_was_edited_is_read_again(atelier: Atelier, writer: Writer) -> None:
    """When somebody says so; the story stays, and undo brings the old one back."""
    assert (await writer.do("recast", status=409))["error"] == "same"
    assert await writer.get("scenario") == {"there": True, "changed": False}
    library = atelier.save.library
    kept = library.read("旧城", "雨夜")
    changed = replace(kept.scenario, background="天晴了。", characters=(*kept.scenario.characters, Character("新客")))
    library.edit("旧城", "雨夜", changed, kept.digest)
    before = await writer.get()
    assert await writer.get("scenario") == {"there": True, "changed": True}
    await writer.do("recast")
    assert await writer.get("scenario") == {"there": True, "changed": False}
    scene = await writer.get()
    assert scene["background"] == "天晴了。" and "新客" in [one["name"] for one in scene["characters"]]
    assert scene["lines"] == before["lines"]
    await writer.do("undo")
    assert (await writer.get())["characters"] == before["characters"]
    library.discard("旧城", "雨夜")
    assert await writer.get("scenario") == {"there": False, "changed": False}


async def test_characters_have_their_pictures(atelier: Atelier, writer: Writer) -> None:
    """Those that there are when a page opens; without the folder there are none, and the scene goes on."""
    atelier.save.library.write_avatar("旧城", "雨夜", "阿岚", b"a picture")
    async with writer.follow() as socket:
        avatars = {one["name"]: one["avatar"] for one in (await hear(socket, "snapshot"))["characters"]}
    assert avatars["老周"] is None
    answer = await writer.client.get(avatars["阿岚"])
    assert answer.status == 200 and await answer.read() == b"a picture"
    atelier.save.library.discard("旧城", "雨夜")
    async with writer.follow() as socket:
        await hear(socket, "snapshot")
    await writer.say("还能写。")
    assert (await writer.post("save", status=409))["error"] == "no_scenario"


async def test_pictures_that_cannot_be_looked_for_keep_nobody_out(
    atelier: Atelier, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network share that is away costs the pictures, and no more."""

    def away(*_: str) -> None:
        raise OSError("Stale file handle")

    monkeypatch.setattr(atelier.save.library, "avatar", away)
    async with writer.follow() as socket:
        assert not any(one["avatar"] for one in (await hear(socket, "snapshot"))["characters"])


async def test_what_was_aired_is_opened_as_a_scene(atelier: Atelier, writer: Writer) -> None:
    """The opening, then what viewers wrote and what was answered; the viewer's name stands in it."""
    asked = Message(MessageId("m1"), Kind.DANMAKU, Viewer("test", "7", "阿强"), "茶好喝吗？", time=1.0)
    item = Item(ItemId("i1"), 1.0, "老周", state=State.DONE, message=asked, text="好喝。", by="op", aired=2.0)
    atelier.save.record("旧城/雨夜", item, Decision(Action.AIR, 2.0, None))
    await writer.open(show="旧城/雨夜", title="直播那晚")
    scene = await writer.get()
    told = [(line["character"], line["text"]) for line in scene["lines"][2:]]
    assert told == [("观众", "【阿强】茶好喝吗？"), ("老周", "好喝。")]
    assert len({line["id"] for line in scene["lines"]}) == 4
    assert (scene["title"], scene["series"], scene["name"]) == ("直播那晚", "旧城", "雨夜")
    await writer.post("/api/desk/open", show="旧城/雨夜", day="2001-01-01", status=409)
    await writer.post("/api/desk/open", show="没有/这个", status=409)


async def test_many_scenes_can_be_open(atelier: Atelier, writer: Writer) -> None:
    """Those that nobody looks at are put away, the least recently used first, and read again when they are wanted."""
    first = writer.scene
    async with writer.follow() as socket:
        await hear(socket, "snapshot")
        await writer.say("有人看着。")
        others = [await writer.open() for _ in range(12)]
        await writer.say("没人看着。")
        here = [scene.id for scene in atelier.desk._shelf]
        assert len(here) == 8 and first in here and others[0] not in here
    for scene, last in ((others[0], "雨声更大了。"), (others[-1], "没人看着。"), (first, "有人看着。")):
        writer.scene = scene
        assert (await writer.words())[-1] == last
