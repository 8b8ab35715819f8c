"""A writer's evening with the real program and the demo model: three characters, from an empty folder to a book."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.program import running
from tests.browser.theatre import DESKTOP, OPERATOR_TOKEN, PHONE

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATIENCE = 60_000  # milliseconds; the model shares two cores with the rest
BACKGROUND = "老街拐角有一家小书店，窗边挂着一只会说话的玻璃风铃，名叫小铃。店主阿岚话不多。"
OPENING = ["叮铃！门开了，外面雨好大，快进来坐。", "雨点打在玻璃上。", "打扰了，我躲会儿雨。"]


@dataclass
class Writer:
    """Somebody at the desk, with keys and a mouse or with one thumb."""

    page: Page
    url: str
    phone: bool
    faults: list[str] = field(default_factory=list)

    async def press(self, target: Locator) -> None:
        await (target.tap() if self.phone else target.click())

    async def command(self, name: str) -> None:
        await self.press(self.page.locator(f"#desk [data-command={name}]:visible").first)

    async def now(self) -> dict[str, Any]:
        scene = self.page.url.partition("scene=")[2].partition("&")[0]
        snapshot: dict[str, Any] = await (await self.page.request.get(f"{self.url}api/desk/{scene}")).json()
        return snapshot

    async def words(self, where: str = "lines") -> list[str]:
        return [line["text"] for line in (await self.now())[where]]

    async def take(self, number: int) -> str:
        """The words of that draft, taken when all of them are written."""
        draft = self.page.locator(".draft[data-done]").nth(number)
        await expect(draft).to_be_visible(timeout=PATIENCE)  # the first one that is finished may not be the first
        await expect(self.page.locator("[data-command=stop]")).to_be_hidden(timeout=PATIENCE)
        words = await draft.locator(".words").inner_text()
        await self.press(draft.locator(".words"))
        return words

    async def add(self, who: str, text: str) -> None:
        await self.page.locator("#speaker select").select_option(label=who)
        await self.page.locator("#text").fill(text)
        if self.phone:
            await self.press(self.page.locator("#send"))
        else:
            await self.page.locator("#text").press("Control+Enter")
        await expect(self.page.locator("#text")).to_have_value("")

    async def confirm(self) -> None:
        await self.command("confirm")
        await expect(self.page.locator("#pending .line")).to_have_count(0)

    async def at_line(self, number: int, choice: str, name: str = "") -> None:
        """What the menu of that line of the story offers, and the name that it asks for."""
        line = self.page.locator("#story > .line").nth(number - 1)
        await line.scroll_into_view_if_needed()
        await line.hover()
        await self.press(line.locator("[data-line-menu]"))
        await self.press(self.page.get_by_role("menuitem", name=choice))
        if name:
            await self.page.locator("dialog.tool-box input").fill(name)
            await self.page.keyboard.press("Enter")
            await expect(self.page.locator("dialog.tool-box")).to_have_count(0)

    async def in_tree(self, name: str, action: str) -> None:
        """Choose a row of the tree, and what is offered for it."""
        if self.phone:
            await self.command("tools")
        await self.press(self.page.locator("#tab-tree"))
        await self.press(self.page.locator(".tree li", has=self.page.get_by_text(name, exact=True)))
        await self.press(self.page.locator("#tool-tree .actions").get_by_text(action))
        if self.phone and await self.page.locator("#tools .close").is_visible():
            await self.press(self.page.locator("#tools .close"))


async def sit_down(browser: Browser, url: str, *, phone: bool) -> Writer:
    """Sign in at the page of scenarios, which comes back after it."""
    device: dict[str, Any] = (
        {"viewport": PHONE, "has_touch": True, "is_mobile": True} if phone else {"viewport": DESKTOP}
    )
    context = await browser.new_context(locale="zh-CN", reduced_motion="reduce", accept_downloads=True, **device)
    page = await context.new_page()
    writer = Writer(page, url, phone)
    page.on("pageerror", lambda error: writer.faults.append(str(error)))
    await page.goto(f"{url}scenarios")
    await page.locator("#token").fill(OPERATOR_TOKEN)
    await page.locator("#token").press("Enter")
    await expect(page.locator("#top nav a[aria-current]")).to_have_text("剧本")
    return writer


async def set_the_scene(writer: Writer) -> None:
    """Series, name, background, three characters, opening; then the model reads it and the desk opens by itself."""
    page = writer.page
    await expect(page.locator("#nothing")).to_contain_text("还没有剧本")
    await writer.press(page.locator("#new"))
    await page.locator("[name=series]").fill("老街")
    await page.locator("[name=name]").fill("雨夜书店")
    await page.locator("[name=background]").fill(BACKGROUND)
    for side, names in (("AI", ("小铃", "阿岚")), ("User", ("我",))):
        for name in names:
            box = page.locator(f'.side[data-side="{side}"] input')
            await box.fill(name)
            await box.press("Enter")
    await page.locator("[name=opening]").fill(f"小铃: {OPENING[0]}\n\n{OPENING[1]}\n\n我: {OPENING[2]}")
    await writer.press(page.locator("#form [type=submit]"))
    await expect(page.locator("#said")).to_have_text("已保存。")
    await writer.press(page.locator("#form-open"))
    await page.wait_for_url("**/desk?scene=*", timeout=PATIENCE)
    await page.wait_for_selector("html[data-link=live] #desk:not([hidden])")


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
async def test_a_scene_from_an_empty_folder_to_a_book(browser: Browser, tmp_path: Path, phone: bool) -> None:
    """Quick, advanced, start-with, edit, discard, confirm, checkpoint, branch, rewind, export: what is exported is what was
    confirmed, and it is still there after a new start."""
    async with running(tmp_path) as url:
        writer = await sit_down(browser, url, phone=phone)
        await set_the_scene(writer)
        story = await play(writer)
        await branch_and_rewind(writer, story)
        await take_away(writer, story, tmp_path)
        assert writer.faults == []
        await writer.page.context.close()
    async with running(tmp_path) as url:
        writer = await sit_down(browser, url, phone=phone)
        await writer.page.goto(f"{url}desk")
        await writer.press(writer.page.locator("#scene-list a").first)
        await expect(writer.page.locator("#story .line")).to_have_count(len(story))
        assert await writer.words() == story
        await writer.page.context.close()


async def play(writer: Writer) -> list[str]:
    """A round in quick mode, then one in advanced mode, with a draft as it was and one that is changed; the words."""
    page = writer.page
    await page.locator("#text").fill("你叫什么名字？")
    await (writer.press(page.locator("#send")) if writer.phone else page.locator("#text").press("Enter"))
    answer = await writer.take(0)
    await expect(page.locator("#story .line")).to_have_count(5)
    story = [*OPENING, "你叫什么名字？", answer]
    assert await writer.words() == story

    await writer.command("advanced")
    await writer.add("阿岚", "书都受潮了。")
    await writer.add("旁白", "灯闪了两下。")
    await page.locator("#writer select").select_option(label="小铃")
    await page.locator("#start").fill("叮铃，")
    await writer.command("ask")
    proposed = await writer.take(1)
    assert proposed.startswith("叮铃，")
    await expect(page.locator("#pending .line")).to_have_count(3)

    await writer.command("ask")
    await expect(page.locator(".draft[data-done]").first).to_be_visible(timeout=PATIENCE)
    await writer.press(page.locator(".draft[data-done] button").first)
    await page.locator(".draft .editor textarea").fill("小铃在风里转了一圈。")
    await writer.press(page.locator(".draft .editor [type=submit]"))
    await expect(page.locator("#pending .line")).to_have_count(4)
    await expect(page.locator(".editor")).to_have_count(0)  # while it is open, nothing is confirmed
    origins = [line["origin"] for line in (await writer.now())["pending"]]
    assert origins == ["用户输入", "用户输入", "模型生成", "模型生成(人工编辑)"]
    await writer.confirm()
    story += ["书都受潮了。", "灯闪了两下。", proposed, "小铃在风里转了一圈。"]
    assert await writer.words() == story

    await writer.add("我", "这一句不要。")
    await writer.command("discard")
    await expect(page.locator("#pending .line")).to_have_count(0)
    assert await writer.words() == story
    return story


async def branch_and_rewind(writer: Writer, story: list[str]) -> None:
    """A checkpoint at the end, a branch from the middle, back to the first, past the checkpoint and back to it."""
    page = writer.page
    await writer.at_line(len(story), "在这里存检查点", "灯闪之后")
    await writer.at_line(5, "从这里分支", "另一夜")
    await writer.add("阿岚", "打烊了。")
    await writer.confirm()
    assert await writer.words() == [*story[:5], "打烊了。"]
    await writer.in_tree("主线", "切换到它")
    await expect(page.locator("#story .line")).to_have_count(len(story))
    await writer.at_line(4, "回退到这里")
    await expect(page.locator("#story .line")).to_have_count(4)
    assert await writer.words() == story[:4]
    await writer.in_tree("灯闪之后", "回到这里")
    await expect(page.locator("#story .line")).to_have_count(len(story))
    assert await writer.words() == story
    assert sorted(branch["name"] for branch in (await writer.now())["branches"])[:2] == ["主线", "另一夜"]


async def take_away(writer: Writer, story: list[str], folder: Path) -> None:
    """The replay in Save/, and from the reading page the log and the book."""
    page = writer.page
    await writer.command("save")
    await expect(page.locator("#said")).to_contain_text("_Log.json")
    [saved] = (folder / "Save" / "老街" / "雨夜书店").glob("*_Log.json")
    assert [line["Message"] for line in json.loads(saved.read_text("utf-8"))["Chat"]] == story
    await page.goto(f"{writer.url}output?{page.url.partition('?')[2]}")
    await expect(page.locator("#story h1")).to_have_text("雨夜书店")
    for form in ("log", "epub"):
        await writer.press(page.get_by_role("button", name="导出"))
        async with page.expect_download() as started:
            await writer.press(page.locator(f"#forms a[data-form={form}]"))
        await (await started.value).save_as(folder / form)
        await page.keyboard.press("Escape")
    chat = json.loads((folder / "log").read_text("utf-8"))["Chat"]
    assert [line["Message"] for line in chat] == story
    with zipfile.ZipFile(folder / "epub") as book:
        text = "".join(book.read(name).decode() for name in book.namelist() if name.endswith(".xhtml"))
    assert all(words in text for words in story)
