"""Checkpoints, branches, rewinds and versions at the desk, in a real browser before the real desk."""

from __future__ import annotations

from itertools import pairwise

import pytest
from playwright.async_api import Route, expect

from tests.browser.conftest import OpenTheatre
from tests.browser.toolbox import OPENING, open_desk, scenario

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_checkpoint_is_named_at_a_line_and_gone_back_to(theatre: OpenTheatre) -> None:
    """From the line's menu by mouse; Enter at its mark in the tree brings the story back and keeps what stood there."""
    desk = await open_desk(theatre)
    await desk.at_line(3, "在这里存检查点")
    box = desk.page.locator("dialog.tool-box input")
    await expect(box).to_have_value("第 3 条")
    await desk.name_it("上门")
    await expect(desk.row("上门")).to_be_visible()
    await desk.row("上门").click()
    await desk.page.keyboard.press("Enter")
    await expect(desk.page.locator("#story > .line")).to_have_count(3)
    assert desk.words == list(OPENING[:3])
    tree = desk.house.desk.tree(desk.scene)
    assert [branch["lines"] for branch in tree["branches"]] == [3, 6]
    assert [one["lines"] for one in tree["checkpoints"]] == [3]


async def test_a_rewind_by_keyboard_keeps_the_tail_and_undo_takes_it_back(theatre: OpenTheatre) -> None:
    """K to the line, L for its menu, arrows to 回退; the tail is a branch in the tree until it is undone."""
    desk = await open_desk(theatre)
    page = desk.page
    await page.locator("#scroll").focus()
    for _ in range(3):
        await page.keyboard.press("k")
    await page.keyboard.press("l")
    await expect(page.get_by_role("menuitem").first).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_role("menuitem", name="回退到这里")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#said")).to_contain_text("已回退到第 4 条")
    assert desk.words == list(OPENING[:4])
    await expect(page.locator(".tree li .name")).to_contain_text(["主线", "回退前", "你在这里"])
    await page.keyboard.press("Control+z")
    await expect(page.locator(".tree li")).to_have_count(2)
    assert desk.words == list(OPENING)


async def test_the_menu_closes_with_esc_and_offers_only_what_can_be_done(theatre: OpenTheatre) -> None:
    """No rewind to the last line, no versions where there are none, no place in the tree for a pending line."""
    desk = await open_desk(theatre)
    page = desk.page
    desk.do("add", lines=[{"character": "我", "text": "谢谢。"}])
    offered = page.get_by_role("menuitem")
    await page.locator("#story > .line").nth(5).hover()
    await page.locator("#story > .line").nth(5).locator("[data-line-menu]").click()
    await expect(offered).to_have_text(["在这里存检查点…", "从这里分支…", "编辑", "让模型续写这一条"])
    await page.keyboard.press("Escape")
    await expect(offered).to_have_count(0)
    await expect(page.locator("#story > .line").nth(5).locator("[data-line-menu]")).to_be_focused()
    await page.locator("#pending > .line").hover()
    await page.locator("#pending [data-line-menu]").click()
    await expect(offered).to_have_text(["编辑", "让模型续写这一条"])
    await offered.first.click()
    await expect(page.locator(".editor textarea")).to_have_value("谢谢。")


async def test_a_branch_is_made_switched_renamed_and_pruned_by_keyboard(theatre: OpenTheatre) -> None:
    """Arrows walk the tree, Enter switches, F2 renames, Delete asks and says what would go; undo brings it back."""
    desk = await open_desk(theatre)
    page = desk.page
    await desk.at_line(2, "从这里分支")
    await desk.name_it("没有开门")
    desk.play("门没有开。", "雨停了。")
    await expect(desk.row("没有开门")).to_have_attribute("aria-current", "true")
    await expect(desk.row("没有开门").locator(".minor")).to_have_text("3–4")
    await expect(page.locator("#story > .line")).to_have_count(4)  # the feed says it, not only the tree
    await page.locator(".tree [tabindex='0']").focus()
    await page.keyboard.press("Home")
    await page.keyboard.press("Enter")
    await expect(desk.row("主线")).to_have_attribute("aria-current", "true")
    assert desk.words == list(OPENING)
    await page.keyboard.press("ArrowDown")
    await expect(desk.row("没有开门")).to_be_focused()
    await page.keyboard.press("F2")
    await desk.name_it("门外")
    await expect(desk.row("门外")).to_be_focused()
    await page.keyboard.press("Delete")
    await expect(page.locator("dialog.tool-box")).to_contain_text("剪掉「门外」？")
    await expect(page.locator("dialog.tool-box")).to_contain_text("2 条")
    await page.keyboard.press("Enter")
    await expect(desk.row("门外")).to_have_count(0)
    await expect(page.locator("dialog.tool-box")).to_have_count(0)  # while it is open, nothing else has the focus
    await page.locator("#scroll").focus()
    await page.keyboard.press("Control+z")
    await expect(desk.row("门外")).to_be_visible()


async def test_the_same_by_mouse(theatre: OpenTheatre) -> None:
    """A click chooses a row, the buttons below it do the rest; a double click goes there; its lane folds a branch."""
    desk = await open_desk(theatre)
    page = desk.page
    desk.do("checkpoint", name="门口", line=desk.line(2))
    desk.do("branch", line=desk.line(2), name="门外")
    await expect(page.locator("#story > .line")).to_have_count(2)
    actions = page.locator("#tool-tree .actions")
    await desk.row("主线").click()
    await expect(actions.locator("button")).to_have_text(["切换到它", "比较…", "改名…", "剪掉…"])
    await actions.get_by_text("切换到它").click()
    await expect(desk.row("主线")).to_have_attribute("aria-current", "true")
    await desk.row("门口").click()
    await actions.get_by_text("改名…").click()
    await desk.name_it("台阶")
    await desk.row("台阶").click()
    await actions.get_by_text("从这里分支…").click()
    await desk.name_it("台阶上")
    await expect(desk.row("台阶上")).to_have_attribute("aria-current", "true")
    await desk.row("台阶").click()
    await actions.get_by_text("去掉检查点").click()
    await expect(desk.row("台阶")).to_have_count(0)
    await desk.row("门外").dblclick()
    await expect(desk.row("门外")).to_have_attribute("aria-current", "true")
    await desk.row("主线").locator(".rails").click()
    await expect(page.locator(".tree li")).to_have_count(1)
    await page.keyboard.press("ArrowRight")
    await expect(desk.row("门外")).to_be_visible()


async def test_a_tree_of_thirty_branches_is_an_aria_tree(theatre: OpenTheatre) -> None:
    """Two thousand lines and thirty branches: every row says its level and place; End and a letter go far at once."""
    desk = await open_desk(theatre, scenario([f"第 {n} 句。" for n in range(2000)]))
    page = desk.page
    ids = [line["id"] for line in desk.now["lines"]]
    for number in range(29):  # from the present branch where it has the line, else from the first
        line = ids[max(0, number - number % 3) * 60]
        desk.do("branch", line=line, name="Harbour" if number == 12 else f"走法 {number}")
    await expect(page.locator(".tree li")).to_have_count(31)
    levels = await page.locator(".tree li").evaluate_all("nodes => nodes.map(n => Number(n.ariaLevel))")
    assert levels[0] == 1 and all(after - before <= 1 for before, after in pairwise(levels))
    await page.locator(".tree [tabindex='0']").focus()
    await page.keyboard.press("End")
    await expect(page.locator(".tree li").last).to_be_focused()
    await expect(page.locator(".tree li").last).to_be_in_viewport()
    await page.keyboard.press("h")
    await expect(desk.row("Harbour")).to_be_focused()
    assert await page.locator(".tree li[aria-selected=true]").count() == 1


async def test_two_branches_are_compared_side_by_side(theatre: OpenTheatre) -> None:
    """What they share is folded, what differs is marked; another choice compares anew."""
    desk = await open_desk(theatre)
    page = desk.page
    desk.do("branch", line=desk.line(4), name="雪夜")
    desk.play("雪很大。", "坐。")
    await desk.row("主线").click()
    await page.locator("#tool-tree .actions").get_by_text("比较…").click()
    box = page.locator("dialog.tool-box")
    await expect(box.locator("[role=status]")).to_have_text("共同开头 4 条，之后有 1 处不同。")
    await expect(box.locator("mark")).to_have_text(["沈舟", "雪", "林夏", "雨"])
    await expect(box.locator(".pair.same")).to_have_text(["沈舟坐。沈舟坐。"])
    await box.locator("summary").click()
    await expect(box.locator(".common li")).to_have_count(4)
    await box.locator("select").nth(1).select_option(label="雪夜")
    await expect(box.locator("[role=status]")).to_have_text("两条分支完全一样。")
    await page.keyboard.press("Escape")
    await expect(box).to_have_count(0)


async def test_an_older_version_of_a_line_comes_back(theatre: OpenTheatre) -> None:
    """The menu counts the versions; the one chosen is an edit, which undo knows."""
    desk = await open_desk(theatre)
    page = desk.page
    desk.do("edit", line=desk.line(2), text="是谁？")
    desk.do("edit", line=desk.line(2), text="门外是谁？")
    await expect(page.locator("#story > .line").nth(1)).to_contain_text("门外是谁？")
    await desk.at_line(2, "旧版本（2）")
    await expect(page.locator(".versions .words")).to_have_text(["门外是谁？", "是谁？", "谁在外面？"])
    await page.get_by_role("button", name="换回这一版").last.click()
    await expect(page.locator("#story > .line").nth(1)).to_contain_text("谁在外面？")
    assert (desk.words)[1] == "谁在外面？"
    assert desk.now["undo"] == "edited"


async def test_a_name_typed_for_an_old_screen_is_not_lost(theatre: OpenTheatre) -> None:
    """Another tab was faster: the box says so, keeps the name, and the second press does it."""
    desk = await open_desk(theatre)
    page = desk.page

    async def somebody_else_first(route: Route) -> None:
        desk.do("note", text="别处写的", depth=4)
        await route.continue_()

    await page.route("**/do", somebody_else_first, times=1)
    await desk.at_line(3, "在这里存检查点")
    await page.locator("dialog.tool-box input").fill("上门之前")
    await page.keyboard.press("Enter")
    await expect(page.locator("dialog.tool-box .wrong")).to_contain_text("别处改过")
    await expect(page.locator("dialog.tool-box input")).to_have_value("上门之前")
    await expect(page.locator("#note-text")).to_have_value("别处写的")
    await page.keyboard.press("Enter")
    await expect(page.locator("dialog.tool-box")).to_have_count(0)
    await expect(desk.row("上门之前")).to_be_visible()


async def test_a_mark_follows_its_line_to_the_branch_that_has_it(theatre: OpenTheatre) -> None:
    """After a rewind before it, a checkpoint stands on the tail; with the tail pruned it stands alone and brings it back."""
    desk = await open_desk(theatre)
    page = desk.page
    desk.do("checkpoint", name="雨大", line=desk.line(5))
    desk.do("rewind", line=desk.line(3))
    await expect(page.locator("#story > .line")).to_have_count(3)
    names = page.locator(".tree li .name")
    await expect(names).to_contain_text(["主线", "回退前", "雨大", "你在这里"])
    await expect(desk.row("雨大")).to_have_attribute("aria-level", "3")
    await names.nth(1).click()
    await page.keyboard.press("Delete")
    await expect(page.locator("dialog.tool-box")).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(names).to_contain_text(["主线", "你在这里", "雨大"])
    await expect(desk.row("雨大")).to_have_attribute("aria-level", "1")
    await desk.row("雨大").dblclick()
    await expect(page.locator("#story > .line")).to_have_count(5)
    assert desk.words == list(OPENING[:5])
