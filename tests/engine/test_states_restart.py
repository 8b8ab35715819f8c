"""A scene goes on after a restart without being read again: with real processes, ended in every way."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import pytest_asyncio
from safetensors.torch import load_file, save_file

from bot.engine.process import LocalEngine
from bot.engine.states.keeping import IN_MEMORY, Keeping
from bot.engine.types import DraftDone, EngineState, Prompt, Sampling
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

SCENE = ("很久很久以前，" * 60, "\n\n")
STORY = tuple(part for n in range(20) for part in ("阿强:", f" 你好{n}", "\n\n"))
CUE = ("观众:", " hello", "\n\n", "小溪:")
PROMPT = Prompt((*SCENE, *STORY, *CUE), keep=(len(SCENE), len(SCENE) + len(STORY)))
GREEDY = Sampling(temperature=0, presence=0, frequency=0, max_tokens=20)
FREE = Sampling(top_p=0.95, max_tokens=20, seed=5)


@dataclass
class Life:
    """A process with the model in it, from start to end."""

    engine: LocalEngine
    folder: Path

    async def ask(self, prompt: Prompt, sampling: Sampling = FREE, count: int = 2) -> list[str]:
        found = {}
        async with asyncio.timeout(60):
            async for event in self.engine.drafts(prompt, count, sampling):
                if isinstance(event, DraftDone):
                    found[event.index] = event.text
        return [found[index] for index in range(count)]

    def figure(self, name: str) -> float:
        return self.engine.status.figures.get(name, -1)

    async def tokens_read(self) -> float:
        """As soon as the process has told it: a frame of figures follows the last draft."""
        await until(lambda: self.figure("tokens_drawn") > 0)
        return self.figure("tokens_read")

    async def on_disk(self, states: int) -> None:
        await until(lambda: len(list(self.folder.rglob("*.safetensors"))) >= states)


@asynccontextmanager
async def life(model: Path, folder: Path, *, tuned: Path | None = None, limit: int = 1 << 30) -> AsyncIterator[Life]:
    keeping = Keeping(disk=limit, folder=folder) if limit else IN_MEMORY
    engine = LocalEngine(model, "cpu fp32", threads=1, keeping=keeping, tuned=tuned)
    task = asyncio.create_task(engine.run())
    try:
        await until(lambda: engine.status.state is not EngineState.LOADING, 60)
        if engine.status.state is EngineState.FAILED:
            await task  # which ends by itself, and its process with it
        assert engine.status.state is EngineState.READY, engine.status.detail
        yield Life(engine, folder)
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "states"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plain(tiny_path: Path) -> AsyncIterator[Life]:
    """Says what is said when nothing is ever kept on disk."""
    async with life(tiny_path, Path(), limit=0) as one:
        yield one


async def test_a_restart_reads_nothing_again(tiny_path: Path, folder: Path, plain: Life) -> None:
    """The same prompt, the same text, greedy or drawn; a scene that grew costs only what is new."""
    grown = replace(PROMPT, parts=(*SCENE, *STORY, *CUE, " 好", "\n\n", *CUE), keep=(len(SCENE), len(PROMPT.parts) + 2))
    expected = [await plain.ask(PROMPT), await plain.ask(PROMPT, GREEDY), await plain.ask(grown)]
    async with life(tiny_path, folder) as one:
        assert await one.ask(PROMPT) == expected[0]
        await one.on_disk(3)
        whole = await one.tokens_read()
    assert whole > 500
    async with life(tiny_path, folder) as one:
        assert await one.ask(PROMPT) == expected[0]
        assert await one.tokens_read() == 0
        assert await one.ask(PROMPT, GREEDY) == expected[1]
        assert await one.ask(grown) == expected[2]
        await until(lambda: 0 < one.figure("tokens_read") < 60)


async def test_a_killed_process_goes_on_as_well(tiny_path: Path, folder: Path) -> None:
    """SIGKILL while drafts grow: the engine starts again by itself and reads nothing again."""
    async with life(tiny_path, folder) as one:
        before = await one.ask(PROMPT)
        await one.on_disk(3)
        assert one.engine.pid is not None
        os.kill(one.engine.pid, signal.SIGKILL)
        await until(lambda: one.engine.status.state is EngineState.RESTARTING)
        await until(lambda: one.engine.status.state is EngineState.READY, 60)
        assert await one.ask(PROMPT) == before
        assert await one.tokens_read() == 0


async def test_a_changed_scenario_is_read(tiny_path: Path, folder: Path, plain: Life) -> None:
    """A word in the middle of the background, and the end of the story: each keeps what comes before it only."""
    background = replace(PROMPT, parts=("很久很久以前。" * 60, *PROMPT.parts[1:]))
    ending = replace(PROMPT, parts=(*SCENE, *STORY[:-3], "阿强:", " 晚上", "\n\n", *CUE))
    expected = [await plain.ask(background), await plain.ask(ending)]
    async with life(tiny_path, folder) as one:
        await one.ask(PROMPT)
        await one.on_disk(3)
        whole = await one.tokens_read()
    async with life(tiny_path, folder) as one:
        assert await one.ask(background) == expected[0]
        assert await one.tokens_read() > 0.9 * whole
        read = await one.tokens_read()
        assert await one.ask(ending) == expected[1]
        await until(lambda: 0 < one.figure("tokens_read") - read < 0.9 * whole)


async def test_another_model_of_the_same_name_reads_for_itself(tiny_path: Path, tmp_path: Path, folder: Path) -> None:
    """A state of one model in another would be nonsense."""
    shutil.copytree(tiny_path.parent, tmp_path / "model")
    model = tmp_path / "model" / tiny_path.name
    async with life(model, folder) as one:
        first = await one.ask(PROMPT)
        await one.on_disk(3)
    weights = load_file(model)
    weights["blocks.0.att.key.weight"] *= 1.5
    save_file(weights, model)
    async with life(model, folder) as one:
        second = await one.ask(PROMPT)
        assert await one.tokens_read() > 500
    async with life(model, folder, limit=0) as one:
        assert await one.ask(PROMPT) == second != first


def damage(folder: Path) -> None:
    for path in folder.rglob("*.safetensors"):
        data = path.read_bytes()
        path.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])


async def test_damage_is_said_and_read_again(tiny_path: Path, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """In the panel's log, and as a figure; the text is the same."""
    async with life(tiny_path, folder) as one:
        expected = await one.ask(PROMPT)
        await one.on_disk(3)
    damage(folder)
    async with life(tiny_path, folder) as one:
        with caplog.at_level(logging.WARNING):
            assert await one.ask(PROMPT) == expected
        assert await one.tokens_read() > 500
        assert one.figure("states_disk_dropped") == 3
    assert sum("损坏" in record.message for record in caplog.records) == 3


async def test_two_shows_share_the_folder(tiny_path: Path, folder: Path, plain: Life) -> None:
    """At the same time, the same scene: both say the right thing, and what one has read the other may use later."""
    expected = await plain.ask(PROMPT)
    async with life(tiny_path, folder) as one, life(tiny_path, folder) as two:
        assert await asyncio.gather(one.ask(PROMPT), two.ask(PROMPT)) == [expected, expected]
        await one.on_disk(3)
    async with life(tiny_path, folder) as three:
        assert await three.ask(PROMPT) == expected
        assert await three.tokens_read() == 0


async def test_no_limit_no_disk(plain: Life) -> None:
    """0 means that nothing is ever written, nor looked for."""
    await plain.ask(PROMPT)
    await plain.tokens_read()
    assert not [name for name in plain.engine.status.figures if name.startswith("states_disk")]
