"""What the engine was asked for and what came of it: one row a request, for the figures.

A row is a convenience: a disk that refuses costs it, is logged once, and never costs a draft.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import astuple, dataclass
from enum import StrEnum

from bot.engine.types import DraftDone, DraftText
from bot.save.database import Database
from bot.save.errors import SaveError

Event = DraftText | DraftDone

log = logging.getLogger(__name__)


class Place(StrEnum):
    SHOW = "show"
    DESK = "desk"


class Outcome(StrEnum):
    FINISHED = "finished"
    STOPPED = "stopped"  # somebody had decided, or wanted no more
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Generation:
    """One request. `subject`: the show's series/name, or the scene's id at the desk. `at` is when it began, as a clock
    says it; `seconds` is how long it took, waiting for the engine included; `first_text` the seconds until something
    could be read (None: nothing ever could). `drafts` are those that were finished with words in them, `characters`
    what was written in all drafts, unfinished ones included, without the beginning that a person gave."""

    place: Place
    subject: str
    character: str
    at: float
    seconds: float
    first_text: float | None
    drafts: int
    characters: int
    outcome: Outcome


class Generations:
    """`clock` says the time of day, `timer` measures spans; both in seconds."""

    def __init__(
        self, db: Database, clock: Callable[[], float] = time.time, timer: Callable[[], float] = time.perf_counter
    ) -> None:
        self._db = db
        self._clock = clock
        self._timer = timer
        self._in_trouble = False

    async def watched(
        self, events: AsyncIterator[Event], place: Place, subject: str, character: str, begun: str = ""
    ) -> AsyncGenerator[Event, None]:
        """The engine's events as they come; the request is on record when they end, however they end.

        `begun`: the words that every draft begins with and nobody had to write. A reader that closes this or is
        cancelled has stopped the request; what the engine raises has failed it, and goes on.
        """
        at, measure = self._clock(), _Measure(self._timer, len(begun.strip()))
        outcome = Outcome.STOPPED
        try:
            async with contextlib.aclosing(events):  # type: ignore[type-var]  # an engine's iterator is a generator
                async for event in events:
                    measure(event)
                    yield event
            outcome = Outcome.FINISHED
        except Exception:
            outcome = Outcome.FAILED
            raise
        finally:
            self.record(measure.generation(place, subject, character, at, outcome))

    def record(self, generation: Generation) -> None:
        """Raises nothing."""
        try:
            with self._db.transaction():
                self._db.execute(
                    "INSERT INTO generations (place, subject, character, at, seconds, first_text, drafts, characters, "
                    "outcome) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    astuple(generation),
                )
        except SaveError as error:
            if not self._in_trouble:
                log.warning("%s", error)
            self._in_trouble = True
        else:
            self._in_trouble = False


class _Measure:
    """What one request has brought so far."""

    def __init__(self, timer: Callable[[], float], begun: int) -> None:
        self._timer = timer
        self._start = timer()
        self._begun = begun
        self._first: float | None = None
        self._lengths: dict[int, int] = {}
        self._done: set[int] = set()

    def __call__(self, event: Event) -> None:
        written = max(0, len(event.text) - self._begun)
        self._lengths[event.index] = written
        if written and self._first is None:
            self._first = self._timer() - self._start
        if written and isinstance(event, DraftDone):
            self._done.add(event.index)

    def generation(self, place: Place, subject: str, character: str, at: float, outcome: Outcome) -> Generation:
        seconds, written = self._timer() - self._start, sum(self._lengths.values())
        return Generation(place, subject, character, at, seconds, self._first, len(self._done), written, outcome)
