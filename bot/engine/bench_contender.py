"""One side of `cohost bench engine`, in a process of its own: `python -m bot.engine.bench_contender SIDE MODEL`.

SIDE is `rwkv`, the package at its best on a CPU (`cpu fp32`), or one of our strategies. It loads MODEL (a `.pth`), says
`ready`, and then answers each line `prefill`, `one_draft` or `five_drafts` with the tokens a second that it reached. Only
the passes through the model count, and choosing the likeliest token; sampling and text do not.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any, Protocol

import torch

PROMPT = 256
"""Tokens that `prefill` reads."""

LENGTH = 16
"""Tokens of each draft that is measured."""


class Side(Protocol):
    def prefill(self, tokens: list[int]) -> None:
        """Reads a prompt from nothing."""
        ...

    def drafts(self, count: int, length: int) -> None:
        """Grows `count` drafts from the state after the prompt."""
        ...


class Package:
    """The `rwkv` package. It knows no batch: drafts come one after another."""

    def __init__(self, model: Path) -> None:
        os.environ["RWKV_V7_ON"] = "1"
        from rwkv.model import RWKV  # must come after the line above

        self._model: Any = RWKV(model=str(model.with_suffix("")), strategy="cpu fp32")
        self._state: list[torch.Tensor] = []

    def prefill(self, tokens: list[int]) -> None:
        _, self._state = self._model.forward(tokens, None)

    def drafts(self, count: int, length: int) -> None:
        for first in range(count):
            state = [part.clone() for part in self._state]
            token = first + 1
            for _ in range(length):
                logits, state = self._model.forward([token], state)
                token = int(logits.argmax())


class Ours:
    """Our own forward; all drafts in one batch."""

    def __init__(self, model: Path, strategy: str) -> None:
        from bot.engine.rwkv7 import load_model

        self._model = load_model(model, strategy)
        self._state = self._model.zero_state(1)

    def prefill(self, tokens: list[int]) -> None:
        self._state = self._model.zero_state(1)
        self._model.forward(torch.tensor([tokens]), self._state)

    def drafts(self, count: int, length: int) -> None:
        state = self._state.repeat(count)
        tokens = torch.arange(1, count + 1)[:, None]
        for _ in range(length):
            tokens = self._model.forward(tokens, state).argmax(dim=-1, keepdim=True)


def measure(side: Side, what: str) -> float:
    """Tokens a second of one task."""
    begin = time.perf_counter()
    if what == "prefill":
        side.prefill([1 + n % 250 for n in range(PROMPT)])
        return PROMPT / (time.perf_counter() - begin)
    count = 5 if what == "five_drafts" else 1
    side.drafts(count, LENGTH)
    return count * LENGTH / (time.perf_counter() - begin)


def main(name: str, model: Path) -> None:
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # the package prints while it loads
    side: Side = Package(model) if name == "rwkv" else Ours(model, name)
    for what in ("prefill", "one_draft", "five_drafts"):
        measure(side, what)  # once for nothing: caches, compilers
    print("ready", file=out, flush=True)
    for line in sys.stdin:
        print(measure(side, line.strip()), file=out, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
