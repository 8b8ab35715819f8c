"""Draws the next token of every row of a batch. Knows no text: what is forbidden or exempt comes as token ids.

A row's chances: penalties off the logits, biases on them, softmax, then the steps of `Sampling.order` one after
another, each on what the one before left, summing to 1. Tokens exactly as good as the last one that stays, stay too.
Each row draws from its own generator, so what else is in the batch changes nothing.

The vocabulary is never sorted: where the likeliest few tokens do not settle a row's first step, the border of what
stays is searched for among all of them by halving.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from bot.engine.sampling.bias import Bias
from bot.engine.sampling.repetition import Repeats
from bot.engine.types import Sampling

Ids = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.floating[Any]]
Amounts = tuple[Ids, Numbers]
"""Tokens, each once, and what is taken off their logits."""

CANDIDATES = 128
"""Tokens looked at first, for all rows together. Nearly always they are enough."""


class Chances:
    """One draft's settings, its random numbers, and what it drew so far."""

    def __init__(
        self,
        sampling: Sampling,
        seed: int,
        exempt: frozenset[int] = frozenset(),
        bias: Bias | None = None,
        repeats: Repeats | None = None,
    ) -> None:
        """`exempt` tokens are never penalised."""
        self.sampling = sampling
        self.heat, self.steps = _heat_first(sampling)
        self.greedy = sampling.temperature == 0
        self.most_surprise = 2 * sampling.mirostat_tau  # in bits; moves with every draw
        self._random = random.Random(seed)
        self._exempt = exempt
        self._bias = bias
        self._repeats = repeats
        self._slots: dict[int, int] = {}  # token -> its place in the two arrays
        self._tokens = np.zeros(16, dtype=np.int64)
        self._counts = np.zeros(16)

    def uniform(self) -> float:
        return self._random.random()

    def drew(self, token: int) -> None:
        """Older counts fade, then the new token counts one. Exempt tokens are never penalised."""
        if self._repeats is not None:
            self._repeats.add(token)
        if self._bias is not None:
            self._bias.add(token)
        self._counts *= self.sampling.decay
        if token in self._exempt:
            return
        slot = self._slots.setdefault(token, len(self._slots))
        if slot == len(self._tokens):
            self._tokens = np.concatenate((self._tokens, np.zeros_like(self._tokens)))
            self._counts = np.concatenate((self._counts, np.zeros_like(self._counts)))
        self._tokens[slot] = token
        self._counts[slot] += 1

    def surprised(self, bits: float) -> None:
        """Mirostat v2 (Basu et al. 2021, arXiv 2007.14966): the bound moves against the error."""
        self.most_surprise -= self.sampling.mirostat_rate * (bits - self.sampling.mirostat_tau)

    def penalties(self) -> Amounts:
        """For the tokens drawn so far."""
        n = len(self._slots)
        return self._tokens[:n], self.sampling.presence + self.sampling.frequency * self._counts[:n]

    def repetitions(self) -> Amounts | None:
        """For the tokens that would repeat a stretch of the text."""
        return self._repeats.penalties() if self._repeats is not None else None

    def bias(self) -> Amounts | None:
        """For the words that this draft is held back from; negative for those that it is pushed towards."""
        if self._bias is None:
            return None
        tokens, amounts = self._bias.amounts()
        return tokens, -amounts


def _heat_first(sampling: Sampling) -> tuple[float, tuple[str, ...]]:
    """The temperature, where it comes before all that narrows (then it divides the logits), and the other steps."""
    steps = sampling.steps
    if steps[:1] == ("temperature",) and sampling.temperature > 0:
        return sampling.temperature, steps[1:]
    return 1.0, steps


@dataclass(frozen=True, slots=True)
class Candidates:
    """Tokens that may be drawn and their likelihoods. `bits`: how surprising each was when mirostat chose."""

    ids: Ids
    likely: Numbers
    bits: Numbers | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def keep(self, which: npt.NDArray[np.bool_]) -> Candidates:
        kept = np.flatnonzero(which)
        likely = self.likely[kept]
        likely /= likely.sum()
        return Candidates(self.ids[kept], likely, self.bits[kept] if self.bits is not None else None)


def guided(logits: Tensor, against_logits: Tensor, guidance: float) -> Tensor:
    """Classifier-free guidance, as ChatRWKV's users do it: away from `against_logits` for `guidance` above 1.

    The logits of two prompts, of one shape; 1 gives the first, 0 the second. A new tensor.
    """
    return guidance * logits + (1 - guidance) * against_logits


def draw(logits: Tensor, rows: Sequence[Chances], forbidden: Sequence[Tensor | None] | None = None) -> list[int]:
    """One token a row from `logits` (B, V), which is changed. `forbidden` are ids that a row must not draw."""
    tokens = []
    for row, found in zip(rows, distributions(logits, rows, forbidden), strict=True):
        sums = np.cumsum(found.likely)
        place = min(int(np.searchsorted(sums, row.uniform() * sums[-1], side="right")), len(found) - 1)
        if found.bits is not None:
            row.surprised(float(found.bits[place]))
        tokens.append(int(found.ids[place]))
    return tokens


def distributions(
    logits: Tensor, rows: Sequence[Chances], forbidden: Sequence[Tensor | None] | None = None
) -> list[Candidates]:
    """For each row the tokens that may be drawn; their likelihoods need not sum to 1. Changes `logits`."""
    _prepare(logits, rows)
    for i, banned in enumerate(forbidden or ()):
        if banned is not None:
            logits[i, banned.to(logits.device)] = -torch.inf
    probabilities = torch.softmax(logits.float(), dim=-1)
    values, ids = torch.topk(probabilities, min(CANDIDATES, logits.shape[1]), dim=-1)  # (B, k), falling
    if not torch.isfinite(values[:, 0]).all():
        raise FloatingPointError("the model's output is not a number, or every token is forbidden")
    likeliest, names = values.double().cpu().numpy(), ids.cpu().numpy()
    complete = likeliest.shape[1] == logits.shape[1]
    found = []
    for i, row in enumerate(rows):
        few = _narrow(Candidates(names[i], likeliest[i]), row, complete)
        found.append(few if few is not None else _among_all(probabilities[i], row))
    return found


def _prepare(logits: Tensor, rows: Sequence[Chances]) -> None:
    """What is done to the logits themselves: penalties, biases, and a temperature that comes first."""
    _subtract(logits, (row.penalties() for row in rows))
    _subtract(logits, (row.repetitions() for row in rows))
    _subtract(logits, (row.bias() for row in rows))
    if any(row.heat != 1 for row in rows):
        logits /= torch.tensor([[row.heat] for row in rows], dtype=logits.dtype, device=logits.device)


def _subtract(logits: Tensor, found: Iterable[Amounts | None]) -> None:
    placed = [(each[0] + i * logits.shape[1], each[1]) for i, each in enumerate(found) if each is not None]
    if any(len(places) for places, _ in placed):
        where = torch.from_numpy(np.concatenate([places for places, _ in placed]))
        amount = torch.from_numpy(np.concatenate([amounts for _, amounts in placed]).astype(np.float32))
        logits.view(-1)[where.to(logits.device)] -= amount.to(logits.device)


def _among_all(probabilities: Tensor, row: Chances) -> Candidates:
    """The same with a whole row (V) to choose from."""
    likely = probabilities.double().cpu().numpy()
    found = _narrow(Candidates(np.arange(len(likely)), likely), row, complete=True)
    assert found is not None
    return found


def _narrow(candidates: Candidates, row: Chances, complete: bool) -> Candidates | None:
    """One row's steps. `complete`: there are no other tokens; else these are the likeliest, falling.

    None: more than these may be drawn. What cuts some of the likeliest off cuts off all that are less likely.
    """
    if row.greedy:
        return Candidates(candidates.ids[:1], candidates.likely[:1]) if not complete else _best(candidates)
    for step in row.steps:
        if not complete and step == "typical":
            return None  # it may leave out the likeliest, and needs the entropy of all
        narrowed = STEPS[step](candidates, row)
        if not complete and len(narrowed) == len(candidates):
            return None
        candidates, complete = narrowed, True
    return candidates if complete else None


def _best(candidates: Candidates) -> Candidates:
    best = candidates.likely.argmax()
    return Candidates(candidates.ids[best : best + 1], candidates.likely[best : best + 1])


# ---- steps -------------------------------------------------------------------------------------------------------


def _top_p(candidates: Candidates, row: Chances) -> Candidates:
    """The likeliest that together reach the mass."""
    return candidates.keep(candidates.likely >= least_of_mass(candidates.likely, row.sampling.top_p))


def _top_k(candidates: Candidates, row: Chances) -> Candidates:
    k = row.sampling.top_k
    if k >= len(candidates):
        return candidates
    return candidates.keep(candidates.likely >= np.partition(candidates.likely, -k)[-k])


def _min_p(candidates: Candidates, row: Chances) -> Candidates:
    """Those at least that share as likely as the likeliest."""
    return candidates.keep(candidates.likely >= row.sampling.min_p * candidates.likely.max())


def _typical(candidates: Candidates, row: Chances) -> Candidates:
    """Those nearest to the expected surprise that together reach the mass (Meister et al. 2022, arXiv 2202.00666)."""
    candidates = candidates.keep(candidates.likely > 0)
    surprise = -np.log(candidates.likely)
    distance = np.abs(surprise - (candidates.likely * surprise).sum())
    return candidates.keep(distance <= farthest_of_mass(distance, candidates.likely, row.sampling.typical))


def _mirostat(candidates: Candidates, row: Chances) -> Candidates:
    """Those no more surprising than the bound, and always the likeliest."""
    least = min(2.0**-row.most_surprise, candidates.likely.max())
    bits = -np.log2(np.maximum(candidates.likely, np.finfo(np.float64).tiny))
    return Candidates(candidates.ids, candidates.likely, bits).keep(candidates.likely >= least)


def _temperature(candidates: Candidates, row: Chances) -> Candidates:
    """The largest is 1 on the way, so that a low temperature loses none to rounding."""
    heated = (candidates.likely / candidates.likely.max()) ** (1 / row.sampling.temperature)
    return Candidates(candidates.ids, heated / heated.sum(), candidates.bits)


STEPS: dict[str, Callable[[Candidates, Chances], Candidates]] = {
    "top_p": _top_p,
    "top_k": _top_k,
    "min_p": _min_p,
    "typical": _typical,
    "mirostat": _mirostat,
    "temperature": _temperature,
}


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


def farthest_of_mass(distances: Numbers, masses: Numbers, mass: float) -> float:
    """The largest of the smallest `distances` whose `masses` together reach `mass`. In linear time on the whole."""
    while len(distances) > CANDIDATES:
        lower = distances <= distances.mean()
        if lower.all() or not lower.any():
            break  # all alike, but for rounding
        within = float(masses[lower].sum())
        if within >= mass:
            distances, masses = distances[lower], masses[lower]
        else:
            mass -= within
            distances, masses = distances[~lower], masses[~lower]
    rising = np.argsort(distances)
    reached = np.cumsum(masses[rising]) >= mass
    return float(distances[rising[reached.argmax()]] if reached.any() else distances[rising[-1]])
