"""What can happen to a story, as values: a scene is the fold of its steps. No I/O, no clock, no random ids.

`step.on(story)` is the story after it, or raises Refused and nothing has changed. A step that is on record was possible
when it was taken, so folding the record never fails. Never rename a field or a kind: they are in people's files.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Annotated, Literal, get_args

from pydantic import Field, TypeAdapter

from bot.desk.story import (
    MAIN,
    Branch,
    Cast,
    Checkpoint,
    Note,
    Refresh,
    Story,
    Turns,
    authors_note,
    edited_origin,
    new_line,
)
from bot.errors import Refused
from bot.scenario import Line, Origin, Scenario, parse_scenario


@dataclass(frozen=True, slots=True)
class Began:
    """The first step of every scene. `scenario` is the text of a 场景剧本.json; `lines` are the opening and what was
    played before."""

    scenario: str
    lines: tuple[Line, ...]
    title: str = ""
    kind: Literal["began"] = "began"

    def story(self) -> Story:
        main = Branch(MAIN, "主线", self.lines)
        scenario = parse_scenario(self.scenario)
        return Story(scenario, MappingProxyType({MAIN: main}), note=authors_note(scenario), title=self.title)


@dataclass(frozen=True, slots=True)
class Recast:
    """The scenario was changed: its background, characters and settings from now on. Its opening is played already."""

    scenario: str
    kind: Literal["recast"] = "recast"

    def on(self, story: Story) -> Story:
        scenario: Scenario = parse_scenario(self.scenario)
        present = tuple(name for name in story.cast.present if name in scenario.speakers)
        note = authors_note(scenario) if story.note == authors_note(story.scenario) else story.note
        return replace(story, scenario=scenario, cast=replace(story.cast, present=present), note=note)


# -- pending lines -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Added:
    """Lines before the pending line number `at` (None: at the end). `drafts`: of each line the id of the draft that it
    was taken from, "" for none; or () for none at all."""

    lines: tuple[Line, ...]
    at: int | None = None
    drafts: tuple[str, ...] = ()
    kind: Literal["added"] = "added"

    def on(self, story: Story) -> Story:
        pending = list(story.pending)
        at = len(pending) if self.at is None else min(max(self.at, 0), len(pending))
        return _with_pending(story, (*pending[:at], *self.lines, *pending[at:]))


@dataclass(frozen=True, slots=True)
class Edited:
    """Other words, or another speaker, for a line of the present branch. `id` is the new version's.

    `draft`: the one that went on with the line and stands in its place now. `origin` None: a person's change.
    """

    line: str
    id: str
    text: str
    character: str
    draft: str = ""
    origin: Origin | None = None
    kind: Literal["edited"] = "edited"

    def on(self, story: Story) -> Story:
        old = story.find(self.line)
        older = story.older.get(old.id, ())
        new = new_line(self.character, self.text, old.origin, self.id)
        new = replace(new, origin=self.origin or edited_origin(old, older, new.text))
        if (new.character, new.text) == (old.character, old.text):
            raise Refused("same", "字没有变。 Nothing has changed.")
        versions = {**story.older, new.id: (*older, old)}
        return replace(_replaced(story, old, (new,)), older=MappingProxyType(versions))


@dataclass(frozen=True, slots=True)
class Moved:
    """A pending line to another place among them."""

    line: str
    to: int
    kind: Literal["moved"] = "moved"

    def on(self, story: Story) -> Story:
        line = story.find(self.line)
        if line not in story.pending:
            raise Refused("confirmed", "已认可的内容不能换位置。 A confirmed line stays where it is.")
        rest = [one for one in story.pending if one.id != line.id]
        rest.insert(min(max(self.to, 0), len(rest)), line)
        return _with_pending(story, rest)


@dataclass(frozen=True, slots=True)
class Deleted:
    """A line of the present branch, pending or confirmed."""

    line: str
    kind: Literal["deleted"] = "deleted"

    def on(self, story: Story) -> Story:
        return _replaced(story, story.find(self.line), ())


@dataclass(frozen=True, slots=True)
class Discarded:
    """All pending lines."""

    kind: Literal["discarded"] = "discarded"

    def on(self, story: Story) -> Story:
        _need_pending(story)
        return _with_pending(story, ())


@dataclass(frozen=True, slots=True)
class Confirmed:
    """All pending lines are story from now on."""

    kind: Literal["confirmed"] = "confirmed"

    def on(self, story: Story) -> Story:
        _need_pending(story)
        return story.with_branch(replace(story.here, lines=story.here.everything, pending=()))


# -- checkpoints and branches ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Checkpointed:
    """A name for the confirmed story up to a line. `line` "": the very beginning."""

    id: str
    name: str
    line: str
    kind: Literal["checkpointed"] = "checkpointed"

    def on(self, story: Story) -> Story:
        point = Checkpoint(self.id, _named(self.name), story.branch, story.here.up_to(self.line))
        return replace(story, checkpoints=(*story.checkpoints, point))


@dataclass(frozen=True, slots=True)
class RenamedCheckpoint:
    checkpoint: str
    name: str
    kind: Literal["renamed_checkpoint"] = "renamed_checkpoint"

    def on(self, story: Story) -> Story:
        new = replace(story.find_checkpoint(self.checkpoint), name=_named(self.name))
        return replace(story, checkpoints=tuple(new if one.id == new.id else one for one in story.checkpoints))


@dataclass(frozen=True, slots=True)
class DroppedCheckpoint:
    checkpoint: str
    kind: Literal["dropped_checkpoint"] = "dropped_checkpoint"

    def on(self, story: Story) -> Story:
        old = story.find_checkpoint(self.checkpoint)
        return replace(story, checkpoints=tuple(one for one in story.checkpoints if one.id != old.id))


@dataclass(frozen=True, slots=True)
class Rewound:
    """Back to a line, or with `checkpoint` to the story as it was then. What stood after it is not lost: it becomes the
    branch `id`, named `name`, unless another branch or checkpoint has it all."""

    line: str
    id: str
    name: str
    checkpoint: str = ""
    kind: Literal["rewound"] = "rewound"

    def on(self, story: Story) -> Story:
        here = story.here
        lines = story.find_checkpoint(self.checkpoint).lines if self.checkpoint else here.up_to(self.line)
        if lines == here.lines and not here.pending:
            raise Refused("same", "已经在这里了。 The story is here already.")
        rewound = story.with_branch(replace(here, lines=lines, pending=()))
        if rewound.reachable(here.lines) and not here.pending:
            return rewound
        return rewound.with_branch(Branch(self.id, _named(self.name), here.lines, here.pending, parent=here.id))


@dataclass(frozen=True, slots=True)
class Branched:
    """A new branch that begins with the story up to a line; the story goes on there."""

    id: str
    name: str
    line: str
    kind: Literal["branched"] = "branched"

    def on(self, story: Story) -> Story:
        parent = story.holding(self.line)
        new = Branch(self.id, _named(self.name), parent.up_to(self.line), parent=parent.id)
        return replace(story.with_branch(new), branch=new.id)


@dataclass(frozen=True, slots=True)
class Switched:
    branch: str
    kind: Literal["switched"] = "switched"

    def on(self, story: Story) -> Story:
        if story.find_branch(self.branch).id == story.branch:
            raise Refused("same", "已经在这个分支上了。 The story is on this branch already.")
        return replace(story, branch=self.branch)


@dataclass(frozen=True, slots=True)
class RenamedBranch:
    branch: str
    name: str
    kind: Literal["renamed_branch"] = "renamed_branch"

    def on(self, story: Story) -> Story:
        return story.with_branch(replace(story.find_branch(self.branch), name=_named(self.name)))


@dataclass(frozen=True, slots=True)
class Pruned:
    """A branch is gone. Its children hang on its own parent."""

    branch: str
    kind: Literal["pruned"] = "pruned"

    def on(self, story: Story) -> Story:
        old = story.find_branch(self.branch)
        if old.id == story.branch:
            raise Refused("in_use", "正在这个分支上。请先切到别的分支。 Switch to another branch first.")
        rest = [one for one in story.branches.values() if one.id != old.id]
        moved = [replace(one, parent=old.parent) if one.parent == old.id else one for one in rest]
        return replace(story, branches=MappingProxyType({one.id: one for one in moved}))


# -- the scene ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CastChanged:
    """Who is present, in the order of turns; free names count too."""

    present: tuple[str, ...]
    turns: Turns
    kind: Literal["cast_changed"] = "cast_changed"

    def on(self, story: Story) -> Story:
        return replace(story, cast=Cast(tuple(dict.fromkeys(self.present)), self.turns))


@dataclass(frozen=True, slots=True)
class Noted:
    """The author's note. `text` "" is none."""

    text: str
    depth: int
    kind: Literal["noted"] = "noted"

    def on(self, story: Story) -> Story:
        return replace(story, note=Note(self.text, self.depth))


@dataclass(frozen=True, slots=True)
class Refreshed:
    summary: str
    last: int
    kind: Literal["refreshed"] = "refreshed"

    def on(self, story: Story) -> Story:
        since = story.lines[-1].id if story.lines else ""
        return replace(story, refresh=Refresh(self.summary, self.last, since))


@dataclass(frozen=True, slots=True)
class Unrefreshed:
    kind: Literal["unrefreshed"] = "unrefreshed"

    def on(self, story: Story) -> Story:
        if story.refresh is None:
            raise Refused("same", "没有刷新过。 It was not refreshed.")
        return replace(story, refresh=None)


@dataclass(frozen=True, slots=True)
class Titled:
    title: str
    kind: Literal["titled"] = "titled"

    def on(self, story: Story) -> Story:
        return replace(story, title=_named(self.title))


Change = (
    Recast
    | Added
    | Edited
    | Moved
    | Deleted
    | Discarded
    | Confirmed
    | Checkpointed
    | RenamedCheckpoint
    | DroppedCheckpoint
    | Rewound
    | Branched
    | Switched
    | RenamedBranch
    | Pruned
    | CastChanged
    | Noted
    | Refreshed
    | Unrefreshed
    | Titled
)
"""Any step but the first."""

Step = Annotated[Began | Change, Field(discriminator="kind")]

STEP: TypeAdapter[Began | Change] = TypeAdapter(Step)
"""Steps from and to JSON."""

CHANGES: tuple[type[Change], ...] = get_args(Change)


def _with_pending(story: Story, pending: tuple[Line, ...] | list[Line]) -> Story:
    return story.with_branch(replace(story.here, pending=tuple(pending)))


def _replaced(story: Story, old: Line, new: tuple[Line, ...]) -> Story:
    """With `new` in the place of `old` in the present branch."""
    here = story.here
    if any(line.id == old.id for line in here.pending):
        return story.with_branch(replace(here, pending=_swapped(here.pending, old, new)))
    return story.with_branch(replace(here, lines=_swapped(here.lines, old, new)))


def _swapped(lines: tuple[Line, ...], old: Line, new: tuple[Line, ...]) -> tuple[Line, ...]:
    at = next(index for index, line in enumerate(lines) if line.id == old.id)
    return (*lines[:at], *new, *lines[at + 1 :])


def _need_pending(story: Story) -> None:
    if not story.pending:
        raise Refused("nothing_pending", "没有未决内容。 Nothing is pending.")


def _named(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise Refused("no_name", "请起个名字。 A name is needed.")
    return name
