"""Words that a draft is pushed towards or held back from. Knows only ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Lean:
    """`amount` is added to the logit of `token` wherever the tokens `after` stand just before it."""

    after: tuple[int, ...]
    token: int
    amount: float


def leans(word: Sequence[int], amount: float) -> list[Lean]:
    """A push helps every token of a word, each once those before it were said. What holds back is on the last token
    alone, so that no other word suffers that begins alike."""
    first = 0 if amount > 0 else len(word) - 1
    return [Lean(tuple(word[:place]), word[place], amount) for place in range(first, len(word))]


class Bias:
    """What the last tokens say about the next one."""

    def __init__(self, leans: Iterable[Lean], before: Sequence[int] = ()) -> None:
        self._leans = tuple(leans)
        self._reach = max((len(lean.after) for lean in self._leans), default=0)
        self._last = tuple(before[-self._reach :]) if self._reach else ()

    def add(self, token: int) -> None:
        self._last = (*self._last, token)[-self._reach :] if self._reach else ()

    def amounts(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Tokens, each once, and what is added to their logits."""
        found: dict[int, float] = {}
        for lean in self._leans:
            if self._last[len(self._last) - len(lean.after) :] == lean.after:
                found[lean.token] = found.get(lean.token, 0.0) + lean.amount
        return np.array([*found], dtype=np.int64), np.array([*found.values()], dtype=np.float64)
