"""Draws the next token of every row of a batch. Knows no text: what is forbidden or exempt comes as token ids.

A row's chances are those of the `rwkv` package: penalties off the logits, softmax, then `top_p`, then `top_k`, then
`temperature`. Tokens exactly as likely as the last one that stays, stay too. Each row draws from its own generator, so
what else is in the batch changes nothing.

The vocabulary is never sorted: where the likeliest few tokens do not hold the mass of `top_p`, the least likelihood
that stays is searched for by halving.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from bot.engine.types import Sampling

Numbers = npt.NDArray[np.floating[Any]]

CANDIDATES = 128
"""Tokens looked at first, for all rows together. Nearly always they are enough."""


class Chances:
    """One draft's settings, its random numbers, and the tokens that it drew so far."""

    def __init__(self, sampling: Sampling, seed: int, exempt: frozenset[int] = frozenset()) -> None:
        self.sampling = sampling
        self._random = random.Random(seed)
        self._exempt = exempt
        self._slots: dict[int, int] = {}  # token -> its place in the two arrays
        self._tokens = np.zeros(16, dtype=np.int64)
        self._counts = np.zeros(16)

    def uniform(self) -> float:
        return self._random.random()

    def drew(self, token: int) -> None:
        """Older counts fade, then the new token counts one. Exempt tokens are never penalised."""
        self._counts *= self.sampling.decay
        if token in self._exempt:
            return
        slot = self._slots.setdefault(token, len(self._slots))
        if slot == len(self._tokens):
            self._tokens = np.concatenate((self._tokens, np.zeros_like(self._tokens)))
            self._counts = np.concatenate((self._counts, np.zeros_like(self._counts)))
        self._tokens[slot] = token
        self._counts[slot] += 1

    def penalties(self) -> tuple[npt.NDArray[np.int64], Numbers]:
        """Tokens drawn so far, and what is taken off their logits."""
        n = len(self._slots)
        return self._tokens[:n], self.sampling.presence + self.sampling.frequency * self._counts[:n]


def draw(logits: Tensor, rows: Sequence[Chances], forbidden: Sequence[Tensor | None] | None = None) -> list[int]:
    """One token a row from `logits` (B, V), which is changed. `forbidden` are ids that a row must not draw."""
    tokens = []
    for row, (ids, weights) in zip(rows, distributions(logits, rows, forbidden), strict=True):
        sums = np.cumsum(weights)
        place = int(np.searchsorted(sums, row.uniform() * sums[-1], side="right"))
        tokens.append(int(ids[min(place, len(ids) - 1)]))
    return tokens


def distributions(
    logits: Tensor, rows: Sequence[Chances], forbidden: Sequence[Tensor | None] | None = None
) -> list[tuple[npt.NDArray[np.int64], Numbers]]:
    """For each row the tokens that may be drawn and their weights, which are not normalised. Changes `logits`."""
    _penalise(logits, rows)
    for i, banned in enumerate(forbidden or ()):
        if banned is not None:
            logits[i, banned.to(logits.device)] = -torch.inf
    probabilities = torch.softmax(logits.float(), dim=-1)
    values, ids = torch.topk(probabilities, min(CANDIDATES, logits.shape[1]), dim=-1)  # (B, k), falling
    if not torch.isfinite(values[:, 0]).all():
        raise FloatingPointError("the model's output is not a number")
    likeliest, names = values.double().cpu().numpy(), ids.cpu().numpy()
    found = []
    for i, row in enumerate(rows):
        kept = _kept_of(likeliest[i], row.sampling, complete=likeliest.shape[1] == logits.shape[1])
        if kept:
            found.append((names[i, :kept], _heated(likeliest[i, :kept], row.sampling)))
        else:
            found.append(_among_all(probabilities[i].double().cpu().numpy(), row.sampling))
    return found


def _penalise(logits: Tensor, rows: Sequence[Chances]) -> None:
    found = [row.penalties() for row in rows]
    where = np.concatenate([tokens + i * logits.shape[1] for i, (tokens, _) in enumerate(found)])
    if len(where):
        amount = np.concatenate([amounts for _, amounts in found]).astype(np.float32)
        logits.view(-1)[torch.from_numpy(where).to(logits.device)] -= torch.from_numpy(amount).to(logits.device)


def _kept_of(values: Numbers, sampling: Sampling, complete: bool) -> int:
    """How many of the likeliest `values` (falling) may be drawn; 0 when more than these may be.

    `complete` says that there are no others.
    """
    if sampling.temperature <= 0:
        return 1  # greedy
    least = 0.0
    reached = np.cumsum(values) >= sampling.top_p
    if sampling.top_p < 1 and reached.any():
        least = values[reached.argmax()]
    if 0 < sampling.top_k <= len(values):
        least = max(least, values[sampling.top_k - 1])
    kept = int(np.count_nonzero(values >= least)) if least > 0 else len(values)
    return kept if complete or kept < len(values) else 0


def _among_all(values: Numbers, sampling: Sampling) -> tuple[npt.NDArray[np.int64], Numbers]:
    """The tokens of a whole row (V) that may be drawn, in the vocabulary's order, and their weights."""
    least = 0.0
    if sampling.top_p < 1:
        least = least_of_mass(values, sampling.top_p)
    if 0 < sampling.top_k < len(values):
        least = max(least, np.partition(values, -sampling.top_k)[-sampling.top_k])
    kept = np.flatnonzero(values >= least)
    return kept, _heated(values[kept], sampling)


def least_of_mass(values: Numbers, mass: float) -> float:
    """The smallest of the largest `values` that together reach `mass`. In linear time on the whole."""
    while len(values) > CANDIDATES:
        upper = values >= values.mean()
        if upper.all() or not upper.any():
            break  # all alike, but for rounding
        above = float(values[upper].sum())
        if above >= mass:
            values = values[upper]
        else:
            mass -= above
            values = values[~upper]
    falling = np.sort(values)[::-1]
    reached = np.cumsum(falling) >= mass
    return float(falling[reached.argmax()] if reached.any() else falling[-1])


def _heated(values: Numbers, sampling: Sampling) -> Numbers:
    """Likelihoods after the temperature; the largest is 1, so that a low temperature loses none to rounding."""
    temperature = sampling.temperature if sampling.temperature > 0 else 1.0
    heated: Numbers = (values / values.max()) ** (1 / temperature)
    return heated
