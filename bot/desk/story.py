"""A scene at the desk as one value: branches of confirmed and pending lines, checkpoints, cast, note. No I/O, no clock.

Every line has an id of its own. An edited line is a new one with a new id, and the older words stay known; branches
share the lines, and so the ids, of their common beginning. What changes a story is in steps.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol, TypeVar

from bot.errors import Refused
from bot.scenario import Line, Origin, Scenario, canonical_name, canonical_text

MAIN = "main"


class Turns(StrEnum):
    """Who speaks next."""

    HAND = "hand"
    TURN = "turn"
    MENTION = "mention"


@dataclass(frozen=True, slots=True)
class Cast:
    """Who is in the scene now, in the order of turns. () means everybody of the scenario."""

    present: tuple[str, ...] = ()
    turns: Turns = Turns.HAND


@dataclass(frozen=True, slots=True)
class Note:
    """The author's note: told to the model `depth` lines before the end, and no part of the story."""

    text: str = ""
    depth: int = 4


def authors_note(scenario: Scenario) -> Note:
    """The note that a scenario's file ("AuthorsNote") gives to its scenes. What is none there is no note."""
    match scenario.extra.get("AuthorsNote"):
        case {"text": str() as text, "depth": int() as depth} if depth >= 0:
            return Note(text, depth)
        case {"text": str() as text}:
            return Note(text)
    return Note()


@dataclass(frozen=True, slots=True)
class Refresh:
    """The model reads the story anew: `summary` in place of what was told before the last `last` lines up to `since`."""

    summary: str
    last: int
    since: str  # id of the last confirmed line when it was refreshed; "" there was none


@dataclass(frozen=True, slots=True)
class Branch:
    """One way the story goes, from its first line on. `pending` waits at its end to be confirmed.

    `parent` is the branch that it was made from, "" for the first.
    """

    id: str
    name: str
    lines: tuple[Line, ...] = ()
    pending: tuple[Line, ...] = ()
    parent: str = ""

    @property
    def everything(self) -> tuple[Line, ...]:
        return self.lines + self.pending

    def up_to(self, line: str) -> tuple[Line, ...]:
        """The confirmed lines to this one and with it. "": none. Raises Refused."""
        if not line:
            return ()
        for index, one in enumerate(self.lines, start=1):
            if one.id == line:
                return self.lines[:index]
        raise Refused("not_found", "这个分支已认可的剧情里没有这一条。 No confirmed line of this branch has this id.")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The confirmed story as it was at one moment. `branch` is where it was made."""

    id: str
    name: str
    branch: str
    lines: tuple[Line, ...]

    @property
    def line(self) -> str:
        """The id of its last line, "" for the very beginning."""
        return self.lines[-1].id if self.lines else ""


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that undo and redo move through. Values are never changed: a step makes a new story.

    `older` has the earlier versions of a line by its present id, oldest first.
    """

    scenario: Scenario
    branches: Mapping[str, Branch]
    branch: str = MAIN
    checkpoints: tuple[Checkpoint, ...] = ()
    cast: Cast = Cast()
    note: Note = Note()
    refresh: Refresh | None = None
    title: str = ""
    older: Mapping[str, tuple[Line, ...]] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def here(self) -> Branch:
        return self.branches[self.branch]

    @property
    def lines(self) -> tuple[Line, ...]:
        """The confirmed lines, opening included."""
        return self.here.lines

    @property
    def pending(self) -> tuple[Line, ...]:
        return self.here.pending

    @property
    def place(self) -> str:
        """The id of the last line, pending ones included; drafts are for a place. "" at the very beginning."""
        return self.here.everything[-1].id if self.here.everything else ""

    @property
    def present(self) -> tuple[str, ...]:
        """Those in the scene, in the order of turns."""
        return self.cast.present or self.scenario.speakers

    def find(self, id: str) -> Line:
        """A line of the present branch, confirmed or pending."""
        return _one(self.here.everything, id, "这一条已经不在了。 This line is no longer here.")

    def find_branch(self, id: str) -> Branch:
        return _one(self.branches.values(), id, "没有这个分支。 There is no such branch.")

    def find_checkpoint(self, id: str) -> Checkpoint:
        return _one(self.checkpoints, id, "没有这个检查点。 There is no such checkpoint.")

    def holding(self, line: str) -> Branch:
        """The branch in which this line is confirmed, the present one first. "" is in every branch."""
        for branch in (self.here, *self.branches.values()):
            if not line or any(one.id == line for one in branch.lines):
                return branch
        raise Refused("not_found", "已认可的剧情里没有这一条。 No confirmed line has this id.")

    def with_branch(self, branch: Branch) -> Story:
        """This story with that branch new or changed."""
        return replace(self, branches=MappingProxyType({**self.branches, branch.id: branch}))

    def reachable(self, lines: Sequence[Line]) -> bool:
        """Whether some branch or checkpoint begins with exactly these lines."""
        wanted = [line.id for line in lines]
        kept = (*(branch.lines for branch in self.branches.values()), *(one.lines for one in self.checkpoints))
        return any([line.id for line in some[: len(wanted)]] == wanted for some in kept)


def new_line(character: str, text: str, origin: Origin, id: str) -> Line:
    """A line in its canonical form. Raises Refused where nothing is left of its words."""
    words = canonical_text(text)
    if not words:
        raise Refused("empty", "这一条没有字。请写点什么。 This line has no words.")
    return Line(canonical_name(character), words, origin, id)


def edited_origin(line: Line, older: Iterable[Line], text: str) -> Origin:
    """Where the words come from when a person has changed them: back to older words is back to their origin."""
    for version in (line, *older):
        if version.text == text:
            return version.origin
    return Origin.EDITED if line.origin is Origin.MODEL else line.origin


class _Named(Protocol):
    @property
    def id(self) -> str: ...


_Thing = TypeVar("_Thing", bound=_Named)


def _one(things: Iterable[_Thing], id: str, missing: str) -> _Thing:
    for thing in things:
        if thing.id == id:
            return thing
    raise Refused("not_found", missing)
