"""The desk's side panel for browser tests: a scene, the page that shows it, and somebody else who changes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Locator, Page, expect

from bot.scenario import Character, Line, Origin, Scenario
from tests.browser.conftest import OpenTheatre
from tests.browser.theatre import Theatre
from tests.browser.writing import Writing, open_scene

CHARACTERS = (
    Character("林夏", "AI", extra={"Note": "话少，记仇。", "Sampling": "chat"}),
    Character("沈舟", "AI"),
    Character("我", "User"),
)
LORE = [
    {"name": "灯塔", "keys": ["灯塔"], "text": "灯塔建于 1931 年。"},
    {"name": "船票", "keys": ["船票"], "text": "船票早就过期了。"},
]
OPENING = ("灯塔的光扫过海面。", "谁在外面？", "是我。", "进来吧。", "雨很大。", "坐。")


def scenario(words: Sequence[str] = OPENING, characters: Sequence[Character] = CHARACTERS, **extra: Any) -> Scenario:
    names = ("", "林夏", "沈舟")
    lines = tuple(Line(names[i % 3], text, Origin.OPENING) for i, text in enumerate(words))
    return Scenario("演示", "雨夜", "雨夜，海边。", lines, tuple(characters), extra={"Lorebook": LORE, **extra})


@dataclass
class Desk(Writing):
    """One scene and the page that shows it; what `do` orders is done by somebody else."""

    page: Page

    @property
    def words(self) -> list[str]:
        return [line["text"] for line in self.now["lines"]]

    def line(self, number: int) -> str:
        """The id of a confirmed line, counted from 1."""
        return str(self.now["lines"][number - 1]["id"])

    def play(self, *words: str) -> None:
        """More confirmed lines."""
        self.do("add", lines=[{"character": "沈舟", "text": text} for text in words])
        self.do("confirm", lines=[{"id": line["id"], "text": line["text"]} for line in self.now["pending"]])

    async def tool(self, name: str) -> Locator:
        await self.page.click(f"#tab-{name}")
        return self.page.locator(f"#tool-{name}")

    def row(self, name: str) -> Locator:
        """The row of the tree with exactly this name."""
        return self.page.locator(".tree li", has=self.page.get_by_text(name, exact=True))

    async def at_line(self, number: int, choice: str) -> None:
        """By mouse: what the menu of that line offers."""
        line = self.page.locator("#story > .line").nth(number - 1)
        await line.hover()
        await line.locator("[data-line-menu]").click()
        await self.page.get_by_role("menuitem", name=choice).click()

    async def name_it(self, name: str) -> None:
        """Fill the box that asks for a name."""
        await self.page.locator("dialog.tool-box input").fill(name)
        await self.page.keyboard.press("Enter")
        await expect(self.page.locator("dialog.tool-box")).to_have_count(0)


async def open_desk(theatre: OpenTheatre, scene: Scenario | None = None, **options: Any) -> Desk:
    """A scene of that scenario, open on a page."""
    return await open_page(await theatre("她没有回头。"), scene or scenario(), **options)


async def open_page(house: Theatre, scene: Scenario, **options: Any) -> Desk:
    written = open_scene(house, scene)
    desk = Desk(house, written.scene, await house.panel(ready=False, **options))
    await visit(desk)
    return desk


async def visit(desk: Desk) -> None:
    await desk.open(desk.page)
    await expect(desk.page.locator("#tools [role=tab]")).to_have_count(5)
