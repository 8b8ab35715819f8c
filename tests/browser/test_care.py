"""At the panel: somebody in danger, and what is private in a viewer's words."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from moderation.care import care_words
from tests.browser.conftest import OpenTheatre
from tests.browser.theatre import settled

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_care_card_has_the_fixed_words(theatre: OpenTheatre) -> None:
    """It says what it is, shows where the message caused it, and waits for a person's yes."""
    house = await theatre("不该出现的话", care=care_words())
    page = await house.panel()
    house.hear("我不想活了")
    await expect(page.locator("#badges")).to_contain_text("关怀")
    await expect(page.locator(".draft .reply")).to_have_text([care_words()])
    await settled(page)
    assert not house.items("aired")
    await page.keyboard.press("f")
    await expect(page.locator("#air-text")).to_contain_text("你不是一个人")


async def test_a_number_is_not_on_the_page(theatre: OpenTheatre) -> None:
    """Its kind stands in its place, marked; the page holds none of its digits."""
    house = await theatre("好呀")
    page = await house.panel()
    house.hear("我的电话是13812345678，记得吗？", viewer="加13812345678")
    await expect(page.locator("#question")).to_have_text("我的电话是[手机号]，记得吗？")
    await expect(page.locator("#question mark")).to_have_text("[手机号]")
    assert "1381234" not in await page.content()
