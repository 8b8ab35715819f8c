"""A scene at the script desk for browser tests: the real server, the real desk, the scripted engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from playwright.async_api import Page, expect
from pydantic import TypeAdapter

from bot.approval import Operator
from bot.desk.orders import AnyOrder
from bot.scenario import Character, Line, Origin, Scenario
from tests.browser.theatre import Theatre
from tests.waiting import until

ISLAND = Scenario(
    series="雾岛",
    name="初见",
    background="雾岛上只有一座灯塔。",
    opening=(
        Line("", "雾从海上来，灯塔亮了。", Origin.OPENING),
        Line("小铃", "你终于来了。", Origin.OPENING),
        Line("我", "船误了三天。", Origin.OPENING),
    ),
    characters=(Character("小铃"), Character("阿岚"), Character("我", "User")),
)
ORDER: TypeAdapter[AnyOrder] = TypeAdapter(AnyOrder)
OPENING = [(line.character, line.text) for line in ISLAND.opening]


@dataclass
class Writing:
    """One scene and the pages that are open on it."""

    house: Theatre
    scene: str

    @property
    def now(self) -> dict[str, Any]:
        return self.house.desk.snapshot(self.scene)

    def said(self, where: str = "lines") -> list[tuple[str, str]]:
        """Who said what, in "lines" or "pending"; without the opening."""
        told = [(line["character"], line["text"]) for line in self.now[where]]
        return told[len(OPENING) :] if told[: len(OPENING)] == OPENING else told

    def origins(self, where: str = "pending") -> list[str]:
        return [line["origin"] for line in self.now[where]]

    def do(self, kind: str, **fields: Any) -> None:
        """As another window would."""
        order = ORDER.validate_python({"kind": kind, **fields})
        self.house.desk.do(self.scene, self.now["revision"], order, Operator("other"))

    def add(self, character: str, text: str) -> None:
        self.do("add", lines=[{"character": character, "text": text}])

    async def page(self, *, before: str = "", **options: Any) -> Page:
        page = await self.house.panel(ready=False, before=before, **options)
        await self.open(page)
        return page

    async def open(self, page: Page) -> None:
        await page.goto(self.house.url(f"/desk?scene={self.scene}"))
        await ready(page)

    async def kept(self, words: str) -> None:
        """The server keeps these words of somebody's text boxes."""
        await until(lambda: any(words in one.body for one in self.house.save.desk.scratches(self.scene)))

    async def left(self, page: Page) -> None:
        """The window is gone, and the server knows it: what it kept may go to another."""
        await page.context.close()
        await until(lambda: not self.house.desk.scene(self.scene).in_use)


def open_scene(house: Theatre, scenario: Scenario = ISLAND) -> Writing:
    house.save.library.create(scenario)
    return Writing(house, house.desk.open(scenario.series, scenario.name, Operator("op")))


async def ready(page: Page) -> None:
    await page.wait_for_selector("html[data-link=live] #desk:not([hidden])")


async def still(page: Page) -> None:
    """What scrolls by itself has scrolled: the page does that in the frame after a drawing."""
    await page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


async def begun(page: Page, count: int) -> None:
    """So many drafts stand there, and the writer is at them: the page has the answer to its order."""
    await expect(page.locator(".draft")).to_have_count(count)
    await expect(page.locator("#drafts")).to_be_focused()


async def drafted(page: Page, count: int) -> None:
    """So many drafts are finished, and the writer is at them."""
    await expect(page.locator(".draft[data-done]")).to_have_count(count)
    await expect(page.locator("#drafts")).to_be_focused()
