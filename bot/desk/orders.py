"""What a person may order at the desk, as the page sends it and within bounds, and the step that each order makes.

The server gives the ids and decides where words come from; an order only says what the person saw and wants.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.desk.steps import (
    Added,
    Branched,
    CastChanged,
    Change,
    Checkpointed,
    Confirmed,
    Deleted,
    Discarded,
    DroppedCheckpoint,
    Edited,
    Moved,
    Noted,
    Pruned,
    Recast,
    Refreshed,
    RenamedBranch,
    RenamedCheckpoint,
    Rewound,
    Switched,
    Titled,
    Unrefreshed,
)
from bot.desk.story import Story, Turns, new_line
from bot.errors import Refused
from bot.scenario import Line, Origin, Scenario, canonical_text, dump_scenario

MOST_TEXT = 4000  # characters of a line
MOST_PENDING = 100  # lines, and with MOST_PENDING_TEXT characters they fit into the body of a `confirm`
MOST_PENDING_TEXT = 12_000
MOST_LINES = 20_000
MOST_BRANCHES = 200
MOST_CHECKPOINTS = 500

Id = Annotated[str, Field(max_length=100)]
Name = Annotated[str, Field(max_length=60)]
Words = Annotated[str, Field(max_length=MOST_TEXT)]


@dataclass(frozen=True, slots=True)
class Given:
    """What the server adds to an order. `draft_text`: the words of a draft as the model wrote them, by its id; raises
    Refused where there is none. `tail`: the name of the branch for what a rewind leaves behind. `scenario`: the scenario's
    file as it is now; raises Refused where it is gone."""

    draft_text: Callable[[str], str]
    tail: str
    scenario: Callable[[], Scenario]
    new_id: Callable[[], str]

    def origin(self, draft: str, text: str) -> Origin:
        if not draft:
            return Origin.PERSON
        same = canonical_text(self.draft_text(draft)) == canonical_text(text)
        return Origin.MODEL if same else Origin.EDITED


class _Strict(BaseModel):
    """ "3" is not 3."""

    model_config = ConfigDict(strict=True, frozen=True)


class Order(_Strict, ABC):
    """Something that makes a step."""

    @abstractmethod
    def step(self, story: Story, given: Given) -> Change:
        """Raises Refused."""


# -- pending lines -----------------------------------------------------------------------------------------------------


class WrittenLine(_Strict):
    """`draft`: the one that was taken; the words may have been changed since."""

    character: Name
    text: Words
    draft: Id = ""

    def line(self, given: Given) -> Line:
        return new_line(self.character, self.text, given.origin(self.draft, self.text), given.new_id())


class Add(Order):
    kind: Literal["add"]
    lines: Annotated[list[WrittenLine], Field(min_length=1, max_length=MOST_PENDING)]
    at: Annotated[int, Field(ge=0)] | None = None

    def step(self, story: Story, given: Given) -> Added:
        drafts = tuple(one.draft for one in self.lines)
        return Added(tuple(one.line(given) for one in self.lines), self.at, drafts if any(drafts) else ())


class Edit(Order):
    """`draft`: the one that goes on with this line and takes its place. `character` None: the same as before."""

    kind: Literal["edit"]
    line: Id
    text: Words
    character: Name | None = None
    draft: Id = ""

    def step(self, story: Story, given: Given) -> Edited:
        old = story.find(self.line)
        character = old.character if self.character is None else self.character
        origin = self._origin(old, given) if self.draft else None
        return Edited(self.line, given.new_id(), self.text, character, self.draft, origin)

    def _origin(self, old: Line, given: Given) -> Origin:
        """All of it the model's, or a person's beginning that the model went on with."""
        wholly = old.origin is Origin.MODEL and given.origin(self.draft, self.text) is Origin.MODEL
        return Origin.MODEL if wholly else Origin.EDITED


class Move(Order):
    kind: Literal["move"]
    line: Id
    to: Annotated[int, Field(ge=0)]

    def step(self, story: Story, given: Given) -> Moved:
        return Moved(self.line, self.to)


class Delete(Order):
    kind: Literal["delete"]
    line: Id

    def step(self, story: Story, given: Given) -> Deleted:
        return Deleted(self.line)


class Discard(Order):
    kind: Literal["discard"]

    def step(self, story: Story, given: Given) -> Discarded:
        return Discarded()


class SeenLine(_Strict):
    """A pending line as it stood on the screen."""

    id: Id
    text: Words


class Confirm(Order):
    """Exactly the pending lines that the person has read."""

    kind: Literal["confirm"]
    lines: Annotated[list[SeenLine], Field(max_length=MOST_PENDING)]

    def step(self, story: Story, given: Given) -> Confirmed:
        if [(line.id, line.text) for line in self.lines] != [(line.id, line.text) for line in story.pending]:
            raise Refused(
                "changed",
                "未决内容和你看到的不一样，没有认可。请再看一遍。"
                " What is pending differs from what you saw: nothing was confirmed.",
            )
        return Confirmed()


# -- checkpoints and branches ------------------------------------------------------------------------------------------


class Checkpoint(Order):
    """`line` None: the last confirmed one."""

    kind: Literal["checkpoint"]
    name: Name
    line: Id | None = None

    def step(self, story: Story, given: Given) -> Checkpointed:
        last = story.lines[-1].id if story.lines else ""
        return Checkpointed(given.new_id(), self.name, last if self.line is None else self.line)


class RenameCheckpoint(Order):
    kind: Literal["rename_checkpoint"]
    checkpoint: Id
    name: Name

    def step(self, story: Story, given: Given) -> RenamedCheckpoint:
        return RenamedCheckpoint(self.checkpoint, self.name)


class DropCheckpoint(Order):
    kind: Literal["drop_checkpoint"]
    checkpoint: Id

    def step(self, story: Story, given: Given) -> DroppedCheckpoint:
        return DroppedCheckpoint(self.checkpoint)


class Restore(Order):
    kind: Literal["restore"]
    checkpoint: Id

    def step(self, story: Story, given: Given) -> Rewound:
        return Rewound("", given.new_id(), given.tail, self.checkpoint)


class Rewind(Order):
    """`line` "": to the very beginning."""

    kind: Literal["rewind"]
    line: Id

    def step(self, story: Story, given: Given) -> Rewound:
        return Rewound(self.line, given.new_id(), given.tail)


class Branch(Order):
    kind: Literal["branch"]
    line: Id
    name: Name

    def step(self, story: Story, given: Given) -> Branched:
        return Branched(given.new_id(), self.name, self.line)


class Switch(Order):
    kind: Literal["switch"]
    branch: Id

    def step(self, story: Story, given: Given) -> Switched:
        return Switched(self.branch)


class RenameBranch(Order):
    kind: Literal["rename_branch"]
    branch: Id
    name: Name

    def step(self, story: Story, given: Given) -> RenamedBranch:
        return RenamedBranch(self.branch, self.name)


class Prune(Order):
    kind: Literal["prune"]
    branch: Id

    def step(self, story: Story, given: Given) -> Pruned:
        return Pruned(self.branch)


# -- the scene ---------------------------------------------------------------------------------------------------------


class Reread(Order):
    """The scenario was changed at /scenarios: its background, characters and lorebook from now on."""

    kind: Literal["recast"]

    def step(self, story: Story, given: Given) -> Recast:
        scenario = given.scenario()
        if scenario == story.scenario:
            raise Refused("same", "剧本没有变。 The scenario has not changed.")
        return Recast(dump_scenario(scenario))


class SetCast(Order):
    kind: Literal["cast"]
    present: Annotated[list[Name], Field(max_length=50)]
    turns: Annotated[Turns, Field(strict=False)]

    def step(self, story: Story, given: Given) -> CastChanged:
        return CastChanged(tuple(self.present), self.turns)


class SetNote(Order):
    kind: Literal["note"]
    text: Words
    depth: Annotated[int, Field(ge=0, le=1000)]

    def step(self, story: Story, given: Given) -> Noted:
        return Noted(self.text, self.depth)


class Refresh(Order):
    kind: Literal["refresh"]
    summary: Words
    last: Annotated[int, Field(ge=0, le=MOST_LINES)]

    def step(self, story: Story, given: Given) -> Refreshed:
        return Refreshed(self.summary, self.last)


class Unrefresh(Order):
    kind: Literal["unrefresh"]

    def step(self, story: Story, given: Given) -> Unrefreshed:
        return Unrefreshed()


class Title(Order):
    kind: Literal["title"]
    title: Name

    def step(self, story: Story, given: Given) -> Titled:
        return Titled(self.title)


# -- back and forth ----------------------------------------------------------------------------------------------------


class Undo(_Strict):
    kind: Literal["undo"]


class Redo(_Strict):
    kind: Literal["redo"]


AnyOrder = Annotated[
    Add
    | Edit
    | Move
    | Delete
    | Discard
    | Confirm
    | Checkpoint
    | RenameCheckpoint
    | DropCheckpoint
    | Restore
    | Rewind
    | Branch
    | Switch
    | RenameBranch
    | Prune
    | Reread
    | SetCast
    | SetNote
    | Refresh
    | Unrefresh
    | Title
    | Undo
    | Redo,
    Field(discriminator="kind"),
]


def check_bounds(story: Story) -> None:
    """Raise Refused where a story has grown beyond what the desk can carry."""
    pending = story.pending
    if len(pending) > MOST_PENDING or sum(len(line.text) for line in pending) > MOST_PENDING_TEXT:
        raise Refused(
            "too_much",
            f"未决内容太多（最多 {MOST_PENDING} 条、{MOST_PENDING_TEXT} 字）。请先认可或丢弃一部分。"
            " Too much is pending: confirm or discard some of it first.",
        )
    if any(len(line.text) > MOST_TEXT for line in pending):
        raise Refused("too_long", f"一条最多 {MOST_TEXT} 字，请分成几条。 A line is too long: make several of it.")
    for count, most, what in (
        (len(story.here.everything), MOST_LINES, "条"),
        (len(story.branches), MOST_BRANCHES, "个分支"),
        (len(story.checkpoints), MOST_CHECKPOINTS, "个检查点"),
    ):
        if count > most:
            raise Refused(
                "too_much", f"一个场景最多 {most} {what}。请删去一些。 Too many in one scene: {most} at most."
            )
