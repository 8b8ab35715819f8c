"""The whole story with the real program: a recorded chat, the demo model, two people at panels, and the audience."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, WebSocketRoute, expect

from tests.browser.program import running
from tests.browser.theatre import DESKTOP, OPERATOR_TOKEN, OVERLAY_TOKEN

pytestmark = pytest.mark.asyncio(loop_scope="session")

PING = '{"event": "ping"}'  # without a word the page would take the connection for lost
# On a card that waits for a decision: finished, and no check has stopped it.
GOOD = (
    "#card:not([data-early]):has(#stamp[hidden]):has(#approve:enabled)"
    ' .draft[data-done]:not(:has(.reasons [data-level="block"]))'
)
# Keeps every text that the audience gets to see, in order, as the page shows it.
AUDIENCE = """
window.shown = [];
new MutationObserver(() => {
  const reply = document.querySelector("#reply");
  if (!reply || reply.hidden || !reply.classList.contains("on")) return;
  const words = document.querySelector("#text").textContent;
  const last = window.shown[window.shown.length - 1];
  if (words && (!last || last.id !== reply.dataset.id || last.words !== words)) window.shown.push({ id: reply.dataset.id, words });
}).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
"""


@dataclass
class Program:
    """`cohost run`, started as a person starts it, and the pages that are open on it."""

    browser: Browser
    url: str

    async def panel(self, name: str, *, deaf: list[bool] | None = None) -> Page:
        """`deaf`: while it holds True, the page does not hear what the server says."""
        context = await self.browser.new_context(viewport=DESKTOP, locale="zh-CN", reduced_motion="reduce")
        answer = await context.request.post(f"{self.url}login", data={"token": OPERATOR_TOKEN, "label": name})
        assert answer.ok
        page = await context.new_page()

        def through(socket: WebSocketRoute) -> None:
            server = socket.connect_to_server()
            server.on_message(lambda frame: socket.send(PING if deaf and deaf[0] else frame))

        await page.route_web_socket("**/api/feed", through)
        await page.goto(self.url)
        await page.wait_for_selector("html[data-link=live]")
        return page

    async def audience(self) -> Page:
        context = await self.browser.new_context(viewport={"width": 800, "height": 600})
        await context.add_init_script(AUDIENCE)
        page = await context.new_page()
        await page.goto(f"{self.url}overlay?token={OVERLAY_TOKEN}")
        return page


@pytest_asyncio.fixture(loop_scope="session")
async def program(browser: Browser, tmp_path: Path) -> AsyncIterator[Program]:
    async with running(tmp_path, "--replay", "demo") as url:
        yield Program(browser, url)
        for context in browser.contexts:
            await context.close()


async def a_good_draft(page: Page) -> str:
    """Chooses the first finished draft that no check has stopped, and gives its words as they stand on the page."""
    draft = page.locator(GOOD).first
    await expect(draft).to_be_visible(timeout=60_000)
    index = int(await draft.get_attribute("data-index") or 0)
    await page.keyboard.press(str(index + 1))
    chosen = page.locator(f'.draft[aria-checked="true"][data-index="{index}"] .reply')
    await expect(chosen).to_be_visible()
    return await chosen.inner_text()


async def on_air(page: Page, words: str) -> None:
    await expect(page.locator("#air-text")).to_have_text(words, timeout=30_000)


async def test_the_whole_story(program: Program) -> None:
    """Replay, drafts, approve by key, edit and approve, reject, undo, recall: the overlay shows exactly those words in
    that order, a second browser sees the same, and a stale click is refused visibly."""
    deaf = [False]
    first, second, audience = (
        await program.panel("小周"),
        await program.panel("小李", deaf=deaf),
        await program.audience(),
    )

    approved = await a_good_draft(first)
    await first.keyboard.press("f")
    await on_air(first, approved)
    await on_air(second, approved)

    edited = f"{(await a_good_draft(first))[:20]}，改过的"
    await first.keyboard.press("e")
    await first.locator("#edit-text").fill(edited)
    await first.keyboard.press("Control+Enter")
    await on_air(first, edited)  # after the first one has had its time

    await a_good_draft(first)
    card = first.locator("#card")
    name, rejected = await first.locator("#viewer").inner_text(), await card.get_attribute("data-item") or ""
    await first.keyboard.press("d")
    await expect(second.locator("#history li[data-state=rejected]")).to_contain_text(name)
    await expect(card).not_to_have_attribute("data-item", rejected)
    await first.keyboard.press("u")
    await expect(card).to_have_attribute("data-item", rejected)
    await expect(second.locator("#history li[data-state=rejected]")).to_have_count(0)

    await a_good_draft(first)
    recalled = "这句话很长，要播半分钟，" + "，".join(f"第{n}句还没有说完" for n in range(17))
    await first.keyboard.press("e")
    await first.locator("#edit-text").fill(recalled)
    await first.keyboard.press("Control+Enter")
    await on_air(first, recalled)
    await expect(audience.locator("#text")).to_have_text(recalled)
    await expect(first.locator("#editor")).to_be_hidden()  # with the answer; until then a letter is a letter
    await first.keyboard.press("x")
    await expect(audience.locator("#reply")).to_be_hidden()
    await expect(first.locator("#history li[data-state=recalled]")).to_contain_text(recalled)

    await second.keyboard.press("j")  # away from the card that somebody else has decided
    await a_good_draft(second)
    stale = await second.locator("#card").get_attribute("data-item")
    deaf[0] = True
    await first.locator(f'#queue [data-id="{stale}"]').click()
    await first.keyboard.press("d")
    await expect(first.locator("#history li[data-state=rejected]")).to_have_count(1)
    await second.keyboard.press("f")
    await expect(second.locator("#notice[data-kind=refused]")).to_contain_text("你的点击没有生效")

    shown = [reply["words"] for reply in await audience.evaluate("() => window.shown")]
    assert shown == [approved, edited, recalled]
    deaf[0] = False
    await second.reload()
    await second.wait_for_selector("html[data-link=live]")
    for page in (first, second):
        await expect(page.locator("#history li[data-state=recalled]")).to_have_count(1)
        history = await page.evaluate(
            "() => [...document.querySelectorAll('#history .words')].map((n) => n.textContent)"
        )
        assert [words for words in history if words in shown] == shown[::-1]
