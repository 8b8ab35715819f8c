"""What the scheduler tells about itself: when, how fast, how full."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.engine.scheduling.measures import LAPS, RECENT, Measures, Times


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def measures(clock: Clock) -> Measures:
    return Measures(clock)


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=RECENT), st.sampled_from([0.5, 0.95, 1.0]))
def test_a_quantile_is_the_least_time_that_enough_do_not_exceed(seconds: list[float], share: float) -> None:
    times = Times()
    for one in seconds:
        times.add(one)
    enough = math.ceil(share * len(seconds) - 1e-9)
    expected = next(value for value in sorted(seconds) if sum(one <= value for one in seconds) >= enough)
    assert times.quantile(share) == expected


def test_only_recent_times_are_kept() -> None:
    """Sums go on for ever, memory does not."""
    times = Times()
    for _ in range(RECENT):
        times.add(9)
    for _ in range(RECENT):
        times.add(1)
    assert len(times._recent) == RECENT
    assert times.figures("t") == {"t_count": 2 * RECENT, "t_sum": 10 * RECENT, "t_p50": 1, "t_p95": 1}
    assert Times().figures("t") == {"t_count": 0, "t_sum": 0}


def test_an_answer_is_timed_from_the_moment_it_was_asked_for(measures: Measures, clock: Clock) -> None:
    """Waiting, the first text of any draft, the end of the last draft; each once."""
    measures.asked(7, count=2)
    clock.now += 1
    measures.began(7)
    clock.now += 1
    measures.drew(7, spoke=False)
    clock.now += 1
    for _ in range(2):
        measures.drew(7, spoke=True)
        measures.finished(7)
        clock.now += 1
    figures = measures.figures()
    assert (figures["queue_seconds_sum"], figures["first_text_seconds_sum"], figures["last_draft_seconds_sum"]) == (
        1,
        3,
        4,
    )
    assert (figures["answers_done"], figures["first_text_seconds_count"], figures["tokens_drawn"]) == (1, 1, 3)


@pytest.mark.parametrize(("end", "figure"), [("lost", "answers_lost"), ("cancelled", "answers_cancelled")])
def test_an_answer_ends_once(measures: Measures, end: str, figure: str) -> None:
    """Cancelling what is over already counts nothing."""
    measures.asked(1, count=1)
    getattr(measures, end)(1)
    measures.lost(1)
    measures.cancelled(1)
    measures.cancelled(99)
    figures = measures.figures()
    assert {name: n for name, n in figures.items() if name.startswith("answers_") and n} == {figure: 1}
    assert not measures._watches


def test_rates_are_of_the_time_at_work(measures: Measures, clock: Clock) -> None:
    """Idle time counts nothing, nor does a lap in which nothing was done; old laps are forgotten."""
    measures.asked(1, count=10**6)
    for pace in [*[1000] * LAPS, *[20] * LAPS]:
        clock.now += 3600  # nobody asks
        measures.begin_lap()
        for _ in range(pace):
            measures.drew(1, spoke=False)
        measures.tokens_read += 5
        measures.stepped(rows=3)
        measures.stepped(rows=4)
        clock.now += 0.5
        assert not measures.end_lap(at_least=1)
        clock.now += 0.5
        assert measures.end_lap(at_least=1)
        measures.end_lap()
    figures = measures.figures()
    assert (figures["tokens_per_second"], figures["tokens_read_per_second"], figures["rows_per_step"]) == (20, 5, 3.5)
