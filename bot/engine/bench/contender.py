"""One side of `cohost bench engine`, in a process of its own: `python -m bot.engine.bench.contender SIDE MODEL`.

SIDE is `rwkv`, the package at its best on a CPU (`cpu fp32`), `llama.cpp F16` or `llama.cpp Q8_0`, or one of our
strategies. It loads MODEL (a `.pth`, or a `.gguf` for llama.cpp), says `ready`, and then answers each line `prefill`,
`one_draft` or `five_drafts` with the tokens a second that it reached, and `read` with the bytes a second that memory is
read at. Only the passes through the model count, and choosing the likeliest token; sampling and text do not.
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


LLAMA = ("llama.cpp F16", "llama.cpp Q8_0")


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


class Llama:
    """llama.cpp by its C interface, where five drafts are one batch of five sequences, branched from the prompt's."""

    def __init__(self, model: Path) -> None:
        import llama_cpp
        import numpy

        self._c, self._numpy = llama_cpp, numpy
        llama_cpp.llama_backend_init()
        silent = llama_cpp.llama_log_callback(lambda level, text, data: None)
        llama_cpp.llama_log_set(silent, None)
        self._silent = silent  # or it is freed while it is in use
        loaded = llama_cpp.llama_model_load_from_file(str(model).encode(), llama_cpp.llama_model_default_params())
        if not loaded:
            raise RuntimeError(f"llama.cpp cannot load {model}")
        settings = llama_cpp.llama_context_default_params()
        settings.n_ctx, settings.n_batch, settings.n_ubatch, settings.n_seq_max = 8192, PROMPT, PROMPT, 6
        settings.n_threads = settings.n_threads_batch = torch.get_num_threads()
        self._context = llama_cpp.llama_init_from_model(loaded, settings)
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._vocab = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(loaded))
        self._batch = llama_cpp.llama_batch_init(PROMPT, 0, 1)

    def prefill(self, tokens: list[int]) -> None:
        self._c.llama_memory_clear(self._memory, True)
        self._decode([(token, n, 0) for n, token in enumerate(tokens)], last_only=True)

    def drafts(self, count: int, length: int) -> None:
        for row in range(1, count + 1):
            self._c.llama_memory_seq_rm(self._memory, row, -1, -1)
            self._c.llama_memory_seq_cp(self._memory, 0, row, -1, -1)
        tokens = list(range(1, count + 1))
        for n in range(length):
            self._decode([(token, PROMPT + n, row) for row, token in enumerate(tokens, 1)], last_only=False)
            logits = [self._c.llama_get_logits_ith(self._context, row) for row in range(count)]
            tokens = [int(self._numpy.ctypeslib.as_array(row, (self._vocab,)).argmax()) for row in logits]

    def _decode(self, rows: list[tuple[int, int, int]], last_only: bool) -> None:
        batch = self._batch
        batch.n_tokens = len(rows)
        for n, (token, position, sequence) in enumerate(rows):
            batch.token[n], batch.pos[n] = token, position
            batch.n_seq_id[n], batch.seq_id[n][0] = 1, sequence
            batch.logits[n] = not last_only or n == len(rows) - 1
        if self._c.llama_decode(self._context, batch):
            raise RuntimeError("llama_decode failed")


def read_speed(memory: torch.Tensor) -> float:
    """Bytes a second at which a plain sum reads memory, on all threads."""
    begin = time.perf_counter()
    memory.sum()
    return memory.nbytes / (time.perf_counter() - begin)


def measure(side: Side, what: str) -> float:
    """Tokens a second of one task."""
    if what == "read":
        return read_speed(torch.ones(64 << 20))
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
    side: Side = Package(model) if name == "rwkv" else Llama(model) if name in LLAMA else Ours(model, name)
    for what in ("prefill", "one_draft", "five_drafts"):
        measure(side, what)  # once for nothing: caches, compilers
    print("ready", file=out, flush=True)
    for line in sys.stdin:
        print(measure(side, line.strip()), file=out, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
