"""The figures beside a reference that is slow and plain, and the measures that are easily got wrong by themselves."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.figures.choices import Choice, Fate
from bot.figures.spans import Busy, percentile
from bot.figures.tally import Tally
from bot.save import Generation, Outcome, Place

TIMES = st.integers(0, 100).map(lambda quarter: quarter / 4)  # whole quarters add up without rounding
CHOICES = st.builds(
    Choice,
    place=st.sampled_from(Place),
    subject=st.sampled_from(["演示/直播间", "scene1"]),
    character=st.sampled_from(["小芽", "小铃"]),
    at=TIMES,
    fate=st.sampled_from(Fate),
    hit=st.booleans(),
    waited=st.none() | TIMES,
    characters=st.integers(0, 50),
)
GENERATIONS = st.builds(
    Generation,
    place=st.sampled_from(Place),
    subject=st.just("演示/直播间"),
    character=st.sampled_from(["小芽", "小铃"]),
    at=TIMES,
    seconds=TIMES,
    first_text=st.none() | TIMES,
    drafts=st.integers(0, 8),
    characters=st.integers(0, 500),
    outcome=st.sampled_from(Outcome),
)


def tally(choices: list[Choice] | None = None, generations: list[Generation] | None = None) -> dict[str, Any]:
    heap = Tally()
    for choice in choices or []:
        heap.choice(choice)
    for generation in sorted(generations or [], key=lambda one: one.at):
        heap.generation(generation)
    return heap.figures()


def nearest_rank(values: list[float], percent: int) -> float | None:
    """Tries every value."""
    enough = [v for v in values if 100 * sum(w <= v for w in values) >= percent * len(values)]
    return min(enough, default=None)


def covered(spans: list[tuple[float, float]]) -> float:
    """Looks at every quarter of a second."""
    return sum(any(at <= q / 4 < at + s for at, s in spans) for q in range(250)) / 4


@given(st.lists(TIMES, max_size=40), st.sampled_from([1, 50, 95, 100]))
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(values: list[float], percent: int) -> None:
    assert percentile(sorted(values), percent) == nearest_rank(values, percent)


@pytest.mark.parametrize(
    ("values", "p50", "p95"),
    [([], None, None), ([3.0], 3.0, 3.0), ([1.0, 2.0], 1.0, 2.0), ([float(n) for n in range(1, 101)], 50.0, 95.0)],
)
def test_percentiles_that_anybody_can_check(values: list[float], p50: float | None, p95: float | None) -> None:
    assert (percentile(values, 50), percentile(values, 95)) == (p50, p95)


@given(st.lists(st.tuples(TIMES, TIMES), max_size=20))
def test_time_in_which_two_things_go_on_counts_once(spans: list[tuple[float, float]]) -> None:
    busy = Busy()
    for at, seconds in sorted(spans):
        busy.add(at, seconds)
    assert busy.seconds == covered(spans)


@given(st.lists(CHOICES, max_size=40))
def test_choices_are_counted_as_one_counts_by_hand(choices: list[Choice]) -> None:
    """Counts, shares that add up to one, hits, times to decide."""
    found = tally(choices)
    decided = [one for one in choices if one.fate is not Fate.WAITING]
    for fate in Fate:
        assert found[fate.value] == len([one for one in choices if one.fate is fate])
    assert found["decided"] == len(decided)
    if decided:
        assert math.isclose(sum(found["shares"].values()), 1.0)
        assert found["shares"]["edited"] == len([one for one in choices if one.fate == "edited"]) / len(decided)
    else:
        assert set(found["shares"].values()) == {None}
    judged = [one for one in choices if one.fate in ("taken", "edited", "rejected", "recalled")]
    hits = [one for one in choices if one.hit]
    assert found["hits"] == len(hits)
    assert found["hit_share"] == (len(hits) / len(judged) if judged else None)
    assert found["chosen_characters"] == sum(one.characters for one in choices)
    waits = [one.waited for one in choices if one.waited is not None]
    assert (found["decide_p50"], found["decide_p95"]) == (nearest_rank(waits, 50), nearest_rank(waits, 95))


@given(st.lists(GENERATIONS, max_size=20))
def test_generations_are_counted_as_one_counts_by_hand(generations: list[Generation]) -> None:
    found = tally(generations=generations)
    written, spans = sum(one.characters for one in generations), [(one.at, one.seconds) for one in generations]
    assert found["generations"] == len(generations)
    for outcome in Outcome:
        assert found[outcome.value] == len([one for one in generations if one.outcome is outcome])
    assert found["drafts"] == sum(one.drafts for one in generations)
    assert found["characters"] == written
    assert found["engine_seconds"] == covered(spans)
    assert found["seconds_per_character"] == (covered(spans) / written if written else None)
    if generations:
        assert found["seconds_per_generation"] == sum(one.seconds for one in generations) / len(generations)
        assert found["characters_per_generation"] == written / len(generations)
    firsts = [one.first_text for one in generations if one.first_text is not None]
    assert (found["first_text_p50"], found["first_text_p95"]) == (nearest_rank(firsts, 50), nearest_rank(firsts, 95))


def test_the_figures_of_nothing_are_no_division_by_nothing() -> None:
    found = tally()
    assert (found["generations"], found["seconds_per_generation"], found["hit_share"]) == (0, None, None)
