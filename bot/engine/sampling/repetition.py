"""DRY: what would repeat a stretch of the text word for word costs the more, the longer the stretch. Knows only ids.

The rule is p-e-w's (oobabooga/text-generation-webui, pull request 5677): a token that once followed the same n tokens
that stand at the end now loses `multiplier * base ** (n - allowed_length)`, for n of at least `allowed_length`. A
sequence breaker ends every stretch and is itself never penalised.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.engine.types import Sampling

Ids = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.floating[Any]]

MOST = 1e4
"""A penalty this large is a ban; more would only overflow."""


class Repeats:
    """The tokens so far, and for each of them how many before it are also the last ones of all."""

    def __init__(self, sampling: Sampling, before: Iterable[int], breakers: frozenset[int]) -> None:
        """`before` is the end of what the model has read, of which `dry_range` tokens count."""
        self._sampling = sampling
        self._breakers = breakers
        self._tokens: Ids = np.empty(0, dtype=np.int64)
        self._matched: Ids = np.empty(0, dtype=np.int64)
        for token in list(before)[-sampling.dry_range :] if sampling.dry_range else ():
            self.add(token)

    def add(self, token: int) -> None:
        """A stretch that goes on is longer by one; all others end. Linear in the tokens."""
        same = (self._tokens == token) & (token not in self._breakers)
        self._matched = np.concatenate(([0], np.where(same, self._matched + 1, 0)))
        self._tokens = np.append(self._tokens, token)

    def penalties(self) -> tuple[Ids, Numbers]:
        """Tokens that would repeat a stretch, each once, and what that costs them."""
        places = np.flatnonzero(self._matched >= self._sampling.dry_allowed_length)
        longest: dict[int, int] = {}
        for token, matched in zip(self._tokens[places].tolist(), self._matched[places].tolist(), strict=True):
            if token not in self._breakers:
                longest[token] = max(matched, longest.get(token, 0))
        ids = np.fromiter(longest, dtype=np.int64, count=len(longest))
        beyond = np.fromiter(longest.values(), dtype=np.float64, count=len(longest)) - self._sampling.dry_allowed_length
        with np.errstate(over="ignore"):
            costs = self._sampling.dry_multiplier * self._sampling.dry_base**beyond
        return ids, np.minimum(costs, MOST)
