"""Any load, in any order, with a real model: whoever comes and goes, each answer ends once, with the text it has alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from bot.engine.drafting import Vocabulary
from bot.engine.rwkv7 import Model
from bot.engine.scheduling.reading import Answer
from bot.engine.scheduling.scheduler import Bounds, Event, Finished, Grew, Lost, Scheduler
from bot.engine.states.memory import StateCache
from bot.engine.tokenizer import find_tokenizer
from bot.engine.types import Prompt, Sampling

BOUNDS = Bounds(rows=6, reserved=2, waiting=5, piece=24, piece_beside_drafts=8)
SCENE = ("很久很久以前，" * 4, "\n\n")
PROMPTS = (
    Prompt((*SCENE, "阿强:", " 晚上好", "\n\n", "小溪:"), keep=(2, 5)),
    Prompt((*SCENE, "阿强:", " 晚上好", "\n\n", "阿强:", " 在吗", "\n\n", "小溪:"), keep=(2, 8)),
    Prompt(("你好", "小溪:"), start_with=" 嗯"),
    Prompt((*SCENE, "hello"), against=(*SCENE, "你好吗"), keep=(2,)),
)
SAMPLINGS = (
    Sampling(top_p=0.9, max_tokens=20, min_tokens=15, seed=5),
    Sampling(temperature=0, max_tokens=3, guidance=2.0),
    Sampling(top_p=1, top_k=40, max_tokens=12, min_tokens=8, seed=7, guidance=0.5),
)
ENOUGH = 2000  # steps

counts = st.integers(1, 5)
prompts = st.integers(0, len(PROMPTS) - 1)
samplings = st.integers(0, len(SAMPLINGS) - 1)


@dataclass
class Asked:
    """A request in progress, and what came of it."""

    id: int
    urgent: bool
    count: int
    prompt: int
    sampling: int
    grown: dict[int, str] = field(default_factory=dict)
    texts: dict[int, str] = field(default_factory=dict)

    def hear(self, event: Grew | Finished) -> None:
        assert 0 <= event.index < self.count
        assert event.index not in self.texts, "it was finished"
        if isinstance(event, Grew):
            assert event.gained
            self.grown[event.index] = self.grown.get(event.index, "") + event.gained
        else:
            assert event.text.startswith(self.grown.get(event.index, "").rstrip())
            self.texts[event.index] = event.text


class Before:
    """Who was waiting before a step, and how far each had come."""

    def __init__(self, unread: list[Answer], ready: list[Answer], rows_of_people: int) -> None:
        self.waiting = [*unread, *ready]
        self.ready = ready
        self.rows_of_people = rows_of_people
        self.begun = {answer.id for answer in self.waiting if answer.begun}
        self.drafted = {answer.id: answer.next_draft for answer in self.waiting}
        self.left = {answer.id: answer.left for answer in self.waiting}


class Load(RuleBasedStateMachine):
    """People and chatter ask, go away, and the worker steps."""

    def __init__(self, model: Model, vocabulary: Vocabulary, alone: dict[tuple[int, int], list[str]]) -> None:
        super().__init__()
        self.alone = alone
        self.fresh = partial(Scheduler, model, vocabulary)
        self.scheduler = self.fresh(StateCache(), BOUNDS)
        self.live: dict[int, Asked] = {}
        self.asked = self.done = self.lost = self.cancelled = 0

    @initialize()
    def chatter_fills_the_rows(self) -> None:
        for _ in range(2):
            self.ask(urgent=False, count=5, prompt=0, sampling=0)
        self.work(times=6)

    @rule(count=counts, prompt=prompts, sampling=samplings)
    def chatter(self, count: int, prompt: int, sampling: int) -> None:
        self.ask(False, count, prompt, sampling)

    @rule(count=counts, prompt=prompts, sampling=samplings)
    def a_person(self, count: int, prompt: int, sampling: int) -> None:
        self.ask(True, count, prompt, sampling)

    def ask(self, urgent: bool, count: int, prompt: int, sampling: int) -> None:
        """Refused only when so many wait already."""
        self.asked += 1
        full = self.scheduler.queue == BOUNDS.waiting
        events = self.scheduler.submit(self.asked, urgently(prompt, urgent), count, SAMPLINGS[sampling])
        assert [type(event) for event in events] == [Lost] * full
        self.lost += full
        if not full:
            self.live[self.asked] = Asked(self.asked, urgent, count, prompt, sampling)

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def go_away(self, data: st.DataObject) -> None:
        """Nothing comes of that answer any more: `heard` would not know it."""
        id = data.draw(st.sampled_from(sorted(self.live)))
        self.scheduler.cancel(id)
        del self.live[id]
        self.cancelled += 1
        assert id not in {one.answer for one in self.scheduler._batch.growing}

    @rule(times=st.integers(1, 3))
    def work(self, times: int) -> None:
        for _ in range(times):
            self.step()

    def step(self) -> None:
        scheduler, measures = self.scheduler, self.scheduler.measures
        busy, growing = scheduler.busy, list(scheduler._batch.growing)
        assert busy == bool(self.live)
        read, drawn = measures.tokens_read, measures.tokens_drawn
        before = Before(list(scheduler._waiting), list(scheduler._ready), self.rows_of_people())
        self.hear(scheduler.step())
        assert scheduler.rows <= BOUNDS.rows
        held = [answer.urgent for answer in (*scheduler._waiting, *scheduler._ready) if answer.begun]
        assert max(held.count(True), held.count(False)) <= 2, "each holds a state"
        assert measures.tokens_read - read <= (BOUNDS.piece_beside_drafts if growing else BOUNDS.piece)
        assert measures.tokens_drawn - drawn >= len(growing), "every draft grows in every step"
        if busy:
            assert (measures.tokens_read, measures.tokens_drawn) != (read, drawn), "it idles though there is work"
        self.a_person_goes_first(before, measures.tokens_read > read)

    def a_person_goes_first(self, before: Before, something_was_read: bool) -> None:
        """No chatter begins to be read while an urgent one has not begun, nor to be drafted while an urgent one that is
        read lacks rows. Urgent ones are read on, and the first has rows while its like do not use all that is reserved."""
        chatter = [answer for answer in before.waiting if not answer.urgent]
        if any(answer.urgent and not answer.begun for answer in before.waiting):
            assert all(answer.id in before.begun or not answer.begun for answer in chatter)
        people = [answer for answer in before.ready if answer.urgent]
        if any(answer.to_begin for answer in people):
            assert all(answer.next_draft == before.drafted[answer.id] for answer in chatter)
        if people and before.rows_of_people + people[0].rows <= BOUNDS.reserved:
            assert people[0].next_draft > before.drafted[people[0].id]
        elif unread := [answer for answer in before.waiting if answer.urgent and not people]:
            caught_up = [answer for answer in unread if answer.left < before.left[answer.id] or answer.text is None]
            newly = [answer for answer in unread if answer.begun and answer.id not in before.begun]
            assert something_was_read or caught_up or newly

    def rows_of_people(self) -> int:
        people = {asked.id for asked in self.live.values() if asked.urgent}
        return sum(one.rows for one in self.scheduler._batch.growing if one.answer in people)

    def hear(self, events: list[Event]) -> None:
        for event in events:
            assert isinstance(event, Grew | Finished), event
            asked = self.live[event.answer]
            asked.hear(event)
            if len(asked.texts) == asked.count:
                self.done += 1
                del self.live[asked.id]
                assert [asked.texts[i] for i in range(asked.count)] == self.by_itself(asked)[: asked.count]

    def by_itself(self, asked: Asked) -> list[str]:
        """The texts of five such drafts when nobody else is there, with no state that was kept."""
        which = (asked.prompt, asked.sampling)
        if which not in self.alone:
            alone = self.fresh(None)
            alone.submit(1, PROMPTS[asked.prompt], 5, SAMPLINGS[asked.sampling])
            events = []
            while alone.busy:
                events += alone.step()
            texts = {event.index: event.text for event in events if isinstance(event, Finished)}
            self.alone[which] = [texts[i] for i in range(5)]
        return self.alone[which]

    def teardown(self) -> None:
        """Everything ends, and nothing is left behind."""
        for _ in range(ENOUGH):
            if not self.scheduler.busy:
                break
            self.step()
        measures = self.scheduler.measures
        assert not self.live and not self.scheduler.busy and self.scheduler.rows == 0 and self.scheduler.queue == 0
        assert (measures.done, measures.was_lost, measures.was_cancelled) == (self.done, self.lost, self.cancelled)
        assert self.done + self.lost + self.cancelled == self.asked and not measures._watches
        assert measures.queue.count >= self.done == measures.last_draft.count


def urgently(prompt: int, urgent: bool) -> Prompt:
    plain = PROMPTS[prompt]
    return Prompt(plain.parts, plain.stops, plain.start_with, plain.keep, plain.against, urgent)


def test_any_load(tiny_path: Path, tiny: Model) -> None:
    """See the rules of `Load`."""
    vocabulary = Vocabulary(find_tokenizer(tiny_path, tiny.vocab), tiny.vocab)
    run_state_machine_as_test(
        partial(Load, tiny, vocabulary, {}),
        settings=settings(max_examples=30, stateful_step_count=25, deadline=None),
    )
