"""Many answers share one model: each gets what it would get alone, and comes and goes when it likes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from bot.engine.drafting import Vocabulary
from bot.engine.rwkv7 import Model
from bot.engine.sampling.chances import Chances
from bot.engine.scheduling.scheduler import Bounds, Event, Finished, Grew, Lost, Scheduler
from bot.engine.state import State
from bot.engine.states.memory import StateCache
from bot.engine.types import Ending, Prompt, Sampling

BOUNDS = Bounds()
SCENE = ("很久很久以前，" * 8, "\n\n", "阿强:", " 晚上好", "\n\n", "小溪:")
PROMPT = Prompt(SCENE, keep=(2, 5))
GREEDY = Sampling(temperature=0, max_tokens=12, presence=0, frequency=0)
FREE = Sampling(top_p=0.95, max_tokens=12, seed=11)


def run(scheduler: Scheduler) -> list[Event]:
    """Steps until nothing is left to do."""
    events = []
    while scheduler.busy:
        events += scheduler.step()
    return events


def ask(scheduler: Scheduler, answer: int = 1, prompt: Prompt = PROMPT, count: int = 1, s: Sampling = FREE) -> None:
    assert scheduler.submit(answer, prompt, count, s) == []


def texts(events: list[Event], answer: int = 1) -> list[str]:
    """The finished drafts of an answer, by index."""
    done = [event for event in events if isinstance(event, Finished) and event.answer == answer]
    return [event.text for event in sorted(done, key=lambda event: event.index)]


def test_every_draft_is_finished_once_and_grew_into_its_text(scheduler: Scheduler) -> None:
    """What grew, joined, is the beginning of the finished text."""
    ask(scheduler, count=5)
    events = run(scheduler)
    assert len(texts(events)) == 5
    for done in [event for event in events if isinstance(event, Finished)]:
        grown = "".join(e.gained for e in events if isinstance(e, Grew) and e.index == done.index)
        assert done.text.startswith(grown.rstrip())
        assert done.ending in (Ending.STOP, Ending.LENGTH)


def test_drafts_of_an_answer_differ_and_repeat_by_seed(scheduler: Scheduler) -> None:
    """Draft i uses seed + i."""
    ask(scheduler, count=4)
    four = texts(run(scheduler))
    assert len(set(four)) == 4
    ask(scheduler, s=Sampling(top_p=0.95, max_tokens=12, seed=13))
    assert texts(run(scheduler)) == [four[2]]


def test_what_an_answer_gets_does_not_depend_on_its_company(scheduler: Scheduler) -> None:
    """Answers that come while others grow, with other prompts and settings: each as if it were alone."""
    asked = {
        1: (PROMPT, 3, FREE),
        2: (Prompt(("你好" * 50, "\n\n", "小溪:")), 2, Sampling(top_p=0.9, top_k=50, seed=5, max_tokens=20)),
        3: (Prompt(("hello", "小溪:"), start_with=" 嗯"), 1, GREEDY),
    }
    alone = {}
    for answer, (prompt, count, s) in asked.items():
        ask(scheduler, answer, prompt, count, s)
        alone[answer] = texts(run(scheduler), answer)
    together: list[Event] = []
    for answer, (prompt, count, s) in asked.items():
        ask(scheduler, answer, prompt, count, s)
        for _ in range(3):
            together += scheduler.step()
    together += run(scheduler)
    assert {answer: texts(together, answer) for answer in asked} == alone


def by_hand(model: Model, vocabulary: Vocabulary, prompt: Prompt, n: int) -> str:
    """Greedy, the plainest way: everything read again for each token."""
    tokens, _ = vocabulary.encode_prompt(prompt)
    said: list[int] = []
    for _ in range(n):
        logits = model.forward(torch.tensor([tokens + said]), model.zero_state(1))[0]
        if not b"".join(map(vocabulary.entry, said)).strip():
            logits[vocabulary.endings] = -torch.inf
        said.append(int(logits.argmax()))
    return b"".join(map(vocabulary.entry, said)).decode("utf-8", "replace")


def test_greedy_text_is_the_plainest_computation(tiny: Model, vocabulary: Vocabulary) -> None:
    """Pieces, branches, kept states and batches change no token."""
    prompt = Prompt(SCENE, stops=(), keep=(2, 5))
    expected = by_hand(tiny, vocabulary, prompt, 12)
    for cache in (None, StateCache()):
        scheduler = Scheduler(tiny, vocabulary, cache)
        for _ in range(2):
            ask(scheduler, 1, prompt, 2, GREEDY)
            first, second = texts(run(scheduler))
            assert first == second
            assert expected.lstrip().startswith(first)


@settings(max_examples=25, deadline=None)
@given(rounds=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=6))
def test_with_and_without_kept_states_the_text_is_equal(
    tiny: Model, vocabulary: Vocabulary, rounds: list[tuple[int, int]]
) -> None:
    """A show of several prompts that share beginnings of every length."""
    with_cache, without = (Scheduler(tiny, vocabulary, cache) for cache in (StateCache(), None))
    for turns, which in rounds:
        parts = ("背景。", *("观众: 你好\n\n" for _ in range(turns)), f"第{which}次", "小溪:")
        prompt = Prompt(parts, keep=(1, 1 + turns, 2 + turns))
        for scheduler in (with_cache, without):
            ask(scheduler, 1, prompt, 2, GREEDY)
        assert texts(run(with_cache)) == texts(run(without))
    assert with_cache.measures.tokens_read <= without.measures.tokens_read


def test_the_same_prompt_is_read_once(scheduler: Scheduler) -> None:
    """More drafts of a message cost no reading; a longer story costs what was added."""
    ask(scheduler)
    run(scheduler)
    read = scheduler.measures.tokens_read
    ask(scheduler, count=3)
    run(scheduler)
    assert scheduler.measures.tokens_read == read
    ask(scheduler, prompt=Prompt((*SCENE[:5], "阿强:", " 在吗", "\n\n", "小溪:"), keep=(5, 8)))
    run(scheduler)
    assert scheduler.measures.tokens_read - read < read / 2


def test_one_forward_a_step_serves_all_drafts(
    tiny: Model, vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five drafts of one answer and two of another: as many passes as the longest has tokens, not seven times that."""
    passes: list[int] = []
    forward = Model.forward

    def counted(self: Model, tokens: Tensor, state: State) -> Tensor:
        passes.append(len(state))
        return forward(self, tokens, state)

    scheduler = Scheduler(tiny, vocabulary, StateCache())
    for answer, count in ((1, 5), (2, 2)):
        ask(scheduler, answer, count=count, s=GREEDY)
    while scheduler.queue:
        scheduler.step()
    monkeypatch.setattr(Model, "forward", counted)
    run(scheduler)
    assert max(passes) == 7
    assert len(passes) <= GREEDY.max_tokens


def test_finished_drafts_leave_the_batch(scheduler: Scheduler) -> None:
    """The short answer's rows cost nothing any more while the long one goes on."""
    ask(scheduler, 1, count=3, s=Sampling(max_tokens=8, min_tokens=8))
    ask(scheduler, 2, count=1, s=Sampling(max_tokens=30, min_tokens=30))
    seen = []
    while scheduler.busy:
        scheduler.step()
        seen.append(scheduler.rows)
    assert max(seen) >= 3
    assert seen[-5:-1] == [1] * 4 and seen[-1] == 0


def test_a_long_prompt_does_not_stall_drafts(tiny: Model, vocabulary: Vocabulary) -> None:
    """While it is read in pieces, drafts that grow get a token a step."""
    scheduler = Scheduler(tiny, vocabulary, None)
    endless = Sampling(max_tokens=200, min_tokens=200)
    ask(scheduler, 1, s=endless)
    while not scheduler.rows:
        scheduler.step()
    ask(scheduler, 2, Prompt(("很长的背景。" * 100,)))
    steps = 0
    while scheduler.queue:
        drawn = scheduler.measures.tokens_drawn
        scheduler.step()
        steps += 1
        assert scheduler.measures.tokens_drawn > drawn
    assert steps > 5


def test_cancelling_stops_at_once(scheduler: Scheduler) -> None:
    """Whether it waits, is being read, or grows: no event of it comes any more; the others go on."""
    for answer in (1, 2, 3):
        ask(scheduler, answer, count=2, s=Sampling(max_tokens=30, min_tokens=30, seed=1))
    while not scheduler.rows:
        scheduler.step()
    scheduler.cancel(1)
    scheduler.cancel(3)
    scheduler.cancel(99)
    events = run(scheduler)
    assert {event.answer for event in events} == {2}
    assert len(texts(events, 2)) == 2


def test_more_drafts_than_rows_wait(scheduler: Scheduler) -> None:
    """The batch never exceeds its bound; everything is answered in the end."""
    for answer in range(4):
        ask(scheduler, answer, count=30, s=Sampling(max_tokens=12, min_tokens=12))
    most, events = 0, []
    while scheduler.busy:
        events += scheduler.step()
        most = max(most, scheduler.rows)
    assert 30 < most <= BOUNDS.rows
    assert sum(isinstance(event, Finished) for event in events) == 120


@pytest.mark.parametrize("count", [0, BOUNDS.rows + 1])
def test_a_request_that_never_fits_is_refused_at_once(scheduler: Scheduler, count: int) -> None:
    """Instead of waiting for ever."""
    (event,) = scheduler.submit(1, PROMPT, count, FREE)
    assert isinstance(event, Lost) and str(BOUNDS.rows) in event.message
    assert not scheduler.busy


def test_too_many_requests_are_refused(scheduler: Scheduler) -> None:
    """The queue is bounded; the newest gives way."""
    for answer in range(BOUNDS.waiting):
        ask(scheduler, answer)
    assert isinstance(scheduler.submit(999, PROMPT, 1, FREE)[0], Lost)


class Fails:
    """A forward that goes wrong when some condition holds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, when: object, error: Exception) -> None:
        forward = Model.forward

        def failing(model: Model, tokens: Tensor, state: State) -> Tensor:
            if when(tokens):  # type: ignore[operator]
                raise error
            return forward(model, tokens, state)

        monkeypatch.setattr(Model, "forward", failing)


def test_a_prompt_that_fails_costs_its_answer_only(scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drafts that grow at that moment go on."""
    ask(scheduler, 1, count=2, s=Sampling(max_tokens=20, min_tokens=20))
    while not scheduler.rows:
        scheduler.step()
    Fails(monkeypatch, lambda tokens: tokens.shape[1] > 60, MemoryError())
    ask(scheduler, 2, Prompt(("很长的背景。" * 30,)))
    events = run(scheduler)
    (lost,) = [event for event in events if isinstance(event, Lost)]
    assert lost.answer == 2 and "内存不够" in lost.message
    assert len(texts(events, 1)) == 2


def test_a_step_that_fails_costs_the_answers_in_the_batch(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is told once, and the next answer works."""
    for answer in (1, 2):
        ask(scheduler, answer, count=2)
    while scheduler.queue:
        scheduler.step()
    with monkeypatch.context() as patch:
        Fails(patch, lambda tokens: tokens.shape[0] > 1, RuntimeError("broken"))
        events = run(scheduler)
    assert sorted(event.answer for event in events if isinstance(event, Lost)) == [1, 2]
    ask(scheduler, 3)
    assert len(texts(run(scheduler), 3)) == 1


def test_a_lost_device_ends_the_process(scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a driver's fault nothing works in this process: the error is not swallowed, the supervisor takes over."""
    ask(scheduler)
    Fails(monkeypatch, lambda tokens: True, torch.AcceleratorError("CUDA error: unspecified launch failure", 719))
    with pytest.raises(torch.AcceleratorError):
        run(scheduler)


def test_a_tokenizer_that_does_not_fit_is_said(scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids beyond the model's table cost the answer, not the process."""
    monkeypatch.setattr(Vocabulary, "encode_prompt", lambda self, prompt: ([10**6], []))
    assert isinstance(scheduler.submit(1, PROMPT, 1, FREE)[0], Lost)


def test_memory_of_random_numbers_is_not_shared() -> None:
    """Two rows with one seed draw alike, each from its own generator."""
    first, second = Chances(FREE, 3), Chances(FREE, 3)
    assert [first.uniform() for _ in range(3)] == [second.uniform() for _ in range(3)]


AGAINST = Prompt((*SCENE, "阿强:"), stops=(), against=("你好" * 40, "小溪:"), keep=(2,))


def led_away(model: Model, vocabulary: Vocabulary, prompt: Prompt, n: int, guidance: float) -> str:
    """Greedy, the plainest way: both prompts read again for each token, and the two lines of logits put together."""
    texts = [
        vocabulary.encode_prompt(Prompt(p, start_with=prompt.start_with))[0] for p in (prompt.parts, prompt.against)
    ]
    said: list[int] = []
    for _ in range(n):
        own, against = (model.forward(torch.tensor([text + said]), model.zero_state(1))[0] for text in texts)
        logits = against + guidance * (own - against)
        if not b"".join(map(vocabulary.entry, said)).strip() and not prompt.start_with:
            logits[vocabulary.endings] = -torch.inf
        said.append(int(logits.argmax()))
    return prompt.start_with.lstrip() + b"".join(map(vocabulary.entry, said)).decode("utf-8", "replace")


@pytest.mark.parametrize("guidance", [0.0, 0.5, 1.7, 3.0])
@pytest.mark.parametrize("start_with", ["", " 嗯"])
def test_guided_drafts_are_the_plainest_computation(
    tiny: Model, vocabulary: Vocabulary, guidance: float, start_with: str
) -> None:
    """Both prompts hear the same drawn tokens. Beside drafts that are not guided, and again from kept states."""
    prompt = replace(AGAINST, start_with=start_with)
    expected = led_away(tiny, vocabulary, prompt, 12, guidance)
    greedy = replace(GREEDY, guidance=guidance)
    for cache in (None, StateCache()):
        scheduler = Scheduler(tiny, vocabulary, cache)
        for _ in range(2):
            ask(scheduler, 1, count=2, s=GREEDY)
            ask(scheduler, 2, prompt, 3, greedy)
            ask(scheduler, 3, PROMPT, 1, greedy)  # guidance without a second prompt is none
            events = run(scheduler)
            for text in texts(events, 2):
                assert text and expected.startswith(text)
            assert {*texts(events, 1)} == {*texts(events, 3)}


def test_guided_drafts_take_two_rows_and_both_prompts_are_kept(scheduler: Scheduler) -> None:
    """The batch never exceeds its bound; asking for more costs no reading."""
    ask(scheduler, 1, AGAINST, 40, Sampling(guidance=2.0, max_tokens=9, min_tokens=9, seed=1))
    most, events = 0, []
    while scheduler.busy:
        events += scheduler.step()
        most = max(most, scheduler.rows)
    assert len(texts(events)) == 40
    assert most == BOUNDS.rows - BOUNDS.reserved
    read = scheduler.measures.tokens_read
    ask(scheduler, 2, AGAINST, 2, Sampling(guidance=2.0, max_tokens=9, min_tokens=9, seed=1))
    assert texts(run(scheduler), 2) == texts(events)[:2]
    assert scheduler.measures.tokens_read == read
