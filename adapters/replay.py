"""Plays a recorded chat as if it were happening now. Reads the file once; follows no file that still grows.

A recording is JSONL: a wire frame a line, with `"at"`, seconds from the beginning. Without `at` a line comes when its
`time` says, counted from the first `time` in the file; with neither, together with the line before it.
"""

from __future__ import annotations

import asyncio
import math
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from adapters.base import AdapterError, AdapterState, Phase
from adapters.texts import say
from adapters.wire import FRAME_BYTES, FrameError, event_from_frame, read_frame, seconds
from bot.messages import Event, Message, MessageId

SHIPPED = {"demo": Path(__file__).with_name("demo_show.jsonl")}
MISTAKES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was heard and when it comes, in seconds from the beginning."""

    at: float
    event: Event


@dataclass(slots=True)
class Recording:
    """What a file holds: its good lines in order, and one line of text for each mistake."""

    lines: list[Recorded] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)


class Replay:
    """Plays `path` (`demo` is the show that ships) at `speed` times its own pace; 0 plays without waiting.

    A file with mistakes is refused at once, with all of them: AdapterError from here, before anything is played.
    Every run gives its messages fresh ids and the present time: a message played again is a new message.
    """

    def __init__(
        self,
        path: str | Path,
        speed: float = 1.0,
        *,
        name: str = "replay",
        clock: Callable[[], float] = time.time,
        pace: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        lang: str = "zh",
    ) -> None:
        if not (math.isfinite(speed) and speed >= 0):
            raise AdapterError(say(lang, "speed", speed=speed))
        self.name = name
        self.state = AdapterState()
        self._file = resolve(path)
        self._lines = load_recording(self._file, name, lang)
        self._speed = speed
        self._clock = clock
        self._pace = pace
        self._sleep = sleep
        self._lang = lang

    async def messages(self) -> AsyncIterator[Event]:
        """What was recorded, each event at its time; ends after the last."""
        run = secrets.token_hex(4)
        start = self._pace()
        fresh: dict[MessageId, MessageId] = {}  # by the recorded id
        for number, recorded in enumerate(self._lines, 1):
            await self._wait_until(start, recorded.at)
            event = recorded.event
            self.state.become(Phase.LIVE, self._progress("playing", number))
            if isinstance(event, Message):
                now = self._clock()
                self.state.heard(now)
                fresh[event.id] = MessageId(f"{self.name}:{run}-{number}")
                yield replace(event, id=fresh[event.id], time=now)
            else:
                yield replace(event, messages=frozenset(fresh[name] for name in event.messages if name in fresh))
        self.state.become(Phase.DONE, self._progress("played", len(self._lines)))

    async def _wait_until(self, start: float, at: float) -> None:
        """Counts from the start, so that a late message does not make all later ones late."""
        ahead = start + at / self._speed - self._pace() if self._speed else 0.0
        await self._sleep(max(0.0, ahead))  # 0 as well: the others' turn

    def _progress(self, key: str, done: int) -> str:
        return say(self._lang, key, name=self._file.name, done=done, total=len(self._lines))


def resolve(path: str | Path) -> Path:
    """The file that a `--replay` argument means: a name of ours, or a path."""
    return SHIPPED.get(str(path), Path(path))


def load_recording(path: Path, platform: str, lang: str = "zh") -> list[Recorded]:
    """The recording's messages; AdapterError with every mistake as `file:line: field, value, what to write`."""
    recording = read_recording(path, platform, lang)
    if recording.mistakes:
        shown = recording.mistakes[:MISTAKES_SHOWN]
        if hidden := len(recording.mistakes) - len(shown):
            shown.append(say(lang, "and_more", count=hidden))
        raise AdapterError(say(lang, "bad_lines", count=len(recording.mistakes), mistakes="\n".join(shown)))
    if not recording.lines:
        raise AdapterError(say(lang, "empty", path=path))
    return recording.lines


def read_recording(path: Path, platform: str, lang: str = "zh") -> Recording:
    """Every line of the file, the bad ones as mistakes. Empty lines are nothing. AdapterError when there is no file."""
    recording, timeline = Recording(), _Timeline()
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    _read_line(line, platform, timeline, recording)
                except FrameError as error:
                    recording.mistakes.append(f"{path}:{number}: {error.text(lang)}")
    except OSError as error:
        raise AdapterError(say(lang, "no_file", path=path, reason=error.strerror)) from error
    return recording


def _read_line(line: bytes, platform: str, timeline: _Timeline, recording: Recording) -> None:
    line = line.removeprefix(b"\xef\xbb\xbf").strip()  # Windows editors put a mark at the beginning of the file
    if not line:
        return
    if len(line) > FRAME_BYTES:
        raise FrameError("", None, "long_line", limit=FRAME_BYTES)
    frame = read_frame(line)
    event = event_from_frame(frame, platform, 0.0)
    recording.lines.append(Recorded(timeline.place(frame), event))


class _Timeline:
    """Turns the times of a recording into seconds from its beginning that never go back."""

    def __init__(self) -> None:
        self._last = 0.0
        self._first_time: float | None = None

    def place(self, frame: Mapping[str, Any]) -> float:
        if frame.get("at") is not None:
            self._last = self._by_at(frame["at"])
        elif frame.get("time") is not None:
            self._last = max(self._last, self._by_time(frame["time"]))
        return self._last

    def _by_at(self, value: object) -> float:
        """Ours to write, so a step back is a mistake: two recordings put together would play the second at once."""
        at = seconds(value)
        if at is None:
            raise FrameError("at", value, "at")
        if at < self._last:
            raise FrameError("at", value, "backwards", before=self._last)
        return at

    def _by_time(self, value: object) -> float:
        """Other people's clocks may step back a little; such a message comes right after the one before."""
        moment = seconds(value) or 0.0
        if self._first_time is None:
            self._first_time = moment - self._last
        return moment - self._first_time
