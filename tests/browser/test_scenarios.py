"""The page of scenarios, in a real browser before the real application and a real Save folder."""

from __future__ import annotations

import asyncio
import json
import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from playwright.async_api import CDPSession, Dialog, Page, Route, expect

from bot.engine.types import EngineState, EngineStatus
from bot.save.names import safe_name
from bot.scenario import Character, Line, Log, Origin, Scenario, dump_log, dump_scenario
from tests.browser.conftest import OpenTheatre
from tests.browser.theatre import PHONE, Theatre
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOSTILE = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'
FOG = Scenario(
    series="雾岛",
    name="初见",
    background="海上的小岛，常年有雾。",
    opening=(Line("小芽", "你来啦！", Origin.OPENING), Line("", "雨停了。", Origin.OPENING)),
    characters=(Character("小芽", "AI"), Character("我", "User")),
    extra={"Unknown": {"kept": 1}},
)


def saved(house: Theatre, series: str = "雾岛", name: str = "初见") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((house.save.folder / series / name / "场景剧本.json").read_text("utf-8"))
    return found


async def test_a_new_scenario_is_written_with_the_keyboard(theatre: OpenTheatre) -> None:
    """N opens the form, Enter adds characters, Ctrl+S saves; the file has what was typed."""
    house = await theatre()
    page = await house.page("/scenarios")
    await expect(page.locator("#nothing")).to_contain_text("还没有剧本")
    await page.keyboard.press("n")
    await expect(page.locator("[name=series]")).to_be_focused()
    await page.keyboard.type("雾岛")
    await page.keyboard.press("Tab")
    await page.keyboard.type("初见")
    await page.keyboard.press("Tab")
    await page.keyboard.type("海上的小岛。")
    await page.keyboard.press("Tab")
    for name in ("小芽", "阿澈"):
        await page.keyboard.type(name)
        await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await page.keyboard.type("我")
    await page.keyboard.press("Enter")
    await page.locator("[name=opening]").fill("夜里下着雨。\n\n小芽：你来啦！\n\n我: 12: 30 才到。")
    await expect(page.locator("#opening-lines li")).to_have_text(
        ["旁白夜里下着雨。", "小芽你来啦！", "我12: 30 才到。"]
    )
    await page.keyboard.press("Control+s")
    await expect(page.locator("#said")).to_have_text("已保存。")
    file = saved(house)
    assert file["CharacterData"] == {"AI": ["小芽", "阿澈"], "User": ["我"]}
    assert file["Example"] == "夜里下着雨。\n\n小芽: 你来啦！\n\n我: 12: 30 才到。"
    await expect(page).to_have_url(house.url("/scenarios#/edit/%E9%9B%BE%E5%B2%9B/%E5%88%9D%E8%A7%81"))


async def test_an_empty_folder_offers_an_example(theatre: OpenTheatre) -> None:
    """It is taken in as a file would be, and can be opened at the desk; then it is not offered again."""
    house = await theatre()
    page = await house.page("/scenarios")
    await page.get_by_role("button", name="放一个例子进来").click()
    await expect(page.locator(".card h3")).to_have_text("雨夜书店")
    await expect(page.locator("#example")).to_be_hidden()
    assert saved(house, "例子", "雨夜书店")["Lorebook"][0]["name"] == "桂花糕"
    await page.locator(".card [data-does=open]").click()
    await page.wait_for_url("**/desk?scene=*")


async def test_a_question_that_is_answered_with_no_leads_back_to_its_menu(theatre: OpenTheatre) -> None:
    """By keyboard: the focus stands where the menu was opened."""
    house = await theatre()
    house.save.library.create(FOG)
    page = await house.page("/scenarios")
    await page.locator(".card .more summary").press("Enter")
    await page.locator(".card [data-does=delete]").press("Enter")
    await expect(page.locator("#ask")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator(".card .more summary")).to_be_focused()


async def test_what_the_form_does_not_show_is_kept(theatre: OpenTheatre) -> None:
    """Words, a lorebook entry and the author's note change; keys of other programs stay in the file."""
    house = await theatre()
    house.save.library.create(FOG)
    page = await house.page("/scenarios#/edit/雾岛/初见")
    await page.locator("[name=background]").fill("海上的小岛，夜里有铃声。")
    await page.locator("[name=note]").fill("放慢节奏。")
    await page.locator("[name=form]").select_option("chat")
    await page.locator("[name=preset]").select_option("drama")
    await page.locator("#lore-add").click()
    await page.keyboard.type("灯塔，塔")
    await page.locator("#lore-entries [data-field=text]").fill("灯塔建于百年前。")
    await page.locator("#lore-entries [data-field=constant]").check()
    await page.locator("#form [type=submit]").click()
    await expect(page.locator("#said")).to_have_text("已保存。")
    file = saved(house)
    assert (file["Prompt"], file["PromptForm"], file["Sampling"]) == ("海上的小岛，夜里有铃声。", "chat", "drama")
    assert file["AuthorsNote"] == {"text": "放慢节奏。", "depth": 4}
    assert [(one["keys"], one["text"], one["constant"]) for one in file["Lorebook"]] == [
        (["灯塔", "塔"], "灯塔建于百年前。", True)
    ]
    assert file["Unknown"] == {"kept": 1}


async def test_a_lorebook_of_another_kind_stays_as_it_is(theatre: OpenTheatre) -> None:
    """It cannot be shown, and saving the rest does not touch it."""
    house = await theatre()
    house.save.library.create(replace(FOG, extra={"Lorebook": {"entries": {"0": "塔"}}}))
    page = await house.page("/scenarios#/edit/雾岛/初见")
    await expect(page.locator("#lore-kept")).to_be_visible()
    await page.locator("[name=background]").fill("改了。")
    await page.keyboard.press("Control+s")
    await expect(page.locator("#said")).to_have_text("已保存。")
    assert (saved(house)["Prompt"], saved(house)["Lorebook"]) == ("改了。", {"entries": {"0": "塔"}})


def cast_of(page: Page, side: str) -> Any:
    return page.locator(f'.side[data-side="{side}"] .chips .name')


async def test_characters_are_moved_and_removed_by_keys(theatre: OpenTheatre) -> None:
    """Shift and an arrow moves a chip along its side or to the other; Delete removes it; the focus stays with it."""
    house = await theatre()
    page = await house.page("/scenarios#/new")
    left = page.locator('.side[data-side="AI"] input')
    await left.fill("甲，乙、丙")
    await left.press("Enter")
    await expect(cast_of(page, "AI")).to_have_text(["甲", "乙", "丙"])
    await left.press("Backspace")
    await page.keyboard.press("Shift+ArrowLeft")
    await expect(cast_of(page, "AI")).to_have_text(["甲", "丙", "乙"])
    await page.keyboard.press("Shift+ArrowDown")
    await expect(cast_of(page, "AI")).to_have_text(["甲", "乙"])
    await expect(cast_of(page, "User")).to_have_text(["丙"])
    await expect(page.locator('[data-side="User"] .chip')).to_be_focused()
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("Delete")
    await expect(cast_of(page, "AI")).to_have_text(["甲"])
    await left.fill("丙")
    await left.press("Enter")
    await expect(page.locator("#said")).to_have_text("已经有 丙 了。")
    await page.locator("[name=series]").fill("雾岛")
    await page.locator("[name=name]").fill("键盘")
    await page.keyboard.press("Control+s")
    await expect(page.locator("#said")).to_have_text("已保存。")
    assert saved(house, name="键盘")["CharacterData"] == {"AI": ["甲"], "User": ["丙"]}


async def test_a_chip_is_dragged_to_the_other_side(theatre: OpenTheatre) -> None:
    """By the mouse, and a drag is no click."""
    house = await theatre()
    house.save.library.create(FOG)
    page = await house.page("/scenarios#/edit/雾岛/初见")
    source = await page.locator('.side[data-side="AI"] .chip').bounding_box()
    target = await page.locator('.side[data-side="User"] .chips').bounding_box()
    assert source and target
    await page.mouse.move(source["x"] + 10, source["y"] + 10)
    await page.mouse.down()
    await page.mouse.move(target["x"] + target["width"] - 4, target["y"] + 12, steps=6)
    await page.mouse.up()
    await expect(cast_of(page, "User")).to_have_text(["我", "小芽"])
    await expect(page.locator("#character")).to_be_hidden()


async def test_a_renamed_character_keeps_their_lines(theatre: OpenTheatre) -> None:
    """In the opening, where a paragraph is theirs and nowhere else."""
    house = await theatre()
    house.save.library.create(FOG)
    page = await house.page("/scenarios#/edit/雾岛/初见")
    await page.locator("[name=opening]").fill("小芽: 我是小芽: 真的。\n\n小芽走了。")
    await page.locator('[data-side="AI"] .chip').click()
    await page.locator("#character-name").fill("小满")
    await page.locator("#character-name").press("Tab")
    await expect(page.locator("[name=opening]")).to_have_value("小满: 我是小芽: 真的。\n\n小芽走了。")
    await expect(page.locator("#opening-lines li").first).to_have_text("小满我是小芽: 真的。")


async def test_an_unsaved_form_comes_back(theatre: OpenTheatre) -> None:
    """After a reload the words are there again; one press goes back to what is saved."""
    house = await theatre()
    house.save.library.create(FOG)
    page = await house.page("/scenarios#/edit/雾岛/初见")
    await page.locator("[name=background]").fill("写了一半")
    await expect(page.locator("#form-state")).to_contain_text("已暂存")
    asked: list[str] = []

    async def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        await dialog.accept()

    page.on("dialog", leave)
    await page.reload()
    assert asked == ["beforeunload"]
    await expect(page.locator("[name=background]")).to_have_value("写了一半")
    await page.locator("#form-back").click()
    await page.locator("#ask-no").click()
    await expect(page.locator("[name=background]")).to_have_value("写了一半")
    await page.locator("#kept-drop").click()
    await page.locator("#ask-yes").click()
    await expect(page.locator("[name=background]")).to_have_value("海上的小岛，常年有雾。")
    await page.locator("#form-back").click()
    await expect(page.locator("#library")).to_be_visible()
    assert saved(house)["Prompt"] == "海上的小岛，常年有雾。"


async def test_a_character_stays_open_while_the_form_is_saved(theatre: OpenTheatre) -> None:
    """What is written about them after that is saved, too."""
    house = await theatre()
    house.save.library.create(FOG)
    page = await house.page("/scenarios#/edit/雾岛/初见")
    await page.locator('[data-side="AI"] .chip').click()
    for note in ("看灯塔的人。", "看灯塔的人，话多。"):
        await page.locator("#character-note").fill(note)
        await page.keyboard.press("Control+s")
        await expect(page.locator("#form-state")).to_have_text("")
        assert saved(house)["CharacterData"]["AI"] == [{"Name": "小芽", "Note": note}]


async def test_characters_that_were_kept_and_new_ones_are_told_apart(theatre: OpenTheatre) -> None:
    """After a reload each chip is still one character's."""
    house = await theatre()
    page = await house.page("/scenarios#/new")
    page.on("dialog", lambda dialog: dialog.accept())
    await page.locator('[data-side="AI"] input').fill("甲，乙")
    await page.locator('[data-side="AI"] input').press("Enter")
    await expect(page.locator("#form-state")).to_contain_text("已暂存")
    await page.reload()
    await expect(cast_of(page, "AI")).to_have_text(["甲", "乙"])
    await page.locator('[data-side="AI"] input').fill("丙，丁")
    await page.locator('[data-side="AI"] input').press("Enter")
    await expect(cast_of(page, "AI")).to_have_text(["甲", "乙", "丙", "丁"])
    await page.locator('[data-side="AI"] .chip').nth(2).click()
    await page.locator("#character-name").fill("戊")
    await page.locator("#character-name").press("Tab")
    await expect(cast_of(page, "AI")).to_have_text(["甲", "乙", "戊", "丁"])


async def test_the_browsers_way_back_asks_too(theatre: OpenTheatre) -> None:
    """An unsaved form is not left by accident; yes leaves it, and the words are kept."""
    house = await theatre()
    house.save.library.create(FOG)
    page = await house.page("/scenarios")
    await page.locator(".card [data-does=edit]").click()
    await page.locator("[name=background]").fill("写了一半")
    await page.go_back()
    await page.locator("#ask-no").click()
    await expect(page).to_have_url(re.compile("#/edit/"))
    await expect(page.locator("#editor")).to_be_visible()
    await page.go_back()
    await page.locator("#ask-yes").click()
    await expect(page.locator("#library")).to_be_visible()
    await page.locator(".card [data-does=edit]").click()
    await expect(page.locator("[name=background]")).to_have_value("写了一半")


async def test_two_who_edit_at_once_lose_nothing(theatre: OpenTheatre) -> None:
    """The second is shown both, part by part: what was changed there is theirs, what was changed here is mine."""
    house = await theatre()
    house.save.library.create(FOG)
    first = await house.page("/scenarios#/edit/雾岛/初见")
    second = await house.page("/scenarios#/edit/雾岛/初见")
    await expect(second.locator("[name=background]")).to_be_visible()  # before anything has changed
    await first.locator("[name=background]").fill("第一个人写的")
    await first.locator("[name=opening]").fill("小芽: 早。")
    await first.keyboard.press("Control+s")
    await expect(first.locator("#said")).to_have_text("已保存。")
    await second.locator("[name=background]").fill("第二个人写的")
    await second.locator("#form [type=submit]").click()
    await expect(second.locator("#clash-fields li")).to_have_count(2)
    await expect(second.locator("#clash-fields")).to_contain_text("第一个人写的")
    await expect(second.locator("#clash-fields")).to_contain_text("第二个人写的")
    assert saved(house)["Prompt"] == "第一个人写的"
    await second.locator("#clash-save").click()
    await expect(second.locator("#said")).to_have_text("已保存。")
    file = saved(house)
    assert (file["Prompt"], file["Example"]) == ("第二个人写的", "小芽: 早。")


async def test_words_typed_while_it_is_saved_stay(theatre: OpenTheatre) -> None:
    """They are not saved with it, and not lost."""
    house = await theatre()
    house.save.library.create(FOG)
    page = await house.page("/scenarios#/edit/雾岛/初见")
    sent, go = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        sent.set()
        await go.wait()
        await route.continue_()

    await page.route("**/edit", hold)
    await page.locator("[name=background]").fill("先写的")
    await page.keyboard.press("Control+s")
    await sent.wait()
    await page.locator("[name=background]").fill("先写的，后写的")
    go.set()
    await expect(page.locator("#said")).to_have_text("已保存。")
    assert saved(house)["Prompt"] == "先写的"
    await expect(page.locator("[name=background]")).to_have_value("先写的，后写的")
    await page.keyboard.press("Control+s")
    await expect(page.locator("#form-state")).to_have_text("")
    assert saved(house)["Prompt"] == "先写的，后写的"


async def test_what_is_gone_elsewhere_can_be_saved_as_new(theatre: OpenTheatre) -> None:
    """The words on the form outlive the scenario that they were for."""
    house = await theatre()
    house.save.library.create(FOG)
    page = await house.page("/scenarios#/edit/雾岛/初见")
    await page.locator("[name=background]").fill("还在写")
    house.save.library.discard("雾岛", "初见")
    await page.keyboard.press("Control+s")
    await page.locator("#ask-yes").click()
    await expect(page.locator("#said")).to_have_text("已保存。")
    assert saved(house)["Prompt"] == "还在写"


async def test_mine_can_become_a_copy(theatre: OpenTheatre) -> None:
    """Theirs stays as it is, and both are there."""
    house = await theatre()
    house.save.library.create(FOG)
    page = await house.page("/scenarios#/edit/雾岛/初见")
    await page.locator("[name=background]").fill("我写的")
    kept = house.save.library.read("雾岛", "初见")
    house.save.library.edit("雾岛", "初见", replace(kept.scenario, background="别人写的"), kept.digest)
    await page.locator("#form [type=submit]").click()
    await page.locator("#clash-copy").click()
    await page.locator("#ask-yes").click()
    await expect(page.locator("#said")).to_have_text("已保存。")
    assert saved(house)["Prompt"] == "别人写的"
    assert saved(house, name="初见 我的修改")["Prompt"] == "我写的"
    assert saved(house, name="初见 我的修改")["Unknown"] == {"kept": 1}
    await expect(page.locator("[name=name]")).to_have_value("初见 我的修改")


async def test_what_is_wrong_stands_at_its_field(theatre: OpenTheatre) -> None:
    """A name that is taken, and a form that lacks one; the words stay."""
    house = await theatre()
    house.save.library.create(FOG)
    page = await house.page("/scenarios#/new")
    await page.locator("[name=series]").fill("雾岛")
    await page.keyboard.press("Control+s")
    await expect(page.locator('[data-of="name"]')).to_contain_text("太短")
    await expect(page.locator("[name=name]")).to_be_focused()
    await page.locator("[name=name]").fill("初见")
    await page.keyboard.press("Control+s")
    await expect(page.locator('[data-of="name"]')).to_contain_text("已经有 初见")
    await page.locator("[name=name]").fill("再见")
    await page.keyboard.press("Control+s")
    await expect(page.locator("#said")).to_have_text("已保存。")
    assert saved(house, name="再见")["ScenarioName"] == "再见"


async def test_a_scenario_gets_another_name(theatre: OpenTheatre) -> None:
    """The folder moves, its logs with it; the address follows."""
    house = await theatre()
    house.save.library.create(FOG)
    house.save.library.write_log("雾岛", "初见", Log(FOG, FOG.lines))
    page = await house.page("/scenarios#/edit/雾岛/初见")
    await page.locator("[name=series]").fill("灯塔")
    await page.locator("[name=name]").fill("重逢")
    await page.keyboard.press("Control+s")
    await expect(page.locator("#said")).to_have_text("已保存。")
    assert saved(house, "灯塔", "重逢")["ScenarioSeries"] == "灯塔"
    assert not (house.save.folder / "雾岛").exists()
    await page.reload()
    await expect(page.locator("[name=name]")).to_have_value("重逢")
    await page.locator("#form-back").click()
    await expect(page.locator(".logs summary")).to_have_text("回放 1 份")


async def test_delete_restore_and_empty(theatre: OpenTheatre) -> None:
    """Deleting asks and goes to the bin; the bin gives back, and forgets only after another question."""
    house = await theatre()
    house.save.library.create(FOG)
    page = await house.page("/scenarios")

    async def delete() -> None:
        await page.locator(".more summary").click()
        await page.locator("[data-does=delete]").click()
        await expect(page.locator("#ask-text")).to_contain_text("初见")
        await page.locator("#ask-yes").click()
        await expect(page.locator(".card")).to_have_count(0)

    await delete()
    await page.locator("#bin-open").click()
    await page.locator("#binned button").click()
    await expect(page.locator(".card h3")).to_have_text("初见")
    assert saved(house)["Unknown"] == {"kept": 1}
    await delete()
    await page.locator("#bin-open").click()
    await page.locator("#bin-clear").click()
    await page.locator("#ask-no").click()
    assert len(house.save.library.binned()) == 1
    await page.locator("#bin-clear").click()
    await page.locator("#ask-yes").click()
    await expect(page.locator("#bin-open")).to_be_hidden()
    assert house.save.library.binned() == []


async def test_duplicate_and_find(theatre: OpenTheatre) -> None:
    """A copy stands beside the original; the box finds by name, character and background."""
    house = await theatre()
    house.save.library.create(FOG)
    page = await house.page("/scenarios")
    await page.locator(".more summary").click()
    await page.locator("[data-does=duplicate]").click()
    await expect(page.locator(".card h3")).to_have_text(["初见", "初见 副本"])
    await page.keyboard.press("Escape")
    await page.keyboard.press("/")
    await page.keyboard.type("副本")
    await expect(page.locator(".card h3")).to_have_text(["初见 副本"])
    await page.locator("#filter").fill("小岛 小芽")
    await expect(page.locator(".card")).to_have_count(2)
    await page.locator("#filter").fill("没有")
    await expect(page.locator("#nothing")).to_have_text("没有找到「没有」。")


async def test_cards_are_reached_by_keys(theatre: OpenTheatre) -> None:
    """J and K go from card to card, and the list is where it was after the form was closed."""
    house = await theatre()
    for n in range(30):
        house.save.library.create(replace(FOG, name=f"第{n:02}夜"))
    page = await house.page("/scenarios")
    await expect(page.locator(".card")).to_have_count(30)
    for _ in range(29):
        await page.keyboard.press("j")
    await page.keyboard.press("k")
    await expect(page.locator(".card:nth-child(28) [data-does=open]")).to_be_focused()
    before = await page.evaluate("() => scrollY")
    assert before > 0
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator("[name=name]")).to_have_value("第27夜")
    await page.locator("#form-back").click()
    await expect(page.locator("#library")).to_be_visible()
    assert await page.evaluate("() => scrollY") == before


async def test_hostile_words_are_words(theatre: OpenTheatre) -> None:
    """Names and texts from files are shown as they are and never run."""
    house = await theatre()
    lines = (Line(HOSTILE.replace(":", ""), HOSTILE, Origin.OPENING),)
    house.save.library.create(
        Scenario(
            HOSTILE,
            HOSTILE,
            HOSTILE,
            lines,
            (Character(HOSTILE, "AI", {"Note": HOSTILE}),),
            {"Lorebook": [{"name": HOSTILE, "keys": [HOSTILE], "text": HOSTILE}]},
        )
    )
    page = await house.page("/scenarios")
    await expect(page.locator(".card h3")).to_have_text(safe_name(HOSTILE))
    await expect(page.locator(".card .first")).to_have_text(HOSTILE)
    await page.locator(".card [data-does=edit]").click()
    await expect(page.locator("[name=name]")).to_have_value(HOSTILE)
    await page.locator(".chips .chip").click()
    await page.locator("#lore-entries summary").click()
    await expect(page.locator("#lore-entries .name")).to_have_text(HOSTILE)
    await expect(page.locator("#opening-lines li")).to_contain_text(HOSTILE)
    await page.locator("#form-back").click()
    await page.locator("#import").click()
    hostile = {"name": f"{HOSTILE}.json", "mimeType": "", "buffer": card(HOSTILE, alternate_greetings=[HOSTILE])}
    await page.locator("#import-files").set_input_files(hostile)
    await expect(page.locator("#found .greetings label").last).to_have_text(HOSTILE)
    await expect(page.locator("#found .who")).to_contain_text(HOSTILE)
    assert await page.evaluate("() => window.pwned") is None
    assert await page.locator("main img[src=x]").count() == 0


def png(width: int, height: int, pixel: Callable[[int, int], tuple[int, int, int]]) -> bytes:
    rows = b"".join(b"\0" + bytes(c for x in range(width) for c in pixel(x, y)) for y in range(height))

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


RED, BLUE = (255, 0, 0), (0, 0, 255)
FLAG = png(900, 300, lambda x, y: RED if x < 450 else BLUE)  # red on the left, blue on the right

COLOUR = """async (file) => {
    const picture = await createImageBitmap(file);
    const canvas = Object.assign(document.createElement("canvas"), {width: picture.width, height: picture.height});
    const brush = canvas.getContext("2d");
    brush.drawImage(picture, 0, 0);
    return [picture.width, picture.height, ...brush.getImageData(1, 1, 1, 1).data.slice(0, 3)];
}"""


async def avatar_of(page: Page, house: Theatre) -> list[int]:
    """Width, height and the first colour of the picture that is saved."""
    content = (house.save.folder / "雾岛" / "初见" / "小芽.png").read_bytes()
    found: list[int] = await page.evaluate(
        f"async (bytes) => ({COLOUR})(new Blob([new Uint8Array(bytes)]))", list(content)
    )
    return found


async def test_an_avatar_is_cut_by_keys(theatre: OpenTheatre) -> None:
    """A wide picture is cut to a square, moved and zoomed by keys, and saved with the form."""
    house = await theatre()
    house.save.library.create(FOG)
    page = await house.page("/scenarios#/edit/雾岛/初见")
    await page.locator('[data-side="AI"] .chip').click()
    await page.locator("#face-file").set_input_files({"name": "旗.png", "mimeType": "image/png", "buffer": FLAG})
    await expect(page.locator("#crop-canvas")).to_be_focused()
    for key in ("ArrowRight",) * 40:
        await page.keyboard.press(key)  # as far as the picture goes: only blue is left
    await page.keyboard.press("Enter")
    await expect(page.locator("#form-state")).to_contain_text("没保存")
    assert not (house.save.folder / "雾岛" / "初见" / "小芽.png").exists()
    await page.keyboard.press("Control+s")
    await expect(page.locator("#said")).to_have_text("已保存。")
    assert await avatar_of(page, house) == [300, 300, *BLUE]
    await page.reload()
    await expect(page.locator(".chips img").first).to_be_visible()
    await page.locator('[data-side="AI"] .chip').click()
    await page.locator("#face-drop").click()
    await page.keyboard.press("Control+s")
    await expect(page.locator("#said")).to_have_text("已保存。")
    assert not (house.save.folder / "雾岛" / "初见" / "小芽.png").exists()


async def test_an_avatar_is_dragged_zoomed_and_survives_a_reload(theatre: OpenTheatre) -> None:
    """The mouse moves and its wheel zooms; a picture that is not saved yet is kept like words."""
    house = await theatre()
    house.save.library.create(FOG)
    page = await house.page("/scenarios#/edit/雾岛/初见")
    await page.locator('[data-side="AI"] .chip').click()
    await page.locator("#face-file").set_input_files({"name": "旗.png", "mimeType": "image/png", "buffer": FLAG})
    await expect(page.locator("#crop-canvas")).to_be_focused()
    box = await page.locator("#crop-canvas").bounding_box()
    assert box
    await page.mouse.move(box["x"] + 30, box["y"] + 100)
    await page.mouse.down()
    await page.mouse.move(box["x"] + 330, box["y"] + 100, steps=5)
    await page.mouse.up()
    for _ in range(5):
        await page.mouse.wheel(0, -100)
    await expect(page.locator("#crop-zoom")).to_have_value("1.01")  # 1.15 ** 5 is 2 ** 1.01
    await page.locator("#crop [value=take]").click()
    await expect(page.locator("#form-state")).to_contain_text("已暂存")
    page.on("dialog", lambda dialog: dialog.accept())
    await page.reload()
    await expect(page.locator("#form-kept")).to_be_visible()
    await page.keyboard.press("Control+s")
    await expect(page.locator("#said")).to_have_text("已保存。")
    assert await avatar_of(page, house) == [149, 149, *RED]


async def test_a_picture_is_pasted_onto_the_character_that_is_open(theatre: OpenTheatre) -> None:
    """Dropped onto them, too; elsewhere on the page it is something to import."""
    house = await theatre()
    house.save.library.create(FOG)
    page = await house.page("/scenarios#/edit/雾岛/初见")
    carried = await page.evaluate_handle(
        """bytes => {
            const d = new DataTransfer();
            d.items.add(new File([new Uint8Array(bytes)], "旗.png", {type: "image/png"}));
            return d;
        }""",
        list(FLAG),
    )
    await page.locator('[data-side="AI"] .chip').click()
    await page.locator("#character-name").evaluate(
        """(node, clipboardData) =>
            node.dispatchEvent(new ClipboardEvent("paste", {clipboardData, bubbles: true, cancelable: true}))""",
        carried,
    )
    await page.locator("#crop [value=take]").click()
    await expect(page.locator("#face canvas")).to_be_visible()
    await page.dispatch_event("#character", "drop", {"dataTransfer": carried})
    await expect(page.locator("#crop")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("#importing")).to_be_hidden()
    await page.dispatch_event("#form-title", "drop", {"dataTransfer": carried})
    await expect(page.locator("#found .what")).to_contain_text("旗.png")
    await expect(page.locator("#found > li")).to_have_attribute("data-state", "bad")


async def test_what_is_seen_of_a_picture_is_never_outside_it(theatre: OpenTheatre) -> None:
    """However it is moved and zoomed; and what lies under the pointer stays there while it zooms."""
    house = await theatre()
    page = await house.page("/scenarios")
    for width, height in ((900, 300), (40, 1200), (512, 512)):
        outside = await page.evaluate(WANDER, [width, height])
        assert outside == []


WANDER = """async ([width, height]) => {
    const { Frame, SIDE } = await import("/static/scenarios/frame.js");
    const frame = new Frame(width, height);
    let seed = 7;
    const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
    const wrong = [];
    for (let i = 0; i < 3000; i += 1) {
        const at = random() * SIDE;
        const under = () => frame.x + (at - SIDE / 2) / frame.scale;
        const [before, zoom] = [under(), frame.zoom];
        if (random() < 0.5) frame.move((random() - 0.5) * 900, (random() - 0.5) * 900);
        else {
            frame.zoomTo(zoom * (0.5 + random()), at, random() * SIDE);
            if (frame.zoom > zoom && Math.abs(under() - before) > 1e-6) wrong.push(["slipped", i]);
        }
        const { left, top, side } = frame.seen;
        const most = 1e-6;
        const within = left > -most && top > -most && left + side < width + most && top + side < height + most;
        if (!within) wrong.push([left, top, side]);
    }
    return wrong.slice(0, 3);
}"""


class Fingers:
    """Fingers on the screen, as the browser hears of them."""

    def __init__(self, session: CDPSession) -> None:
        self.session = session

    @classmethod
    async def on(cls, page: Page) -> Fingers:
        return cls(await page.context.new_cdp_session(page))

    async def move(self, *ways: tuple[tuple[float, float], tuple[float, float]], steps: int = 8) -> None:
        """Each finger from its first place to its second, all at once; there they rest, so that nothing is flung."""
        for step in range(2 * steps):
            share = min(1.0, step / steps)
            places = [
                {"x": (1 - share) * a[0] + share * b[0], "y": (1 - share) * a[1] + share * b[1], "id": number}
                for number, (a, b) in enumerate(ways)
            ]
            await self._say("touchMove" if step else "touchStart", places)
        await self._say("touchEnd", [])

    async def _say(self, kind: str, places: list[dict[str, float]]) -> None:
        await self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})


async def test_an_avatar_is_cut_with_two_fingers(theatre: OpenTheatre) -> None:
    """Pinching zooms, one finger moves."""
    house = await theatre()
    house.save.library.create(FOG)
    page = await house.page("/scenarios#/edit/雾岛/初见", viewport=PHONE, has_touch=True)
    await page.locator('[data-side="AI"] .chip').tap()
    await page.locator("#face-file").set_input_files({"name": "旗.png", "mimeType": "image/png", "buffer": FLAG})
    await expect(page.locator("#crop-canvas")).to_be_focused()
    box = await page.locator("#crop-canvas").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    fingers = await Fingers.on(page)
    await fingers.move(((x - 40, y), (x - 80, y)), ((x + 40, y), (x + 80, y)))
    await expect(page.locator("#crop-zoom")).to_have_value("1")  # twice as far apart is 2 ** 1
    for _ in range(3):
        await fingers.move(((x - 100, y), (x + 100, y)))
    await page.locator("#crop [value=take]").tap()
    await expect(page.locator("#form-state")).to_contain_text("没保存")
    await page.locator("#form [type=submit]").tap()
    await expect(page.locator("#said")).to_have_text("已保存。")
    assert await avatar_of(page, house) == [150, 150, *RED]


async def test_a_chip_is_dragged_by_its_grip(theatre: OpenTheatre) -> None:
    """With a finger; on the name the same finger scrolls."""
    house = await theatre()
    house.save.library.create(replace(FOG, characters=(Character("甲", "AI"), Character("乙", "AI"))))
    page = await house.page("/scenarios#/edit/雾岛/初见", viewport=PHONE, has_touch=True)
    grip = await page.locator('[data-side="AI"] .grip').first.bounding_box()
    right = await page.locator('[data-side="User"] .chips').bounding_box()
    assert grip and right
    fingers = await Fingers.on(page)
    await fingers.move(((grip["x"] + 5, grip["y"] + 10), (right["x"] + 60, right["y"] + 20)))
    await expect(cast_of(page, "User")).to_have_text(["甲"])
    await expect(cast_of(page, "AI")).to_have_text(["乙"])
    name = await cast_of(page, "AI").bounding_box()
    assert name
    await fingers.move(((name["x"] + 5, name["y"] + 10), (name["x"] + 5, name["y"] - 200)))
    await expect(cast_of(page, "AI")).to_have_text(["乙"])
    await page.wait_for_function("() => scrollY > 50")


async def test_what_is_no_picture_is_refused(theatre: OpenTheatre) -> None:
    """It says so, and the face stays."""
    house = await theatre()
    house.save.library.create(FOG)
    page = await house.page("/scenarios#/edit/雾岛/初见")
    await page.locator('[data-side="AI"] .chip').click()
    broken = {"name": "坏.png", "mimeType": "image/png", "buffer": b"not a picture"}
    await page.locator("#face-file").set_input_files(broken)
    await expect(page.locator("#said")).to_contain_text("「坏.png」不是能打开的图片")
    await expect(page.locator("#crop")).to_be_hidden()


def card(name: str, **more: Any) -> bytes:
    data = {"name": name, "description": "看灯塔的人。", "first_mes": "你来啦，{{user}}！", **more}
    return json.dumps({"spec": "chara_card_v2", "spec_version": "2.0", "data": data}).encode()


async def test_good_files_are_imported_beside_bad_ones(theatre: OpenTheatre) -> None:
    """Each stands on its own: what is in it, or what is wrong and where; a greeting is chosen before it is taken."""
    house = await theatre()
    page = await house.page("/scenarios")
    await page.keyboard.press("i")
    await page.locator("#import-files").set_input_files(
        [
            {
                "name": "小芽.json",
                "mimeType": "application/json",
                "buffer": card("小芽", alternate_greetings=["早呀。"]),
            },
            {"name": "坏的.json", "mimeType": "application/json", "buffer": b'{"ScenarioSeries": 3}'},
            {"name": "场景剧本.json", "mimeType": "application/json", "buffer": dump_scenario(FOG).encode()},
        ]
    )
    good, bad, scenario = (page.locator("#found > li").nth(n) for n in range(3))
    await expect(good.locator(".counts")).to_contain_text("角色卡 V2")
    await expect(good.locator(".greetings label")).to_have_count(2)
    await expect(bad).to_have_attribute("data-state", "bad")
    await expect(bad.locator(".wrong")).to_contain_text("ScenarioSeries")
    await expect(scenario.locator("h3")).to_have_text("雾岛/初见")
    assert house.save.library.listing() == []
    await good.locator(".greetings input").nth(1).check()
    await good.locator("[name=series]").fill("雾岛")
    await good.locator("[name=user]").fill("船长")
    await good.locator("[name=user]").press("Tab")
    await expect(good.locator(".who")).to_contain_text("船长")
    await page.locator("#import-all").click()
    await expect(page.locator('#found > li[data-state="taken"]')).to_have_count(2)
    await expect(bad).to_have_attribute("data-state", "bad")
    assert {(one.series, one.name) for one in house.save.library.listing()} == {("雾岛", "初见"), ("雾岛", "小芽")}
    taken = house.save.library.read("雾岛", "小芽").scenario
    assert [line.text for line in taken.opening] == ["早呀。"]
    assert saved(house)["Unknown"] == {"kept": 1}
    await page.locator("#import-close").click()
    await expect(page.locator(".card")).to_have_count(2)


async def test_pasted_text_and_dropped_files_are_looked_at(theatre: OpenTheatre) -> None:
    """A text in the box, and a file dropped anywhere; what is dismissed is not kept."""
    house = await theatre()
    page = await house.page("/scenarios")
    await page.locator("#import").click()
    await page.locator("#import-text").fill(dump_scenario(FOG))
    await page.locator("#import-read").click()
    await expect(page.locator("#found h3")).to_have_text(["雾岛/初见"])
    await page.locator("[data-does=dismiss]").click()
    await expect(page.locator("#found li")).to_have_count(0)
    await page.locator("#import-close").click()
    carried = await page.evaluate_handle(
        "text => { const d = new DataTransfer(); d.items.add(new File([text], '卡.json')); return d; }",
        card("阿澈").decode(),
    )
    await page.dispatch_event("main", "dragover", {"dataTransfer": carried})
    await expect(page.locator("#drop")).to_be_visible()
    await page.dispatch_event("main", "drop", {"dataTransfer": carried})
    await expect(page.locator("#drop")).to_be_hidden()
    await expect(page.locator("#found .counts")).to_contain_text("角色卡 V2")
    await page.locator("[data-does=take]").click()
    await page.locator("#found [data-does=edit]").click()
    await expect(page.locator("[name=name]")).to_have_value("阿澈")


async def test_a_log_joins_its_scenario(theatre: OpenTheatre) -> None:
    """The preview says where it will go; nothing else changes there."""
    house = await theatre()
    house.save.library.create(FOG)
    page = await house.page("/scenarios")
    await page.locator("#import").click()
    log = dump_log(Log(FOG, (*FOG.opening, Line("我", "船晚了。", Origin.PERSON))))
    file = {"name": "20230801-2100_Log.json", "mimeType": "application/json", "buffer": log.encode()}
    await page.locator("#import-files").set_input_files(file)
    await expect(page.locator("#found .counts")).to_contain_text("放进 雾岛/初见")
    await page.locator("#found [data-does=take]").click()
    await expect(page.locator("#found > li")).to_have_attribute("data-state", "taken")
    await page.locator("#import-close").click()
    await expect(page.locator(".logs summary")).to_have_text("回放 1 份")
    assert [one.lines for one in house.save.library.logs("雾岛", "初见")] == [3]
    assert saved(house)["Unknown"] == {"kept": 1}


async def test_exports_are_downloads_that_can_be_imported_again(theatre: OpenTheatre) -> None:
    """Scenario, card and folder: each file is what it says it is."""
    house = await theatre()
    house.save.library.create(FOG, avatars={"小芽": FLAG})
    page = await house.page("/scenarios")
    kinds = {"drama": "场景剧本", "card": "角色卡 V3", "png": "角色卡 V3", "zip": "剧本文件夹"}
    for form, kind in kinds.items():
        await page.locator(".more summary").click()
        async with page.expect_download() as download:
            await page.locator(f"[data-export={form}]").click()
        file = await (await download.value).path()
        await page.locator("#import").click()
        await page.locator("#import-files").set_input_files(file)
        await expect(page.locator("#found .counts")).to_contain_text(kind)
        await expect(page.locator("#found .who")).to_contain_text("小芽")
        await page.locator("#import-close").click()


async def test_the_desk_opens_by_itself_when_the_model_has_read(theatre: OpenTheatre) -> None:
    """Tokens done of all are shown while it reads."""
    house = await theatre(stepped=True)
    house.save.library.create(FOG)
    page = await house.page("/scenarios")
    await page.locator(".card [data-does=open]").click()
    await expect(page.locator("#reading-text")).to_contain_text("模型正在读：0 / ")
    total = int(await page.locator("#reading-bar").get_attribute("max") or 0)
    house.engine.step()
    await expect(page.locator("#reading-text")).to_have_text(f"模型正在读：{total // 2} / {total} token")
    house.engine.step()
    await page.wait_for_url("**/desk?scene=*")
    assert [scene["name"] for scene in house.desk.scenes()] == ["初见"]
    await page.goto(house.url("/scenarios"))
    await expect(page.locator("#scenes a")).to_have_attribute("href", f"/desk?scene={house.desk.scenes()[0]['id']}")


async def test_a_scene_goes_on_from_a_log(theatre: OpenTheatre) -> None:
    """The saved lines are the new scene's."""
    house = await theatre()
    house.save.library.create(FOG)
    said = (*FOG.opening, Line("我", "船晚了。", Origin.PERSON))
    file = house.save.library.write_log("雾岛", "初见", Log(FOG, said))
    page = await house.page("/scenarios")
    await page.locator(".logs summary").click()
    await expect(page.locator(".logs li")).to_contain_text("3 条")
    await page.locator(f"[data-log='{file}']").click()
    await page.wait_for_url("**/desk?scene=*")
    (scene,) = house.desk.scenes()
    assert [line["text"] for line in house.desk.snapshot(scene["id"])["lines"]] == [line.text for line in said]


async def test_opening_can_be_given_up(theatre: OpenTheatre) -> None:
    """No scene is left behind, and the model stops reading."""
    house = await theatre(stepped=True)
    house.save.library.create(FOG)
    page = await house.page("/scenarios")
    await page.locator(".card [data-does=open]").click()
    await expect(page.locator("#reading-text")).to_contain_text("模型正在读")
    async with page.expect_response("**/bin"):
        await page.keyboard.press("Escape")
    await expect(page.locator("#reading")).to_be_hidden()
    assert all(scene["binned"] for scene in house.desk.scenes())
    await page.reload()
    await expect(page.locator(".card")).to_have_count(1)
    await expect(page.locator("#recent")).to_be_hidden()
    await until(lambda: house.engine.cancelled == 1)


async def test_without_a_model_the_desk_opens_anyway(theatre: OpenTheatre) -> None:
    """It says why the model is not there, and lets one in."""
    house = await theatre()
    house.save.library.create(FOG)
    house.engine.status = EngineStatus(EngineState.FAILED, "scripted", "显存不够")
    page = await house.page("/scenarios")
    await page.locator(".card [data-does=open]").click()
    await expect(page.locator("#reading-text")).to_contain_text("显存不够")
    await page.locator("#reading-anyway").click()
    await page.wait_for_url("**/desk?scene=*")


async def test_the_show_takes_up_a_scenario(theatre: OpenTheatre) -> None:
    """The card says which one it plays."""
    house = await theatre()
    house.save.library.create(FOG)
    page = await house.page("/scenarios")
    await page.locator(".more summary").click()
    await page.locator("[data-does=live]").click()
    await expect(page.locator("#said")).to_have_text("副播现在用「初见」。")
    await expect(page.locator(".card .live")).to_have_text("副播正在用")
    assert house.show.status()["scenario"] == "雾岛/初见"


SMALL = """() => [...document.querySelectorAll("button, select, summary, input:not([type=checkbox])")]
    .filter((node) => node.checkVisibility() && node.getBoundingClientRect().height < 44 && !node.closest("#top"))
    .map((node) => node.outerHTML)"""


async def test_on_a_phone_everything_is_within_reach(theatre: OpenTheatre) -> None:
    """At 390 pixels nothing is cut off, targets are 44 pixels high, and a finger can do what keys do."""
    house = await theatre()
    house.save.library.create(FOG)
    page = await house.page("/scenarios", viewport=PHONE, has_touch=True)
    await expect(page.locator(".card")).to_have_count(1)
    assert await page.evaluate("() => document.documentElement.scrollWidth") == 390
    assert await page.evaluate(SMALL) == []
    await page.locator(".card [data-does=edit]").tap()
    await page.locator('[data-side="AI"] .chip').tap()
    await page.locator("[data-move=over]").tap()
    await expect(cast_of(page, "User")).to_have_text(["小芽", "我"])
    assert await page.evaluate("() => document.documentElement.scrollWidth") == 390
    assert await page.evaluate(SMALL) == []
    await page.locator("#form [type=submit]").tap()
    await expect(page.locator("#said")).to_have_text("已保存。")
    assert saved(house)["CharacterData"] == {"AI": [], "User": ["小芽", "我"]}
