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


@dataclass(slots=True)
class _Entry:
    """`before`: the longest shorter beginning that was kept when this one came. `cost`: the tokens from there to here,
    which would have to be read again without it. What is worth least gives way."""

    kept: Kept
    before: Place | None
    cost: int
    worth: int = 0


class StateCache:
    """Holds up to `limit` bytes of states; what is cheapest to read again gives way, the longest unused among equals.
    All of them go further too.

    What gives way raises the bar for what is worth keeping, and passes its cost on to the one after it. So a growing
    story keeps its states dense at its end and sparse before, and a state that nobody uses goes in the end, however
    dear it was. (GreedyDual: Young 1994, "The k-server dual and loose competitiveness for paging".)
    """

    def __init__(self, limit: int = 256 << 20, further: Further | None = None) -> None:
        self.limit = limit
        self.nbytes = 0
        self._further = further
        self._entries: OrderedDict[Place, _Entry] = OrderedDict()  # the longest unused first
        self._bar = 0

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, tokens: Sequence[int], state: State, logits: Tensor) -> None:
        """Keeps a copy of the only row of `state`, reached by reading `tokens` from the beginning, and of the `logits`."""
        (place,) = places(tokens, [len(tokens)])
        kept = Kept(len(tokens), state[0], logits.clone())
        self._remember(place, kept, self._longest(tokens[:-1]))
        if self._further is not None:
            self._further.put(place, kept)

    def find(self, tokens: Sequence[int]) -> Kept | None:
        """What was kept for the longest beginning of `tokens`."""
        place = self._longest(tokens)
        known = place.length if place is not None else 0
        if self._further is not None and known < len(tokens):
            found = self._further.find(tokens, known)
            if found is not None:
                self._remember(*found, place)
                return found[1]
        return self._use(place) if place is not None else None

    def _longest(self, tokens: Sequence[int]) -> Place | None:
        lengths = (place.length for place in self._entries)
        return next((place for place in places(tokens, lengths) if place in self._entries), None)

    def _use(self, place: Place) -> Kept:
        entry = self._entries[place]
        entry.worth = self._bar + entry.cost
        self._entries.move_to_end(place)
        return entry.kept

    def _remember(self, place: Place, kept: Kept, before: Place | None) -> None:
        if kept.nbytes > self.limit:
            return
        if place not in self._entries:
            cost = place.length - (before.length if before is not None else 0)
            self._entries[place] = _Entry(kept, before, cost)
            self.nbytes += kept.nbytes
        self._use(place)
        while self.nbytes > self.limit:
            self._give_way(besides=place)

    def _give_way(self, besides: Place) -> None:
        place, entry = min(
            ((place, entry) for place, entry in self._entries.items() if place != besides),
            key=lambda found: found[1].worth,
        )
        self._bar = max(self._bar, entry.worth)
        self._drop(place)

    def _drop(self, place: Place) -> None:
        """Those that went on from it go on from the one before."""
        gone = self._entries.pop(place)
        self.nbytes -= gone.kept.nbytes
        for entry in self._entries.values():
            if entry.before == place:
                entry.before, entry.cost, entry.worth = gone.before, entry.cost + gone.cost, entry.worth + gone.cost
