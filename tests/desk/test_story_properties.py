"""A writer does anything, in any order: what a story promises holds all the way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bot.desk import steps
from bot.desk.history import History
from bot.desk.story import MAIN, Story
from bot.desk.tree import lanes
from bot.errors import Refused
from bot.scenario import Origin, dump_scenario
from tests.desk.test_story import OPENING, SCENARIO, said


class Writing(RuleBasedStateMachine):
    """Rules are what a writer does. Ids are counted; `ever` has every line that was ever confirmed and not deleted."""

    def __init__(self) -> None:
        super().__init__()
        self.history = History.of(steps.Began(dump_scenario(SCENARIO), OPENING))
        self.count = 0

    @property
    def story(self) -> Story:
        return self.history.story

    def new(self) -> str:
        self.count += 1
        return f"n{self.count}"

    def do(self, change: steps.Change) -> bool:
        """A refusal changes nothing."""
        before = self.history
        try:
            self.history = self.history.then(change)
        except Refused:
            assert self.history == before
            return False
        return True

    def some_line(self, data: Any, *, confirmed: bool) -> str:
        lines = self.story.lines if confirmed else self.story.here.everything
        return str(data.draw(st.sampled_from(["", *(line.id for line in lines)])))

    def some_branch(self, data: Any) -> str:
        return str(data.draw(st.sampled_from(list(self.story.branches))))

    @rule(
        number=st.integers(1, 3),
        at=st.none() | st.integers(0, 4),
        origin=st.sampled_from([Origin.PERSON, Origin.MODEL]),
    )
    def add(self, number: int, at: int | None, origin: Origin) -> None:
        self.do(steps.Added(tuple(said(self.new(), origin=origin) for _ in range(number)), at))

    @rule(data=st.data(), text=st.sampled_from(["甲", "乙", "第 n1 句。"]))
    def edit(self, data: Any, text: str) -> None:
        self.do(steps.Edited(self.some_line(data, confirmed=False), self.new(), text, "老周"))

    @rule(data=st.data(), to=st.integers(0, 4))
    def move(self, data: Any, to: int) -> None:
        before = sorted(line.id for line in self.story.pending)
        self.do(steps.Moved(self.some_line(data, confirmed=False), to))
        assert sorted(line.id for line in self.story.pending) == before

    @rule()
    def confirm(self) -> None:
        before = self.story.here.everything
        if self.do(steps.Confirmed()):
            assert self.story.lines == before and self.story.pending == ()

    @rule()
    def discard(self) -> None:
        self.do(steps.Discarded())

    @rule(data=st.data())
    def checkpoint(self, data: Any) -> None:
        self.do(steps.Checkpointed(self.new(), "点", self.some_line(data, confirmed=True)))

    @rule(data=st.data())
    def rewind(self, data: Any) -> None:
        """Nothing that was there is out of reach afterwards."""
        before = self.story.here
        if self.do(steps.Rewound(self.some_line(data, confirmed=True), self.new(), "回退前")):
            assert self.story.reachable(before.lines)
            assert not before.pending or any(b.pending == before.pending for b in self.story.branches.values())

    @precondition(lambda self: self.story.checkpoints)
    @rule(data=st.data())
    def restore(self, data: Any) -> None:
        point = data.draw(st.sampled_from(self.story.checkpoints))
        before = self.story.here
        if self.do(steps.Rewound("", self.new(), "恢复前", point.id)):
            assert self.story.lines == point.lines and self.story.reachable(before.lines)

    @rule(data=st.data())
    def branch(self, data: Any) -> None:
        line = self.some_line(data, confirmed=True)
        before = self.story.here
        if self.do(steps.Branched(self.new(), "支", line)):
            assert self.story.lines == before.up_to(line) and self.story.branches[before.id] == before

    @rule(data=st.data())
    def switch(self, data: Any) -> None:
        self.do(steps.Switched(self.some_branch(data)))

    @rule(data=st.data())
    def prune(self, data: Any) -> None:
        self.do(steps.Pruned(self.some_branch(data)))

    @rule(times=st.integers(1, 6))
    def undo_and_redo(self, times: int) -> None:
        """Back and forth is where one was."""
        before, done = self.history, 0
        while done < times and self.history.done:
            self.history = self.history.undo()
            done += 1
        for _ in range(done):
            self.history = self.history.redo()
        assert self.history == before

    @rule(times=st.integers(1, 4))
    def undo(self, times: int) -> None:
        for _ in range(min(times, len(self.history.done))):
            self.history = self.history.undo()

    @rule()
    def reopen(self) -> None:
        """What is on record makes the same history, undone steps included."""
        history = self.history
        record = [steps.STEP.dump_json(step) for step in (*history.done, *reversed(history.undone))]
        read = [steps.STEP.validate_json(body) for body in record]
        assert (
            History.of(history.began, [one for one in read if not isinstance(one, steps.Began)], history.position)
            == history
        )

    @invariant()
    def ids_are_unique_in_a_branch(self) -> None:
        for branch in self.story.branches.values():
            found = [line.id for line in branch.everything]
            assert len(found) == len(set(found))

    @invariant()
    def a_line_has_one_text(self) -> None:
        """The same id means the same words everywhere, in branches, checkpoints and older versions alike."""
        seen: dict[str, object] = {}
        places = [branch.everything for branch in self.story.branches.values()]
        for line in (
            one
            for some in (*places, *(c.lines for c in self.story.checkpoints), *self.story.older.values())
            for one in some
        ):
            assert seen.setdefault(line.id, line) == line

    @invariant()
    def the_tree_has_every_branch_once(self) -> None:
        assert sorted(lane.branch.id for lane in lanes(self.story)) == sorted(self.story.branches)
        for lane in lanes(self.story):
            if lane.fork:
                assert lane.branch.lines[lane.shared - 1].id == lane.fork
        assert MAIN in self.story.branches or self.story.branch != MAIN

    @invariant()
    def a_value_is_never_changed(self) -> None:
        assert History.of(self.history.began, self.history.done).story == replace(self.story)


TestWriting = Writing.TestCase
TestWriting.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
