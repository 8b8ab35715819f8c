"""A prompt can be read before anybody asks for its drafts; it costs those who wait for theirs next to nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.engine.drafting import Vocabulary
from bot.engine.rwkv7 import Model
from bot.engine.scheduling.scheduler import Bounds, Event, Finished, Lost, Read, Scheduler
from bot.engine.states.memory import StateCache
from bot.engine.types import Prompt, Sampling
from tests.engine.test_scheduler import Fails, run, texts

LONG = Prompt(("很长的背景。" * 120, "\n\n", "小溪:"), keep=(2,))
SHORT = Prompt(("晚上好。", "\n\n", "小溪:"))
FEW = Sampling(max_tokens=12, seed=3)
ENDLESS = Sampling(max_tokens=400, min_tokens=400)
BOUNDS = Bounds()


def lefts(events: list[Event]) -> list[int]:
    return [event.left for event in events if isinstance(event, Read)]


def test_what_was_read_ahead_is_drafted_at_once(scheduler: Scheduler, tiny: Model, vocabulary: Vocabulary) -> None:
    """It tells how much is left, down to 0; then drafts cost no reading, and say what they would have said."""
    events = scheduler.read(1, LONG) + run(scheduler)
    total = scheduler.measures.tokens_read
    assert lefts(events)[0] == total and lefts(events)[-1] == 0
    assert lefts(events) == sorted(set(lefts(events)), reverse=True) and len(events) > 3
    scheduler.submit(2, LONG, 2, FEW)
    said = texts(run(scheduler), 2)
    assert scheduler.measures.tokens_read == total
    alone = Scheduler(tiny, vocabulary, None)
    alone.submit(2, LONG, 2, FEW)
    assert said == texts(run(alone), 2)


def test_what_is_known_is_not_read_again(scheduler: Scheduler) -> None:
    """There is nothing to wait for, and it says so at once."""
    scheduler.read(1, LONG)
    run(scheduler)
    assert scheduler.read(2, LONG) == [Read(2, 0)]
    assert not scheduler.busy


def test_whoever_waits_for_drafts_is_read_first(scheduler: Scheduler) -> None:
    """Not a piece is read ahead from the moment that another prompt has come until its drafts grow."""
    scheduler.read(1, LONG)
    scheduler.step()
    scheduler.submit(2, SHORT, 1, ENDLESS)
    assert not lefts(scheduler.step())
    assert scheduler.rows == 1


def test_beside_drafts_few_steps_read_ahead(scheduler: Scheduler) -> None:
    """One in eight, and no more than a small piece; every step gives every draft a token."""
    scheduler.submit(1, SHORT, 2, ENDLESS)
    while not scheduler.rows:
        scheduler.step()
    scheduler.read(2, LONG)
    sizes = []
    for _ in range(80):
        read, drawn = scheduler.measures.tokens_read, scheduler.measures.tokens_drawn
        scheduler.step()
        assert scheduler.measures.tokens_drawn == drawn + 2
        sizes.append(scheduler.measures.tokens_read - read)
    assert sum(size > 0 for size in sizes) == 80 // BOUNDS.ahead_each
    assert max(sizes) <= BOUNDS.piece_beside_drafts
    scheduler.cancel(1)
    assert lefts(run(scheduler))[-1] == 0


def test_drafts_take_over_what_is_being_read_ahead(scheduler: Scheduler) -> None:
    """They are asked for half-way: nothing is read twice, and they do not wait for their turn."""
    total = lefts(scheduler.read(1, LONG))[0]
    scheduler.step()
    scheduler.submit(2, LONG, 1, FEW)
    events = run(scheduler)
    assert scheduler.measures.tokens_read == total
    assert len(texts(events, 2)) == 1 and lefts(events)[-1] == 0


@pytest.mark.parametrize("steps", range(6))
def test_two_who_read_the_same_catch_up_with_each_other(scheduler: Scheduler, steps: int) -> None:
    """However far one was when the other came, every token but their own last ones is read once."""
    scene = ("很长的背景。" * 30, "你好" * 40, "\n\n")
    ends = [
        Prompt((*scene, f"{name}:"), keep=(1, 2, 3), urgent=urgent)
        for name, urgent in (("小溪", False), ("阿强", True))
    ]
    total = lefts(scheduler.read(1, ends[0]))[0]
    for _ in range(steps):
        scheduler.step()
    scheduler.submit(2, ends[1], 1, ENDLESS)
    for _ in range(60):
        scheduler.step()
    own = total - scheduler._vocabulary.encode_prompt(ends[0])[1][-1]
    assert scheduler.measures.tokens_read <= total + 2 * own and not scheduler.queue


def test_a_persons_long_prompt_takes_its_turn(tiny: Model, vocabulary: Vocabulary) -> None:
    """Chatter that comes after it is drafted long before it is read; a short one of a person's goes first as ever."""
    scheduler = Scheduler(tiny, vocabulary, StateCache(), Bounds(urgent=500))
    scheduler.submit(1, replace(LONG, urgent=True), 1, FEW)
    scheduler.submit(2, SHORT, 1, FEW)
    scheduler.submit(3, replace(SHORT, parts=("早。", *SHORT.parts), urgent=True), 1, FEW)
    events = run(scheduler)
    ends = [event.answer for event in events if isinstance(event, Finished)]
    assert ends.index(1) == 2
    assert next(event.answer for event in events if not isinstance(event, Read)) == 3


def test_reading_stops_when_nobody_wants_it_any_more(scheduler: Scheduler) -> None:
    """Within a piece; what was kept on the way stays of use."""
    total = lefts(scheduler.read(1, Prompt(("很长的背景。" * 60, *LONG.parts), keep=(1,))))[0]
    for _ in range(5):
        scheduler.step()
    scheduler.cancel(1)
    assert not scheduler.busy
    (again,) = scheduler.read(2, Prompt(("很长的背景。" * 60, *LONG.parts)))
    assert isinstance(again, Read) and 0 < again.left < total


def test_reading_that_fails_is_lost_alone(scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    """In words; a draft that grows beside it goes on."""
    scheduler.submit(1, SHORT, 1, ENDLESS)
    while not scheduler.rows:
        scheduler.step()
    scheduler.read(2, LONG)
    Fails(monkeypatch, lambda tokens: tokens.shape[1] > 1, RuntimeError("broken"))
    events = [event for _ in range(9) for event in scheduler.step()]
    assert [event.answer for event in events if isinstance(event, Lost)] == [2]
    assert scheduler.rows == 1


def test_there_is_a_bound_to_what_waits(scheduler: Scheduler) -> None:
    """As for drafts."""
    for id in range(BOUNDS.waiting):
        scheduler.read(id, LONG)
    assert isinstance(scheduler.read(999, LONG)[0], Lost)


moments = st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["read", "drafts", "urgent"]), st.integers(1, 40)))


@settings(max_examples=15, deadline=None)
@given(moments)
def test_everybody_is_served_and_nobody_waits_for_reading_ahead(
    tiny: Model, vocabulary: Vocabulary, load: list[tuple[int, str, int]]
) -> None:
    """While a prompt of somebody who waits is unread, no step reads ahead (no two prompts begin alike here)."""
    scheduler = Scheduler(tiny, vocabulary, StateCache())
    heard: list[Event] = []

    def step() -> None:
        waiting = {answer.id for answer in scheduler._waiting if not answer.ahead}
        events = scheduler.step()
        if waiting & {answer.id for answer in scheduler._waiting}:
            assert not lefts(events)
        heard.extend(events)

    for id, (pause, kind, length) in enumerate(load):
        for _ in range(pause):
            step()
        prompt = Prompt((chr(0x4E00 + id % 50) * length * 10, "小溪:"), urgent=kind == "urgent")
        heard += scheduler.read(id, prompt) if kind == "read" else scheduler.submit(id, prompt, 1, FEW)
    while scheduler.busy:
        step()
    for id, (_, kind, _) in enumerate(load):
        if kind == "read":
            assert [event.left for event in heard if isinstance(event, Read) and event.answer == id][-1] == 0
        else:
            assert len(texts(heard, id)) == 1
