"""SIGKILL of the model's process, whatever it is doing: it costs the answers in progress, and nothing else."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import cast

import pytest
import pytest_asyncio

from bot.engine import process
from bot.engine.process import LocalEngine
from bot.engine.states.keeping import Keeping
from bot.engine.types import DraftDone, DraftText, EngineError, EngineState, Prompt, Sampling
from tests.engine.test_process import ENDLESS, PROMPT, SHORT, Running, Watch, collect, done, running
from tests.engine.test_worker import alive
from tests.waiting import until

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
    pytest.mark.asyncio(loop_scope="module"),
]

Answer = AsyncGenerator[DraftText | DraftDone, None]
Reader = asyncio.Task[None]
LONG = Prompt(("很长很长的背景。" * 20_000,))  # some seconds of reading


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def victim(tiny_path: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """One engine that is killed again and again; its states go to the disk."""
    keeping = Keeping(memory=1 << 20, disk=64 << 20, folder=tmp_path_factory.mktemp("states"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "FIRST_PAUSE", 0.01)
        async with running(tiny_path, keeping=keeping) as engine_and_watch:
            yield engine_and_watch


def ask(engine: LocalEngine, prompt: Prompt, count: int, sampling: Sampling) -> Answer:
    return cast(Answer, engine.drafts(prompt, count, sampling))


def kill(engine: LocalEngine) -> int:
    pid = engine.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    return pid


def read(answer: Answer) -> Reader:
    """To its end, while the test does something else."""

    async def all_of_it() -> None:
        async for _event in answer:
            pass

    return asyncio.create_task(all_of_it())


async def starting(engine: LocalEngine, watch: Watch) -> list[Reader]:
    """A new process, which has not done anything yet."""
    before = kill(engine)
    await until(lambda: engine.pid not in (None, before))
    return []


def until_it_has_mapped(name: str, maps: Path) -> None:
    """Our loop stands still meanwhile: even if it is ready by then, nobody has heard so."""
    while name not in maps.read_text():
        time.sleep(0.002)


async def loading(engine: LocalEngine, watch: Watch) -> list[Reader]:
    """It has torch in its memory, and is not ready."""
    await starting(engine, watch)
    until_it_has_mapped("libtorch", Path(f"/proc/{engine.pid}/maps"))
    assert engine.status.state is EngineState.RESTARTING
    with pytest.raises(EngineError, match="正在重启"):
        await collect(engine)
    return []


async def idle(engine: LocalEngine, watch: Watch) -> list[Reader]:
    await watch.until(lambda status: status.figures.get("rows") == 0)
    return []


async def reading(engine: LocalEngine, watch: Watch) -> list[Reader]:
    """Some of a long prompt is read, and one more waits behind it."""
    readers = [read(ask(engine, LONG, 1, SHORT)), read(ask(engine, LONG, 3, SHORT))]
    await watch.until(lambda status: status.figures.get("queue") == 2 and status.figures["tokens_read"] > 1000)
    return readers


async def growing(engine: LocalEngine, watch: Watch) -> list[Reader]:
    """Two answers, and both have said something."""
    answers = [ask(engine, PROMPT, 2, ENDLESS), ask(engine, PROMPT, 1, ENDLESS)]
    for answer in answers:
        await anext(answer)
    return [read(answer) for answer in answers]


async def finished(engine: LocalEngine, watch: Watch) -> list[Reader]:
    """All that it owed has come; the reader has not asked for more yet."""
    answer = ask(engine, PROMPT, 2, SHORT)
    open_ = {0, 1}
    while open_:
        event = await anext(answer)
        open_ -= {event.index} if isinstance(event, DraftDone) else set()
    return [read(answer)]


async def cancelling(engine: LocalEngine, watch: Watch) -> list[Reader]:
    """The word that nobody listens any more is on its way; another answer grows."""
    answers = [ask(engine, PROMPT, 2, ENDLESS), ask(engine, PROMPT, 1, ENDLESS)]
    for answer in answers:
        await anext(answer)
    await answers[0].aclose()
    return [read(answers[1])]


def files(folder: Path) -> set[Path]:
    return {*folder.rglob("*")}


async def writing_states(engine: LocalEngine, watch: Watch) -> list[Reader]:
    """The first file of a new prompt's states has appeared; there are more to come."""
    folder = Path(next(part for part in engine._command if part.startswith("--states-folder=")).partition("=")[2])
    before = files(folder)
    parts = (f"{len(before)}", *["新的背景。"] * 4, "小溪:")
    answer = ask(engine, Prompt(parts, keep=(1, 2, 3, 4)), 1, ENDLESS)
    await anext(answer)
    await until(lambda: files(folder) - before)
    return [read(answer)]


PHASES = [starting, loading, idle, reading, growing, finished, cancelling, writing_states]


@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.__name__)
async def test_it_comes_back_from_every_death(
    victim: Running, phase: Callable[[LocalEngine, Watch], Awaitable[list[Reader]]]
) -> None:
    """The answers in progress end with an EngineError, the process is gone, another takes its place by itself, and the
    next answer is right."""
    engine, watch = victim
    expected = done(await collect(engine, 2))
    readers = await phase(engine, watch)
    pid = kill(engine)
    async with asyncio.timeout(60):
        ends = await asyncio.gather(*readers, return_exceptions=True)
    assert ends == [None] if phase is finished else all("再试一次" in str(end) for end in ends)
    assert all(isinstance(end, EngineError) for end in ends if end is not None)
    await watch.state(EngineState.RESTARTING)
    await until(lambda: engine.pid not in (None, pid))  # what the dead one said last may have been that it is ready
    await watch.state(EngineState.READY)
    assert engine.pid not in (None, pid) and not alive(pid)
    assert not engine._answers
    assert done(await collect(engine, 2)) == expected
