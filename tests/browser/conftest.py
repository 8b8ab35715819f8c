"""One Chromium for all browser tests, and a show for each."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from tests.browser.theatre import QUIET, Theatre, find_chromium

expect.set_options(timeout=30_000)

OpenTheatre = Callable[..., Awaitable[Theatre]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        chromium = find_chromium(playwright)
        if chromium is None:
            missing = "no Chromium found: install chromium or Google Chrome, or run `playwright install chromium`"
            if os.environ.get("CI"):
                pytest.fail(missing)
            pytest.skip(missing)
        browser = await playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def theatre(browser: Browser, tmp_path: Path) -> AsyncIterator[OpenTheatre]:
    """Opens a theatre: `await theatre("draft", …)`. At the end no page may have complained."""
    opened: list[Theatre] = []
    async with contextlib.AsyncExitStack() as stack:

        async def start(*words: str, **options: Any) -> Theatre:
            house = Theatre(
                tmp_path / f"Save{len(opened)}", browser, list(words) or ["晚上好呀！", "来啦来啦。"], **options
            )
            opened.append(house)
            return await stack.enter_async_context(house.playing())

        yield start
        for context in browser.contexts:
            await context.close()
    assert [fault for house in opened for fault in house.faults] == []
