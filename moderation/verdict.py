"""What a check says: findings with places in the original text, and the verdict over them. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Direction(StrEnum):
    """Which way a text goes."""

    IN = "in"  # from a viewer, towards the model
    OUT = "out"  # from the model or an operator, towards the audience


class Action(StrEnum):
    """What follows from a verdict. Messages: pass, mask, flag, hold, drop. Replies: clean, flag, block, hard block.

    MASK: goes on with some of its text replaced. FLAG: goes on and is marked. HOLD: does not reach the model unless an
    operator releases it. DROP: spam. BLOCK: needs an edit, or a person who lets it through and says why. HARD_BLOCK: these
    words cannot be approved at all. "Clean" and "pass" only sort the queue: nothing is ever approved by a check.
    """

    PASS = "pass"
    MASK = "mask"
    CLEAN = "clean"
    FLAG = "flag"
    HOLD = "hold"
    DROP = "drop"
    BLOCK = "block"
    HARD_BLOCK = "hard_block"


STOPPING = frozenset({Action.HOLD, Action.DROP, Action.BLOCK, Action.HARD_BLOCK})
MILD, NOTABLE, SEVERE, FORBIDDEN = 1, 2, 3, 4


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a filter saw at `start:end` of the original text. `reason` is for people, Chinese first.

    `severity` 1 and 2 point something out; 3 is not to go on unseen; 4 can never be approved in a reply. `source` is the
    list or model that it comes from. `mask` is what stands in its place in a message ("": it stays as it is). `action`
    is the policy's, None until it has judged; a filter never sets it.
    """

    category: str
    severity: int
    rule: str
    start: int
    end: int
    reason: str
    source: str = ""
    mask: str = ""
    action: Action | None = None

    def __post_init__(self) -> None:
        if not MILD <= self.severity <= FORBIDDEN:
            raise ValueError(f"severity {self.severity} is not 1 to 4")
        if not 0 <= self.start <= self.end:
            raise ValueError(f"{self.start}:{self.end} is no place in a text")

    @property
    def stops(self) -> bool:
        """Whether the text must not go on as it is."""
        return self.action in STOPPING

    @property
    def firm(self) -> bool:
        """Whether no reason can let a reply through: it is forbidden, or a check of ours does not know whether it is."""
        unknown = self.category == "unchecked" and not self.unanswered
        return self.action is Action.HARD_BLOCK or (self.action is Action.BLOCK and unknown)

    @property
    def unanswered(self) -> bool:
        """Whether this only says that a service of the user's (its `source`) has not answered. Services add to our own
        checks: while one is down, a person may go on without it, and says why."""
        return self.category == "unchecked" and bool(self.source)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome for one text. `text` is what may go on: the original, unless something in it was masked; `name` is the
    same of the viewer's name. `shown` are the findings with their places in `text` in place of the original.

    `versions`: what it was checked with, as (name of the filter, version of its list or model).
    """

    action: Action
    findings: tuple[Finding, ...]
    text: str
    name: str = ""
    shown: tuple[Finding, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()
