"""The model's process: what it costs when it dies, and that nothing of it is left behind."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import re
import resource
import shutil
import signal
import sys
import tracemalloc
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from bot.engine import process
from bot.engine.process import LocalEngine
from bot.engine.states.keeping import IN_MEMORY, Keeping
from bot.engine.types import (
    Counted,
    DraftDone,
    DraftText,
    EngineError,
    EngineState,
    EngineStatus,
    Prompt,
    Reading,
    Sampling,
)
from tests.engine.test_worker import alive
from tests.waiting import until

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
    pytest.mark.asyncio(loop_scope="module"),
]

PROMPT = Prompt(("背景。", "\n\n", "小溪:"), keep=(2,))
SHORT = Sampling(max_tokens=10, seed=1)
ENDLESS = Sampling(max_tokens=4000, min_tokens=4000)


class Watch:
    """Everything that the engine said about itself, and a way to wait for more."""

    def __init__(self) -> None:
        self.seen: list[EngineStatus] = []
        self._changed = asyncio.Event()

    def __call__(self, status: EngineStatus) -> None:
        self.seen.append(status)
        self._changed.set()

    async def until(self, happened: Callable[[EngineStatus], bool]) -> EngineStatus:
        """The first status, from the present one on, for which `happened` holds."""
        begin = max(0, len(self.seen) - 1)
        async with asyncio.timeout(60):
            while not any(map(happened, self.seen[begin:])):
                self._changed.clear()
                await self._changed.wait()
        return next(filter(happened, self.seen[begin:]))

    async def state(self, state: EngineState) -> EngineStatus:
        return await self.until(lambda status: status.state is state)

    def states(self) -> list[str]:
        """The states in order, without repetitions."""
        names = [str(status.state) for status in self.seen]
        return [name for i, name in enumerate(names) if i == 0 or names[i - 1] != name]


Running = tuple[LocalEngine, Watch]


@asynccontextmanager
async def running(model: Path, strategy: str = "cpu fp32", keeping: Keeping = IN_MEMORY) -> AsyncIterator[Running]:
    """An engine that is ready; ended afterwards."""
    watch = Watch()
    engine = LocalEngine(model, strategy, on_status=watch, threads=1, keeping=keeping)
    task = asyncio.create_task(engine.run())
    try:
        await watch.state(EngineState.READY)
        yield engine, watch
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tiny_path: Path) -> AsyncIterator[Running]:
    """One engine for the tests that leave it as they found it: starting one takes two seconds."""
    async with running(tiny_path) as engine_and_watch:
        yield engine_and_watch


async def collect(engine: LocalEngine, count: int = 1, s: Sampling = SHORT) -> list[DraftText | DraftDone]:
    async with asyncio.timeout(60):
        return [event async for event in engine.drafts(PROMPT, count, s)]


def done(events: list[DraftText | DraftDone]) -> dict[int, str]:
    return {event.index: event.text for event in events if isinstance(event, DraftDone)}


async def test_drafts_come_from_another_process(shared: Running) -> None:
    """They grow, end and repeat by their seed; several answers at once; figures are told."""
    engine, watch = shared
    assert watch.seen[-1].detail == "cpu fp32" and watch.seen[-1].model == "tiny.safetensors"
    three = await collect(engine, 3)
    assert sorted(done(three)) == [0, 1, 2]
    async with aclosing(engine.drafts(PROMPT, 1, ENDLESS)) as answer:
        assert isinstance(await anext(answer), DraftText)  # a short one may be whole before anybody has looked
    assert all(done(three)[e.index].startswith(e.text) for e in three if isinstance(e, DraftText))
    answers = await asyncio.gather(*(collect(engine, 2) for _ in range(4)))
    assert all(done(answer) == {i: done(three)[i] for i in (0, 1)} for answer in answers)
    figures = (await watch.until(lambda status: status.figures.get("tokens_drawn", 0) > 30)).figures
    assert figures["tokens_drawn"] > 30 and figures["tokens_per_second"] > 0 and figures["memory_bytes"] > 10**7


async def test_auto_says_what_it_chose_and_why(tiny_path: Path) -> None:
    """Where the panel shows how the engine runs: a strategy that could be written, and the reason."""
    async with running(tiny_path, "auto") as (_, watch):
        assert re.fullmatch(r"cpu (fp32|bf16)( · .+)?（auto：小模型.+）", watch.seen[-1].detail)


async def test_a_killed_process_costs_its_answers_and_comes_back(shared: Running) -> None:
    """Both answers in flight are told; the status says so; after the restart the same can be asked again."""
    engine, watch = shared
    expected = done(await collect(engine, 2))
    first, second = engine.drafts(PROMPT, 2, ENDLESS), engine.drafts(PROMPT, 1, ENDLESS)
    await anext(first)
    await anext(second)
    assert engine.pid is not None
    os.kill(engine.pid, signal.SIGKILL)
    for answer in (first, second):
        with pytest.raises(EngineError, match="再试一次"):
            async for _ in answer:
                pass
    assert engine.status.state is EngineState.RESTARTING and "SIGKILL" in engine.status.detail
    with pytest.raises(EngineError, match="正在重启"):
        await collect(engine)
    await watch.state(EngineState.READY)
    assert done(await collect(engine, 2)) == expected
    assert watch.states()[-3:] == ["ready", "restarting", "ready"]


async def test_the_keyboard_interrupt_is_left_to_the_panel(shared: Running) -> None:
    """Ctrl-C reaches every process of a terminal; the worker goes on until the panel has decided."""
    engine, _ = shared
    assert engine.pid is not None and os.getpgid(engine.pid) != os.getpgid(0)
    os.kill(engine.pid, signal.SIGINT)
    assert done(await collect(engine))


def address_space(pid: int) -> int:
    """Bytes that a process has mapped."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * 4096


async def test_an_allocation_that_fails_costs_one_answer(world_path: Path) -> None:
    """A real one: the process may take 6 MB more, and 60 rows of logits are 15. Another answer goes on meanwhile.
    In the end the process is gone within a second."""
    async with running(world_path) as (engine, watch):
        await collect(engine)
        assert engine.pid is not None
        pid = engine.pid
        async with aclosing(engine.drafts(PROMPT, 1, ENDLESS)) as other:
            await anext(other)
            size = address_space(pid)
            before = resource.prlimit(pid, resource.RLIMIT_AS, (size + (6 << 20), resource.RLIM_INFINITY))
            with pytest.raises(EngineError, match="内存不够"):
                await collect(engine, 60)
            resource.prlimit(pid, resource.RLIMIT_AS, before)
            for _ in range(3):
                await anext(other)
        assert len(done(await collect(engine, 60))) == 60
        assert engine.pid == pid and "restarting" not in watch.states()
    assert engine.pid is None and not alive(pid)


async def test_an_answer_that_nobody_reads_any_more_is_stopped(shared: Running) -> None:
    """Closing the iterator empties the batch."""
    engine, watch = shared
    async with aclosing(engine.drafts(PROMPT, 5, ENDLESS)) as answer:
        await anext(answer)
        await watch.until(lambda status: status.figures.get("rows") == 5)
    await watch.until(lambda status: status.figures.get("rows") == 0)
    assert done(await collect(engine))


SCENE = Prompt(("很久很久以前。" * 60, *(f"第{n}天。" * 9 for n in range(60)), "小溪:"), keep=(1, 20, 40))


async def test_a_prompt_is_read_ahead_and_texts_are_counted(tiny_path: Path) -> None:
    """It tells how far it is, and drafts need no more reading; counts are those of the model's own tokens."""
    async with running(tiny_path) as (engine, watch):
        seen = [reading async for reading in engine.read(SCENE)]
        total = seen[-1].total
        assert seen[0] == Reading(0, total) and seen[-1].done == total > 1000
        assert [one.done for one in seen] == sorted({one.done for one in seen})
        assert [reading async for reading in engine.read(SCENE)] == [Reading(0, 0)]
        counted = await engine.count([*SCENE.parts, ""])
        assert counted.exact and sum(counted.tokens) == total and counted.tokens[-1] == 0
        async with aclosing(engine.drafts(SCENE, 1, SHORT)) as answer:
            assert [event async for event in answer]
        drawn = await watch.until(lambda status: status.figures.get("tokens_drawn", 0) > 0)
        assert drawn.figures["tokens_read"] == total


async def test_a_reading_that_nobody_wants_any_more_is_stopped(shared: Running) -> None:
    """Closing the iterator empties the queue."""
    engine, watch = shared
    async with aclosing(engine.read(Prompt(("另一个很长的故事。" * 4000,)))) as reading:
        assert (await anext(reading)).total > 10_000
    await watch.until(lambda status: status.figures.get("queue") == 0)
    assert done(await collect(engine))


async def test_a_killed_process_loses_its_readings_and_estimates_meanwhile(tiny_path: Path) -> None:
    """Whoever reads is told in words; counts go on without it, and say that they are estimates."""
    async with running(tiny_path) as (engine, watch):
        async with aclosing(engine.read(Prompt(("第三个很长的故事。" * 4000,)))) as reading:
            await anext(reading)
            assert engine.pid is not None
            os.kill(engine.pid, signal.SIGKILL)
            with pytest.raises(EngineError, match="意外退出"):
                while True:
                    await anext(reading)
        assert await engine.count(["晚上好", "good evening"]) == Counted((3, 4), exact=False)
        with pytest.raises(EngineError):
            await anext(engine.read(SCENE))
        await watch.state(EngineState.READY)
        assert (await engine.count(["晚上好"])).exact


async def test_a_count_that_comes_for_somebody_who_has_just_left_harms_nobody(shared: Running) -> None:
    """Cancelled, but not yet told so: the page was closed in the same turn in which the answer came."""
    engine, _ = shared
    counting = asyncio.create_task(engine.count(["晚上好"]))
    await asyncio.sleep(0)  # one turn: the question is asked, and the answer cannot have come
    (number,) = engine._counts
    counting.cancel()
    engine._deliver({"is": "counted", "answer": number, "tokens": [3]})
    with pytest.raises(asyncio.CancelledError):
        await counting
    assert (await engine.count(["晚上好"])).exact


async def test_a_process_that_cannot_be_started_is_started_later(
    tiny_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What killed the last one, too little memory, may refuse the next one as well, for a while."""
    start, refused = process._start, [OSError(errno.ENOMEM, "Cannot allocate memory")] * 2

    async def scarce(command: list[str]) -> asyncio.subprocess.Process:
        if refused:
            raise refused.pop()
        return await start(command)

    async with running(tiny_path) as (engine, watch):
        monkeypatch.setattr(process, "_start", scarce)
        monkeypatch.setattr(process, "FIRST_PAUSE", 0.01)
        assert engine.pid is not None
        os.kill(engine.pid, signal.SIGKILL)
        await watch.until(lambda status: "Cannot allocate memory" in status.detail)
        await watch.state(EngineState.READY)
        assert not refused and done(await collect(engine))


async def test_a_process_that_dies_while_it_counts_is_waited_for_no_longer(tiny_path: Path) -> None:
    """It is stopped, so that the request stays unanswered, and then killed."""
    async with running(tiny_path) as (engine, _):
        assert engine.pid is not None
        os.kill(engine.pid, signal.SIGSTOP)
        counting = asyncio.create_task(engine.count(["晚上好"]))
        await until(lambda: bool(engine._counts))
        os.kill(engine.pid, signal.SIGKILL)
        assert await counting == Counted((3,), exact=False)


async def test_a_slow_reader_gets_the_newest_text(shared: Running) -> None:
    """What it missed is not kept: one event a draft waits, however long it slept (here until a longer answer that grew
    beside it was complete)."""
    engine, _ = shared
    async with aclosing(engine.drafts(PROMPT, 2, Sampling(max_tokens=200, min_tokens=200, seed=3))) as answer:
        await anext(answer)
        await collect(engine, 1, Sampling(max_tokens=300, min_tokens=300))
        rest = [event async for event in answer]
    assert len(rest) == 2
    assert sorted(done(rest)) == [0, 1]


async def failed(model: Path, strategy: str = "cpu fp32") -> EngineStatus:
    """How an engine ends that cannot ever work: by itself."""
    engine = LocalEngine(model, strategy, threads=1)
    async with asyncio.timeout(60):
        await engine.run()
    with pytest.raises(EngineError):
        await collect(engine)
    return engine.status


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    (tmp_path / "broken.pth").write_bytes(b"not a model")
    return tmp_path / "broken.pth"


@pytest.fixture
def alone(tmp_path: Path, tiny_path: Path) -> Path:
    """A good model whose tokenizer was left behind."""
    shutil.copy(tiny_path, tmp_path / "alone.safetensors")
    return tmp_path / "alone.safetensors"


async def test_a_model_that_cannot_work_is_said_and_not_tried_again(
    tmp_path: Path, tiny_path: Path, broken: Path, alone: Path
) -> None:
    """Missing, broken, without its tokenizer, an unknown strategy: state `failed`, what to do, no restart."""
    results = await asyncio.gather(
        failed(tmp_path / "missing.pth"), failed(broken), failed(alone), failed(tiny_path, "gpu please")
    )
    assert [result.state for result in results] == [EngineState.FAILED] * 4
    for result, word in zip(results, ["找不到模型文件", "broken.pth", "tokenizer.json", "cpu fp32"], strict=True):
        assert word in result.detail


async def test_a_process_that_never_starts_is_given_up(tiny_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five times, with growing pauses; then a person has to act, and is told the last words."""
    monkeypatch.setattr(process, "FIRST_PAUSE", 0.001)
    watch = Watch()
    engine = LocalEngine(tiny_path, "cpu fp32", on_status=watch)
    engine._command = [sys.executable, "-c", "raise SystemExit('no luck')"]
    async with asyncio.timeout(60):
        await engine.run()
    assert watch.states() == ["restarting", "failed"]
    assert "5 次" in engine.status.detail and "no luck" in engine.status.detail


TORN = """
import sys
print('{"is": "ready", "strategy": "x"}', flush=True)
sys.stdin.readline()
sys.stdout.write('{"is": "grew", "answer": 1, "ind')
"""


async def test_half_a_frame_of_a_dying_process_is_no_frame(tiny_path: Path) -> None:
    """It may be killed while it writes; the answer is lost, the panel is not."""
    watch = Watch()
    engine = LocalEngine(tiny_path, "cpu fp32", on_status=watch)
    engine._command = [sys.executable, "-c", TORN]
    task = asyncio.create_task(engine.run())
    await watch.state(EngineState.READY)
    with pytest.raises(EngineError, match="意外退出"):
        await collect(engine)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_many_answers_leave_nothing_behind(shared: Running) -> None:
    """In the panel's process: read to the end or closed early, its memory does not grow."""
    engine, watch = shared

    async def answers(n: int) -> None:
        for i in range(n):
            async with aclosing(engine.drafts(PROMPT, 2, SHORT)) as answer:
                async for _event in answer:
                    if i % 3 == 0:
                        break

    await answers(20)
    tracemalloc.start()
    try:
        await answers(20)
        watch.seen[:-1] = []
        before, _ = tracemalloc.get_traced_memory()
        await answers(60)
        watch.seen[:-1] = []  # the test's own
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 60 * 500
    assert not engine._answers


async def test_drafts_before_the_model_is_loaded_are_refused(tiny_path: Path) -> None:
    """At once, with the reason."""
    engine = LocalEngine(tiny_path, "cpu fp32")
    assert engine.status.state is EngineState.LOADING
    with pytest.raises(EngineError, match="载入"):
        await collect(engine)


async def test_one_that_hangs_is_killed_however_hurried_the_end(tiny_path: Path) -> None:
    """A stopped process does not hear that its input ended; a second cancellation comes while it is waited for."""
    watch = Watch()
    engine = LocalEngine(tiny_path, "cpu fp32", on_status=watch, threads=1)
    task = asyncio.create_task(engine.run())
    await watch.state(EngineState.READY)
    pid = engine.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    task.cancel()
    await until(lambda: engine.pid is None)  # the end has begun
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await until(lambda: not alive(pid))
