"""States that are worth keeping, by the tokens that led to them. A cache: without it the same text comes, but later."""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol

from torch import Tensor

from bot.engine.state import State


@dataclass(frozen=True, slots=True)
class Place:
    """A beginning of a text: how many tokens it has, and a hash of them."""

    length: int
    key: bytes  # 16 bytes

    def __str__(self) -> str:
        return f"{self.length}-{self.key.hex()}"


def places(tokens: Sequence[int], lengths: Iterable[int]) -> list[Place]:
    """The beginnings of `tokens` that have these lengths, longest first, in one pass over the tokens."""
    digest, at, found = blake2b(digest_size=16), 0, []
    for length in sorted({n for n in lengths if n <= len(tokens)}):
        digest.update(array("I", tokens[at:length]).tobytes())
        at = length
        found.append(Place(length, digest.digest()))
    return found[::-1]


@dataclass(frozen=True, slots=True)
class Kept:
    """The state (one row) after the first `length` tokens, and the logits (vocab) of what comes next. Never changed."""

    length: int
    state: State
    logits: Tensor

    @property
    def nbytes(self) -> int:
        return self.state.nbytes + self.logits.nbytes


class Further(Protocol):
    """A larger and slower store, which outlives the process."""

    def put(self, place: Place, kept: Kept) -> None:
        """Takes note and returns at once."""
        ...

    def find(self, tokens: Sequence[int], longer_than: int) -> tuple[Place, Kept] | None:
        """What is there for the longest beginning of `tokens` with more than `longer_than` of them."""
        ...


class StateCache:
    """Holds up to `limit` bytes of states; what was not used for longest gives way. All of them go further too."""

    def __init__(self, limit: int = 256 << 20, further: Further | None = None) -> None:
        self.limit = limit
        self.nbytes = 0
        self._further = further
        self._kept: OrderedDict[Place, Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def put(self, tokens: Sequence[int], state: State, logits: Tensor) -> None:
        """Keeps a copy of the only row of `state`, reached by reading `tokens` from the beginning, and of the `logits`."""
        (place,) = places(tokens, [len(tokens)])
        kept = Kept(len(tokens), state[0], logits.clone())
        self._remember(place, kept)
        if self._further is not None:
            self._further.put(place, kept)

    def find(self, tokens: Sequence[int]) -> Kept | None:
        """What was kept for the longest beginning of `tokens`."""
        kept = self._in_memory(tokens)
        known = kept.length if kept is not None else 0
        if self._further is not None and known < len(tokens):
            found = self._further.find(tokens, known)
            if found is not None:
                self._remember(*found)
                return found[1]
        return kept

    def _in_memory(self, tokens: Sequence[int]) -> Kept | None:
        for place in places(tokens, (kept.length for kept in self._kept.values())):
            if place in self._kept:
                self._kept.move_to_end(place)
                return self._kept[place]
        return None

    def _remember(self, place: Place, kept: Kept) -> None:
        self._drop(place)
        if kept.nbytes > self.limit:
            return
        self._kept[place] = kept
        self.nbytes += kept.nbytes
        while self.nbytes > self.limit:
            self._drop(next(iter(self._kept)))

    def _drop(self, place: Place) -> None:
        kept = self._kept.pop(place, None)
        if kept is not None:
            self.nbytes -= kept.nbytes
