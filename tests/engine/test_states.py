"""Kept states: the longest beginning wins, the least recently used gives way."""

from __future__ import annotations

import torch

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


def test_the_least_recently_used_gives_way(tiny: Model) -> None:
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
