"""Days as people have them: which day, hour or month a time falls into, where this machine's clock is set."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum

QUARTER = 900  # seconds: every zone's offset is a whole number of them, so one quarter is never in two hours


class Unit(StrEnum):
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


_FORMS = {Unit.HOUR: "%Y-%m-%d %H:00", Unit.DAY: "%Y-%m-%d", Unit.MONTH: "%Y-%m"}


class Calendar:
    """Names the bucket of a time; names sort as times do. `zone` None: this machine's."""

    def __init__(self, unit: Unit, zone: tzinfo | None = None) -> None:
        self.unit = unit
        self._zone = zone
        self._known: dict[int, str] = {}

    def bucket(self, at: float) -> str:
        quarter = int(at // QUARTER)
        if (name := self._known.get(quarter)) is None:
            moment = datetime.fromtimestamp(quarter * QUARTER, self._zone)
            name = self._known[quarter] = moment.strftime(_FORMS[self.unit])
        return name

    def between(self, first: str, last: str) -> list[str]:
        """The names of all buckets from one to another, both with it."""
        form = _FORMS[self.unit]
        moment, names = datetime.strptime(first, form), [first]
        while names[-1] < last:
            moment = self._next(moment)
            names.append(moment.strftime(form))
        return names

    def _next(self, moment: datetime) -> datetime:
        if self.unit is Unit.HOUR:
            return moment + timedelta(hours=1)
        if self.unit is Unit.DAY:
            return moment + timedelta(days=1)
        return (moment.replace(day=1) + timedelta(days=31)).replace(day=1)


def fitting(start: float, end: float) -> Unit:
    """The unit that makes neither too few nor too many buckets of a span."""
    days = (end - start) / 86400
    return Unit.HOUR if days <= 2.1 else Unit.DAY if days <= 100 else Unit.MONTH


def day_bounds(first: date, last: date, zone: tzinfo | None = None) -> tuple[float, float]:
    """From the beginning of one day to the end of another, in seconds since 1970."""
    start = datetime.combine(first, time.min, zone)
    return start.timestamp(), datetime.combine(last + timedelta(days=1), time.min, zone).timestamp()
