"""The script desk, in a real browser before the real application: what a writer sees, and what a press does."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from bot.scenario import Line, Origin
from tests.browser.conftest import OpenTheatre
from tests.browser.theatre import LATE_EVENTS, PHONE
from tests.browser.writing import ISLAND, Writing, begun, drafted, open_scene, ready, still
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOSTILE = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'
QUICK_DRAFTS = 3  # of a page on which nobody has chosen


async def advanced(page: Page) -> None:
    await page.locator("[data-command=advanced]").click()
    await expect(page.locator("#composer[data-mode=advanced]")).to_be_visible()


async def written(writing: Writing, done: int, begun: int = QUICK_DRAFTS) -> None:
    """A stepped engine goes on until so many drafts have words, and so many are finished. It reads the scene first."""
    for _ in range(100):
        drafts = [draft for ask in writing.now["asks"] for draft in ask["drafts"]]
        if sum(bool(draft["text"]) for draft in drafts) >= begun and sum(draft["done"] for draft in drafts) >= done:
            return
        writing.house.engine.step()
        for _ in range(20):
            await asyncio.sleep(0)
    raise AssertionError("nothing was written")


async def choose(page: Page, box: str, name: str) -> None:
    await page.locator(f"{box} select").select_option(label=name)


# -- quick -------------------------------------------------------------------------------------------------------------


async def test_a_round_in_quick_mode(theatre: OpenTheatre) -> None:
    """Enter sends the right-hand one's line, the left-hand one answers, a number takes an answer and confirms the round."""
    writing = open_scene(await theatre("先进来吧。", "别站在风口。", "信呢？"))
    page = await writing.page()
    await expect(page.locator("#text")).to_be_focused()
    await page.keyboard.type("灯是你点的？")
    await page.keyboard.press("Enter")
    await drafted(page, QUICK_DRAFTS)
    assert writing.said("pending") == [("我", "灯是你点的？")]
    await page.keyboard.press("2")
    await expect(page.locator("#story .line")).to_have_count(5)
    await expect(page.locator("#text")).to_be_focused()
    assert writing.said() == [("我", "灯是你点的？"), ("小铃", "别站在风口。")]
    assert writing.origins("lines")[-2:] == [Origin.PERSON, Origin.MODEL]
    assert writing.now["pending"] == []
    await expect(page.locator("#drafts-box")).to_be_hidden()
    await expect(page.locator("#text")).to_have_value("")


async def test_enter_belongs_to_the_input_method_while_it_composes(theatre: OpenTheatre) -> None:
    """Enter that ends a composition sends nothing; Shift+Enter breaks the line."""
    writing = open_scene(await theatre())
    page = await writing.page()
    await page.keyboard.type("第一行")
    await page.locator("#text").evaluate(
        "box => { for (const more of [{isComposing: true}, {keyCode: 229}])"
        " box.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true, cancelable: true, ...more})); }"
    )
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("第二行")
    await expect(page.locator("#text")).to_have_value("第一行\n第二行")
    assert writing.now["pending"] == []
    await page.keyboard.press("Enter")
    await expect(page.locator("#pending .words")).to_have_text("第一行\n第二行")
    assert writing.said("pending") == [("我", "第一行\n第二行")]


@pytest.mark.parametrize("before", ["", LATE_EVENTS], ids=["usual", "late events"])
async def test_the_model_writes_the_writers_side(theatre: OpenTheatre, before: str) -> None:
    """It begins with what stands in the box; the line that is taken is answered like one that was typed. The keys are at
    the drafts of the answer, whatever the page has heard by then."""
    writing = open_scene(await theatre("想了一夜", "再等等", "走吧", "好。"))
    page = await writing.page(before=before)
    await page.keyboard.type("我")
    await page.locator("#write").click()
    await drafted(page, QUICK_DRAFTS)
    prompt = writing.house.engine.asked[-1][0]
    assert prompt.start_with.strip() == "我"
    await page.keyboard.press("1")
    await expect(page.locator("#drafts-head")).to_contain_text("小铃")
    await drafted(page, QUICK_DRAFTS)
    assert writing.said("pending") == [("我", "我想了一夜")]
    await expect(page.locator("#text")).to_have_value("")


@pytest.mark.parametrize("seen", [True, False])
@pytest.mark.parametrize("deed", ["add", "edit"])
async def test_a_round_that_another_window_touched_is_not_confirmed_unread(
    theatre: OpenTheatre, deed: str, seen: bool
) -> None:
    """Words that came in between have not been read: what was taken stays pending, and the page says why.

    `seen`: the other window was quicker than the page's order to confirm, else quicker than its way to the server.
    """
    writing = open_scene(await theatre("先进来吧。"))
    page = await writing.page()
    await page.keyboard.type("灯？")
    await page.keyboard.press("Enter")
    await drafted(page, QUICK_DRAFTS)

    def touch() -> None:
        if deed == "add":
            writing.add("阿岚", "我也在。")
        else:
            writing.do("edit", line=writing.now["pending"][0]["id"], text="灯呢？", character="我")

    async def interfere(route: Route) -> None:
        confirms = "confirm" in (route.request.post_data or "")
        if confirms and not seen:
            touch()
        response = await route.fetch()
        if not confirms and seen:
            touch()
        await route.fulfill(response=response)

    await page.route("**/do", interfere)
    await page.keyboard.press("1")
    await expect(page.locator("#said")).to_contain_text("没有认可")
    assert writing.said() == []
    assert writing.said("pending")[-1] == {"add": ("阿岚", "我也在。"), "edit": ("小铃", "先进来吧。")}[deed]


# -- advanced ----------------------------------------------------------------------------------------------------------


async def test_a_line_as_anybody(theatre: OpenTheatre) -> None:
    """A character of either side, the narrator, a passer-by, a name of one's own."""
    writing = open_scene(await theatre())
    page = await writing.page()
    await advanced(page)
    for label, name in (("阿岚", "阿岚"), ("旁白", ""), ("路人", "路人"), ("另写一个名字……", "老王")):
        await choose(page, "#speaker", label)
        if name == "老王":
            await page.locator("#speaker input").fill("老王")
        await page.locator("#text").fill(f"{label}说的话")
        await page.locator("#text").press("Control+Enter")
        await expect(page.locator("#text")).to_have_value("")
        await expect(page.locator("#text")).to_be_focused()
    assert [name for name, _ in writing.said("pending")] == ["阿岚", "", "路人", "老王"]
    assert set(writing.origins()) == {Origin.PERSON}
    await expect(page.locator("#pending .line").nth(1)).to_have_attribute("data-side", "told")
    await expect(page.locator("#pending .line").nth(3)).to_contain_text("老王")


async def test_several_lines_at_once(theatre: OpenTheatre) -> None:
    """Pasted as `名: 话`: the page says what it will add before it does."""
    writing = open_scene(await theatre())
    page = await writing.page()
    await advanced(page)
    await page.locator("#text").fill("小铃：你听。\n我: 听什么？\n海吗？\n\n浪声停了。\n\n阿岚: 12: 30 了。")
    await expect(page.locator("#split")).to_have_text("会添加 4 条：小铃、我、旁白、阿岚")
    await page.locator("#send").click()
    await expect(page.locator("#pending .line")).to_have_count(4)
    assert writing.said("pending") == [
        ("小铃", "你听。"),
        ("我", "听什么？\n海吗？"),
        ("", "浪声停了。"),
        ("阿岚", "12: 30 了。"),
    ]


SPLIT = "async ([text, known]) => (await import('/static/desk/paste.js')).split(text, known)"


LINES = (
    ("他说：好。", None),
    ("12: 30 出发", None),
    ("一行\n两行", None),
    ("小铃: 好", [("小铃", "好")]),
    ("　小铃 ： 好", [("小铃", "好")]),
    ("他想了想。\n\n小铃: 好", [("", "他想了想。"), ("小铃", "好")]),
    ("老王: 走\n老李：去哪", [("老王", "走"), ("老李", "去哪")]),
    ("老王: 走\n去哪", None),
    ("小铃: 比分 3:2\n他说: 真的", [("小铃", "比分 3:2"), ("他说", "真的")]),
    ("小铃: 一\n他说: 二\n三", [("小铃", "一\n他说: 二\n三")]),
    ("小铃:\n我: 嗯", [("我", "嗯")]),
)


async def test_how_a_text_falls_into_lines(theatre: OpenTheatre) -> None:
    """Known names open a line; unknown ones only where every row has one; a clock and a quotation are no names."""
    page = await (await theatre()).panel()
    for text, lines in LINES:
        found = await page.evaluate(SPLIT, [text, ["小铃", "我"]])
        assert (found and [(one["character"], one["text"]) for one in found]) == lines, text


async def test_drafts_as_they_were_asked_for(theatre: OpenTheatre) -> None:
    """Who, how it begins, how long, with which hint, how many, with which preset and temperature."""
    writing = open_scene(await theatre("回家"))
    page = await writing.page()
    await advanced(page)
    await choose(page, "#writer", "阿岚")
    await page.locator("#start").fill("愿意跟你")
    await page.locator("#open-options").click()
    await page.locator("#count").fill("8")
    await page.locator("#least").fill("20")
    await page.locator("#hint").fill("她在撒谎")
    await page.locator("#preset").select_option("drama")
    await page.locator("#temperature").fill("1.3")
    await page.locator("[data-command=ask]").click()
    await drafted(page, 8)
    prompt, count, sampling = writing.house.engine.asked[-1]
    assert (count, prompt.start_with.strip()) == (8, "愿意跟你")
    assert prompt.parts[-1].endswith("阿岚:")
    assert (sampling.temperature, sampling.top_p, sampling.min_tokens) == (1.3, 0.7, 20)
    assert "她在撒谎" in "".join(prompt.parts)
    await page.locator("#temperature").fill("0.6")
    await page.locator("[data-command=more]").click()
    await drafted(page, 16)
    prompt, _, sampling = writing.house.engine.asked[-1]
    assert (prompt.start_with.strip(), sampling.temperature, sampling.top_p) == ("愿意跟你", 0.6, 0.7)
    await page.locator(".draft .words").first.click()
    await expect(page.locator("#pending .line")).to_have_count(1)
    await expect(page.locator("#start")).to_have_value("")
    [(name, text)] = writing.said("pending")
    assert name == "阿岚"
    assert text.startswith("愿意跟你回家")


async def test_more_drafts_and_stopping(theatre: OpenTheatre) -> None:
    """More come behind those that are there, each with its own number; what is not finished when it is stopped goes."""
    house = await theatre("一", "二", "三", "四", stepped=True)
    writing = open_scene(house)
    page = await writing.page()
    await page.keyboard.type("灯？")
    await page.keyboard.press("Enter")
    await begun(page, QUICK_DRAFTS)
    await written(writing, done=3)
    await drafted(page, QUICK_DRAFTS)
    await page.keyboard.press("r")
    await expect(page.locator(".draft")).to_have_count(6)
    await expect(page.locator(".draft kbd").nth(5)).to_have_text("6")
    await written(writing, done=5, begun=6)
    await expect(page.locator(".draft[data-done]")).to_have_count(5)
    await page.keyboard.press("x")
    await expect(page.locator(".draft")).to_have_count(5)
    await expect(page.locator("[data-command=stop]")).to_be_hidden()
    await page.keyboard.press("5")
    await expect(page.locator("#story .line")).to_have_count(5)
    assert writing.said()[-1] == ("小铃", "一")


async def test_nothing_moves_under_the_cursor_while_drafts_stream(theatre: OpenTheatre) -> None:
    """Words are appended to the node that stands there; numbers and buttons stay; a half one is not taken."""
    house = await theatre("雾里有人在敲钟。" * 60, "短", stepped=True)
    writing = open_scene(house)
    page = await writing.page()
    await page.keyboard.type("灯？")
    await page.keyboard.press("Enter")
    await begun(page, QUICK_DRAFTS)
    await page.locator("#pending .line").hover()
    places = [await page.locator(f"{where}").first.bounding_box() for where in ("#pending .words", ".draft kbd")]
    await written(writing, done=0)
    words = page.locator(".draft .words").first
    await expect(words).to_contain_text("敲钟")
    await words.evaluate("node => { window.node = node.firstChild; }")
    await page.keyboard.press("1")
    await expect(page.locator("#said")).to_contain_text("还在写")
    await written(writing, done=3)
    await expect(page.locator(".draft[data-done]")).to_have_count(QUICK_DRAFTS)
    assert await words.evaluate("node => node.firstChild === window.node")
    assert places == [await page.locator(where).first.bounding_box() for where in ("#pending .words", ".draft kbd")]
    assert writing.said("pending") == [("我", "灯？")]


async def test_a_draft_is_taken_while_one_types_and_edited_before(theatre: OpenTheatre) -> None:
    """Alt and a number, so that digits stay digits; an edited one says that a person has changed it."""
    writing = open_scene(await theatre("先进来吧。", "别站在风口。"))
    page = await writing.page()
    await advanced(page)
    await page.keyboard.press("Alt+Enter")
    await drafted(page, QUICK_DRAFTS)
    await page.locator("#text").click()
    await page.keyboard.type("2 只鸟")
    await page.keyboard.press("Alt+2")
    await expect(page.locator("#pending .line")).to_have_count(1)
    await expect(page.locator("#text")).to_have_value("2 只鸟")
    await page.keyboard.press("Alt+Enter")
    await drafted(page, QUICK_DRAFTS)
    await page.locator(".draft").nth(1).locator("button").click()
    box = page.locator(".draft .editor textarea")
    await expect(box).to_have_value("先进来吧。")
    await box.fill("先进来吧，雾大。")
    await box.press("Control+Enter")
    await expect(page.locator("#pending .line")).to_have_count(2)
    assert writing.said("pending") == [("小铃", "别站在风口。"), ("小铃", "先进来吧，雾大。")]
    assert writing.origins() == [Origin.MODEL, Origin.EDITED]


async def test_going_on_with_a_line(theatre: OpenTheatre) -> None:
    """The drafts begin with its words, and the one that is taken takes its place."""
    writing = open_scene(await theatre("，慢慢地。"))
    writing.add("小铃", "她走过来")
    page = await writing.page()
    await page.locator("#scroll").focus()
    await page.keyboard.press("c")
    await drafted(page, QUICK_DRAFTS)
    await expect(page.locator(".draft .words").first).to_have_text("她走过来，慢慢地。")
    await page.keyboard.press("1")
    await expect(page.locator("#pending .words")).to_have_text("她走过来，慢慢地。")
    assert writing.said("pending") == [("小铃", "她走过来，慢慢地。")]
    assert writing.said() == []


async def test_a_failure_is_said_and_more_tries_again(theatre: OpenTheatre) -> None:
    house = await theatre("好。", stepped=True)
    writing = open_scene(house)
    page = await writing.page()
    await page.keyboard.type("灯？")
    await page.keyboard.press("Enter")
    await begun(page, QUICK_DRAFTS)
    await written(writing, done=0)
    house.engine.fail("模型进程意外退出")
    await expect(page.locator("#drafts-error")).to_contain_text("模型进程意外退出")
    await page.keyboard.press("r")
    await expect(page.locator("[data-command=stop]")).to_be_visible()
    await written(writing, done=3)
    await expect(page.locator(".draft[data-done]")).to_have_count(QUICK_DRAFTS)
    await expect(page.locator("#drafts-error")).to_be_empty()


# -- the pending lines -------------------------------------------------------------------------------------------------


async def three_pending(theatre: OpenTheatre) -> tuple[Writing, Page]:
    writing = open_scene(await theatre("好。"))
    for name, text in (("我", "一"), ("小铃", "二"), ("阿岚", "三")):
        writing.add(name, text)
    return writing, await writing.page()


async def test_a_pending_line_is_edited_in_its_place(theatre: OpenTheatre) -> None:
    """A click into its words, another speaker if one likes; Esc keeps what was typed for the next time."""
    writing, page = await three_pending(theatre)
    await page.locator("#pending .words").nth(1).click()
    box = page.locator("#pending .editor textarea")
    await expect(box).to_be_focused()
    await box.fill("二，改过")
    await box.press("Escape")
    await expect(page.locator(".editor")).to_have_count(0)
    await page.keyboard.press("e")
    await expect(box).to_have_value("二，改过")
    await choose(page, "#pending .editor .names", "阿岚")
    await box.press("Control+Enter")
    await expect(page.locator("#pending .words").nth(1)).to_have_text("二，改过")
    assert writing.said("pending") == [("我", "一"), ("阿岚", "二，改过"), ("阿岚", "三")]
    await expect(page.locator("#text")).to_be_focused()


async def test_an_edit_survives_what_another_window_does(theatre: OpenTheatre) -> None:
    """Text and cursor stay while lines come and go around it; when its own line goes, the words are still there."""
    writing, page = await three_pending(theatre)
    await page.locator("#pending .words").nth(1).click()
    box = page.locator(".editor textarea")
    await box.press("Home")
    await page.keyboard.type("改：")
    writing.do("move", line=writing.now["pending"][1]["id"], to=0)
    writing.add("我", "四")
    await expect(page.locator("#pending .line")).to_have_count(4)
    await expect(page.locator("#pending .line").first.locator("textarea")).to_be_focused()
    assert await box.evaluate("node => [node.value, node.selectionStart]") == ["改：二", 2]
    writing.do("delete", line=writing.now["pending"][0]["id"])
    await expect(page.locator("#stray .wrong")).to_contain_text("已经不在了")
    await expect(box).to_be_focused()
    await expect(box).to_have_value("改：二")
    await page.locator("#stray").get_by_role("button", name="放进输入框").click()
    await expect(page.locator("#text")).to_have_value("改：二")


async def test_lines_change_places(theatre: OpenTheatre) -> None:
    """With keys, and by dragging; the focus stays on the line that moves."""
    writing, page = await three_pending(theatre)
    await page.locator("#scroll").focus()
    await page.keyboard.press("k")
    await expect(page.locator("#pending .line").nth(2)).to_be_focused()
    await page.keyboard.press("Alt+ArrowUp")
    await expect(page.locator("#pending .words")).to_have_text(["一", "三", "二"])
    await expect(page.locator("#pending .line").nth(1)).to_be_focused()
    await page.keyboard.press("Alt+ArrowUp")
    await expect(page.locator("#pending .words")).to_have_text(["三", "一", "二"])
    first, last = page.locator("#pending .line").first, page.locator("#pending .line").last
    await first.hover()
    below = await last.bounding_box()
    assert below is not None
    await first.locator(".drag").hover()
    await page.mouse.down()
    await page.mouse.move(below["x"] + 200, below["y"] + below["height"] - 4, steps=8)
    await page.mouse.up()
    await until(lambda: [text for _, text in writing.said("pending")] == ["一", "二", "三"])
    await expect(page.locator("#pending .words")).to_have_text(["一", "二", "三"])


async def test_deleting_taking_back_and_discarding_can_be_undone(theatre: OpenTheatre) -> None:
    """Del the line one is in, 撤销上一条 the last, 丢弃 all; undo and redo by keys and by buttons."""
    writing, page = await three_pending(theatre)
    await page.locator("#pending .line").first.focus()
    await page.keyboard.press("Delete")
    await expect(page.locator("#pending .words")).to_have_text(["二", "三"])
    await expect(page.locator("#pending .line").first).to_be_focused()
    await page.locator("[data-command=back]").click()
    await expect(page.locator("#pending .words")).to_have_text(["二"])
    await page.locator("[data-command=discard]").click()
    await expect(page.locator("#pending-empty")).to_be_visible()
    await page.locator("#scroll").focus()
    for words in (["二"], ["二", "三"], ["一", "二", "三"]):
        await page.keyboard.press("Control+z")
        await expect(page.locator("#pending .words")).to_have_text(words)
    await page.keyboard.press("Control+Shift+Z")
    await expect(page.locator("#pending .words")).to_have_text(["二", "三"])
    await page.locator("[data-command=undo]").click()
    await expect(page.locator("#pending .words")).to_have_text(["一", "二", "三"])
    await page.locator("[data-command=redo]").click()
    await expect(page.locator("#pending .words")).to_have_text(["二", "三"])
    await page.locator("#text").click()
    await page.keyboard.type("字")
    await page.keyboard.press("Control+z")
    await expect(page.locator("#text")).to_have_value("")
    assert [text for _, text in writing.said("pending")] == ["二", "三"]


async def test_orders_given_quickly_all_count(theatre: OpenTheatre) -> None:
    """Three presses are three undos: each waits for the one before and goes out with its revision."""
    writing, page = await three_pending(theatre)
    await page.locator("#scroll").focus()
    await page.evaluate(
        "() => { for (let i = 0; i < 3; i += 1) document.body.dispatchEvent("
        "new KeyboardEvent('keydown', { key: 'z', ctrlKey: true, bubbles: true })); }"
    )
    await expect(page.locator("#pending .line")).to_have_count(0)
    assert writing.now["undo"] is None


async def test_undo_brings_the_drafts_back(theatre: OpenTheatre) -> None:
    writing = open_scene(await theatre("甲", "乙", "丙", "丁"))
    page = await writing.page()
    await advanced(page)
    await page.keyboard.press("Alt+Enter")
    await drafted(page, QUICK_DRAFTS)
    await page.keyboard.press("3")
    await expect(page.locator("#drafts-box")).to_be_hidden()
    await page.locator("[data-command=undo]").click()
    await expect(page.locator(".draft .words")).to_have_text(["甲", "乙", "丙"])
    assert len(writing.house.engine.asked) == 1


async def test_who_writes_next_follows_the_turns(theatre: OpenTheatre) -> None:
    """In turn, the next one is chosen after each line; a choice by hand holds until the story has gone on."""
    writing = open_scene(await theatre())
    writing.do("cast", present=["小铃", "阿岚", "我"], turns="turn")
    page = await writing.page()
    await advanced(page)
    chosen = page.locator("#writer select")
    writing.add("小铃", "一")
    await expect(chosen).to_have_value("name:阿岚")
    await choose(page, "#writer", "旁白")
    writing.do("title", title="又一夜")
    await expect(page).to_have_title("又一夜 · 写作台")
    await expect(chosen).to_have_value("name:")
    writing.add("阿岚", "二")
    await expect(chosen).to_have_value("name:我")


async def test_a_name_that_is_being_typed_is_left_alone(theatre: OpenTheatre) -> None:
    """Another window's line draws the lists of names anew, and nobody's typing."""
    writing = open_scene(await theatre())
    page = await writing.page()
    await advanced(page)
    await choose(page, "#speaker", "另写一个名字……")
    writing.add("老李", "我来了。")
    await expect(page.locator("#speaker option[value='name:老李']")).to_have_count(1)
    await expect(page.locator("#speaker input")).to_be_focused()
    await page.keyboard.type("老王")
    await page.locator("#text").fill("我也来了。")
    await page.locator("#text").press("Control+Enter")
    await expect(page.locator("#pending .line")).to_have_count(2)
    assert writing.said("pending")[-1] == ("老王", "我也来了。")


async def test_how_far_the_model_has_read_is_shown(theatre: OpenTheatre) -> None:
    house = await theatre(stepped=True)
    writing = open_scene(house)
    page = await writing.page()
    await expect(page.locator("#reading")).to_be_visible()
    await expect(page.locator("#engine")).to_contain_text("正在读：0 / ")
    house.engine.step(2)
    await expect(page.locator("#reading")).to_be_hidden()
    await expect(page.locator("#engine")).to_be_empty()


async def test_many_drafts_stand_in_rows_that_do_not_push_each_other(theatre: OpenTheatre) -> None:
    """A draft that grows in the first row leaves the second where it is."""
    house = await theatre("雾里有人在敲钟。" * 30, "短", stepped=True)
    writing = open_scene(house)
    page = await writing.page()
    await page.locator("#open-options").click()
    await page.locator("#count").fill("8")
    await page.keyboard.press("Escape")
    await page.locator("#text").fill("灯？")
    await page.locator("#text").press("Enter")
    await begun(page, 8)
    await still(page)
    last = page.locator(".draft kbd").last
    place = await last.bounding_box()
    await written(writing, done=8, begun=8)
    await expect(page.locator(".draft[data-done]")).to_have_count(8)
    assert await last.bounding_box() == place


# -- confirming --------------------------------------------------------------------------------------------------------


async def test_confirming_takes_exactly_what_is_on_the_screen(theatre: OpenTheatre) -> None:
    """Ctrl+Shift+Enter, also out of the text box; what stands there stays."""
    writing, page = await three_pending(theatre)
    await page.locator("#text").fill("写了一半")
    await page.locator("#text").press("Control+Shift+Enter")
    await expect(page.locator("#story .line")).to_have_count(6)
    assert [text for _, text in writing.said()] == ["一", "二", "三"]
    await expect(page.locator("#text")).to_have_value("写了一半")
    await expect(page.locator("#text")).to_be_focused()
    await expect(page.locator("[data-command=confirm]")).to_be_disabled()


async def test_other_words_than_those_on_the_screen_are_not_confirmed(theatre: OpenTheatre) -> None:
    """A window that has not heard yet is refused, says so, and keeps what was typed."""
    writing = open_scene(await theatre())
    writing.add("我", "一")
    deaf: list[bool] = []
    page = await writing.house.panel(ready=False)

    def through(socket: Any) -> None:
        server = socket.connect_to_server()
        server.on_message(lambda frame: None if deaf else socket.send(frame))

    await page.route_web_socket("**/feed?*", through)
    await writing.open(page)
    deaf.append(True)
    writing.add("小铃", "没人看过的话")
    await page.locator("#text").fill("我的话")
    await page.locator("#text").press("Control+Shift+Enter")
    await expect(page.locator("#said")).to_contain_text("刚刚变了")
    async with page.expect_response("**/do"):
        await page.locator("#text").press("Enter")
    await expect(page.locator("#text")).to_have_value("我的话")
    assert writing.said() == []
    assert len(writing.now["pending"]) == 2


async def test_a_line_that_is_being_edited_is_not_confirmed_over(theatre: OpenTheatre) -> None:
    writing, page = await three_pending(theatre)
    await page.locator("#pending .words").first.click()
    await page.locator("[data-command=confirm]").click()
    await expect(page.locator("#said")).to_contain_text("还在修改")
    assert writing.said() == []


async def test_a_confirmed_line_is_edited(theatre: OpenTheatre) -> None:
    """Found with the keys, edited in its place; the lines around it stay the same elements."""
    writing = open_scene(await theatre())
    page = await writing.page()
    await page.locator("#scroll").focus()
    await page.evaluate("() => { window.lines = [...document.querySelectorAll('#story .line')]; }")
    for _ in range(2):
        await page.keyboard.press("k")
    await page.keyboard.press("e")
    box = page.locator("#story .editor textarea")
    await expect(box).to_have_value("你终于来了。")
    await box.fill("你来了。")
    await box.press("Control+Enter")
    await expect(page.locator("#story .words").nth(1)).to_have_text("你来了。")
    assert writing.now["lines"][1]["text"] == "你来了。"
    same = "() => [...document.querySelectorAll('#story .line')].map((node, i) => node === window.lines[i])"
    assert await page.evaluate(same) == [True, False, True]


async def test_the_replay_is_saved(theatre: OpenTheatre) -> None:
    """Ctrl+S writes the log; what is pending is not in it."""
    writing, page = await three_pending(theatre)
    await page.locator("#text").press("Control+s")
    await expect(page.locator("#said")).to_contain_text("_Log.json")
    [log] = writing.house.save.library.folder("雾岛", "初见").glob("*_Log.json")
    assert "船误了三天" in log.read_text(encoding="utf-8")


async def test_the_scene_is_renamed(theatre: OpenTheatre) -> None:
    writing = open_scene(await theatre())
    page = await writing.page()
    await page.locator("#title").fill("灯塔之夜")
    await page.locator("#title").press("Enter")
    await expect(page).to_have_title("灯塔之夜 · 写作台")
    assert writing.now["title"] == "灯塔之夜"


# -- what stays --------------------------------------------------------------------------------------------------------


async def test_a_reload_brings_everything_back(theatre: OpenTheatre) -> None:
    """Text, cursor, speaker, mode, the beginning and the hint; what is pending is the server's anyway."""
    _, page = await three_pending(theatre)
    await advanced(page)
    await choose(page, "#speaker", "阿岚")
    await choose(page, "#writer", "我")
    await page.locator("#start").fill("愿意")
    await page.locator("#open-options").click()
    await page.locator("#hint").fill("她在撒谎")
    await page.locator("#text").fill("写了一半的话")
    await page.locator("#text").evaluate("box => box.setSelectionRange(2, 2)")
    await page.reload()
    await ready(page)
    await expect(page.locator("#text")).to_have_value("写了一半的话")
    await expect(page.locator("#composer")).to_have_attribute("data-mode", "advanced")
    assert await page.locator("#text").evaluate("box => box.selectionStart") == 2
    assert await page.locator("#speaker select").evaluate("box => box.selectedOptions[0].text") == "阿岚"
    assert await page.locator("#writer select").evaluate("box => box.selectedOptions[0].text") == "我"
    await expect(page.locator("#start")).to_have_value("愿意")
    await expect(page.locator("#hint")).to_have_value("她在撒谎")
    await expect(page.locator("#pending .line")).to_have_count(3)


async def test_after_a_crash_the_next_window_has_the_words(theatre: OpenTheatre) -> None:
    """The browser is gone without a word; another one, which keeps nothing of the first, goes on."""
    writing = open_scene(await theatre())
    page = await writing.page()
    await page.keyboard.type("写到一半就")
    await writing.kept("写到一半就")
    await writing.left(page)
    again = await writing.page()
    await expect(again.locator("#text")).to_have_value("写到一半就")
    assert await again.locator("#text").evaluate("box => box.selectionStart") == 5


async def test_a_changed_line_is_still_being_changed_after_a_reload(theatre: OpenTheatre) -> None:
    """The box stands in its line again, with the words, the name and the cursor."""
    writing = open_scene(await theatre())
    page = await writing.page()
    await page.locator("#story .words").nth(1).dblclick()
    await page.locator(".editor textarea").fill("你总算来了。")
    await choose(page, ".editor", "阿岚")
    await page.locator(".editor textarea").evaluate("box => box.setSelectionRange(3, 3)")
    await page.locator(".editor textarea").press("End")
    await writing.kept("你总算来了。")
    await page.reload()
    await ready(page)
    box = page.locator("#story .line").nth(1).locator("textarea")
    await expect(box).to_have_value("你总算来了。")
    await expect(box).to_be_focused()
    assert await box.evaluate("box => box.selectionStart") == 6
    await box.press("Control+Enter")
    await expect(page.locator(".editor")).to_have_count(0)
    assert [(line["character"], line["text"]) for line in writing.now["lines"]][1] == ("阿岚", "你总算来了。")
    await page.keyboard.type("好")
    await writing.kept("好")
    await page.reload()
    await ready(page)
    await expect(page.locator(".editor")).to_have_count(0)


async def test_a_draft_that_was_being_changed_goes_to_the_next_window(theatre: OpenTheatre) -> None:
    """And where the draft is gone by then, its words stand at the foot of the page."""
    writing = open_scene(await theatre("我在等你。"))
    page = await writing.page()
    await page.keyboard.press("Enter")
    await drafted(page, QUICK_DRAFTS)
    await page.locator(".draft button").first.click()
    await page.locator(".editor textarea").fill("我一直在等你。")
    await writing.kept("我一直在等你。")
    await writing.left(page)
    again = await writing.page()
    await expect(again.locator(".draft .editor textarea")).to_have_value("我一直在等你。")
    await writing.left(again)
    writing.add("阿岚", "风大了。")
    writing.do("confirm", lines=[{"id": line["id"], "text": line["text"]} for line in writing.now["pending"]])
    last = await writing.page()
    await expect(last.locator("#stray textarea")).to_have_value("我一直在等你。")
    await last.locator("#stray").get_by_role("button", name="放进输入框").click()
    await expect(last.locator("#text")).to_have_value("我一直在等你。")


async def test_two_windows_follow_each_other_and_keep_their_own_words(theatre: OpenTheatre) -> None:
    writing = open_scene(await theatre("好。"))
    one, two = await writing.page(), await writing.page()
    await one.locator("#text").fill("一号的字")
    await two.locator("#text").fill("二号的话")
    await two.locator("#text").press("Enter")
    await expect(one.locator("#pending .words")).to_have_text(["二号的话"])
    await expect(one.locator(".draft[data-done]")).to_have_count(QUICK_DRAFTS)
    await expect(one.locator("#text")).to_have_value("一号的字")
    await expect(one.locator("#text")).to_be_focused()
    await expect(two.locator("#text")).to_have_value("")


async def test_a_lost_connection_keeps_what_is_typed(theatre: OpenTheatre) -> None:
    """The page dims and says so, its buttons rest, the text box does not; then it goes on where it was."""
    writing = open_scene(await theatre("好。"))
    page = await writing.page()
    await page.keyboard.type("断线前")
    await writing.house.close_doors()
    await expect(page.locator("#banner")).to_contain_text("连接断了")
    await expect(page.locator("#send")).to_be_disabled()
    await page.keyboard.type("，断线后")
    await page.keyboard.press("Enter")
    await expect(page.locator("#said")).to_contain_text("没有发出去")
    await expect(page.locator("#text")).to_have_value("断线前，断线后")
    async with page.expect_response("**/scratch"):
        await writing.house.open_doors()
    await expect(page.locator("#banner")).to_be_empty()
    await page.locator("#text").press("Enter")
    await expect(page.locator("#pending .words")).to_have_text(["断线前，断线后"])


WATCH_STORY = """() => {
    window.touched = [];
    const fresh = (node) => document.querySelector("#story").lastElementChild.contains(node);
    const see = ({ target, type }) => fresh(target) || window.touched.push(`${target.id || target.className} ${type}`);
    const everything = { subtree: true, childList: true, characterData: true, attributes: true };
    new MutationObserver((all) => all.forEach(see)).observe(document.querySelector("#story"), everything);
}"""

# -- the long story ----------------------------------------------------------------------------------------------------


async def test_a_long_story_changes_only_where_it_changes(theatre: OpenTheatre) -> None:
    """Two thousand lines: it opens at its end, and a confirmed line adds one element and touches no other."""
    house = await theatre()
    lines = tuple(Line("小铃" if i % 2 else "我", f"第 {i} 句。") for i in range(2000))
    writing = open_scene(house, replace(ISLAND, opening=lines))
    page = await writing.page()
    await expect(page.locator("#story .line")).to_have_count(2000)
    await expect(page.locator("#story .line").last).to_be_in_viewport()
    writing.add("我", "新的一句")
    await expect(page.locator("#pending .line")).to_have_count(1)
    await page.evaluate(WATCH_STORY)
    await page.locator("[data-command=confirm]").click()
    await expect(page.locator("#story .line")).to_have_count(2001)
    await expect(page.locator("#story .line").last).to_be_in_viewport()
    assert await page.evaluate("() => window.touched") == ["story childList"]


async def test_reading_back_is_not_interrupted(theatre: OpenTheatre) -> None:
    """Who has scrolled up stays there when lines come, and finds the way back."""
    house = await theatre()
    lines = tuple(Line("小铃", f"第 {i} 句。") for i in range(200))
    writing = open_scene(house, replace(ISLAND, opening=lines))
    page = await writing.page()
    scroll = page.locator("#scroll")
    await still(page)
    await expect(page.locator("#to-end")).to_be_hidden()
    await scroll.evaluate("node => { node.scrollTop = 1000; }")
    await expect(page.locator("#to-end")).to_be_visible()
    writing.add("我", "新的一句")
    await expect(page.locator("#pending .line")).to_have_count(1)
    assert await scroll.evaluate("node => node.scrollTop") < 2000
    await page.locator("#to-end").click()
    await expect(page.locator("#pending .line")).to_be_in_viewport()
    await expect(page.locator("#to-end")).to_be_hidden()


# -- the page ----------------------------------------------------------------------------------------------------------


async def test_whatever_is_written_is_shown_as_text(theatre: OpenTheatre) -> None:
    """Markup in names, lines and drafts is words; what cannot be seen is written out."""
    writing = open_scene(await theatre(HOSTILE, "藏\u202e着"))
    writing.add('<b>老王"</b>', HOSTILE)
    page = await writing.page()
    await page.locator("#scroll").focus()
    await page.keyboard.press("Alt+Enter")
    await drafted(page, QUICK_DRAFTS)
    await expect(page.locator("#pending .words")).to_have_text(HOSTILE)
    await expect(page.locator("#pending .by b")).to_have_text('<b>老王"</b>')
    await expect(page.locator(".draft .words").first).to_have_text(HOSTILE)
    assert await page.evaluate("() => window.pwned") is None
    assert await page.locator("#desk img:not(.face img)").count() == 0


async def test_the_help_is_the_table_of_keys(theatre: OpenTheatre) -> None:
    """Every command has words in both languages, and Esc closes the table."""
    writing = open_scene(await theatre())
    page = await writing.page()
    await page.locator("#scroll").focus()
    await page.keyboard.press("?")
    await expect(page.locator("#help")).to_be_visible()
    listed = await page.locator("#help-keys dt").all_text_contents()
    table = await page.evaluate(
        "async () => (await import('/static/desk/keys.js')).COMMANDS.filter((one) => !one.unlisted).length"
    )
    assert len(listed) == table
    assert all(listed) and not any("key." in words for words in listed)
    await page.keyboard.press("Escape")
    await expect(page.locator("#help")).to_be_hidden()
    await page.get_by_role("button", name="English").click()
    await page.keyboard.press("?")
    await expect(page.locator("#help-keys")).to_contain_text("Confirm and go on")
    await expect(page.locator("#story")).to_contain_text("Narration")


async def test_no_key_stands_in_the_table_twice(theatre: OpenTheatre) -> None:
    house = await theatre()
    page = await house.panel()
    names = await page.evaluate(
        "async () => (await import('/static/desk/keys.js')).COMMANDS.flatMap((one) => one.keys)"
    )
    assert len(names) == len(set(names))


async def test_keys_rest_while_one_types(theatre: OpenTheatre) -> None:
    writing, page = await three_pending(theatre)
    await page.locator("#text").click()
    await page.keyboard.type("uDxrkjectmgow1?/")
    await expect(page.locator("#text")).to_have_value("uDxrkjectmgow1?/")
    assert len(writing.now["pending"]) == 3
    await page.keyboard.press("Escape")
    await page.keyboard.press("u")
    await expect(page.locator("#pending .line")).to_have_count(2)


async def test_drafts_are_announced(theatre: OpenTheatre) -> None:
    writing = open_scene(await theatre("甲"))
    page = await writing.page()
    await page.keyboard.type("灯？")
    await page.keyboard.press("Enter")
    await expect(page.locator("#live[aria-live=polite]")).to_have_text("3 条候选写好了，按数字键采用。")


async def test_without_a_scene_the_last_one_opens_or_the_list(theatre: OpenTheatre) -> None:
    """The list has a link to the scenarios; a scene that is gone leads to it."""
    writing = open_scene(await theatre())
    page = await writing.house.panel(ready=False)
    await page.goto(writing.house.url("/desk"))
    await expect(page.locator("#scene-list li")).to_have_count(1)
    await expect(page.locator("#scenes a[href='/scenarios']")).to_be_visible()
    await page.locator("#scene-list a").click()
    await ready(page)
    await page.goto(writing.house.url("/desk"), wait_until="commit")  # it goes on to the scene by itself
    await ready(page)
    assert writing.scene in page.url
    await page.locator("#all-scenes").click()
    await expect(page.locator("#scene-list li")).to_have_count(1)
    await page.goto(writing.house.url("/desk?scene=nowhere"))
    await expect(page.locator("#scene-list li")).to_have_count(1)
    await expect(page.locator("#said")).not_to_be_empty()


# The window itself would grow with what runs off it.
TOO_WIDE = """(width) => [...document.querySelectorAll("#bar *, #composer *, #pending-head")]
    .filter((node) => node.getBoundingClientRect().right > width + 1)
    .map((node) => node.id || node.className)"""


async def test_a_scene_comes_back_from_the_bin(theatre: OpenTheatre) -> None:
    """The last scene is in the bin: the list opens, and has the way to bring it back."""
    writing = open_scene(await theatre())
    page = await writing.page()
    writing.house.desk.bin(writing.scene)
    await page.goto(writing.house.url("/desk"))
    await expect(page.locator("#no-scenes")).to_be_visible()
    await page.locator("#bin summary").click()
    await page.get_by_role("button", name="取回").click()
    await expect(page.locator("#scene-list li")).to_have_count(1)
    await expect(page.locator("#bin")).to_be_hidden()
    await expect(page.locator("#scene-list a")).to_be_focused()
    await page.keyboard.press("Enter")
    await ready(page)


async def test_a_scene_that_another_window_puts_into_the_bin_closes(theatre: OpenTheatre) -> None:
    """The page says where it is, and has the way back; what was typed comes back with it."""
    writing = open_scene(await theatre())
    page = await writing.page()
    await page.locator("#text").fill("没写完的话")
    await writing.kept("没写完的话")
    writing.house.desk.bin(writing.scene)
    await expect(page.locator("#said")).to_contain_text("可能在回收站里")
    await expect(page.locator("#desk")).to_be_hidden()
    await page.locator("#bin summary").click()
    await page.get_by_role("button", name="取回").click()
    await page.locator("#scene-list a").click()
    await ready(page)
    await expect(page.locator("#text")).to_have_value("没写完的话")


async def test_a_scene_in_the_bin_is_deleted_after_a_question(theatre: OpenTheatre) -> None:
    """By keyboard; Esc leaves it where it is."""
    writing = open_scene(await theatre())
    writing.house.desk.bin(writing.scene)
    page = await writing.house.panel(ready=False)
    await page.goto(writing.house.url("/desk?list"))
    await expect(page.locator("#bin summary")).to_be_visible()
    await page.locator("#bin summary").press("Enter")
    delete = page.get_by_role("button", name="永远删除…")
    await delete.press("Enter")
    await page.keyboard.press("Escape")
    await expect(page.locator("dialog[open]")).to_have_count(0)
    assert [one["id"] for one in writing.house.desk.scenes()] == [writing.scene]
    await delete.press("Enter")
    await expect(page.locator("dialog[open] h2")).to_have_text("永远删除「初见（雾岛 / 初见）」？")
    await page.keyboard.press("Enter")
    await expect(page.locator("#bin")).to_be_hidden()
    assert writing.house.desk.scenes() == []
    await expect(page.locator("#scenes a[href='/scenarios']")).to_be_focused()


# -- the phone ---------------------------------------------------------------------------------------------------------


async def test_a_round_on_the_phone(theatre: OpenTheatre) -> None:
    """One thumb: the composer is at the foot, drafts are swiped, a tap takes one."""
    writing = open_scene(await theatre("先进来吧。", "别站在风口。", "信呢？"))
    page = await writing.page(viewport=PHONE, has_touch=True, is_mobile=True)
    await page.locator("#text").fill("灯是你点的？")
    await page.locator("#send").tap()
    await expect(page.locator(".draft[data-done]")).to_have_count(QUICK_DRAFTS)
    await expect(page.locator("#dots")).to_have_text("1 / 3")
    await page.locator("#drafts").evaluate("row => row.scrollTo({ left: row.firstElementChild.offsetWidth + 8 })")
    await expect(page.locator("#dots")).to_have_text("2 / 3")
    await expect(page.locator(".draft").nth(1)).to_be_in_viewport(ratio=0.9)
    await page.locator(".draft .words").nth(1).tap()
    await expect(page.locator("#story .line")).to_have_count(5)
    assert writing.said()[-1] == ("小铃", "别站在风口。")


async def test_the_phone_gives_a_finger_room(theatre: OpenTheatre) -> None:
    """Every button that can be seen is 44 px high and wide or more, nothing runs off the side, the composer is at the foot."""
    writing, page = await three_pending(theatre)
    await page.close()
    page = await writing.page(viewport=PHONE, has_touch=True, is_mobile=True)
    for mode in ("quick", "advanced"):
        await page.locator(f"[data-command={mode}]").tap()
        await expect(page.locator("#composer")).to_have_attribute("data-mode", mode)
        await page.keyboard.press("Alt+Enter")
        await expect(page.locator(".draft[data-done]").first).to_be_visible()
        small = await page.evaluate(
            """() => [...document.querySelectorAll('#desk button, #desk select, #desk a, #desk input')].filter((node) => {
                const { width, height } = node.getBoundingClientRect();
                return width > 0 && (height < 44 || width < 44);
            }).map((node) => `${node.id || node.dataset.command || node.className} ${node.offsetWidth}×${node.offsetHeight}`)"""
        )
        assert small == []
        assert await page.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]
        box = await page.locator("#composer").bounding_box()
        assert box is not None
        assert abs(box["y"] + box["height"] - PHONE["height"]) < 2


RUNS_OUT = """() => [["#paper", "#paper *"], ["#tools", "#tools [role=tab]"], ["#top nav", "#top nav a"]].flatMap(([frame, inside]) => {
    const edge = document.querySelector(frame).getBoundingClientRect().right;
    return [...document.querySelectorAll(inside)].filter((node) => node.getBoundingClientRect().right > edge + 1);
}).map((node) => node.id || node.dataset.command || node.textContent)"""


@pytest.mark.parametrize("size", [{"width": 1024, "height": 700}, PHONE], ids=["tablet", "phone"])
async def test_everything_has_room_in_both_languages(theatre: OpenTheatre, size: Any) -> None:
    """Buttons do not lie over the tools, and each tab and the way to every page can be seen."""
    writing, page = await three_pending(theatre)
    await page.close()
    page = await writing.page(viewport=size)
    for lang in ("en", "zh-CN"):
        await page.locator("#top .tools button").last.click()
        await expect(page.locator("html")).to_have_attribute("lang", lang)
        for mode in ("quick", "advanced"):
            await page.locator(f"[data-command={mode}]").click()
            assert await page.evaluate(RUNS_OUT) == []


async def test_whoever_is_at_the_end_stays_there_while_the_box_grows(theatre: OpenTheatre) -> None:
    """The paper becomes lower; what is pending is still in sight."""
    writing, page = await three_pending(theatre)
    await page.close()
    page = await writing.page(viewport=PHONE)
    last = page.locator("#pending .line").last
    await page.evaluate(
        "document.querySelector('[data-command=advanced]').click(), document.querySelector('#open-options').click()"
    )
    await expect(page.locator("#options")).to_be_visible()
    await expect(last).to_be_in_viewport(ratio=0.9)
    await expect(page.locator("#to-end")).to_be_hidden()


async def test_a_finger_drags_a_line(theatre: OpenTheatre) -> None:
    """By its handle; elsewhere a finger scrolls."""
    writing, page = await three_pending(theatre)
    await page.close()
    page = await writing.page(viewport=PHONE, has_touch=True, is_mobile=True)
    await still(page)
    handle = await page.locator("#pending .drag").first.bounding_box()
    last = await page.locator("#pending .line").last.bounding_box()
    assert handle is not None and last is not None
    x, start, end = handle["x"] + 20, handle["y"] + 20, last["y"] + last["height"] - 4
    touch = await page.context.new_cdp_session(page)
    for kind, y in (
        ("touchStart", start),
        *(("touchMove", start + (end - start) * i / 8) for i in range(1, 9)),
        ("touchEnd", None),
    ):
        points = [] if y is None else [{"x": x, "y": y}]
        await touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    await expect(page.locator("#pending .words")).to_have_text(["二", "三", "一"])
    await until(lambda: [text for _, text in writing.said("pending")] == ["二", "三", "一"])


async def test_the_phone_in_english(theatre: OpenTheatre) -> None:
    """Longer words wrap; nothing runs off the side."""
    writing = open_scene(await theatre())
    page = await writing.page(viewport=PHONE, has_touch=True, is_mobile=True)
    await page.get_by_role("button", name="English").tap()
    await expect(page.locator("#send")).to_contain_text("Send")
    for mode in ("quick", "advanced"):
        await page.locator(f"[data-command={mode}]").tap()
        await expect(page.locator("#composer")).to_have_attribute("data-mode", mode)
        assert await page.evaluate(TOO_WIDE, PHONE["width"]) == []


async def test_advanced_mode_on_the_phone(theatre: OpenTheatre) -> None:
    """A line is added, edited through its menu, and confirmed, all by touch."""
    writing = open_scene(await theatre())
    page = await writing.page(viewport=PHONE, has_touch=True, is_mobile=True)
    await page.locator("[data-command=advanced]").tap()
    await choose(page, "#speaker", "旁白")
    await page.locator("#text").fill("钟响了。")
    await page.locator("#send").tap()
    await page.locator("#pending .line-menu").tap()
    await page.get_by_role("menuitem", name="编辑").tap()
    await page.locator(".editor textarea").fill("钟响了三下。")
    await page.get_by_role("button", name="保存", exact=True).tap()
    await expect(page.locator("#pending .words")).to_have_text(["钟响了三下。"])
    await expect(page.locator(".editor")).to_have_count(0)  # while it is open, nothing is confirmed
    await page.locator("[data-command=confirm]").tap()
    await expect(page.locator("#story .line")).to_have_count(4)
    assert writing.said() == [("", "钟响了三下。")]
