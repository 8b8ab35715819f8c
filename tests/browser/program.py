"""`cohost run`, started as a person starts it, on a free port."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.browser.theatre import OPERATOR_TOKEN, OVERLAY_TOKEN

ROOT = Path(__file__).parents[2]
TOKENS = {
    "COHOST_OPERATOR_TOKEN": OPERATOR_TOKEN,
    "COHOST_OVERLAY_TOKEN": OVERLAY_TOKEN,
    "COHOST_CHAT_TOKEN": "chat-token-for-tests",
}
CONFIG = """
save: Save
web: {port: 0}
approval: {expire: {super_chat: 0, guard: 0, gift_text: 0, mention: 0, question: 0, other: 0}}
overlay: {min_seconds: 3, seconds_per_char: 0.2, max_seconds: 60}
adapters: {websocket: {server: {enabled: false}}}
"""


async def panel_address(lines: asyncio.StreamReader) -> str:
    async with asyncio.timeout(120):
        async for line in lines:
            if "场控面板" in line.decode():
                return line.decode().split(": ", 1)[1].strip()
    pytest.fail("the program ended before it had begun")


@contextlib.asynccontextmanager
async def running(folder: Path, *arguments: str) -> AsyncIterator[str]:
    """The program on a free port; gives the panel's address as the program prints it."""
    (folder / "config.yaml").write_text(CONFIG, encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-u", "-m", "bot", "run", "--config", str(folder / "config.yaml"), *arguments),
        cwd=ROOT,
        env={**os.environ, **TOKENS, "PYTHONUTF8": "1"},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    try:
        yield await panel_address(process.stdout)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.communicate()
