"""The engine as the panel sees it: drafts from a model that runs in a process of its own. Never imports torch.

A crash of that process costs the answers in progress and nothing else: it is started again, with growing pauses.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import bot
from bot.engine.counting import estimated, portions
from bot.engine.frames import LONGEST, Frame, count_frame, drafts_frame, from_line, read_frame, to_line
from bot.engine.mailbox import Mailbox, Progress
from bot.engine.states.keeping import IN_MEMORY, Keeping
from bot.engine.types import (
    Counted,
    DraftDone,
    DraftText,
    Ending,
    EngineError,
    EngineState,
    EngineStatus,
    Prompt,
    Reading,
    Sampling,
)

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before a new start after a crash; doubled each time until an answer was finished again."""

MAX_FAILED_STARTS = 5
"""Starts in a row that end before the model is ready. After that a person has to act."""

GRACE = 0.3
"""Seconds that a worker has to end by itself."""

ENDED = "模型进程意外退出，这次回答没有完成，请稍后再试一次。 / The model's process ended; ask again."

COMPLAINTS = 4000
"""Bytes of the worker's standard error that are kept to explain its end."""


class LocalEngine:
    """An `Engine` whose model runs in `bot.engine.worker`. `run` must be running for as long as drafts are wanted."""

    def __init__(
        self,
        model: Path,
        strategy: str,
        *,
        on_status: Callable[[EngineStatus], None] = lambda status: None,
        threads: int = 0,
        keeping: Keeping = IN_MEMORY,
        tuned: Path | None = None,
    ) -> None:
        """`threads` 0 leaves their number to torch. `on_status` is called at every change. `tuned`: a file of tuned
        states to begin with."""
        self._command = [sys.executable, "-P", "-m", "bot.engine.worker", str(model.absolute()), strategy]
        self._command += ["--threads", str(threads), "--parent", str(os.getpid()), *keeping.arguments()]
        self._command += [f"--state={tuned.absolute()}"] if tuned is not None else []
        self._on_status = on_status
        self._status = EngineStatus(EngineState.LOADING, model.name, "正在载入模型 / Loading the model")
        self._worker: asyncio.subprocess.Process | None = None
        self._answers: dict[int, Mailbox | Progress] = {}
        self._counts: dict[int, asyncio.Future[list[int] | None]] = {}  # None: nobody counts them any more
        self._numbers = 0
        self._complaints = b""
        self._proved = False  # whether the present worker finished a draft

    @property
    def status(self) -> EngineStatus:
        return self._status

    @property
    def pid(self) -> int | None:
        """The worker's process id, while there is one."""
        return self._worker.pid if self._worker is not None else None

    async def drafts(self, prompt: Prompt, count: int, sampling: Sampling) -> AsyncIterator[DraftText | DraftDone]:
        """See `Engine`. Raises EngineError at once while the model is not ready."""
        if self._status.state is not EngineState.READY:
            raise EngineError(self._status.detail)
        answer, mailbox = self._number(), Mailbox(count)
        self._answers[answer] = mailbox
        try:
            await self._tell(drafts_frame(answer, prompt, count, sampling))
            while mailbox.open or len(mailbox):
                yield await mailbox.take()
        finally:
            self._forget(answer)

    async def read(self, prompt: Prompt) -> AsyncIterator[Reading]:
        """See `Engine`. Raises EngineError at once while the model is not ready."""
        if self._status.state is not EngineState.READY:
            raise EngineError(self._status.detail)
        answer, progress = self._number(), Progress()
        self._answers[answer] = progress
        try:
            await self._tell(read_frame(answer, prompt))
            while progress.open or len(progress):
                yield await progress.take()
        finally:
            self._forget(answer)

    async def count(self, texts: Sequence[str]) -> Counted:
        """See `Engine`. Exact whenever the model is ready."""
        tokens: list[int] = []
        for portion in portions(texts):
            counted = await self._count(portion)
            if counted is None:
                return estimated(texts)
            tokens += counted
        return Counted(tuple(tokens))

    async def _count(self, texts: Sequence[str]) -> list[int] | None:
        if self._status.state is not EngineState.READY:
            return None
        number = self._number()
        counted: asyncio.Future[list[int] | None] = asyncio.get_running_loop().create_future()
        self._counts[number] = counted
        try:
            await self._tell(count_frame(number, texts))
            return await counted
        except EngineError:  # it has just ended
            return None
        finally:
            del self._counts[number]

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    async def run(self) -> None:
        """Keeps a worker running until cancelled. Returns only in the state `failed`, when starting again is useless."""
        pause, failed_starts = FIRST_PAUSE, 0
        while True:
            why = await self._one_life()
            if self._status.state is EngineState.READY:
                failed_starts = 0
                pause = FIRST_PAUSE if self._proved else pause
            else:
                failed_starts += 1
            if self._status.state is not EngineState.FAILED and failed_starts >= MAX_FAILED_STARTS:
                self._fail(f"模型进程启动了 {failed_starts} 次都没有成功（{why}）。请检查内存是否够用，再重启程序。")
            if self._status.state is EngineState.FAILED:
                self._lose_all(self._status.detail)
                return
            log.warning("the model's process ended (%s); starting it again in %g s", why, pause)
            self._show(
                EngineState.RESTARTING, f"模型进程意外退出（{why}），正在重启 / It ended unexpectedly; restarting"
            )
            self._lose_all(ENDED)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _one_life(self) -> str:
        """Starts a worker and hears it out; returns why it ended."""
        self._complaints, self._proved = b"", False
        try:
            worker = self._worker = await _start(self._command)
        except OSError as error:  # no memory for another process, or no more files: what killed the last one, perhaps
            return error.strerror or type(error).__name__
        assert worker.stdout is not None and worker.stderr is not None
        listening = asyncio.create_task(self._hear_complaints(worker.stderr))
        try:
            async for line in worker.stdout:
                if line.endswith(b"\n"):  # the last line of a killed process may be half a frame
                    self._hear(from_line(line))
        finally:
            self._worker = None
            await _end(worker)
            listening.cancel()
        return self._why(worker.returncode or 0)

    def _hear(self, frame: Frame) -> None:
        match frame["is"]:
            case "ready":
                how = f"{frame['strategy']}（auto：{frame['why']}）" if frame.get("why") else frame["strategy"]
                log.info("模型就绪 / The model is ready: %s · %s", self._status.model, how)
                self._show(EngineState.READY, how)
            case "broken":
                self._fail(frame["message"])
            case "notice":
                log.warning("%s", frame["message"])
            case "figures":
                self._show(self._status.state, self._status.detail, frame["figures"])
            case _:
                self._deliver(frame)

    def _deliver(self, frame: Frame) -> None:
        """To the reader of the answer, if there is still one."""
        self._proved = self._proved or frame["is"] == "finished"
        match frame["is"], self._answers.get(frame["answer"]):
            case "grew", Mailbox() as mailbox:
                mailbox.grew(frame["index"], frame["gained"])
            case "finished", Mailbox() as mailbox:
                mailbox.finished(frame["index"], frame["text"], Ending(frame["ending"]))
            case "read", Progress() as progress:
                progress.left(frame["left"])
            case "lost", Mailbox() | Progress() as reader:
                log.warning("an answer was lost: %s", frame["message"])
                reader.lose(frame["message"])
            case "counted", _ if counted := self._counts.get(frame["answer"]):
                _answer(counted, frame["tokens"])

    async def _tell(self, frame: Frame) -> None:
        worker = self._worker
        if worker is None or worker.stdin is None:  # it has just ended, and `run` has not said so yet
            raise EngineError(ENDED)
        with contextlib.suppress(ConnectionError):  # it died: `run` notices and ends the answers
            worker.stdin.write(to_line(frame))
            await worker.stdin.drain()

    def _forget(self, answer: int) -> None:
        """Nobody reads it any more. If it is not finished, the worker stops it within one step."""
        reader = self._answers.pop(answer)
        if reader.open and self._worker is not None and self._worker.stdin is not None:
            self._worker.stdin.write(to_line({"do": "cancel", "answer": answer}))

    def _lose_all(self, message: str) -> None:
        for reader in self._answers.values():
            reader.lose(message)
        for counted in self._counts.values():
            _answer(counted, None)

    def _fail(self, message: str) -> None:
        log.error("%s", message)
        self._show(EngineState.FAILED, message)

    def _show(self, state: EngineState, detail: str, figures: dict[str, float] | None = None) -> None:
        self._status = EngineStatus(state, self._status.model, detail, figures or {})
        self._on_status(self._status)

    async def _hear_complaints(self, stderr: asyncio.StreamReader) -> None:
        while some := await stderr.read(COMPLAINTS):
            log.debug("the model's process: %s", some.decode("utf-8", "replace").rstrip())
            self._complaints = (self._complaints + some)[-COMPLAINTS:]

    def _why(self, code: int) -> str:
        """For people: the signal, or the exit code with the last line that the worker wrote."""
        if code < 0:
            name = signal.Signals(-code).name
            return f"{name}，可能内存不足" if name == "SIGKILL" else name
        last = self._complaints.decode("utf-8", "replace").strip().splitlines()[-1:]
        return "：".join([f"退出码 {code}", *(line[:200] for line in last)])


def _answer(counted: asyncio.Future[list[int] | None], tokens: list[int] | None) -> None:
    """Whoever asked may have been cancelled, and not have had the time to say so."""
    if not counted.done():
        counted.set_result(tokens)


async def _start(command: list[str]) -> asyncio.subprocess.Process:
    """In a group of its own, so that Ctrl-C in the terminal reaches the panel alone, which then decides."""
    return await asyncio.create_subprocess_exec(
        *command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        limit=LONGEST,
        env=worker_environment(),
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )


def worker_environment() -> dict[str, str]:
    """Ours, and where `bot` is. Threads that wait for each other sleep instead of spinning: beside a game that keeps
    the cores busy a step took 0.2 s so and 1.4 s otherwise (0.1b shape, two cores, bf16)."""
    paths = [str(Path(bot.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    return {"OMP_WAIT_POLICY": "PASSIVE"} | os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}


async def _end(worker: asyncio.subprocess.Process) -> None:
    """The end of its input ends it; one that does not listen is killed, also when nobody waits for that any more."""
    if worker.stdin is not None:
        worker.stdin.close()
    try:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(worker.wait(), GRACE)
    finally:
        if worker.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                worker.kill()
        await worker.wait()
