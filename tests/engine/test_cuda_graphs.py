"""Steps by graph are the steps themselves, whoever shares a graph's memory. CUDA's part is played by a call that runs the
step again in the same memory, which is what a graph does; on a card the real thing is tried too."""

from __future__ import annotations

import gc
import logging
import random
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from bot.engine.cuda.graphs import Graphs, Replay
from bot.engine.rwkv7 import Model
from bot.engine.state import State

VOCAB = 7


def zero_state(batch: int) -> State:
    return State({"shift": torch.zeros(4, batch, 3).double(), "wkv": torch.zeros(2, batch, 2, 2).double()})


def step(tokens: Tensor, state: State) -> Tensor:
    """A little recurrence in which every row goes its own way."""
    shift, wkv = state.tensors["shift"], state.tensors["wkv"]
    shift.mul_(0.5).add_(tokens[:, 0, None].sin())
    wkv.add_(shift[:2, :, :2, None]).mul_(0.75)
    return wkv.sum(dim=(0, 2, 3))[:, None] * torch.arange(VOCAB) + shift.sum(dim=(0, 2))[:, None]


class FakeCapture:
    """Keeps which sizes were captured; refuses those it is told to."""

    def __init__(self, refuses: tuple[int, ...] = ()) -> None:
        self.sizes: list[int] = []
        self.replays = 0
        self._refuses = refuses

    def __call__(self, step: Callable[[], Tensor], device: torch.device) -> tuple[Replay, Tensor]:
        step(), step()
        logits = step().clone()
        if len(logits) in self._refuses:
            raise torch.OutOfMemoryError("CUDA out of memory")
        self.sizes.append(len(logits))

        def replay() -> None:
            self.replays += 1
            logits.copy_(step())

        return replay, logits


def equal(ours: Tensor, theirs: Tensor) -> bool:
    """But for the order of sums, which depends on how the tensors lie in memory."""
    return torch.allclose(ours, theirs, rtol=1e-12, atol=1e-12)


def same(ours: State, theirs: State) -> bool:
    return all(equal(tensor, theirs.tensors[name]) for name, tensor in ours.tensors.items())


def test_a_batch_is_filled_up_to_the_next_size() -> None:
    """Each size is captured once, when it is first wanted; more rows than the largest go without."""
    capture = FakeCapture()
    graphs = Graphs(step, zero_state, capture)
    for rows in (1, 5, 7, 8, 9, 12, 13, 128, 1, 129):
        state, plain = zero_state(rows), zero_state(rows)
        tokens = torch.arange(rows)[:, None]
        logits = graphs(tokens, state)
        assert equal(logits, step(tokens, plain)) and same(state, plain) and len(state) == rows
    assert capture.sizes == [1, 5, 8, 12, 16, 128, 1]  # the last once more, as the memory grew
    assert capture.replays == 9


@pytest.mark.parametrize("inference", [False, True])
def test_any_mixture_of_states_goes_as_without_graphs(inference: bool) -> None:
    """Several conversations take turns: they step, branch, lose rows, join, read a piece the plain way, and end."""
    chance = random.Random(3)
    graphs = Graphs(step, zero_state, FakeCapture())
    pairs = [(zero_state(n), zero_state(n)) for n in (1, 2, 2, 5)]
    for _ in range(600):
        ours, theirs = pairs.pop(chance.randrange(len(pairs)))
        tokens = torch.tensor([[chance.randrange(100)] for _ in range(len(ours))])
        match chance.randrange(8):
            case 0 if len(ours) < 20:
                ours, theirs = ours.repeat(2), theirs.repeat(2)
            case 1:
                kept = chance.sample(range(len(ours)), chance.randint(1, len(ours)))
                ours, theirs = ours[kept], theirs[kept]
            case 2 if len(ours) < 20:
                other = pairs.pop()
                ours, theirs = State.join([ours, other[0]]), State.join([theirs, other[1]])
            case 3:
                assert equal(step(tokens, ours), step(tokens, theirs))
            case 4:
                ours, theirs = zero_state(1), zero_state(1)
            case _:
                with torch.inference_mode(inference):
                    logits = graphs(tokens, ours)
                assert equal(logits, step(tokens, theirs))
        pairs.append((ours, theirs))
        if len(pairs) < 4:
            pairs.append((zero_state(2), zero_state(2)))
        assert all(same(*pair) for pair in pairs)


def test_a_state_that_steps_again_is_not_copied() -> None:
    """It lives in the graph's memory until another needs it; then it gets its own back."""
    graphs = Graphs(step, zero_state, FakeCapture())
    drafting, other = zero_state(2), zero_state(2)
    tokens = torch.ones(2, 1, dtype=torch.long)
    graphs(tokens, drafting)
    lived = drafting.tensors["wkv"]
    graphs(tokens, drafting)
    assert drafting.tensors["wkv"] is lived
    graphs(tokens, other)
    assert drafting.tensors["wkv"].data_ptr() != lived.data_ptr() == other.tensors["wkv"].data_ptr()
    drafting.tensors["wkv"].zero_()  # an ordinary tensor, which may be changed anywhere


def test_a_state_that_got_other_tensors_is_read_again() -> None:
    """Whoever replaces a State's tensors has put something else there."""
    graphs, state, plain = Graphs(step, zero_state, FakeCapture()), zero_state(1), zero_state(1)
    tokens = torch.tensor([[3]])
    for _ in range(2):
        state.tensors, plain.tensors = (dict(zero_state(1).repeat(1).tensors) for _ in range(2))
        assert equal(graphs(tokens, state), step(tokens, plain)) and same(state, plain)


def test_logits_stay_as_they_were_given() -> None:
    """The next step writes into the graph's own tensor, not into the caller's."""
    graphs, state = Graphs(step, zero_state, FakeCapture()), zero_state(1)
    first = graphs(torch.tensor([[1]]), state)
    kept = first.clone()
    second = graphs(torch.tensor([[50]]), state)
    assert torch.equal(first, kept) and not torch.equal(first, second)


def test_all_graphs_share_the_memory_of_the_most_rows() -> None:
    """It grows in steps; a graph that knows the old memory is made anew, a state that lives in the old one keeps it."""
    capture, rooms = FakeCapture(), list[int]()

    def room(batch: int) -> State:
        rooms.append(batch)
        return zero_state(batch)

    graphs = Graphs(step, room, capture)
    state, plain = zero_state(2), zero_state(2)
    tokens = torch.tensor([[1], [2]])
    for others in (3, 8, 9, 16, 2):
        graphs(tokens, state)
        step(tokens, plain)
        graphs(torch.ones(others, 1, dtype=torch.long), zero_state(others))
        gc.collect()
        assert same(state, plain)
    assert rooms == [8, 16]
    assert capture.sizes == [2, 3, 8, 12, 2, 16]


def test_a_graph_that_cannot_be_made_is_done_without(caplog: pytest.LogCaptureFixture) -> None:
    """Out of memory, or an operation that no graph can hold: the plain step, and one line in the log."""
    capture = FakeCapture(refuses=(4, 5))
    graphs = Graphs(step, zero_state, capture)
    living = zero_state(2)
    graphs(torch.zeros(2, 1, dtype=torch.long), living)
    with caplog.at_level(logging.WARNING):
        for rows in (4, 4, 5, 2):
            state, plain = zero_state(rows), zero_state(rows)
            tokens = torch.arange(rows)[:, None]
            assert equal(graphs(tokens, state), step(tokens, plain)) and same(state, plain)
    assert len(caplog.records) == 1 and "out of memory" in caplog.text
    assert capture.sizes == [2]


def test_a_real_model_by_graph_is_the_model(tiny: Model) -> None:
    """RWKV-7's own step, in a batch that is filled up: the same logits and states, token after token."""
    graphs = Graphs(tiny.forward, tiny.zero_state, FakeCapture())
    ours, theirs = tiny.zero_state(7), tiny.zero_state(7)
    for n in range(5):
        tokens = torch.arange(7)[:, None] + n
        assert torch.allclose(graphs(tokens, ours), tiny.forward(tokens, theirs), rtol=1e-5, atol=1e-5)
    assert torch.allclose(ours.tensors["wkv"], theirs.tensors["wkv"], rtol=1e-5, atol=1e-5)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="a CUDA card is missing")
def test_a_graph_of_cuda_is_the_step() -> None:
    """The real capture: same numbers, in a batch that is filled up, with two states that take turns."""

    def on_card(batch: int) -> State:
        return State({name: tensor.cuda() for name, tensor in zero_state(batch).tensors.items()})

    def card_step(tokens: Tensor, state: State) -> Tensor:
        shift, wkv = state.tensors["shift"], state.tensors["wkv"]
        shift.mul_(0.5).add_(tokens[:, 0, None].sin())
        wkv.add_(shift[:2, :, :2, None]).mul_(0.75)
        return wkv.sum(dim=(0, 2, 3))[:, None] * torch.arange(VOCAB, device="cuda")

    graphs = Graphs(card_step, on_card)
    pairs = [(on_card(7), on_card(7)), (on_card(7), on_card(7))]
    for n in range(6):
        ours, theirs = pairs[n % 2]
        tokens = torch.arange(7)[:, None] + n
        assert torch.allclose(graphs(tokens, ours), card_step(tokens.cuda(), theirs))
        assert torch.allclose(ours.tensors["wkv"], theirs.tensors["wkv"])
