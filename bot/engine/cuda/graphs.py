"""Steps of one token as CUDA graphs: hundreds of small kernels started by one call. Knows no model: it is given its step.

A graph has a fixed number of rows and fixed memory. So a batch is filled up to the next of `SIZES` with rows that nobody
looks at, and a State that comes again and again, as in drafting, is not copied in and out at every step: from its first
step on it *lives* in the graph's memory (its tensors become views of it), until another State needs the graph.
"""

from __future__ import annotations

import logging
import weakref
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from bot.engine.state import State

log = logging.getLogger(__name__)

SIZES = (1, 2, 3, 4, 5, 6, 8, 12, 16, 24, 32, 48, 64)
"""Rows that graphs are made for; larger batches, where the small kernels no longer count, go without."""

MOST_ROWS = 96
"""Of all graphs together: each row has a state's memory. The graph that was used least recently goes first."""

Step = Callable[[Tensor, State], Tensor]
"""tokens (B, 1) on the device, and a State that is changed in place -> float32 logits (B, vocab). Reads nothing back."""

Replay = Callable[[], None]
Capture = Callable[[Callable[[], Tensor], torch.device], tuple[Replay, Tensor]]
"""Makes a graph of a call on a card: what runs it again, and the tensor that its result is in each time."""


@dataclass(slots=True)
class _Graph:
    tokens: Tensor  # (size, 1)
    memory: State  # of `size` rows
    replay: Replay
    logits: Tensor  # (size, vocab)
    lent: dict[str, Tensor]  # the views of `memory` that the tenant was given
    tenant: weakref.ref[State] | None = None  # who lives in `memory`


class Graphs:
    """`graphs(tokens, state)` is `step(tokens, state)`, faster. Where no graph can be made it is the same call."""

    def __init__(
        self, step: Step, zero_state: Callable[[int], State], capture: Capture | None = None, most_rows: int = MOST_ROWS
    ) -> None:
        """`zero_state(B)` makes a State of B rows. `capture` is CUDA's unless told."""
        self._step, self._zero_state, self._capture = step, zero_state, capture or captured
        self._most_rows = most_rows
        self._graphs: OrderedDict[int, _Graph] = OrderedDict()  # by size, the least recently used first
        self._failed: set[int] = set()

    def __call__(self, tokens: Tensor, state: State) -> Tensor:
        """tokens (B, 1), on any device; `state` is changed in place, though its tensors may be others afterwards."""
        graph = self._graph(len(state))
        if graph is None:
            return self._step(tokens.to(next(iter(state.tensors.values())).device), state)
        _move_in(graph, state)
        graph.tokens[: len(state)].copy_(tokens)
        graph.replay()
        return graph.logits[: len(state)].clone()

    def _graph(self, rows: int) -> _Graph | None:
        if not 0 < rows <= SIZES[-1]:
            return None
        size = SIZES[bisect_left(SIZES, rows)]
        if size in self._failed:
            return None
        if size not in self._graphs:
            self._make_room(size)
            made = self._made(size)
            if made is None:
                return None
            self._graphs[size] = made
        self._graphs.move_to_end(size)
        return self._graphs[size]

    def _make_room(self, size: int) -> None:
        while self._graphs and sum(self._graphs) + size > self._most_rows:  # the keys are rows
            self._graphs.popitem(last=False)  # its tenant, if any, keeps the memory as long as it needs it

    def _made(self, size: int) -> _Graph | None:
        try:
            with torch.inference_mode(False):  # or States that live here could not be changed outside of it
                memory = self._zero_state(size)
                device = next(iter(memory.tensors.values())).device
                tokens = torch.zeros(size, 1, dtype=torch.long, device=device)
            replay, logits = self._capture(lambda: self._step(tokens, memory), device)
            return _Graph(tokens, memory, replay, logits, lent={})
        except RuntimeError as error:  # out of memory among them
            if not self._failed:
                log.warning(
                    "CUDA 图（%d 行）没有建成，改为逐个启动内核：结果一样，只是慢一些。%s"
                    " / No CUDA graph for %d rows; the same without it, more slowly.",
                    size,
                    error,
                    size,
                )
            self._failed.add(size)
            return None


def _move_in(graph: _Graph, state: State) -> None:
    """Makes `state` live in the graph's memory; whoever lived there gets memory of its own."""
    before = graph.tenant() if graph.tenant is not None else None
    lives_here = before is not None and _lives_in(before, graph.lent)
    if lives_here and before is state:
        return
    with torch.inference_mode(False), torch.no_grad():
        if lives_here and before is not None:
            before.tensors = {name: view.clone() for name, view in graph.lent.items()}
        graph.lent = {name: tensor[:, : len(state)] for name, tensor in graph.memory.tensors.items()}
        for name, view in graph.lent.items():
            view.copy_(state.tensors[name])
    state.tensors = dict(graph.lent)
    graph.tenant = weakref.ref(state)


def _lives_in(state: State, lent: dict[str, Tensor]) -> bool:
    """Whether the State still has the very views that it was given, or has got other tensors since."""
    return all(state.tensors.get(name) is view for name, view in lent.items())


def captured(step: Callable[[], Tensor], device: torch.device) -> tuple[Replay, Tensor]:
    """A CUDA graph of `step`, after two runs for nothing on a stream of their own, in which libraries get ready."""
    with torch.cuda.device(device):
        aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(2):
                step()
        torch.cuda.current_stream().wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):  # other threads may go on using the card
            logits = step()
    return graph.replay, logits
