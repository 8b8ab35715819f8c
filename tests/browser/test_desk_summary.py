"""The summary that the model drafts for a refresh: it grows on the page, and the writer decides what becomes of it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from playwright.async_api import Locator, expect

from bot.engine.types import EngineState
from tests.browser.conftest import OpenTheatre
from tests.browser.theatre import PHONE
from tests.browser.toolbox import Desk, open_page, scenario, visit
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

TOLD = "沈舟雨夜来到灯塔，林夏让他进来坐下。"
KEPT = "2"


async def open_refresh(
    theatre: OpenTheatre, *words: str, stepped: bool = False, **options: Any
) -> tuple[Desk, Locator]:
    """A desk with its form of the refresh open. `stepped`: the engine has not read the scene, and waits for steps.
    `options`: those of a phone's page."""
    house = await theatre(*words, stepped=stepped)
    ready = house.engine.status
    if stepped:
        house.engine.status = replace(ready, state=EngineState.LOADING)
    desk = await open_page(house, scenario(), **options)
    await until(lambda: not house.desk._preparing._tasks)
    house.engine.status = ready
    if options:
        await desk.page.tap("[data-command=tools]")
    tool = await desk.tool("fed")
    await tool.get_by_text("刷新上下文").click()
    await desk.page.fill("#last-lines", KEPT)
    return desk, tool


@pytest.mark.parametrize("phone", [{}, {"viewport": PHONE, "has_touch": True}], ids=["desktop", "phone"])
async def test_a_summary_is_drafted_used_and_edited(theatre: OpenTheatre, phone: dict[str, Any]) -> None:
    """It goes behind what the writer has there, and the refresh tells what stands in the box."""
    desk, tool = await open_refresh(theatre, TOLD, **phone)
    page = desk.page
    await page.fill("#summary", "雾岛，1931 年。")
    await tool.get_by_role("button", name="让模型起草").click()
    await expect(tool.locator(".model-summary .words")).to_have_text(TOLD)
    assert "雨很大。" not in "".join(desk.house.engine.asked[-1][0].parts), "it is told word for word"
    await tool.get_by_role("button", name="放进提要").click()
    await expect(page.locator("#summary")).to_have_value(f"雾岛，1931 年。\n{TOLD}")
    await expect(page.locator("#summary")).to_be_focused()
    await expect(tool.locator(".model-summary")).to_be_hidden()
    assert desk.now["refresh"] is None, "nothing is told before the writer says so"
    await page.keyboard.press("Control+End")
    await page.keyboard.type("茶凉了。")
    await tool.get_by_role("button", name="刷新", exact=True).click()
    await expect(tool.locator(".parts summary b")).to_contain_text(["提要"])
    assert desk.now["refresh"]["summary"] == f"雾岛，1931 年。\n{TOLD}茶凉了。"


async def test_a_reload_loses_no_draft(theatre: OpenTheatre) -> None:
    """Until it is used or dropped; then it is gone."""
    desk, tool = await open_refresh(theatre, TOLD)
    words = tool.locator(".model-summary .words")
    await tool.get_by_role("button", name="让模型起草").click()
    await expect(tool.get_by_role("button", name="放进提要")).to_be_visible()
    await visit(desk)
    await expect(words).to_have_text(TOLD)
    await tool.get_by_role("button", name="不要").click()
    await visit(desk)
    await expect(tool.locator(".total").first).to_contain_text("6 条")
    await expect(words).to_be_hidden()


async def test_it_is_stopped_and_written_anew_or_dropped(theatre: OpenTheatre) -> None:
    """What came by then can be used; the engine is left alone."""
    desk, tool = await open_refresh(theatre, TOLD, stepped=True)
    engine, words = desk.house.engine, tool.locator(".model-summary .words")
    await tool.get_by_role("button", name="让模型起草").click()
    await expect(words).to_have_text("模型在读前面的正文……")
    engine.step()
    await expect(words).to_have_text("沈舟雨夜来到灯")
    await tool.get_by_role("button", name="停下").click()
    await expect(tool.get_by_role("button", name="放进提要")).to_be_visible()
    await expect(words).to_have_text("沈舟雨夜来到灯")
    await until(lambda: engine.cancelled)
    await tool.get_by_role("button", name="再写一版").click()
    await until(lambda: len(engine.asked) == 2)
    engine.step(2)
    await expect(words).to_have_text(TOLD)
    await tool.get_by_role("button", name="不要").click()
    await expect(words).to_be_hidden()
    await expect(desk.page.locator("#summary")).to_have_value("")


async def test_what_goes_wrong_is_said_and_costs_no_word(theatre: OpenTheatre) -> None:
    """Nothing to tell; an engine that fails in the middle, after which what came can still be used."""
    desk, tool = await open_refresh(theatre, TOLD, stepped=True)
    page, said = desk.page, desk.page.locator("#said")
    await page.fill("#last-lines", "6")
    await tool.get_by_role("button", name="让模型起草").click()
    await expect(said).to_contain_text("没有要概括的剧情")
    await page.fill("#last-lines", KEPT)
    await tool.get_by_role("button", name="让模型起草").click()
    await until(lambda: desk.house.engine.asked)
    desk.house.engine.step()
    await expect(tool.locator(".model-summary .words")).to_have_text("沈舟雨夜来到灯")
    desk.house.engine.fail("模型进程意外退出。")
    await expect(said).to_contain_text("模型进程意外退出")
    await tool.get_by_role("button", name="放进提要").click()
    await expect(page.locator("#summary")).to_have_value("沈舟雨夜来到灯")


async def test_an_answer_that_breaks_off_is_said(theatre: OpenTheatre) -> None:
    """The words that came stay; they are not taken for all of it."""
    desk, tool = await open_refresh(theatre, TOLD)
    half = json.dumps({"text": "沈舟雨夜"}) + "\n"
    await desk.page.route("**/summary", lambda route: route.fulfill(content_type="application/x-ndjson", body=half))
    await tool.get_by_role("button", name="让模型起草").click()
    await expect(desk.page.locator("#said")).to_contain_text("服务器没有回音")
    await expect(tool.locator(".model-summary .words")).to_have_text("沈舟雨夜")
