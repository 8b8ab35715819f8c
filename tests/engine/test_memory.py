"""Ten thousand drafts later, neither process is larger than before."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from itertools import count
from pathlib import Path

import pytest

from bot.engine.mailbox import Mailbox
from bot.engine.process import LocalEngine
from bot.engine.states.keeping import Keeping
from bot.engine.types import EngineState, Prompt, Sampling
from tests.waiting import until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

DRAFTS_AT_ONCE = 16
ANSWERS_AT_ONCE = 4
MOST = 1 << 20
"""Bytes that the worker may have grown by. Measured: a third of that."""

LEAKY = """
import sys
from bot.engine import drafting, worker
take, kept = drafting.Draft.take, []
def leaking(draft, token):
    kept.append(bytearray(100))
    return take(draft, token)
drafting.Draft.take = leaking
sys.exit(worker.main())
"""


@pytest.fixture(autouse=True)
def tidy_allocator(monkeypatch: pytest.MonkeyPatch) -> None:
    """glibc gives back what was freed. As it comes, it keeps holes between pieces of all sizes: some 20 MB, which it
    fills in the first 15,000 drafts, and which would hide a leak."""
    monkeypatch.setenv("MALLOC_ARENA_MAX", "1")
    monkeypatch.setenv("MALLOC_MMAP_THRESHOLD_", "16384")


@asynccontextmanager
async def running(model: Path, program: str | None = None) -> AsyncIterator[LocalEngine]:
    """An engine that is ready. States have so little room that it is full after the warm-up."""
    engine = LocalEngine(model, "cpu fp32", threads=1, keeping=Keeping(memory=1 << 20))
    if program is not None:
        engine._command[2:4] = ["-c", program]
    task = asyncio.create_task(engine.run())
    try:
        await until(lambda: engine.status.state is EngineState.READY, 60)
        yield engine
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def draft(engine: LocalEngine, drafts: int, numbers: count[int]) -> None:
    """So many drafts, of many answers at once. Prompts are half old and half new; some readers leave early."""

    async def one_after_another(answers: int) -> None:
        for _ in range(answers):
            number = next(numbers)
            parts = ("背景。", f"{number if number % 2 else number % 10}", "小溪:")
            prompt = Prompt(parts, keep=(1, 2), urgent=number % 5 == 0)
            leaves = number % 7 == 0
            sampling = Sampling(max_tokens=30, min_tokens=30) if leaves else Sampling(max_tokens=3)
            async with aclosing(engine.drafts(prompt, DRAFTS_AT_ONCE, sampling)) as events:
                async for _event in events:
                    if leaves:
                        break

    each = drafts // DRAFTS_AT_ONCE // ANSWERS_AT_ONCE + 1
    await asyncio.gather(*(one_after_another(each) for _ in range(ANSWERS_AT_ONCE)))


async def memory_when_idle(engine: LocalEngine) -> float:
    """Resident bytes of the worker when nothing is left to do."""
    before = engine.status.figures.get("answers_done", 0)
    async with aclosing(engine.drafts(Prompt(("完",)), 1, Sampling(max_tokens=1))) as events:
        async for _event in events:
            pass
    await until(
        lambda: (
            engine.status.figures.get("answers_done", 0) > before
            and engine.status.figures["rows"] == engine.status.figures["queue"] == 0
        )
    )
    return engine.status.figures["memory_bytes"]


async def growth(engine: LocalEngine, drafts: int) -> float:
    """Bytes by which the worker has grown over so many drafts, after a warm-up."""
    numbers = count(1)
    await draft(engine, 2000, numbers)
    before = await memory_when_idle(engine)
    await draft(engine, drafts, numbers)
    after = await memory_when_idle(engine)
    return after - before


async def test_ten_thousand_drafts_leave_nothing_behind(tiny_path: Path) -> None:
    """In the worker, by its resident memory; in the panel's process, where every mailbox is gone."""
    async with running(tiny_path) as engine:
        assert await growth(engine, 10_000) < MOST
        figures = engine.status.figures
        assert figures["answers_done"] > 600 and figures["answers_cancelled"] > 50 and not figures["answers_lost"]
        assert not engine._answers
    gc.collect()
    assert not [thing for thing in gc.get_objects() if type(thing) is Mailbox]


async def test_a_leak_would_be_noticed(tiny_path: Path) -> None:
    """A worker that keeps 100 bytes a token is caught over half as many drafts."""
    async with running(tiny_path, LEAKY) as engine:
        assert await growth(engine, 5000) > MOST
