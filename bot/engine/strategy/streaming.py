"""Layers that a card has no room for: they wait in CPU memory and are brought one by one, each while the one before runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from bot.engine.layer import Layer
from bot.engine.strategy.placing import LARGE, numbers, with_numbers

Buffer = dict[str, Tensor]


class Stream:
    """Room on the device for the large matrices of two layers, which take turns. One pass at a time."""

    def __init__(self, layers: list[Layer], device: torch.device) -> None:
        """Streamed layers of one stage, as `Placed.layer` makes them, in order; at least one."""
        self._layers = layers
        self._device = device
        first = {name: numbers(getattr(layers[0], name)) for name in LARGE}
        self._buffers: list[Buffer] = [
            {name: torch.empty_like(there, device=device) for name, there in first.items()} for _ in range(2)
        ]
        self._card = _Card(device) if device.type == "cuda" else None
        self._turn = 0  # of the buffer that the next layer is brought to
        self._brought: int | None = None  # the layer that was brought last, and is not used yet

    def __iter__(self) -> Iterator[Layer]:
        """One pass: every layer, ready to run until the next one is asked for. The last also fetches the first, for
        the next pass."""
        for number, layer in enumerate(self._layers):
            if self._brought != number:
                self._bring(number)
            here = 1 - self._turn
            if self._card:
                self._card.wait_until_brought(here)
            if len(self._layers) > 1:
                self._bring((number + 1) % len(self._layers))
            try:
                yield self._in(layer, self._buffers[here])
            finally:
                if self._card:
                    self._card.used(here)

    def _bring(self, number: int) -> None:
        turn, self._turn, self._brought = self._turn, 1 - self._turn, number
        with self._card.bringing(turn) if self._card else nullcontext():
            for name, there in self._buffers[turn].items():
                there.copy_(numbers(getattr(self._layers[number], name)), non_blocking=True)
        if self._card:
            self._card.brought(turn)

    @staticmethod
    def _in(layer: Layer, buffer: Buffer) -> Layer:
        moved: dict[str, Any] = {name: with_numbers(getattr(layer, name), there) for name, there in buffer.items()}
        return replace(layer, **moved)


class _Card:
    """Which of the two buffers of a CUDA device are being filled and used, by its own clocks: nothing here waits."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._filling = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._full = [torch.cuda.Event() for _ in range(2)]  # type: ignore[no-untyped-call]
        self._free = [torch.cuda.Event() for _ in range(2)]  # type: ignore[no-untyped-call]

    def bringing(self, buffer: int) -> torch.cuda.StreamContext:
        """Copies made in here go on beside the computing, after its last use of the buffer."""
        self._filling.wait_event(self._free[buffer])
        return torch.cuda.stream(self._filling)

    def brought(self, buffer: int) -> None:
        self._full[buffer].record(self._filling)

    def wait_until_brought(self, buffer: int) -> None:
        torch.cuda.current_stream(self._device).wait_event(self._full[buffer])

    def used(self, buffer: int) -> None:
        self._free[buffer].record(torch.cuda.current_stream(self._device))
