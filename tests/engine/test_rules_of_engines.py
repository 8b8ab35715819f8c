"""The rules on words, on length and on going on with a line hold in the model's process, for whole drafts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.engine.process import LocalEngine
from bot.engine.types import DraftDone, EngineError, EngineState, Prompt, Sampling
from tests.waiting import until

HOT = Sampling(top_p=1.0, presence=0, frequency=0, seed=3, max_tokens=30)


@asynccontextmanager
async def running(model: Path) -> AsyncIterator[LocalEngine]:
    engine = LocalEngine(model, "cpu fp32", threads=1)
    task = asyncio.create_task(engine.run())
    try:
        await until(lambda: engine.status.state is EngineState.READY, 60)
        yield engine
    finally:
        task.cancel()
        await asyncio.wait([task])


async def texts(engine: LocalEngine, prompt: Prompt, sampling: Sampling, count: int = 4) -> list[str]:
    async with aclosing(engine.drafts(prompt, count, sampling)) as events:  # type: ignore[type-var]
        return sorted([event.text async for event in events if isinstance(event, DraftDone)])


async def test_rules_hold_for_whole_drafts(tiny_path: Path) -> None:
    """A model of random weights says anything, and so what is forbidden too, until it is told not to."""
    prompt = Prompt(("小溪:",), stops=("\n\n",), start_with=" 好")
    async with running(tiny_path) as engine:
        free = await texts(engine, prompt, HOT, 8)
        letter = max(set("".join(free)) - set("好 \ufffd"), key="".join(free).count)
        told = await texts(engine, prompt, replace(HOT, ban=(letter,)), 8)
        assert any(letter in text for text in free) and not any(letter in text for text in told)

        short = await texts(engine, prompt, replace(HOT, logit_bias=((0, 9.0),)), 8)
        long = await texts(engine, prompt, replace(HOT, logit_bias=((0, 9.0),), min_tokens=20), 8)
        assert all(text.startswith("好") and text != "好" for text in short)
        assert max(map(len, short)) < min(map(len, long))

        alone = await texts(engine, prompt, HOT, 1)
        assert set(alone) <= set(free)  # the same seed, whatever else is in the batch
        with pytest.raises(EngineError, match="没有编号 1000000 的 token"):
            await texts(engine, prompt, replace(HOT, ban=(1000000,)))
        assert await texts(engine, prompt, HOT, 8) == free
