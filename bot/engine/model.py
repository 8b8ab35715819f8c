"""What every model in the worker can do, whichever version of RWKV it is. The scheduler knows no more than this."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from bot.engine.state import State


class LanguageModel(Protocol):
    """Tokens and a state in, logits out. One thread at a time."""

    @property
    def vocab(self) -> int:
        """How many tokens it knows; logits have as many places."""
        ...

    @property
    def parameters(self) -> int:
        """About how many numbers it has learned."""
        ...

    @property
    def about(self) -> str:
        """How it runs, for people: `cpu bf16 · AVX512`."""
        ...

    @property
    def why(self) -> str:
        """Why it runs so, for people, if `auto` chose it; else ""."""
        ...

    def zero_state(self, batch: int = 1) -> State:
        """The state of `batch` rows (0 or more) that have read nothing."""
        ...

    def forward(self, tokens: Tensor, state: State) -> Tensor:
        """Reads `tokens` (B, T); `state` is changed in place. Returns float32 logits (B, vocab) of the last one."""
        ...
