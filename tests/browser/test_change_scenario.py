"""An open panel when the co-host gets another scenario: everything on it is the other's, without a reload."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from bot.scenario import Character, Line, Scenario
from tests.browser.conftest import OpenTheatre
from tests.browser.theatre import settled

pytestmark = pytest.mark.asyncio(loop_scope="session")

INN = Scenario(
    "夜谈", "客栈", "雨夜。", (Line("掌柜", "客官里边请。"),), (Character("掌柜"), Character("客人", "User"))
)


async def test_the_panel_follows_the_scenario(theatre: OpenTheatre) -> None:
    """Refused with the reason while a card waits; then its name, its character, and cards of its own."""
    house = await theatre()
    house.save.library.create(INN)
    page = await house.panel()
    await expect(page.locator("#parts [data-part=scenario]")).to_contain_text("直播间")
    house.hear("你是谁？")
    await settled(page)

    async def change() -> int:
        answer = await page.request.post(house.url("/api/show/scenario"), data={"series": "夜谈", "name": "客栈"})
        return answer.status

    assert await change() == 409
    [card] = house.items("pending")
    rejected = await page.request.post(
        house.url(f"/api/items/{card['id']}/reject"), data={"revision": card["revision"]}
    )
    assert rejected.ok
    await expect(page.locator("#history li")).to_have_count(1)
    assert await change() == 200
    await expect(page.locator("#parts [data-part=scenario]")).to_contain_text("客栈")
    await expect(page.locator("#history li")).to_have_count(0)
    await expect(page.locator("#say-text")).to_have_attribute("placeholder", "以 掌柜 的名义……")
