"""Running totals of gifts: what is counted adds up to what was given."""

from hypothesis import given
from hypothesis import strategies as st

from adapters.bridges.streaks import LIMIT, SECONDS, Streaks

clicks = st.lists(st.integers(1, 20), min_size=1, max_size=8)


@given(st.lists(clicks, min_size=1, max_size=5))
def test_rows_that_end_add_up(rows: list[list[int]]):
    """One viewer, one gift, several rows, each with an end that repeats its total."""
    streaks, told = Streaks(), 0
    for row in rows:
        for total in running(row):
            told += streaks.given("k", total, 0.0)
        assert streaks.given("k", sum(row), 0.0, ended=True) == 0
    assert told == sum(map(sum, rows))


@given(st.lists(clicks, min_size=1, max_size=4), st.randoms())
def test_numbered_rows_add_up_whatever_comes_twice_or_late(rows: list[list[int]], random: object):
    """Each row has its own key; old totals are sent again anywhere behind their place."""
    streaks, told = Streaks(), 0
    for number, row in enumerate(rows):
        totals = running(row)
        for place, total in enumerate(totals):
            told += streaks.given(f"k{number}", total, 0.0, numbered=True)
            late = random.choice(totals[: place + 1])  # type: ignore[attr-defined]
            assert streaks.given(f"k{number}", late, 0.0, numbered=True) == 0
    assert told == sum(map(sum, rows))


def running(row: list[int]) -> list[int]:
    return [sum(row[: place + 1]) for place in range(len(row))]


def test_without_numbers_a_total_that_does_not_rise_begins_a_row():
    """The end of the one before was lost."""
    streaks = Streaks()
    assert [streaks.given("k", total, 0.0) for total in (1, 3, 3, 1)] == [1, 2, 3, 1]


def test_a_row_is_forgotten_after_a_while_and_when_there_are_too_many():
    """Memory has a bound."""
    streaks = Streaks()
    assert streaks.given("k", 5, 0.0, numbered=True) == 5
    assert streaks.given("k", 5, SECONDS, numbered=True) == 5
    for number in range(2 * LIMIT):
        streaks.given(str(number), 1, 0.0)
    assert len(streaks) == LIMIT
