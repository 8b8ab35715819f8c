"""The peer of `cohost bench intake`: the `blivedm` library's own way from frames to its own classes, where it is installed.

It unpacks compressed frames in a thread; that belongs to what it costs.
"""

from __future__ import annotations

import time
from typing import Any

import blivedm
from aiohttp import ClientSession


class Counting(blivedm.BaseHandler):  # type: ignore[misc]
    """Counts what its models make of commands."""

    def __init__(self) -> None:
        self.heard = 0

    def _on_danmaku(self, client: Any, message: Any) -> None:
        self.heard += 1

    _on_gift = _on_interact_word = _on_danmaku


async def speed(given: list[bytes], messages: int) -> float:
    """Messages a second."""
    async with ClientSession() as session:
        client, handler = blivedm.BLiveClient(1, session=session), Counting()
        client.set_handler(handler)
        start = time.process_time()
        for frame in given:
            await client._parse_ws_message(frame)
        seconds = time.process_time() - start
    assert handler.heard >= messages * 0.9, (
        f"blivedm: {handler.heard} of {messages}"
    )  # who comes in is none of its matter
    return messages / seconds
