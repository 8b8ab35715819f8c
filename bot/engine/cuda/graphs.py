"""Steps of one token as CUDA graphs: hundreds of small kernels started by one call. Knows no model: it is given its step.

A graph has a fixed number of rows and fixed memory. So a batch is filled up to the next of `SIZES` with rows that nobody
looks at, and all graphs work in one memory, that of as many rows as were wanted at once so far. A State that comes again
and again, as in drafting, is not copied in and out at every step: from its first step on it *lives* there (its tensors
become views of the memory), until another State needs the place.
"""

from __future__ import annotations

import logging
import weakref
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from bot.engine.state import State

log = logging.getLogger(__name__)

SIZES = (1, 2, 3, 4, 5, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
"""Rows that graphs are made for; larger batches, whose work outlasts the starting of kernels, go without."""

ROOMS = (8, 16, 32, 64, 128)
"""Rows of memory: when the next one is needed, the graphs of the one before are made anew."""

Step = Callable[[Tensor, State], Tensor]
"""tokens (B, 1) on the device, and a State that is changed in place -> a new tensor (B, …). Waits for nothing."""

Replay = Callable[[], None]
Capture = Callable[[Callable[[], Tensor], torch.device], tuple[Replay, Tensor]]
"""Makes a graph of a call on a card: what runs it again, and the tensor that its result is in each time."""


@dataclass(slots=True)
class _Graph:
    tokens: Tensor  # (size, 1)
    replay: Replay
    logits: Tensor  # (size, …)


class Graphs:
    """`graphs(tokens, state)` is `step(tokens, state)`, faster. Where no graph can be made it is the same call."""

    def __init__(self, step: Step, zero_state: Callable[[int], State], capture: Capture | None = None) -> None:
        """`zero_state(B)` makes a State of B rows. `capture` is CUDA's unless told."""
        self._step, self._zero_state, self._capture = step, zero_state, capture or captured
        self._memory: State | None = None
        self._graphs: dict[int, _Graph] = {}  # by size; all work in the first rows of the memory
        self._failed: set[int] = set()
        self._tenant: weakref.ref[State] | None = None  # who lives in the memory
        self._lent: dict[str, Tensor] = {}  # the views of it that the tenant was given

    def __call__(self, tokens: Tensor, state: State) -> Tensor:
        """tokens (B, 1), on any device; `state` is changed in place, though its tensors may be others afterwards."""
        graph = self._graph(len(state))
        if graph is None or self._memory is None:
            return self._step(tokens.to(next(iter(state.tensors.values())).device), state)
        self._move_in(state, self._memory)
        graph.tokens[: len(state)].copy_(tokens)
        graph.replay()
        return graph.logits[: len(state)].clone()

    def _graph(self, rows: int) -> _Graph | None:
        if not 0 < rows <= SIZES[-1]:
            return None
        size = SIZES[bisect_left(SIZES, rows)]
        if size not in self._graphs and size not in self._failed:
            self._make(size)
        return self._graphs.get(size)

    def _make(self, size: int) -> None:
        try:
            self._move_out()  # what is tried out now leaves its traces in the memory
            with torch.inference_mode(False):  # or States that live there could not be changed outside of it
                rows = State(_first(self._room(size), size))
                device = next(iter(rows.tensors.values())).device
                tokens = torch.zeros(size, 1, dtype=torch.long, device=device)
            self._graphs[size] = _Graph(tokens, *self._capture(lambda: self._step(tokens, rows), device))
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

    def _room(self, size: int) -> State:
        if self._memory is None or len(self._memory) < size:
            self._graphs.clear()
            self._memory = None  # first: both together may be too much
            self._memory = self._zero_state(ROOMS[bisect_left(ROOMS, size)])
        return self._memory

    def _move_in(self, state: State, memory: State) -> None:
        """Makes `state` live in the memory; whoever lived there gets memory of its own."""
        if self._living() is state:
            return
        self._move_out()
        self._lent = _first(memory, len(state))
        for name, view in self._lent.items():
            view.copy_(state.tensors[name])
        state.tensors = dict(self._lent)
        self._tenant = weakref.ref(state)

    def _move_out(self) -> None:
        living = self._living()
        if living is not None:
            with torch.inference_mode(False):
                living.tensors = {name: view.clone() for name, view in self._lent.items()}
        self._tenant = None

    def _living(self) -> State | None:
        """The tenant, if it still has the very views that it was given, and no other tensors since."""
        state = self._tenant() if self._tenant is not None else None
        stays = state is not None and all(state.tensors.get(name) is view for name, view in self._lent.items())
        return state if stays else None


def _first(state: State, rows: int) -> dict[str, Tensor]:
    """Views of its first rows."""
    return {name: tensor[:, :rows] for name, tensor in state.tensors.items()}


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
