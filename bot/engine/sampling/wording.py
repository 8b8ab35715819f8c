"""What a draft must not say and what it is led to say: the texts of its settings, as token ids of one vocabulary.

A forbidden text is matched on the bytes of what was said, so it makes no difference how it is cut into tokens.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile

import torch
from torch import Tensor

from bot.engine.sampling.bias import Lean, leans
from bot.engine.types import Sampling


class WordingError(ValueError):
    """An id that this vocabulary does not have. The message is for people."""


class Entries:
    """A vocabulary's entries by what they begin with and by what they hold. Empty ones are not found."""

    def __init__(self, entries: Sequence[bytes]) -> None:
        self._rising = sorted((entry, token) for token, entry in enumerate(entries) if entry)

    def beginning(self, start: bytes) -> list[int]:
        first = bisect_left(self._rising, (start, -1))
        after = islice(self._rising, first, None)
        return [token for _, token in takewhile(lambda entry: entry[0].startswith(start), after)]

    def holding(self, texts: Iterable[bytes]) -> list[int]:
        wanted = tuple(texts)
        return [token for entry, token in self._rising if any(text in entry for text in wanted)]


class Unsaid:
    """Byte strings that must not come up. `reach` bytes of what was said decide on the next token."""

    def __init__(self, entries: Entries, texts: Iterable[bytes], ids: Iterable[int]) -> None:
        self._entries = entries
        self._texts = tuple(texts)
        self._always = torch.tensor(sorted({*ids, *entries.holding(self._texts)}), dtype=torch.long)
        self._beginning: dict[bytes, Tensor] = {}
        self.reach = max((len(text) for text in self._texts), default=1) - 1

    def after(self, said: bytes) -> list[Tensor]:
        """Ids that would complete one of the texts after these last bytes."""
        found = [self._always]
        for text in self._texts:
            found += [self._begin(text[n:]) for n in range(1, len(text)) if said.endswith(text[:n])]
        return found

    def _begin(self, rest: bytes) -> Tensor:
        if rest not in self._beginning:
            self._beginning[rest] = torch.tensor(self._entries.beginning(rest), dtype=torch.long)
        return self._beginning[rest]


@dataclass(frozen=True, slots=True)
class Wording:
    """What one Sampling says in words. `breakers` end the stretches of DRY."""

    leans: tuple[Lean, ...]
    unsaid: Unsaid | None
    breakers: frozenset[int]


def wording(sampling: Sampling, entries: Entries, rows: int, encode: Callable[[str], list[int]]) -> Wording:
    """Raises WordingError for an id beyond the model's `rows`."""
    ids = [_known(word, rows, "ban") for word in sampling.ban if isinstance(word, int)]
    texts = [word.encode() for word in sampling.ban if isinstance(word, str)]
    texts += [2 * mark.encode() for mark in dict.fromkeys(sampling.no_repeat)]
    breakers = [mark.encode() for mark in sampling.dry_breakers] if sampling.dry_multiplier else []
    leaning: list[Lean] = []
    for word, amount in sampling.logit_bias:
        tokens = [_known(word, rows, "logit_bias")] if isinstance(word, int) else encode(word)
        leaning += leans(tokens, amount)
    return Wording(
        tuple(leaning),
        Unsaid(entries, texts, ids) if texts or ids else None,
        frozenset(entries.holding(breakers)) if breakers else frozenset(),
    )


def _known(token: int, rows: int, setting: str) -> int:
    if token >= rows:
        raise WordingError(
            f"sampling.{setting}：模型没有编号 {token} 的 token，应小于 {rows}。 / The model has no such token."
        )
    return token
