"""Turns findings into actions, and is the only part that does. Reads no text and knows no filter.

| level | marked from severity | stopped from severity |
|---|---|---|
| 0 | 4 | 4 |
| 1 | 2 | 4 |
| 2 | 1 | 3 |
| 3 | 1 | 2 |
| 4 | 1 | 1 |

Stopped means: a message is held, a reply is blocked until it is edited or let through by a person who gives a reason.
Whatever the level and whoever wrote it: severity 4 is held in a message and can never be approved in a reply; what a
check could not read is held or blocked, and no reason lets it through (`Finding.firm`), unless it is only a service of
the user's that has not answered; private data is masked before
anyone reads it; a mere suspicion stops nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from bot.messages import Role
from moderation.verdict import FORBIDDEN, MILD, NOTABLE, SEVERE, Action, Direction, Finding

# (marked from, stopped from), by level.
LEVELS = ((FORBIDDEN, FORBIDDEN), (NOTABLE, FORBIDDEN), (MILD, SEVERE), (MILD, NOTABLE), (MILD, MILD))
DEFAULT_LEVEL = 2

# What a role may be excepted from. Not in it: what harms others, what could harm the one who wrote it, what is meant
# for the model, and what nobody has checked.
EXCEPTABLE = frozenset(
    {"insult", "sexual", "violence", "gambling", "ads_fraud", "politics", "quality", "custom", "spam"}
)
ROLES = (Role.STREAMER, Role.MODERATOR, Role.GUARD)
DEFAULT_EXCEPTIONS: Mapping[Role, Collection[str]] = {
    Role.STREAMER: ("ads_fraud", "quality"),
    Role.MODERATOR: ("ads_fraud", "quality"),
}

# From what goes on to what does not.
_ORDER = {
    Direction.IN: (Action.PASS, Action.MASK, Action.FLAG, Action.HOLD, Action.DROP),
    Direction.OUT: (Action.CLEAN, Action.FLAG, Action.BLOCK, Action.HARD_BLOCK),
}


class Policy:
    """`level` for every category, and `messages` and `replies` for single ones, each in its direction. `exceptions`:
    the categories that only mark a message of this role. Raises ValueError for what cannot be set."""

    def __init__(
        self,
        level: int = DEFAULT_LEVEL,
        *,
        messages: Mapping[str, int] | None = None,
        replies: Mapping[str, int] | None = None,
        exceptions: Mapping[Role, Collection[str]] | None = None,
    ) -> None:
        self._level = level
        self._levels = {Direction.IN: dict(messages or {}), Direction.OUT: dict(replies or {})}
        chosen = DEFAULT_EXCEPTIONS if exceptions is None else exceptions
        self._exceptions = {role: frozenset(categories) for role, categories in chosen.items()}
        for one in (level, *self._levels[Direction.IN].values(), *self._levels[Direction.OUT].values()):
            if one not in range(len(LEVELS)):
                raise ValueError(f"level {one} is not 0 to {len(LEVELS) - 1}")
        for role, categories in self._exceptions.items():
            if refused := categories - EXCEPTABLE:
                raise ValueError(f"{role} cannot be excepted from {', '.join(sorted(refused))}")

    def judge(
        self, findings: Iterable[Finding], direction: Direction, roles: Collection[Role] = ()
    ) -> tuple[Finding, ...]:
        """The same findings, each with the action that follows from it. `roles`: those of who wrote it."""
        act = self._in if direction is Direction.IN else self._out
        return tuple(replace(found, action=act(found, roles)) for found in findings)

    def _in(self, found: Finding, roles: Collection[Role]) -> Action:
        if found.mask and found.category == "privacy":
            return Action.MASK
        if not self._stops(found, Direction.IN):
            return Action.FLAG if self._marks(found, Direction.IN) else Action.PASS
        if found.severity < FORBIDDEN and any(found.category in self._exceptions.get(role, ()) for role in roles):
            return Action.FLAG
        return Action.DROP if found.category == "spam" else Action.HOLD

    def _out(self, found: Finding, roles: Collection[Role]) -> Action:
        if found.severity == FORBIDDEN:
            return Action.HARD_BLOCK
        if self._stops(found, Direction.OUT):
            return Action.BLOCK
        return Action.FLAG if self._marks(found, Direction.OUT) else Action.CLEAN

    def _stops(self, found: Finding, direction: Direction) -> bool:
        if found.category == "unchecked":
            return True
        return found.category != "suspect" and found.severity >= self._thresholds(found, direction)[1]

    def _marks(self, found: Finding, direction: Direction) -> bool:
        return found.severity >= self._thresholds(found, direction)[0]

    def _thresholds(self, found: Finding, direction: Direction) -> tuple[int, int]:
        return LEVELS[self._levels[direction].get(found.category, self._level)]


def gravest(judged: Iterable[Finding], direction: Direction) -> Action:
    """The action for a whole text: the gravest of those that its findings call for."""
    order = _ORDER[direction]
    return max((found.action for found in judged if found.action), key=order.index, default=order[0])
