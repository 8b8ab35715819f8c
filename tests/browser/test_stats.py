"""The page of figures in a browser: what it shows before there is anything, plots by pointer and by key, the phone."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import OpenTheatre
from tests.browser.theatre import PHONE, Theatre
from tests.figures.season import broadcasts

pytestmark = pytest.mark.asyncio(loop_scope="session")

NOON = datetime.now().replace(hour=12, minute=0, second=0, microsecond=0).timestamp()


async def stats(house: Theatre, query: str = "", *, today: float | None = NOON, **options: object) -> Page:
    """`today`: what the page takes for now, whenever the tests cross midnight; None: what it is."""
    page = await house.panel(ready=False, **options)
    if today is not None:
        await page.clock.set_fixed_time(datetime.fromtimestamp(today))
    await page.goto(house.url(f"/stats{query}"))
    await page.wait_for_selector("#stats:not([aria-busy])")
    return page


async def test_before_there_is_anything_it_says_what_will_be_here(theatre: OpenTheatre) -> None:
    page = await stats(await theatre())
    await expect(page.locator("#empty")).to_contain_text("直接采用")
    await expect(page.locator("#figures")).to_be_hidden()


async def test_a_live_decision_is_in_the_figures(theatre: OpenTheatre) -> None:
    """Through the real show: one generation, one decision, one hit."""
    house = await theatre("晚上好呀！", "来啦来啦。")
    panel = await house.panel()
    house.hear("你是谁？")
    await panel.get_by_role("button", name="认可").first.wait_for()
    await panel.wait_for_function("() => document.querySelectorAll('#drafts li, .draft').length >= 2")
    while not (cards := [card for card in house.items("pending") if not card["drafting"] and card["drafts"]]):
        await panel.wait_for_timeout(50)
    answer = await panel.request.post(
        house.url(f"/api/items/{cards[0]['id']}/approve"), data={"revision": cards[0]["revision"], "text": "晚上好呀！"}
    )
    assert answer.ok
    page = await stats(house, today=None)
    await expect(page.locator("[data-tile=generations] dd").first).to_have_text("1")
    await expect(page.locator("[data-tile=characters] dd").first).to_have_text("10")
    await expect(page.locator("[data-tile=hits] dd")).to_have_text(["1", "占 100%"])
    await expect(page.locator("[data-fate=taken]")).to_contain_text("100%")
    await expect(page.locator("#characters tbody th")).to_have_text(["小芽"])


async def test_a_plot_is_read_by_pointer_by_key_and_as_a_table(theatre: OpenTheatre) -> None:
    """The three say the same of one day."""
    house = await theatre()
    broadcasts(house.save, 9, NOON)
    page = await stats(house)
    plot = page.locator(".plot").first
    today = f"{datetime.fromtimestamp(NOON):%Y-%m-%d}"
    await plot.locator("svg").focus()
    await page.keyboard.press("End")
    await expect(plot.locator(".tip strong")).to_have_text(today)
    by_key = await plot.locator(".tip ul").inner_text()
    await page.keyboard.press("ArrowLeft")
    await expect(plot.locator(".tip strong")).to_have_text(
        f"{datetime.fromtimestamp(NOON) - timedelta(days=1):%Y-%m-%d}"
    )
    await page.keyboard.press("Escape")
    await expect(plot.locator(".tip")).to_be_empty()
    box = await plot.locator("svg").bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + box["width"] - 24, box["y"] + 60)
    await expect(plot.locator(".tip strong")).to_have_text(today)
    assert await plot.locator(".tip ul").inner_text() == by_key
    await plot.locator("summary").click()
    row = plot.locator("tbody tr").first
    await expect(row.locator("th")).to_have_text(today)
    cells = [int(text) for text in await row.locator("td").all_inner_texts()]
    assert sum(cells) == sum(int(line.split()[-1]) for line in by_key.splitlines() if line.split()[-1].isdigit())


async def test_a_range_and_a_place_can_be_asked_for(theatre: OpenTheatre) -> None:
    """The address keeps the question; the figures of the range are those of its days; the file says the same."""
    house = await theatre()
    broadcasts(house.save, 40, NOON)
    page = await stats(house)
    generations = page.locator("[data-tile=generations] dd").first
    month = int(await generations.inner_text())
    await page.get_by_role("button", name="全部").click()
    await expect(generations).not_to_have_text(str(month))
    everything = await generations.inner_text()
    assert int(everything.replace(",", "")) > month
    await page.get_by_role("button", name="7 天").click()
    await expect(page.locator("#spans [aria-pressed=true]")).to_have_text("7 天")
    await expect(generations).not_to_have_text(everything)
    week, query = int(await generations.inner_text()), await page.evaluate("location.search.slice(1)")
    answer = await page.request.get(house.url(f"/api/stats.csv?{query}"))
    rows = list(csv.DictReader(io.StringIO((await answer.body()).decode("utf-8-sig"))))
    assert sum(int(row["generations"]) for row in rows) == week
    await page.reload()
    await expect(generations).to_have_text(str(week))
    await page.locator("select[name=place]").select_option("desk")
    await expect(page.locator("#empty")).to_be_visible()


async def test_a_server_that_says_no_is_heard(theatre: OpenTheatre) -> None:
    """In its own words, and what stood there stays."""
    house = await theatre()
    broadcasts(house.save, 3, NOON)
    page = await stats(house)
    await page.locator("input[name=from]").fill(f"{datetime.fromtimestamp(NOON) + timedelta(days=9):%Y-%m-%d}")
    await expect(page.locator("#said")).to_contain_text("对调")
    await expect(page.locator("#figures")).to_be_visible()


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_on_the_phone_nothing_is_wider_than_the_screen(theatre: OpenTheatre, language: str) -> None:
    """And a tap on a plot tells what is there; a target is as big as a thumb."""
    house = await theatre()
    broadcasts(house.save, 30, NOON)
    before = f'localStorage.setItem("cohost.lang", JSON.stringify("{language}"))'
    page = await stats(house, viewport=PHONE, has_touch=True, before=before)
    assert await page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    svg = page.locator(".plot svg").first
    await svg.scroll_into_view_if_needed()
    box = await svg.bounding_box()
    assert box is not None
    await page.touchscreen.tap(box["x"] + box["width"] - 24, box["y"] + 50)
    tip = page.locator(".plot .tip").first
    await expect(tip).not_to_be_empty()
    at = await tip.bounding_box()
    assert at is not None and at["x"] >= 0 and at["x"] + at["width"] <= PHONE["width"]
    small = await page.evaluate(
        "() => [...document.querySelectorAll('main button, main select, main input, main a, main summary')]"
        ".filter((node) => node.offsetParent && node.offsetHeight < 44).map((node) => node.outerHTML.slice(0, 80))"
    )
    assert small == []
