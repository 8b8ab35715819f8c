"""The desk's side panel in a real browser before the real desk: cast, note and lore, what was fed, the scene."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.async_api import Locator, expect

from bot.approval import Operator
from bot.scenario import Character
from tests.browser.conftest import OpenTheatre
from tests.browser.theatre import OPERATOR_TOKEN, PHONE
from tests.browser.toolbox import CHARACTERS, LORE, OPENING, Desk, open_desk, scenario, visit
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOSTILE = '<img src=x onerror="window.pwned=1">'


# -- the panel -----------------------------------------------------------------------------------------------------------


async def test_tabs_answer_to_mouse_and_arrows_and_are_remembered(theatre: OpenTheatre) -> None:
    """One tab is in the tab order; arrows, Home and End open the others; a reload comes back to the same one."""
    desk = await open_desk(theatre)
    page = desk.page
    await page.click("#tab-cast")
    await expect(page.locator("#tool-cast")).to_be_visible()
    await expect(page.locator("#tool-tree")).to_be_hidden()
    await page.keyboard.press("ArrowRight")
    await expect(page.locator("#tab-setting")).to_be_focused()
    await page.keyboard.press("End")
    await expect(page.locator("#tool-scene")).to_be_visible()
    await page.keyboard.press("ArrowRight")
    await expect(page.locator("#tab-tree")).to_be_focused()
    await page.keyboard.press("ArrowLeft")
    assert await page.locator("#tools [role=tab][tabindex='0']").count() == 1
    await page.reload()
    await expect(page.locator("#tool-scene")).to_be_visible()


async def test_on_the_phone_the_panel_is_a_sheet(theatre: OpenTheatre) -> None:
    """A tap brings it up, ✕ and Esc put it away and the focus back; what is tapped is at least 44 px high."""
    desk = await open_desk(theatre, viewport=PHONE, has_touch=True)
    page = desk.page
    await expect(page.locator("#tools")).to_be_hidden()
    await page.tap("[data-command=tools]")
    await expect(page.locator("#tool-tree .tree li")).to_have_count(2)
    await expect(page.locator("#tab-tree")).to_be_focused()
    for name in ("tree", "cast", "setting", "fed", "scene"):
        await page.tap(f"#tab-{name}")
        await expect(page.locator(f"#tool-{name}")).to_be_visible()
        assert await low(page.locator(f"#tools button:visible, #tool-{name} li[role=treeitem]")) == []
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.keyboard.press("Escape")
    await expect(page.locator("#tools")).to_be_hidden()
    await expect(page.locator("[data-command=tools]")).to_be_focused()
    await page.tap("[data-command=tools]")
    await page.tap("#tools .close")
    await expect(page.locator("#tools")).to_be_hidden()


async def low(targets: Locator) -> list[str]:
    """Those less than 44 px high."""
    code = "nodes => nodes.filter(n => n.getBoundingClientRect().height < 43.5).map(n => n.outerHTML)"
    return list(await targets.evaluate_all(code))


# -- cast ----------------------------------------------------------------------------------------------------------------


async def test_the_cast_is_chosen_ordered_and_told_who_is_next(theatre: OpenTheatre) -> None:
    """Boxes for who is present, arrows for the order, a choice of turns, a guest; presets and notes are shown."""
    desk = await open_desk(theatre)
    page = desk.page
    tool = await desk.tool("cast")
    await expect(tool.locator("li").first).to_contain_text("话少，记仇。")
    await expect(tool.locator("li").first).to_contain_text("采样：chat")
    await tool.get_by_label("轮流").click()
    await expect(tool.locator(".next")).to_have_text("接下来：我、林夏、沈舟")
    await tool.get_by_role("button", name="我往前").click()
    await expect(tool.locator("li b")).to_have_text(["林夏", "我", "沈舟"])
    await expect(tool.get_by_role("button", name="我往前")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(tool.locator("li b")).to_have_text(["我", "林夏", "沈舟"])
    await tool.get_by_label("林夏", exact=True).click()
    await expect(tool.locator("li b")).to_have_text(["我", "沈舟", "林夏"])
    await tool.get_by_placeholder("临时加一位").fill("老周")
    await page.keyboard.press("Enter")
    await expect(tool.locator("li b")).to_have_text(["我", "沈舟", "老周", "林夏"])
    cast = desk.now["cast"]
    assert (cast["present"], cast["turns"]) == (["我", "沈舟", "老周"], "turn")


async def test_somebody_has_to_stay_on_the_stage(theatre: OpenTheatre) -> None:
    """The last box cannot be unchecked: nobody present would mean everybody."""
    desk = await open_desk(theatre)
    desk.do("cast", present=["沈舟"], turns="hand")
    tool = await desk.tool("cast")
    await expect(tool.locator("li b")).to_have_text(["沈舟", "林夏", "我"])
    await tool.get_by_label("沈舟", exact=True).click()
    await expect(desk.page.locator("#said")).to_contain_text("至少留一位")
    await expect(tool.get_by_label("沈舟", exact=True)).to_be_checked()
    assert desk.now["cast"]["present"] == ["沈舟"]


# -- note and lore -------------------------------------------------------------------------------------------------------


async def test_the_note_is_kept_while_it_is_typed_and_told_when_it_is_saved(theatre: OpenTheatre) -> None:
    """A reload and a change elsewhere lose nothing; Ctrl+Enter saves; theirs can be taken instead."""
    desk = await open_desk(theatre)
    page = desk.page
    await desk.tool("setting")
    await page.fill("#note-text", "慢一点")
    await page.reload()
    await expect(page.locator("#note-text")).to_have_value("慢一点")
    desk.do("note", text="快一点", depth=2)
    await expect(page.get_by_role("button", name="别处改过了")).to_be_visible()
    await expect(page.locator("#note-text")).to_have_value("慢一点")
    await page.focus("#note-text")
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_role("button", name="别处改过了")).to_be_hidden()
    assert desk.now["note"] == {"text": "慢一点", "depth": 2}
    await page.fill("#note-text", "我的")
    desk.do("note", text="别人的", depth=2)
    await page.get_by_role("button", name="别处改过了").click()
    await expect(page.locator("#note-text")).to_have_value("别人的")
    await expect(page.get_by_role("button", name="保存", exact=True)).to_be_disabled()


async def test_lore_in_effect_says_why(theatre: OpenTheatre) -> None:
    """Entries come and go with what the last lines speak of."""
    desk = await open_desk(theatre)
    tool = await desk.tool("setting")
    await expect(tool.locator(".lore li")).to_contain_text(["灯塔"])
    await expect(tool.locator(".lore li p")).to_contain_text("灯塔")
    desk.play("他拿出一张船票。")
    await expect(tool.locator(".lore b")).to_have_text(["灯塔", "船票"])


async def test_lore_that_has_no_room_is_shown_too(theatre: OpenTheatre) -> None:
    """The budget stands beside what is used of it, and what it keeps out is named."""
    long = {"name": "镇志", "keys": ["灯塔"], "text": "镇上的人天黑后不出门。" * 9}
    desk = await open_desk(theatre, scenario(Lorebook=[*LORE, long], LoreBudget=20))
    tool = await desk.tool("setting")
    await expect(tool.locator(".lore:not(.out) b")).to_have_text(["灯塔"])
    await expect(tool.locator(".lore.out b")).to_have_text(["镇志"])
    used = sum(entry["tokens"] for entry in desk.now["lore"])
    await expect(tool.locator("h2 .count")).to_have_text(f"{used} / 20 token")


# -- what was fed, and the refresh ---------------------------------------------------------------------------------------


async def test_what_the_model_reads_is_shown_part_by_part(theatre: OpenTheatre) -> None:
    """The parts, their tokens and shares, for whoever was chosen; what is copied is all of it."""
    desk = await open_desk(theatre)
    page = desk.page
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    desk.do("note", text="多写雨声", depth=2)
    tool = await desk.tool("fed")
    fed = await desk.house.desk.fed(desk.scene, "林夏")
    await expect(tool.locator(".parts li")).to_have_count(len(fed["parts"]))
    await expect(tool.locator(".total").last).to_contain_text(f"{fed['total']:,} token")
    await expect(tool.locator(".parts summary b")).to_contain_text(["背景", "作者注", "起头"])
    await expect(tool.locator(".shares i")).to_have_count(len(fed["parts"]))
    await tool.locator("select").select_option("沈舟")
    await expect(tool.locator(".parts li").last).to_contain_text("沈舟:")
    await tool.get_by_role("button", name="复制").first.click()
    await expect(page.locator("#said")).to_have_text("已复制。")
    expected = "".join(part["text"] for part in (await desk.house.desk.fed(desk.scene, "沈舟"))["parts"])
    assert await page.evaluate("navigator.clipboard.readText()") == expected


async def test_a_refresh_is_made_from_a_summary_and_undone(theatre: OpenTheatre) -> None:
    """The model then reads the summary and the last lines; the button takes it back."""
    desk = await open_desk(theatre)
    page = desk.page
    tool = await desk.tool("fed")
    await expect(tool.locator(".total").first).to_contain_text("6 条")
    await tool.get_by_text("刷新上下文").click()
    await page.fill("#summary", "沈舟雨夜来访。")
    await page.fill("#last-lines", "2")
    await tool.get_by_role("button", name="刷新", exact=True).click()
    await expect(tool.locator(".parts summary b")).to_contain_text(["提要"])
    assert desk.now["refresh"]["summary"] == "沈舟雨夜来访。"
    await expect(tool.locator(".parts")).not_to_contain_text("谁在外面？")
    await expect(tool.locator("details.refresh")).to_contain_text("代替前 4 条")
    await tool.get_by_role("button", name="读全文").click()
    await expect(tool.locator(".parts summary b")).not_to_contain_text(["提要"])
    assert desk.now["refresh"] is None


# -- the scene -----------------------------------------------------------------------------------------------------------


async def test_other_scenes_are_a_press_away_and_a_scene_goes_to_the_bin(theatre: OpenTheatre) -> None:
    """The list has the others; the bin asks first, and the page goes on to the list of scenes."""
    desk = await open_desk(theatre)
    page = desk.page
    other = desk.house.desk.open("演示", "雨夜", Operator("op"), title="另一幕")
    tool = await desk.tool("scene")
    await expect(tool.locator(".scenes a")).to_have_text(["另一幕"])
    assert f"scene={desk.scene}" in (await tool.get_by_text("阅读与导出").get_attribute("href") or "")
    await tool.get_by_role("button", name="移到回收站").click()
    await expect(page.locator("dialog.tool-box")).to_contain_text("「雨夜」")
    await page.locator("dialog.tool-box").get_by_role("button", name="移到回收站").click()
    await page.wait_for_url("**/desk?list")
    await visit(Desk(desk.house, other, page))
    tool = await desk.tool("scene")
    await expect(tool.locator(".scenes + .hint")).to_be_visible()
    await expect(tool.locator(".scenes a")).to_have_count(0)


async def test_a_scene_becomes_what_the_co_host_plays(theatre: OpenTheatre) -> None:
    """Under its own title where that is free, else with a number; with a card waiting it is refused and the name kept."""
    desk = await open_desk(theatre)
    page = desk.page
    await desk.house.panel()  # drafts are written for somebody
    desk.house.hear("在吗？")
    await until(lambda: desk.house.items("pending"))
    tool = await desk.tool("scene")
    await tool.get_by_role("button", name="用这一幕作副播剧本").click()
    await page.locator("dialog.tool-box input").fill("雨夜的灯塔")
    await page.keyboard.press("Enter")
    await expect(page.locator("dialog.tool-box .wrong")).not_to_be_empty()
    await expect(page.locator("dialog.tool-box input")).to_have_value("雨夜的灯塔")
    [item] = desk.house.items("pending")
    url = desk.house.url(f"/api/items/{item['id']}/reject")
    assert (await page.request.post(url, data={"revision": item["revision"]})).ok
    await desk.name_it("雨夜的灯塔")
    await expect(page.locator("#said")).to_contain_text("演示/雨夜的灯塔")
    assert desk.house.show.status()["scenario"] == "演示/雨夜的灯塔"
    written = desk.house.save.library.read("演示", "雨夜的灯塔").scenario
    assert [line.text for line in written.opening] == list(OPENING)


async def test_what_was_aired_is_opened_as_a_scene(theatre: OpenTheatre) -> None:
    """Nothing yet says so; after an approved reply the show is listed, and a press opens its words at the desk."""
    desk = await open_desk(theatre)
    page = desk.page
    tool = await desk.tool("scene")
    await tool.get_by_role("button", name="打开播过的内容").click()
    await expect(page.locator("dialog.tool-box").get_by_text("还没有播出过")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("dialog.tool-box")).to_have_count(0)
    await desk.house.panel()  # drafts are written for somebody
    desk.house.hear("今天玩什么？")
    await until(lambda: [one for one in desk.house.items("pending") if any(draft["done"] for draft in one["drafts"])])
    [item] = desk.house.items("pending")
    url = desk.house.url(f"/api/items/{item['id']}/approve")
    words = {"revision": item["revision"], "text": "玩跳房子。"}
    assert (await page.request.post(url, data=words)).ok
    await until(lambda: desk.house.items("aired"))
    await tool.get_by_role("button", name="打开播过的内容").click()
    await expect(page.locator(".aired b")).to_have_text(["演示/直播间"])
    await page.get_by_role("button", name="全部（1 条回复）").click()
    await expect(page.locator("#story > .line .words")).to_contain_text(["今天玩什么？", "玩跳房子。"])
    assert desk.scene not in page.url


async def test_an_edited_scenario_is_offered_and_taken_over(theatre: OpenTheatre) -> None:
    """When the writer comes back to the page; the story stays, and undo brings the offer back."""
    desk = await open_desk(theatre)
    page, library = desk.page, desk.house.save.library
    offer = page.locator("#tools .newer")
    await expect(offer).to_be_hidden()
    kept = library.read("演示", "雨夜")
    library.edit("演示", "雨夜", replace(kept.scenario, characters=(*CHARACTERS, Character("新客"))), kept.digest)
    await page.evaluate("window.dispatchEvent(new Event('focus'))")
    await expect(offer).to_contain_text("剧本后来改过")
    words = desk.words
    await offer.get_by_role("button", name="换成改过的剧本").press("Enter")
    await expect(offer).to_be_hidden()
    await expect(page.locator("#tab-tree")).to_be_focused()
    await desk.tool("cast")
    await expect(page.locator("#tool-cast .people")).to_contain_text("新客")
    assert desk.words == words
    await page.click("[data-command=undo]")
    await expect(offer).to_be_visible()
    link = page.get_by_role("link", name="角色的头像、采样和说明在剧本页改")
    await expect(link).to_be_visible()
    library.discard("演示", "雨夜")
    await page.evaluate("window.dispatchEvent(new Event('focus'))")
    await expect(offer).to_be_hidden()
    await expect(link).to_be_hidden()


async def test_hostile_names_are_shown_as_text(theatre: OpenTheatre) -> None:
    """Branches, checkpoints, characters, lore, lines: markup from a file stays words everywhere in the panel."""
    people = (Character(HOSTILE, "AI", extra={"Note": HOSTILE}), Character("我", "User"))
    lore = [{"name": HOSTILE, "constant": True, "text": HOSTILE}]
    desk = await open_desk(theatre, scenario([HOSTILE, "好。", "嗯。"], people, Lorebook=lore))
    page = desk.page
    desk.do("branch", line=desk.line(2), name=HOSTILE)
    desk.do("checkpoint", name=HOSTILE, line=desk.line(1))
    desk.do("edit", line=desk.line(1), text="改过。")
    await expect(page.locator(".tree .name", has_text=HOSTILE)).to_have_count(2)
    await expect(page.locator("#story > .line .words").first).to_have_text("改过。")
    await desk.at_line(1, "旧版本（1）")
    await expect(page.locator(".versions .words").last).to_have_text(HOSTILE)
    await page.keyboard.press("Escape")
    await desk.row("主线").click()
    await page.locator("#tool-tree .actions").get_by_text("比较…").click()
    await expect(page.locator("dialog.tool-box .words", has_text=HOSTILE)).to_have_count(1)
    await page.keyboard.press("Escape")
    for name in ("cast", "setting", "fed"):
        await expect((await desk.tool(name)).locator("li", has_text=HOSTILE).first).to_be_visible()
    assert await page.evaluate("window.pwned === undefined && !document.querySelector('img[src=x]')")


async def test_the_panel_speaks_english_too(theatre: OpenTheatre) -> None:
    """One press changes every word that the tools say; what was typed stays."""
    desk = await open_desk(theatre)
    page = desk.page
    await desk.tool("setting")
    await page.fill("#note-text", "slow down")
    await page.get_by_role("button", name="English").click()
    await expect(page.locator("#tab-setting")).to_have_text("Setting")
    await expect(page.locator("#note-text")).to_have_value("slow down")
    for name in ("tree", "cast", "setting", "scene"):
        tool = await desk.tool(name)
        keys = await tool.evaluate("node => node.innerText.match(/\\btools\\.[a-z.]+/g)")
        assert keys is None
    await expect((await desk.tool("tree")).get_by_text("You are here").first).to_be_visible()


async def test_signing_in_is_all_that_the_second_hand_needs(theatre: OpenTheatre) -> None:
    """Two pages of one scene: what one does is in the tree of the other."""
    desk = await open_desk(theatre)
    context = await desk.house.context()
    assert (await context.request.post(desk.house.url("/login"), data={"token": OPERATOR_TOKEN})).ok
    second = Desk(desk.house, desk.scene, await context.new_page())
    desk.house.watch(second.page)
    await visit(second)
    await second.at_line(2, "从这里分支")
    await second.name_it("那边的")
    await expect(desk.row("那边的")).to_have_attribute("aria-current", "true")
    await expect(desk.page.locator("#story > .line")).to_have_count(2)
