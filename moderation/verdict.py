"""What a check says: findings with places in the original text, and the verdict over them. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Direction(StrEnum):
    """Which way a text goes."""

    IN = "in"  # from a viewer, towards the model
    OUT = "out"  # from the model or an operator, towards the audience


class Action(StrEnum):
    """What follows from a verdict. Messages: pass, mask, flag, hold, drop. Replies: clean, flag, block, hard block.

    MASK: goes on with some of its text replaced. FLAG: goes on and is marked. HOLD: does not reach the model unless an
    operator releases it. DROP: spam. BLOCK: needs an edit. HARD_BLOCK: cannot be approved at all.
    """

    PASS = "pass"
    MASK = "mask"
    CLEAN = "clean"
    FLAG = "flag"
    HOLD = "hold"
    DROP = "drop"
    BLOCK = "block"
    HARD_BLOCK = "hard_block"


MILD, NOTABLE, SEVERE, FORBIDDEN = 1, 2, 3, 4


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a filter saw at `start:end` of the original text. `reason` is for people, Chinese first.

    `severity` 1 and 2 point something out; 3 holds a message and blocks a reply; 4 can never be approved in a reply.
    """

    category: str
    severity: int
    rule: str
    start: int
    end: int
    reason: str

    def __post_init__(self) -> None:
        if not MILD <= self.severity <= FORBIDDEN:
            raise ValueError(f"severity {self.severity} is not 1 to 4")
        if not 0 <= self.start <= self.end:
            raise ValueError(f"{self.start}:{self.end} is no place in a text")

    @property
    def level(self) -> Literal["flag", "block"]:
        return "block" if self.severity >= SEVERE else "flag"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome for one text. `text` is what may go on: the original, unless something in it was masked."""

    action: Action
    findings: tuple[Finding, ...]
    text: str


_ACTIONS = {
    Direction.IN: {0: Action.PASS, 1: Action.FLAG, 2: Action.FLAG, 3: Action.HOLD, 4: Action.HOLD},
    Direction.OUT: {0: Action.CLEAN, 1: Action.FLAG, 2: Action.FLAG, 3: Action.BLOCK, 4: Action.HARD_BLOCK},
}


def action_for(findings: tuple[Finding, ...], direction: Direction) -> Action:
    """The action that the gravest finding asks for."""
    return _ACTIONS[direction][max((finding.severity for finding in findings), default=0)]
