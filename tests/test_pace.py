"""So many turns in so many seconds, in virtual time."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.pace import Pace
from tests.virtual_time import leap


async def turns(pace: Pace, gaps: list[float]) -> list[float]:
    """When each turn came, for somebody who wants the next one after these seconds."""
    times = []
    for gap in gaps:
        await asyncio.sleep(gap)
        await pace.turn()
        times.append(asyncio.get_running_loop().time())
    return times


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 5), st.floats(0.1, 60), st.lists(st.floats(0, 30), max_size=40))
def test_never_more_than_so_many_in_any_such_time(count: int, seconds: float, gaps: list[float]):
    """Whichever window one looks at; and nobody who is within the limit waits."""
    times = leap(turns(Pace(count, seconds), gaps))
    assert all(late - early >= seconds - 1e-6 for early, late in zip(times, times[count:], strict=False))
    wanted = 1000.0
    for number, (gap, at) in enumerate(zip(gaps, times, strict=True)):
        wanted += gap
        free = times[number - count] + seconds if number >= count else 0.0
        assert abs(at - max(wanted, free)) < 1e-6
        wanted = at
