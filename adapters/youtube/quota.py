"""What calls to YouTube cost, and how to make them last. Counts; asks nobody.

A project has so many units a day (10,000 unless Google gave more), and the day begins at midnight Pacific time. One look
at a chat costs 5: at the pace that YouTube suggests, a day's units are gone in less than three hours.
https://developers.google.com/youtube/v3/determine_quota_cost
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LOOK = 5
FIND = 1
AFTERWARDS = 3600.0  # once the planned hours are over, or nearly, what is left lasts at least this long: seconds


def _pacific() -> tzinfo:
    """Where a system has no table of time zones it is winter all year: then the day begins an hour late in summer."""
    try:
        return ZoneInfo("America/Los_Angeles")
    except ZoneInfoNotFoundError:
        return timezone(timedelta(hours=-8))


class Quota:
    """Counts the units of this program since midnight Pacific time; `limit` 0: they are not limited.

    `hours`: how long a day's units have to last, from the first call of the day.
    """

    def __init__(self, limit: int, hours: float, clock: Callable[[], float]) -> None:
        self.limit = limit
        self._hours = hours
        self._clock = clock
        self._zone = _pacific()
        self._used = 0
        self._began = 0.0
        self._ends = 0.0

    @property
    def used(self) -> int:
        self._begin_day()
        return self._used

    def spend(self, units: int) -> bool:
        """Counts a call that costs so many; False, and nothing is counted, where they are not there."""
        self._begin_day()
        if self.limit and self._used + units > self.limit:
            return False
        self._used += units
        return True

    def use_up(self) -> None:
        """YouTube says that there are none left: others spend from the same project."""
        self._begin_day()
        self._used = max(self._used, self.limit)

    def pause(self, asked: float) -> float:
        """Seconds until the next look, where YouTube asks for at least so many."""
        self._begin_day()
        if not self.limit:
            return asked
        now = self._clock()
        looks = (self.limit - self._used) // LOOK
        planned = max(self._began + self._hours * 3600 - now, AFTERWARDS)
        left = min(planned, self._ends - now)
        return max(asked, left / looks) if looks > 0 else asked

    @property
    def seconds_left(self) -> float:
        """Until the day ends."""
        self._begin_day()
        return self._ends - self._clock()

    def _begin_day(self) -> None:
        now = self._clock()
        if now >= self._ends:
            self._used, self._began, self._ends = 0, now, self._midnight(now)

    def _midnight(self, now: float) -> float:
        """The next one."""
        day = datetime.fromtimestamp(now, UTC).astimezone(self._zone).date() + timedelta(days=1)
        return datetime(day.year, day.month, day.day, tzinfo=self._zone).timestamp()
