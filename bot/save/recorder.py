"""Recordings of what platforms send, as files that `--replay` plays."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import BinaryIO

from adapters.recording import Tape
from bot.messages import Event


class Recorder:
    """Appends what a platform sends to `folder`/YYYYMMDD-HHMMSS.jsonl, a new file each day and whenever one is full.

    A recording is a convenience: a disk that refuses costs lines of it, is told once to `trouble` (and "" when it is
    over), and is asked again after a minute. Nothing is raised.
    """

    def __init__(
        self,
        folder: Path,
        clock: Callable[[], float],
        trouble: Callable[[str], None],
        *,
        names: bool = False,
        most_bytes: int = 64 * 2**20,
        retry_seconds: float = 60.0,
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._trouble = trouble
        self._names = names
        self._most_bytes = most_bytes
        self._retry_seconds = retry_seconds
        self._file: BinaryIO | None = None
        self._tape = Tape(0.0)
        self._day = date.min
        self._in_trouble = False
        self._again = 0.0  # not before this time

    def write(self, event: Event) -> None:
        """One line, in the hands of the system when this returns."""
        now = self._clock()
        if now < self._again:
            return
        try:
            self._append(event, now)
        except OSError as error:
            self._give_up(error, now)
        else:
            if self._in_trouble:
                self._in_trouble = False
                self._trouble("")

    def close(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None

    def _append(self, event: Event, now: float) -> None:
        today = datetime.fromtimestamp(now).date()
        if self._file is None or self._day != today or self._file.tell() >= self._most_bytes:
            self.close()
            self._file, self._tape, self._day = self._begin(now), Tape(now, names=self._names), today
        line, end = self._tape.line(event, now).encode(), self._file.tell()
        try:
            if self._file.write(line) < len(line):  # unbuffered, so a full disk may take a part of it
                raise OSError(28, "No space left on device")
        except OSError:
            with contextlib.suppress(OSError):
                self._file.truncate(end)  # half a line would make the file unreadable
            raise

    def _begin(self, now: float) -> BinaryIO:
        self._folder.mkdir(parents=True, exist_ok=True)
        stem = f"{datetime.fromtimestamp(now):%Y%m%d-%H%M%S}"
        names = (f"{stem}.jsonl", *(f"{stem}-{number}.jsonl" for number in range(2, 1000)))
        path = next(self._folder / name for name in names if not (self._folder / name).exists())
        return path.open("xb", buffering=0)

    def _give_up(self, error: OSError, now: float) -> None:
        self.close()
        self._again = now + self._retry_seconds
        if not self._in_trouble:
            self._in_trouble = True
            reason = error.strerror or type(error).__name__
            self._trouble(
                f"录像写不进 {self._folder}（{reason}），节目照常；请检查磁盘空间。 Recording is interrupted; the show goes on."
            )
