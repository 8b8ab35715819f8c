"""The word lists of a running show: changed files are read again, in a thread, and take effect at once and whole."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from bot.errors import UserError
from moderation.lists import load_lists
from moderation.verdict import Direction, Finding

_PAUSE = 2.0

Stamps = tuple[tuple[int, int] | None, ...]


class WatchedWords:
    """A filter that always has one whole set of lists: the newest that could be read.

    `problem` says what is wrong with the newest, as `file:line：…`, while an older one is in use; "" otherwise.
    """

    name = "words"

    def __init__(self, files: Sequence[Path], *, force: bool = False) -> None:
        """Raises WordListError: a show does not begin with a list that cannot be read."""
        self._files = tuple(files)
        self._force = force
        self._stamps = _stamps(self._files)
        self._words = load_lists(self._files, force=force)
        self.problem = ""
        self._one_at_a_time = threading.Lock()

    @property
    def version(self) -> str:
        return self._words.version

    @property
    def size(self) -> int:
        """How many terms are in use."""
        return len(self._words.terms)

    def check(self, text: str, direction: Direction) -> Iterable[Finding]:
        return self._words.check(text, direction)

    def refresh(self) -> bool:
        """Looks once; whether there is anything new to say. Reads files and takes up to a second: not for the loop.

        When it returns, what was written before it was called is in use, whoever else looks at the same time.
        """
        with self._one_at_a_time:
            return self._refresh()

    def _refresh(self) -> bool:
        stamps = _stamps(self._files)
        if stamps == self._stamps:
            return False
        self._stamps = stamps
        before = (self.version, self.problem)
        try:
            self._words = load_lists(self._files, force=self._force)  # one assignment: no check sees half a list
            self.problem = ""
        except UserError as error:
            self.problem = str(error)
        return (self.version, self.problem) != before

    async def run(self, changed: Callable[[], object], pause: float = _PAUSE) -> None:
        """Until cancelled. `changed` is called when another list is in use, or one cannot be."""
        while True:
            await asyncio.sleep(pause)
            news = False
            with contextlib.suppress(
                OSError, RuntimeError
            ):  # no file or no thread to be had: the next look may find one
                news = await asyncio.to_thread(self.refresh)
            if news:
                changed()


def _stamps(files: Iterable[Path]) -> Stamps:
    """When each was written last, and its size; None: it is not there."""
    return tuple(_stamp(file) for file in files)


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
