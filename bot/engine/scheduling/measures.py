"""Counts and times what the scheduler does, for the panel and /metrics. Decides nothing; no torch here.

Times are in seconds from the moment at which an answer was asked for. Of each kind the last `RECENT` are kept, for
their median and 95th percentile; what a monitor needs for its own sums is counted for ever.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

RECENT = 256
"""Answers."""

LAPS = 10
"""Stretches of work of about a second, over which rates are told."""


class Times:
    """One kind of time."""

    def __init__(self) -> None:
        self.count = 0
        self.sum = 0.0
        self._recent: deque[float] = deque(maxlen=RECENT)

    def add(self, seconds: float) -> None:
        self.count += 1
        self.sum += seconds
        self._recent.append(seconds)

    def quantile(self, share: float) -> float:
        """The smallest recent time that at least this share of them does not exceed. There must be one."""
        rising = sorted(self._recent)
        return rising[max(0, -int(-share * len(rising) // 1) - 1)]

    def figures(self, name: str) -> dict[str, float]:
        told = {f"{name}_count": self.count, f"{name}_sum": round(self.sum, 4)}
        if self.count:
            told |= {f"{name}_p{share}": round(self.quantile(share / 100), 4) for share in (50, 95)}
        return told


@dataclass(slots=True)
class _Watch:
    """An answer in progress."""

    asked: float
    open: int  # drafts that are not finished
    began: bool = False
    spoke: bool = False


@dataclass(frozen=True, slots=True)
class _Lap:
    """What was done up to a moment, or between two."""

    seconds: float
    drawn: int
    read: int
    steps: int
    rows: int

    def since(self, before: _Lap) -> _Lap:
        return _Lap(
            self.seconds - before.seconds,
            self.drawn - before.drawn,
            self.read - before.read,
            self.steps - before.steps,
            self.rows - before.rows,
        )


class Measures:
    """The scheduler tells it everything; `figures` is what people are told."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.tokens_read = 0
        self.tokens_drawn = 0
        self.steps = 0  # in which drafts grew
        self.rows = 0  # used in all these steps
        self.done = self.was_lost = self.was_cancelled = 0  # answers
        self.queue, self.first_text, self.last_draft = Times(), Times(), Times()
        self._watches: dict[int, _Watch] = {}
        self._laps: deque[_Lap] = deque(maxlen=LAPS)
        self._lap = self._now()

    # ---- an answer -----------------------------------------------------------------------------------------------

    def asked(self, answer: int, count: int) -> None:
        self._watches[answer] = _Watch(self._clock(), count)

    def began(self, answer: int) -> None:
        """Its prompt is being read, perhaps not for the first time."""
        watch = self._watches[answer]
        if not watch.began:
            watch.began = True
            self.queue.add(self._clock() - watch.asked)

    def drew(self, answer: int, spoke: bool) -> None:
        """One of its drafts took a token; `spoke` says whether text came of it."""
        self.tokens_drawn += 1
        watch = self._watches[answer]
        if spoke and not watch.spoke:
            watch.spoke = True
            self.first_text.add(self._clock() - watch.asked)

    def finished(self, answer: int) -> None:
        """One of its drafts."""
        watch = self._watches[answer]
        watch.open -= 1
        if not watch.open:
            del self._watches[answer]
            self.done += 1
            self.last_draft.add(self._clock() - watch.asked)

    def lost(self, answer: int) -> None:
        self.was_lost += self._watches.pop(answer, None) is not None

    def cancelled(self, answer: int) -> None:
        """Nothing to count when it was over already."""
        self.was_cancelled += self._watches.pop(answer, None) is not None

    # ---- the work ------------------------------------------------------------------------------------------------

    def stepped(self, rows: int) -> None:
        self.steps += 1
        self.rows += rows

    def begin_lap(self) -> None:
        """There is work again; the idle time before is not counted."""
        self._lap = self._now()

    def end_lap(self, at_least: float = 0.0) -> bool:
        """Closes the lap and begins another, if it has lasted so many seconds."""
        now = self._now()
        lap = now.since(self._lap)
        if lap.seconds < at_least:
            return False
        if lap.steps or lap.read:
            self._laps.append(lap)
        self._lap = now
        return True

    def figures(self) -> dict[str, float]:
        """By the names that the panel and bot/web/metrics.py know."""
        seconds = max(sum(lap.seconds for lap in self._laps), 1e-3)
        steps = max(sum(lap.steps for lap in self._laps), 1)
        return {
            "tokens_per_second": round(sum(lap.drawn for lap in self._laps) / seconds, 1),
            "tokens_read_per_second": round(sum(lap.read for lap in self._laps) / seconds, 1),
            "rows_per_step": round(sum(lap.rows for lap in self._laps) / steps, 2),
            "tokens_drawn": self.tokens_drawn,
            "tokens_read": self.tokens_read,
            "steps": self.steps,
            "row_steps": self.rows,
            "answers_done": self.done,
            "answers_lost": self.was_lost,
            "answers_cancelled": self.was_cancelled,
            **self.queue.figures("queue_seconds"),
            **self.first_text.figures("first_text_seconds"),
            **self.last_draft.figures("last_draft_seconds"),
        }

    def _now(self) -> _Lap:
        return _Lap(self._clock(), self.tokens_drawn, self.tokens_read, self.steps, self.rows)
