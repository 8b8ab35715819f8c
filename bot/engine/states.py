"""States that are worth keeping, by the tokens that led to them. A cache: without it the same text comes, but later."""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from torch import Tensor

from bot.engine.state import State


@dataclass(frozen=True, slots=True)
class Kept:
    """The state (one row) after the first `length` tokens; `logits` (vocab) are there if drafts begin at that place."""

    length: int
    state: State
    logits: Tensor | None = None

    @property
    def nbytes(self) -> int:
        return self.state.nbytes + (self.logits.nbytes if self.logits is not None else 0)


class StateCache:
    """Holds up to `limit` bytes of states; what was not used for longest gives way."""

    def __init__(self, limit: int = 256 << 20) -> None:
        self.limit = limit
        self.nbytes = 0
        self._kept: OrderedDict[bytes, Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def put(self, tokens: Sequence[int], state: State, logits: Tensor | None = None) -> None:
        """Keeps a copy of the only row of `state`, reached by reading `tokens` from the beginning."""
        (key,) = _keys(tokens, [len(tokens)])
        self._drop(key)
        if state.nbytes > self.limit:
            return
        kept = Kept(len(tokens), state[0], logits.clone() if logits is not None else None)
        self._kept[key] = kept
        self.nbytes += kept.nbytes
        while self.nbytes > self.limit:
            self._drop(next(iter(self._kept)))

    def find(self, tokens: Sequence[int]) -> Kept | None:
        """What was kept for the longest beginning of `tokens`; for all of them, only if the logits are there too."""
        lengths = sorted({kept.length for kept in self._kept.values() if kept.length <= len(tokens)})
        for key in reversed(_keys(tokens, lengths)):
            kept = self._kept.get(key)
            if kept is not None and (kept.length < len(tokens) or kept.logits is not None):
                self._kept.move_to_end(key)
                return kept
        return None

    def _drop(self, key: bytes) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self.nbytes -= kept.nbytes


def _keys(tokens: Sequence[int], lengths: Sequence[int]) -> list[bytes]:
    """A hash of the first n tokens for each n in `lengths` (rising), in one pass."""
    digest, at, keys = blake2b(digest_size=16), 0, []
    for length in lengths:
        digest.update(array("I", tokens[at:length]).tobytes())
        at = length
        keys.append(digest.digest())
    return keys
