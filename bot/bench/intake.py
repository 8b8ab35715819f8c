"""How fast messages get in, and what they hold. All on one core; frames are made before the clock runs.

Speeds are by the processor's time that this process used, so that other programs on the machine do not count; latencies
are by the clock on the wall.

`cohost bench intake` prints a table; `--json` these keys:

- `shapes`: by platform, `parse` and `intake`, messages a second, medians of `rounds`. `parse`: from the bytes of a frame
  to Message. `intake`: from the same bytes by the real supervisor (duplicates, echoes, the bounded queue) into the
  waiting room, the whole way but for the socket and the checks of words. `frame_bytes`: the size of a frame;
  `messages`: how many it holds.
- `slowest`: the least `parse`; `target`: what it is held to; `reached`.
- `latency`: at `200` messages a second and in bursts of `2000`, from the moment that a frame is due until the message is
  in the waiting room: `p50`, `p99`, `most` in milliseconds; `lost` that gave way.
- `memory`: a day of one room (`messages`) run through: `early` and `late`, megabytes of the process after the first tenth
  and at the end, and `blocks`, by how many blocks of Python's memory the second differs from the first.
- `peer`: `blivedm` (None where it is not installed): what its own classes make of the frames of `bilibili_zlib`, by
  messages a second, and how many times that we are.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import sys
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from adapters.supervisor import Ended, Supervised
from bot.bench.shapes import SHAPES, Read, Shape, count, frames
from bot.intake import Intake
from bot.messages import Event, Message

TARGET = 20_000  # messages a second, from bytes to Message, on one core
DAY = 2_000_000
MESSAGES = 10_000
ROUNDS = 5


class Source(Supervised):
    """A platform that says what it is given, as fast as it is read."""

    def __init__(self, given: Iterable[bytes], read: Read) -> None:
        super().__init__("bench")
        self._given = given
        self._read = read

    async def connection(self) -> AsyncIterator[Event]:
        self.healthy()
        for frame in self._given:
            for event in self._read(frame):
                yield event
        raise Ended("")


class Timed(Source):
    """One that says it at its time: `a_second` messages evenly, or `burst` of them together once a second."""

    def __init__(self, given: Iterable[bytes], read: Read, a_second: int, burst: bool) -> None:
        super().__init__(given, read)
        self._each = 1.0 if burst else 1 / a_second
        self._together = a_second if burst else 1
        self.due: dict[str, float] = {}

    async def connection(self) -> AsyncIterator[Event]:
        self.healthy()
        start = time.perf_counter()
        for number, frame in enumerate(self._given):
            due = start + number // self._together * self._each
            if (ahead := due - time.perf_counter()) > 0:
                await asyncio.sleep(ahead)
            for event in self._read(frame):
                if isinstance(event, Message):
                    self.due[event.id] = due
                yield event
        raise Ended("")


def run(as_json: bool, *, day: int = DAY, quick: bool = False) -> dict[str, Any]:
    """Measures and prints."""
    rounds, messages = (1, 500) if quick else (ROUNDS, MESSAGES)
    shapes = {shape.name: speed(shape, messages, rounds) for shape in SHAPES}
    slowest = min(found["parse"] for found in shapes.values())
    report: dict[str, Any] = {
        "rounds": rounds,
        "shapes": shapes,
        "slowest": slowest,
        "target": TARGET,
        "reached": slowest >= TARGET,
        "latency": {str(rate): asyncio.run(latency(rate, 0.2 if quick else 5.0)) for rate in (200, 2000)},
        "memory": asyncio.run(memory(SHAPES[0], day)) if day else None,
        "peer": peer(messages, rounds, shapes["bilibili_zlib"]["parse"]),
    }
    print(json.dumps(report) if as_json else "\n".join(table(report)))
    return report


# -- speed -------------------------------------------------------------------------------------------------------------


def speed(shape: Shape, messages: int, rounds: int) -> dict[str, Any]:
    given = list(frames(shape, messages))
    size = sum(map(len, given)) // len(given)
    parse = median(_parse(shape, given, messages) for _ in range(rounds))
    intake = median(asyncio.run(_intake(shape, given, messages)) for _ in range(rounds))
    return {"parse": round(parse), "intake": round(intake), "frame_bytes": size, "messages": shape.messages}


def _parse(shape: Shape, given: list[bytes], messages: int) -> float:
    read = shape.reader()
    start = time.process_time()
    found = count(read, given)
    seconds = time.process_time() - start
    assert found == messages, f"{shape.name}: {found} of {messages}"
    return messages / seconds


async def _intake(shape: Shape, given: list[bytes], messages: int) -> float:
    start = time.process_time()
    await through(Source(given, shape.reader()), Intake())
    return messages / (time.process_time() - start)


async def through(source: Source, intake: Intake) -> int:
    """Everything that the source says goes into the waiting room; how many messages."""
    heard = 0
    async for event in source.messages():
        if isinstance(event, Message):
            intake.put(event, float(heard // 50))  # fifty a second: people come and go
            heard += 1
    return heard


def peer(messages: int, rounds: int, ours: int) -> dict[str, float] | None:
    """blivedm's own way from the same frames to its own classes."""
    try:
        module = importlib.import_module("bot.bench.blivedm")
    except ImportError:
        return None
    shape = next(shape for shape in SHAPES if shape.name == "bilibili_zlib")
    given = list(frames(shape, messages))
    theirs = median(asyncio.run(module.speed(given, messages)) for _ in range(rounds))
    return {"blivedm": round(theirs), "times": round(ours / theirs, 2)}


# -- latency -----------------------------------------------------------------------------------------------------------


async def latency(rate: int, seconds: float) -> dict[str, float]:
    """2,000 a second come as bursts: that is how raids come. The websocket's own shape."""
    shape, burst = SHAPES[0], rate >= 1000
    source = Timed(list(frames(shape, int(rate * seconds))), shape.reader(), rate, burst)
    intake, late = Intake(), []
    async for event in source.messages():
        assert isinstance(event, Message)
        intake.put(event, time.time())
        late.append((time.perf_counter() - source.due.pop(event.id)) * 1000)
    cut = quantiles(late, n=100)
    found = {"p50": cut[49], "p99": cut[98], "most": max(late)}
    return {name: round(value, 2) for name, value in found.items()} | {"lost": source.state.dropped}


# -- memory ------------------------------------------------------------------------------------------------------------


async def memory(shape: Shape, messages: int) -> dict[str, float]:
    """A room's day: whatever remembers anything is full after the first tenth, and holds no more at the end."""
    early: list[float] = []

    def day() -> Iterator[bytes]:
        for number, frame in enumerate(frames(shape, messages)):
            if number == messages // 10 // shape.messages:
                early.extend(held())
            yield frame

    source, intake = Source(day(), shape.reader()), Intake()
    heard = await through(source, intake)
    late = held()
    return {
        "messages": heard,
        "early": round(early[1], 1),
        "late": round(late[1], 1),
        "blocks": int(late[0] - early[0]),
        "lost": source.state.dropped,
    }


def held() -> tuple[float, float]:
    """Blocks of Python's own memory in use, and the megabytes of the process (0 where the system does not say)."""
    gc.collect()
    return float(sys.getallocatedblocks()), _resident()


def _resident() -> float:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError):
        return 0.0
    return pages * 4096 / 1e6


# -- for people --------------------------------------------------------------------------------------------------------


def table(report: dict[str, Any]) -> Iterator[str]:
    yield f"{'':22}{'解析 parse/s':>16}{'到候场 intake/s':>18}{'帧 bytes':>12}"
    for name, found in report["shapes"].items():
        yield f"{name:22}{found['parse']:>16,}{found['intake']:>18,}{found['frame_bytes']:>12,}"
    mark = "达到 reached" if report["reached"] else "没有达到 missed"
    yield f"最慢 slowest {report['slowest']:,}/s，目标 target {report['target']:,}/s：{mark}"
    for rate, found in report["latency"].items():
        yield f"{rate}/s：p50 {found['p50']} ms，p99 {found['p99']} ms，最多 most {found['most']} ms，丢 lost {found['lost']}"
    if found := report["memory"]:
        yield f"{found['messages']:,} 条 messages：{found['early']} → {found['late']} MB，{found['blocks']:+,} blocks"
    if found := report["peer"]:
        yield f"blivedm {found['blivedm']:,}/s，我们是它的 ours is {found['times']} ×"
    else:
        yield "没装 blivedm，不比较。 blivedm is not installed."
