"""Whose turn it is to be read: nobody is passed over for ever, and nothing is read twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.engine.scheduling.reading import Answer, Rank, Text
from bot.engine.scheduling.waiting import WaitingRoom
from bot.engine.state import State
from bot.engine.types import Prompt, Sampling

PIECE = 10
A_STATE = cast(State, object())


def text(tokens: list[int], *keep: int) -> Text:
    return Text(tokens, [*keep, len(tokens)])


def answer(id: int, *texts: Text, urgent: bool = False) -> Answer:
    return Answer(id, Prompt(("",)), Sampling(), texts, to_begin=1, rank=Rank.URGENT if urgent else Rank.USUAL)


@dataclass
class Readers:
    """Reads for the waiting room as the scheduler does, without a model. `log`: who had how many tokens, in order."""

    room: WaitingRoom = field(default_factory=WaitingRoom)
    log: list[tuple[int, int]] = field(default_factory=list)
    kept: list[list[int]] = field(default_factory=list)

    def turn(self) -> Answer | None:
        """One piece; returns whose turn it was, which may have been lent to the one in the log."""
        chosen = self.room.next(lambda answer: True)
        if chosen is None or chosen.text is None:
            return None
        reader = self.room.leader(chosen.text) or chosen
        assert reader.text is not None
        self._piece(reader, reader.text)
        if reader.text is None:
            self.room.remove(reader)
        return chosen

    def _piece(self, reader: Answer, text: Text) -> None:
        if text.state is None:
            known = [len(kept) for kept in self.kept if text.tokens[: len(kept)] == kept]
            text.state, text.place = A_STATE, max(known, default=0)
        before, end = text.place, min(text.next_end, text.place + PIECE)
        if end == text.next_end:
            self.kept.append(text.tokens[:end])
        text.place = end
        self.log.append((reader.id, end - before))


loads = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 120), st.booleans()), min_size=1, max_size=12)


@given(loads)
def test_nobody_waits_for_more_than_twice_what_came_before(load: list[tuple[int, int, bool]]) -> None:
    """Of its own kind, from its arrival on: later ones get no more pieces than it and the earlier ones, but for one.
    Chatter is not read while an urgent one waits, and of each kind no more than two are begun at a time."""
    readers = Readers()
    arrived: dict[int, int] = {}  # how many pieces had been read
    done: dict[int, int] = {}
    kinds = {id: urgent for id, (_, _, urgent) in enumerate(load)}

    def turn() -> None:
        waiting = [one.id for one in readers.room]
        chosen = readers.turn()
        assert chosen is not None and chosen.urgent == any(kinds[id] for id in waiting)
        done.update({id: len(readers.log) for id in waiting if id not in {one.id for one in readers.room}})
        for urgent in (True, False):
            assert sum(one.begun for one in readers.room if one.urgent == urgent) <= 2

    for id, (pause, length, urgent) in enumerate(load):
        for _ in range(min(pause, sum(-(-one.left // PIECE) for one in readers.room))):
            turn()
        arrived[id] = len(readers.log)
        readers.room.put(answer(id, text([id] * length), urgent=urgent))
    while len(readers.room):
        turn()
    for id, urgent in kinds.items():
        pieces = [who for who, _ in readers.log[arrived[id] : done[id]] if kinds[who] == urgent]
        assert sum(who > id for who in pieces) <= sum(who <= id for who in pieces) + 1


def test_a_short_prompt_is_not_held_up_by_a_long_one() -> None:
    """It is read in every second piece, though the long one came first."""
    readers = Readers()
    readers.room.put(answer(0, text([0] * 1000)))
    for _ in range(3):
        readers.turn()
    readers.room.put(answer(1, text([1] * 30)))
    while 1 in {one.id for one in readers.room}:
        readers.turn()
    assert len(readers.log) <= 3 + 2 * 3


def test_a_long_prompt_is_not_starved_by_short_ones() -> None:
    """They keep coming, and it still has every second piece."""
    readers = Readers()
    readers.room.put(answer(0, text([0] * 300)))
    for id in range(1, 100):
        readers.room.put(answer(id, text([id] * PIECE)))
        if 0 in {one.id for one in readers.room}:
            readers.turn()
    assert 0 not in {one.id for one in readers.room}
    assert readers.log.count((0, PIECE)) == 30


def test_a_persons_short_requests_take_as_much_from_all_chatterers() -> None:
    """Of what is left to chatter, the oldest has every second piece."""
    readers = Readers()
    readers.room.put(answer(0, text([0] * 1000)))
    for id in range(1, 99, 2):
        readers.room.put(answer(id, text([id] * PIECE)))
        readers.turn()
        readers.room.put(answer(id + 1, text([id + 1] * PIECE), urgent=True))
        readers.turn()
    chatter = [who for who, _ in readers.log if who == 0 or who % 2]
    assert chatter[:20].count(0) == 10


@given(st.lists(st.tuples(st.integers(0, 60), st.booleans()), min_size=2, max_size=8))
def test_what_prompts_have_in_common_is_read_once(load: list[tuple[int, bool]]) -> None:
    """Many answers to one scene, urgent or not, arrive while it is being read for the first: the scene is read once."""
    readers = Readers()
    scene = list(range(1000, 1200))
    for id, (own, urgent) in enumerate(load):
        readers.room.put(answer(id, text([*scene, *[id] * (own + 1)], len(scene)), urgent=urgent))
        readers.turn()
    while len(readers.room):
        readers.turn()
    assert sum(tokens for _, tokens in readers.log) == len(scene) + sum(own + 1 for own, _ in load)


def test_a_persons_request_takes_over_what_chatter_has_read() -> None:
    """The scene is half read for a chatterer: it is read on, not anew, and then the person's own words."""
    readers = Readers()
    scene = list(range(1000, 1100))
    readers.room.put(answer(0, text([*scene, 0, 0], len(scene))))
    for _ in range(6):
        readers.turn()
    readers.room.put(answer(1, text([*scene, 1, 1], len(scene)), urgent=True))
    while len(readers.room):
        readers.turn()
    assert readers.log == [*[(0, PIECE)] * 10, (1, 2), (0, 2)]


@pytest.mark.parametrize("urgent", [True, False])
def test_who_may_not_begin_is_passed_over_by_those_who_have(urgent: bool) -> None:
    """When there is no room for more, what was begun is finished."""
    room = WaitingRoom()
    begun, other = answer(0, text([1] * 5)), answer(1, text([2] * 5), urgent=urgent)
    begun.texts[0].state = A_STATE
    room.put(begun)
    room.put(other)
    assert room.next(lambda answer: False) is begun
    room.remove(begun)
    assert room.next(lambda answer: False) is None
