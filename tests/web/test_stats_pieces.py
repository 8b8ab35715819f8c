"""What is read in a thread is read to the end, whoever has gone meanwhile."""

from __future__ import annotations

import asyncio
import threading

import pytest

from bot.web.stats import to_the_end


async def test_whoever_is_cancelled_waits_for_the_thread() -> None:
    """The program ends during a download: the database is closed after the query, not under it."""
    begun, go_on, done = (threading.Event() for _ in range(3))

    def work() -> None:
        begun.set()
        assert go_on.wait(30)
        done.set()

    download = asyncio.create_task(to_the_end(work))
    await asyncio.to_thread(begun.wait, 30)
    download.cancel()
    for _ in range(10):
        await asyncio.sleep(0)
    assert not download.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await download
    assert done.is_set()
