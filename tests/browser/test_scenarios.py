"""The page of scenarios, in a real browser before the real application and a real Save folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from bot.scenario import Character, Line, Origin, Scenario
from tests.browser.conftest import OpenTheatre
from tests.browser.theatre import OPERATOR_TOKEN, PHONE, Theatre

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


async def page_of(house: Theatre, path: str = "/scenarios", **options: Any) -> Page:
    context = await house.context(**options)
    answer = await context.request.post(house.url("/login"), data={"token": OPERATOR_TOKEN, "label": ""})
    assert answer.ok
    page = await context.new_page()
    house.watch(page)
    await page.goto(house.url(path))
    return page


def saved(house: Theatre, series: str = "雾岛", name: str = "初见") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((house.save.folder / series / name / "场景剧本.json").read_text("utf-8"))
    return found


async def test_a_new_scenario_is_written_with_the_keyboard(theatre: OpenTheatre) -> None:
    """N opens the form, Enter adds characters, Ctrl+S saves; the file has what was typed."""
    house = await theatre()
    page = await page_of(house)
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
    assert page.url.endswith("#/edit/%E9%9B%BE%E5%B2%9B/%E5%88%9D%E8%A7%81")
