"""Two measures that are easily got wrong: percentiles, and time during which something went on."""

from __future__ import annotations

from collections.abc import Sequence


def percentile(ordered: Sequence[float], percent: int) -> float | None:
    """By nearest rank: the smallest of the values that at least `percent` % of them do not exceed. So it is always one
    of them, and nothing is made up in between. `ordered` from the smallest on; None where there is none."""
    if not ordered:
        return None
    rank = -(-percent * len(ordered) // 100)  # rounded up, in whole numbers
    return ordered[max(0, rank - 1)]


class Busy:
    """How many seconds at least one span covers. Spans come in the order of their beginnings."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._until = float("-inf")

    def add(self, start: float, seconds: float) -> None:
        end = start + seconds
        self.seconds += max(0.0, end - max(start, self._until))
        self._until = max(self._until, end)
