"""A scene's steps in order, those in effect and those undone. A value: journal the next one first, then adopt it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.desk.steps import Began, Change
from bot.desk.story import Story
from bot.errors import Refused


@dataclass(frozen=True, slots=True)
class History:
    """`undone` has the step to redo next at its end. `story` is what the steps in effect have made."""

    began: Began
    done: tuple[Change, ...]
    undone: tuple[Change, ...]
    story: Story

    @classmethod
    def of(cls, began: Began, changes: Sequence[Change] = (), position: int | None = None) -> History:
        """`position`: how many of the changes are in effect, all without it."""
        at = len(changes) if position is None else position
        return cls(began, tuple(changes[:at]), tuple(reversed(changes[at:])), fold(began, changes[:at]))

    @property
    def position(self) -> int:
        """How many changes are in effect."""
        return len(self.done)

    def then(self, change: Change) -> History:
        """With one more change; what was undone can no longer be redone. Raises Refused."""
        return History(self.began, (*self.done, change), (), change.on(self.story))

    def undo(self) -> History:
        if not self.done:
            raise Refused("nothing_to_undo", "没有可以撤销的了。 There is nothing to undo.")
        done, undone = self.done[:-1], (*self.undone, self.done[-1])
        return History(self.began, done, undone, fold(self.began, done))

    def redo(self) -> History:
        if not self.undone:
            raise Refused("nothing_to_redo", "没有可以重做的了。 There is nothing to redo.")
        change = self.undone[-1]
        return History(self.began, (*self.done, change), self.undone[:-1], change.on(self.story))


def fold(began: Began, changes: Sequence[Change]) -> Story:
    story = began.story()
    for change in changes:
        story = change.on(story)
    return story
