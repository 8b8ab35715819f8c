"""Kept states: the longest beginning wins, the one that is cheapest to read again gives way."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from bot.engine.rwkv7 import Model
from bot.engine.state import State
from bot.engine.states.memory import StateCache


def after(tiny: Model, tokens: list[int]) -> tuple[State, torch.Tensor]:
    state = tiny.zero_state(1)
    return state, tiny.forward(torch.tensor([tokens]), state)[0]


def test_the_longest_beginning_is_found(tiny: Model) -> None:
    """Among those that really are a beginning of the text."""
    cache = StateCache()
    for tokens in ([1, 2], [1, 2, 3, 4], [1, 9, 3, 4, 5], [1, 2, 3, 4, 5, 6]):
        cache.put(tokens, *after(tiny, tokens))
    found = cache.find([1, 2, 3, 4, 5])
    assert found is not None and found.length == 4
    assert torch.equal(found.state.tensors["wkv"], after(tiny, [1, 2, 3, 4])[0].tensors["wkv"])
    assert cache.find([2, 2, 3]) is None


def test_a_whole_text_is_found_with_what_comes_next(tiny: Model) -> None:
    """Drafts can begin there without another token being read."""
    cache = StateCache()
    state, logits = after(tiny, [1, 2, 3])
    cache.put([1, 2, 3], state, logits)
    found = cache.find([1, 2, 3])
    assert found is not None and torch.equal(found.logits, logits)


def test_what_is_kept_is_a_copy(tiny: Model) -> None:
    """Going on from the state that was put in does not change what is kept."""
    cache = StateCache()
    state, logits = after(tiny, [1, 2])
    cache.put([1, 2], state, logits)
    state.tensors["wkv"].zero_()
    logits.zero_()
    found = cache.find([1, 2, 3])
    assert found is not None and found.state.tensors["wkv"].abs().sum() > 0 and found.logits.abs().sum() > 0


def test_of_equally_dear_ones_the_least_recently_used_gives_way(tiny: Model) -> None:
    """Room is counted in bytes; looking something up counts as use."""
    size = tiny.zero_state(1).nbytes + 4 * tiny.vocab
    cache = StateCache(2 * size)
    for tokens in ([1], [2]):
        cache.put(tokens, *after(tiny, tokens))
    assert cache.find([1, 5]) is not None
    cache.put([3], *after(tiny, [3]))
    assert len(cache) == 2 and cache.nbytes == 2 * size
    assert cache.find([2, 5]) is None
    assert cache.find([1, 5]) is not None and cache.find([3, 5]) is not None


def test_a_state_that_is_too_large_is_not_kept(tiny: Model) -> None:
    """It would push out everything and still not fit."""
    cache = StateCache(100)
    cache.put([1], *after(tiny, [1]))
    assert len(cache) == 0 and cache.nbytes == 0


def test_keeping_the_same_again_takes_no_more_room(tiny: Model) -> None:
    """One entry a text."""
    cache = StateCache()
    for _ in range(3):
        cache.put([1, 2], *after(tiny, [1, 2]))
    state, logits = after(tiny, [1, 2])
    assert len(cache) == 1 and cache.nbytes == state.nbytes + logits.nbytes


# ---- what gives way: states of one number, since their content does not matter here --------------------------------

NOTHING = State({"wkv": torch.zeros(1, 1, 1)}), torch.zeros(1)
SIZE = NOTHING[0].nbytes + NOTHING[1].nbytes


def told(cache: StateCache, *texts: list[int]) -> None:
    """Reads them as the engine does: from what is known on."""
    for tokens in texts:
        cache.find(tokens)
        cache.put(tokens, *NOTHING)


def read_again(cache: StateCache, tokens: list[int]) -> int:
    found = cache.find(tokens)
    return len(tokens) - (found.length if found is not None else 0)


def story(turns: int, each: int = 30, first: int = 0) -> list[int]:
    return [first + turn for turn in range(turns) for _ in range(each)]


def test_a_growing_story_keeps_states_dense_at_its_end_and_sparse_before() -> None:
    """Six hundred turns in room for twenty: wherever one goes back to, much of it is known, and the end always is."""
    cache = StateCache(20 * SIZE)
    for turn in range(1, 601):
        told(cache, story(turn), [*story(turn), -turn % 7])  # with a cue at its end, which nothing goes on from
    back = [read_again(cache, story(turn)) for turn in range(10, 601, 10)]
    assert max(back) < 600 * 30 / 4
    assert back[-1] == 0 and max(read_again(cache, story(turn)) for turn in range(590, 601)) <= 4 * 30
    assert len(cache) == 20 and cache.nbytes == 20 * SIZE


def test_what_nobody_uses_goes_in_the_end_however_dear_it_was() -> None:
    """Another scene takes the room, little by little; its own last turn is known all the while."""
    cache = StateCache(8 * SIZE)
    told(cache, *(story(turns, 100) for turns in range(1, 9)))
    for turn in range(2, 200):
        told(cache, story(turn, first=1000))
        assert read_again(cache, story(turn, first=1000)) == 0
    assert read_again(cache, story(8, 100)) == 800


def test_a_scenario_that_every_prompt_begins_with_stays() -> None:
    """Chatter by the hundreds comes and goes after it."""
    cache = StateCache(4 * SIZE)
    scene = story(10)
    told(cache, scene)
    for question in range(300):
        asked = [*scene, 5000 + question, 7]
        assert read_again(cache, asked) == 2
        cache.put(asked, *NOTHING)


@given(st.integers(2, 6), st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=6), max_size=40))
def test_costs_are_those_of_reading_again(room: int, texts: list[list[int]]) -> None:
    """Whatever was kept and gave way: never more than the room, the last one is there, and costs along a text add up."""
    cache = StateCache(room * SIZE)
    for tokens in texts:
        told(cache, tokens)
        assert len(cache) <= room and cache.nbytes == len(cache) * SIZE
        assert read_again(cache, tokens) == 0
    for place, entry in cache._entries.items():
        before = entry.before.length if entry.before is not None else 0
        assert entry.before is None or entry.before in cache._entries
        assert entry.cost == place.length - before > 0
