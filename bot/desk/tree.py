"""How the branches of a story hang together: where they part, and in what two of them differ. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile

from bot.desk.story import Branch, Checkpoint, Story
from bot.scenario import Line


@dataclass(frozen=True, slots=True)
class Lane:
    """A branch in the tree. `shared`: how many of its lines its parent has, too (0 for the first branch); `fork` is the
    last of them, "" where there is none."""

    branch: Branch
    shared: int
    fork: str


@dataclass(frozen=True, slots=True)
class Difference:
    """Two branches: as many common lines at the beginning, and what each has after them."""

    common: int
    a: tuple[Line, ...]
    b: tuple[Line, ...]


def lanes(story: Story) -> tuple[Lane, ...]:
    """Every branch after its parent, otherwise in the order in which they were made."""
    children: dict[str, list[Branch]] = {}
    for branch in story.branches.values():
        children.setdefault(branch.parent if branch.parent in story.branches else "", []).append(branch)
    ordered: list[Lane] = []
    waiting = children.get("", [])[::-1]
    while waiting:
        branch = waiting.pop()
        ordered.append(_lane(story, branch))
        waiting += children.get(branch.id, [])[::-1]
    return tuple(ordered)


def home(ordered: Iterable[Lane], point: Checkpoint) -> str:
    """The branch on which a checkpoint's last line stands now, the one nearest to the beginning of the tree; "": no
    branch has it, since the story was rewound and what came after it was pruned."""
    at = len(point.lines) - 1
    holding = (lane.branch for lane in ordered if at < len(lane.branch.lines))
    return next((one.id for one in holding if at < 0 or one.lines[at].id == point.line), "")


def compare(story: Story, a: str, b: str) -> Difference:
    """Confirmed lines only. Raises Refused where there is no such branch."""
    one, other = story.find_branch(a).lines, story.find_branch(b).lines
    common = shared(one, other)
    return Difference(common, one[common:], other[common:])


def shared(a: Sequence[Line], b: Sequence[Line]) -> int:
    """How many lines both begin with: the same lines, not only the same words."""
    return sum(1 for _ in takewhile(lambda pair: pair[0].id == pair[1].id, zip(a, b, strict=False)))


def _lane(story: Story, branch: Branch) -> Lane:
    parent = story.branches.get(branch.parent)
    common = shared(branch.lines, parent.lines) if parent else 0
    return Lane(branch, common, branch.lines[common - 1].id if common else "")
