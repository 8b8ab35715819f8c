"""Stories over HTTP: to read, to take away, to search; and the addresses of the program that this one follows."""

from __future__ import annotations

import io
import json
import re
import threading
import zipfile
from typing import Any
from urllib.parse import unquote

import pytest

from bot.approval import Action, Decision, Item, ItemId, State
from bot.chapter import Chapter
from bot.desk.steps import Branched, Change, Checkpointed, Deleted, Edited, RenamedCheckpoint
from bot.messages import Kind, Message, MessageId, Viewer
from bot.save import Save
from bot.scenario import Line, Origin, parse_log
from tests.chapter.test_epub import check
from tests.chapter.test_forms import LOG
from tests.web.conftest import Client, Site
from tests.web.scenes import STORY, record

BROWSER = {"Accept": "text/html"}


@pytest.fixture(autouse=True)
def nothing_yet(site: Site) -> None:
    """No story but those of the test."""
    site.save.desk.remove("scene-1")
    for path in site.library.folder("雾岛", "初见").glob("*_Log.json"):
        path.unlink()


async def get(client: Client, path: str, **query: str) -> Any:
    answer = await client.get(path, params=query)
    assert answer.status == 200, await answer.text()
    return await answer.json()


def words(reading: Any) -> list[str]:
    return [line["text"] for section in reading["sections"] for line in section["lines"]]


def titles(reading: Any) -> list[str]:
    return [section["title"] for section in reading["sections"]]


def air(save: Save, id: str, text: str, asked: str = "", state: State = State.DONE) -> None:
    """Something of 雾岛/初见 that was on the air."""
    message = Message(MessageId(id), Kind.DANMAKU, Viewer("test", id, "阿强"), asked, time=1.0) if asked else None
    item = Item(ItemId(id), 1.0, "小铃", state=state, message=message, text=text)
    save.record("雾岛/初见", item, Decision(Action.AIR, 1.0, None))


async def test_a_scene_is_read_as_its_present_branch(operator: Client, site: Site) -> None:
    """Confirmed lines with names, opening and quotation told apart; the origin of words is nobody's business."""
    record(site.save, "s1", STORY, Branched("b2", "另一条路", "n1"))
    reading = await get(operator, "/api/reading", scene="s1")
    assert (reading["title"], reading["series"], reading["name"]) == ("灯塔", "雾岛", "初见")
    assert words(reading) == [line.text for line in STORY[:3]]
    assert reading["sections"][0]["lines"][0] == {
        "id": "o1", "name": "小铃", "text": "你醒了？先别动，喝口热水。", "quoted": True, "told": False,
    }  # fmt: skip
    assert [line["quoted"] for line in reading["sections"][0]["lines"]] == [True, True, False]
    assert "初始对话" not in json.dumps(reading, ensure_ascii=False)


async def test_people_have_their_pictures_addresses(operator: Client, site: Site) -> None:
    """The library's, which an operator may look at."""
    record(site.save, "s1")
    people = {one["name"]: one for one in (await get(operator, "/api/reading", scene="s1"))["people"]}
    assert [(name, one["side"]) for name, one in people.items()] == [("小铃", "AI"), ("我", "User"), ("渔夫", None)]
    assert people["我"]["avatar"] is people["渔夫"]["avatar"] is None


CHECKPOINTS: tuple[Change, ...] = (Checkpointed("k1", "第一夜", "o2"), Checkpointed("k2", "第二夜", "m1"))


async def test_checkpoints_are_headings(operator: Client, site: Site) -> None:
    """Of what comes after them."""
    record(site.save, "s1", STORY, *CHECKPOINTS, RenamedCheckpoint("k2", "船"))
    assert titles(await get(operator, "/api/reading", scene="s1")) == ["", "第一夜", "船"]


async def test_a_heading_stays_when_its_line_is_edited_and_goes_with_it(operator: Client, site: Site) -> None:
    """An edited line has a new id; a checkpoint remembers the old one."""
    record(site.save, "s1", STORY, *CHECKPOINTS, Edited("o2", "o3", "这里是哪儿？", "我"), Deleted("m1"))
    reading = await get(operator, "/api/reading", scene="s1")
    assert titles(reading) == ["", "第一夜"]
    assert words(reading)[1] == "这里是哪儿？"


async def test_undone_steps_are_not_read(operator: Client, site: Site) -> None:
    """Only what is in effect."""
    record(site.save, "s1", STORY, Checkpointed("k1", "第一夜", "o2"))
    site.save.desk.move("s1", 0, 1001.0, title="灯塔", lines=len(STORY))
    assert titles(await get(operator, "/api/reading", scene="s1")) == [""]


async def test_a_log_is_read_without_its_notices(operator: Client, site: Site) -> None:
    """A file of the old program as it lies there."""
    (site.library.folder("雾岛", "初见") / LOG.name).write_bytes(LOG.read_bytes())
    reading = await get(operator, "/api/reading", series="雾岛", name="初见", log=LOG.name)
    assert "已载入角色卡" not in words(reading)
    assert words(reading)[:2] == ["你醒了？先别动，喝口热水", "这是哪儿？现在几点: 12: 30？"]


async def test_what_was_aired_is_read_with_what_was_asked(operator: Client, site: Site) -> None:
    """In the order of the broadcast; what was recalled is not there."""
    air(site.save, "i1", "大家好呀。")
    air(site.save, "i2", "是灯塔里的钟。", asked="那是什么声音？")
    air(site.save, "i3", "说错了。", state=State.RECALLED)
    reading = await get(operator, "/api/reading", show="雾岛/初见")
    assert words(reading) == ["大家好呀。", "【阿强】那是什么声音？", "是灯塔里的钟。"]
    (listed,) = (await get(operator, "/api/reading"))["stories"]
    assert (listed["place"], listed["lines"]) == ({"show": "雾岛/初见"}, 2)


async def test_what_a_vanished_scenario_aired_can_still_be_read(operator: Client, site: Site) -> None:
    """The folder was put into the bin; the broadcast took place."""
    air(site.save, "i1", "大家好呀。")
    site.library.discard("雾岛", "初见")
    assert words(await get(operator, "/api/reading", show="雾岛/初见")) == ["大家好呀。"]


@pytest.mark.parametrize(
    "query",
    [{"scene": "no"}, {"show": "没有/这个"}, {"series": "雾岛", "name": "初见", "log": "no_Log.json"}, {"log": "x"}],
)
async def test_a_story_that_is_nowhere_is_404(operator: Client, query: dict[str, str]) -> None:
    """And says so in words."""
    for path in ("/api/reading", "/api/reading/export"):
        answer = await operator.get(path, params={**query, "form": "md"})
        assert answer.status == 404 and (await answer.json())["message"]


async def test_a_scene_in_the_bin_is_not_read(operator: Client, site: Site) -> None:
    """Nor listed, nor found."""
    record(site.save, "s1")
    site.save.desk.bin("s1", 5.0)
    assert (await operator.get("/api/reading", params={"scene": "s1"})).status == 404
    assert (await get(operator, "/api/reading"))["stories"] == []
    assert (await get(operator, "/api/reading/search", q="雾"))["stories"] == []


async def test_a_log_that_cannot_be_read_says_where(operator: Client, site: Site) -> None:
    """It is left out of the list, and stops no search."""
    (site.library.folder("雾岛", "初见") / "20230801-2100_Log.json").write_text('{"Scenario": 3}', encoding="utf-8")
    answer = await operator.get(
        "/api/reading", params={"series": "雾岛", "name": "初见", "log": "20230801-2100_Log.json"}
    )
    assert answer.status == 400 and "Scenario" in (await answer.json())["message"]
    assert (await get(operator, "/api/reading"))["stories"] == []
    record(site.save, "s1")
    assert len((await get(operator, "/api/reading/search", q="雾"))["stories"]) == 1


# -- to take away ----------------------------------------------------------------------------------------------------


async def take(client: Client, **query: str) -> tuple[bytes, str, str]:
    answer = await client.get("/api/reading/export", params=query)
    assert answer.status == 200
    return await answer.read(), answer.headers["Content-Type"], answer.headers["Content-Disposition"]


async def test_every_form_can_be_taken(operator: Client, site: Site) -> None:
    """With its type, and a name that says the title."""
    record(site.save, "s1", STORY, *CHECKPOINTS)
    md, kind, name = await take(operator, scene="s1", form="md")
    assert "**小铃**：你醒了？先别动，喝口热水。" in md.decode() and kind == "text/markdown; charset=utf-8"
    assert name == "attachment; filename=\"__.md\"; filename*=UTF-8''%E7%81%AF%E5%A1%94.md"
    assert "## 第一夜" in md.decode()
    txt, kind, _ = await take(operator, scene="s1", form="txt")
    assert "我：<b>雾</b> 又起来了。" in txt.decode() and kind == "text/plain; charset=utf-8"
    html, kind, _ = await take(operator, scene="s1", form="html")
    assert "&lt;b&gt;雾&lt;/b&gt;" in html.decode() and kind == "text/html; charset=utf-8"
    epub, kind, _ = await take(operator, scene="s1", form="epub")
    assert check(epub).meta("title") == ["灯塔"] and kind == "application/epub+zip"
    log, kind, name = await take(operator, scene="s1", form="log")
    assert parse_log(log.decode()).lines == STORY and kind == "application/json; charset=utf-8"
    assert unquote(name).endswith("灯塔_Log.json")


async def test_the_show_goes_on_while_a_story_is_written(
    operator: Client, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long one takes its time, in another thread, for the page and for every file."""
    here, told, written = threading.get_ident(), Chapter.sections, list[int]()

    def sections(*args: Any) -> Any:
        written.append(threading.get_ident())
        return told(*args)

    monkeypatch.setattr(Chapter, "sections", sections)
    record(site.save, "s1", STORY)
    await get(operator, "/api/reading", scene="s1")
    for form in ("md", "txt", "html", "epub"):
        assert (await operator.get("/api/reading/export", params={"scene": "s1", "form": form})).status == 200
    assert len(written) >= 5 and here not in written


async def test_a_log_is_taken_as_it_was_saved(operator: Client, site: Site) -> None:
    """Nothing is lost on the way through."""
    (site.library.folder("雾岛", "初见") / LOG.name).write_bytes(LOG.read_bytes())
    taken, _, _ = await take(operator, series="雾岛", name="初见", log=LOG.name, form="log")
    assert parse_log(taken.decode()) == parse_log(LOG.read_text("utf-8"))


async def test_what_is_not_wanted_stays_away(operator: Client, site: Site) -> None:
    """Names, opening, headings; with the quotation marks of the reader's choice."""
    record(site.save, "s1", STORY, *CHECKPOINTS)
    text, _, _ = await take(operator, scene="s1", form="txt", names="0", opening="0", headings="0", quotes="curly")
    assert text.decode() == (
        "灯塔\n雾岛\n\n窗外的雾散开了一条缝。\n海是灰的。\n\n“数台阶。一百零八级，一级也没少。”\n\n"
        "“船来了！”他喊。\n\n“<b>雾</b> 又起来了。”\n"
    )


async def test_avatars_go_into_the_book_when_they_are_wanted(operator: Client, site: Site) -> None:
    """The library's files as they are."""
    picture = b"\x89PNG\r\n\x1a\n and so on"
    site.library.write_avatar("雾岛", "初见", "小铃", picture)
    record(site.save, "s1")
    book, _, _ = await take(operator, scene="s1", form="epub")
    assert zipfile.ZipFile(io.BytesIO(book)).read("book/pictures/1.png") == picture
    book, _, _ = await take(operator, scene="s1", form="epub", avatars="0")
    assert not any("pictures" in name for name in zipfile.ZipFile(io.BytesIO(book)).namelist())
    (avatar,) = (one["avatar"] for one in (await get(operator, "/api/reading", scene="s1"))["people"] if one["avatar"])
    assert await (await operator.get(avatar)).read() == picture


async def test_no_title_breaks_out_of_its_header(operator: Client, site: Site) -> None:
    """Quotes, line breaks and what is no ASCII are spelt out."""
    record(site.save, "s1", STORY, title='../"a"\r\nX-Evil: 1; 雾\u202egnp')
    answer = await operator.get("/api/reading/export", params={"scene": "s1", "form": "md"})
    assert "X-Evil" not in answer.headers
    disposition = answer.headers["Content-Disposition"]
    found = re.fullmatch(r"attachment; filename=\"([^\"\\/]+)\"; filename\*=UTF-8''([\w.%~-]+)", disposition, re.ASCII)
    assert found is not None and unquote(found[2]) == "__a_ X-Evil_ 1; 雾gnp.md"


@pytest.mark.parametrize("query", [{}, {"scene": "s1"}, {"form": "md"}, {"scene": "s1", "form": "doc"}])
async def test_an_export_of_nothing_says_what_it_wants(operator: Client, site: Site, query: dict[str, str]) -> None:
    """400, with the forms that there are."""
    record(site.save, "s1")
    answer = await operator.get("/api/reading/export", params=query)
    assert answer.status == 400
    assert "md|txt|html|epub|log" in (await answer.json())["message"]


# -- all stories -----------------------------------------------------------------------------------------------------


async def test_all_stories_are_listed_the_latest_first(operator: Client, site: Site) -> None:
    """Scenes, logs and shows, each with the address of its own."""
    (site.library.folder("雾岛", "初见") / LOG.name).write_bytes(LOG.read_bytes())
    record(site.save, "old", title="旧", changed=10.0)
    record(site.save, "new", title="新", changed=9_999_999_999.0)
    air(site.save, "i1", "大家好呀。")
    stories = (await get(operator, "/api/reading"))["stories"]
    assert [story["place"] for story in stories] == [
        {"scene": "new"},
        {"series": "雾岛", "name": "初见", "log": LOG.name},
        {"scene": "old"},
        {"show": "雾岛/初见"},
    ]
    assert [story["title"] for story in stories] == ["新", "初见", "旧", "初见"]
    for story in stories:
        assert words(await get(operator, "/api/reading", **story["place"]))


async def test_search_looks_into_every_story(operator: Client, site: Site) -> None:
    """How often, and the first places with what stands around them."""
    (site.library.folder("雾岛", "初见") / LOG.name).write_bytes(LOG.read_bytes())
    record(site.save, "s1")
    found = await get(operator, "/api/reading/search", q="雾")
    assert found["query"] == "雾" and found["complete"] is True
    assert {story["place"].get("scene", "log"): story["count"] for story in found["stories"]} == {"s1": 2, "log": 2}
    scene = next(story for story in found["stories"] if "scene" in story["place"])
    assert scene["hits"][1] == {"name": "我", "before": "<b>", "match": "雾", "after": "</b> 又起来了。"}
    assert (await get(operator, "/api/reading/search", q="没有的字"))["stories"] == []
    assert (await get(operator, "/api/reading/search", q=" "))["stories"] == []


async def test_a_search_is_bounded(operator: Client, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """In stories, in lines and in what it answers; and it says so."""
    for number in range(4):
        record(site.save, f"s{number}", changed=float(number))
    for name, most, places in (("MOST_STORIES", 3, 3), ("MOST_LINES", 2 * len(STORY), 2), ("MOST_FOUND", 1, 1)):
        with monkeypatch.context() as patched:
            patched.setattr(f"bot.web.stories.{name}", most)
            found = await get(operator, "/api/reading/search", q="雾")
        assert [story["place"]["scene"] for story in found["stories"]] == ["s3", "s2", "s1", "s0"][:places]
        assert found["complete"] is False
    assert (await get(operator, "/api/reading/search", q="雾"))["complete"] is True


async def test_a_long_scene_is_read_whole(operator: Client, site: Site) -> None:
    """2,000 lines."""
    lines = [Line("我", f"第 {number} 行", Origin.PERSON, f"l{number}") for number in range(2000)]
    record(site.save, "s1", lines)
    assert words(await get(operator, "/api/reading", scene="s1")) == [line.text for line in lines]


# -- old bookmarks ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"),
    [("NewChat", "/scenarios"), ("Chat", "/desk"), ("Output", "/output")],
)
async def test_old_bookmarks_lead_to_the_new_pages(operator: Client, stranger: Client, old: str, new: str) -> None:
    """Sign-in first, under the old address."""
    answer = await operator.get(f"/Tester/{old}.html", allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (302, new)
    assert (await operator.get(f"/Tester/{old}.html")).status == 200
    answer = await stranger.get(f"/Tester/{old}.html", headers=BROWSER, allow_redirects=False)
    assert (answer.status, answer.content_type) == (401, "text/html")
