"""What calls cost and how they are made to last, by the clock on the wall in California."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.youtube.quota import LOOK, Quota

PACIFIC = ZoneInfo("America/Los_Angeles")


def at(words: str) -> float:
    return datetime.fromisoformat(words).replace(tzinfo=PACIFIC).timestamp()


class Clock:
    def __init__(self, words: str) -> None:
        self.now = at(words)

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("now", "hours"),
    [("2026-11-22T23:00", 1), ("2026-07-01T00:00", 24), ("2026-03-08T00:00", 23), ("2026-11-01T00:00", 25)],
)
def test_the_day_ends_at_midnight_in_california(now: str, hours: float):
    """Summer and winter, and the two days on which the clocks change."""
    assert Quota(100, 4, Clock(now)).seconds_left == hours * 3600


def test_what_is_not_there_is_not_spent():
    quota = Quota(12, 4, Clock("2026-11-22T12:00"))
    assert [quota.spend(LOOK), quota.spend(LOOK), quota.spend(LOOK)] == [True, True, False]
    assert quota.used == 10
    assert quota.spend(2)


def test_a_new_day_has_all_of_it_again():
    clock = Clock("2026-11-22T23:59")
    quota = Quota(10, 4, clock)
    quota.use_up()
    assert not quota.spend(1)
    clock.now += 60
    assert quota.spend(LOOK) and quota.used == LOOK


def test_without_a_limit_only_youtube_sets_the_pace():
    quota = Quota(0, 4, Clock("2026-11-22T12:00"))
    assert quota.spend(10**6) and quota.pause(5.0) == 5.0


@settings(max_examples=100, deadline=None)
@given(
    limit=st.integers(50, 12_000),
    hours=st.floats(1, 12),
    asked=st.floats(1, 10),
    start=st.sampled_from(["2026-11-22T08:00", "2026-11-22T20:00", "2026-11-22T23:30", "2026-07-04T03:00"]),
)
def test_a_day_s_units_last_as_long_as_was_planned(limit: int, hours: float, asked: float, start: str):
    """Never a look too many; and when the planned hours (or the day) are over, there are still looks to be had."""
    clock = Clock(start)
    quota = Quota(limit, hours, clock)
    end = min(clock.now + hours * 3600, clock.now + quota.seconds_left)
    while clock.now < end:
        assert quota.spend(LOOK)
        assert quota.used <= limit
        pause = quota.pause(asked)
        assert pause >= asked
        clock.now += pause
