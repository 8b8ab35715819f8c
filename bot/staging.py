"""A scenario with everything that follows from it, built whole before any of it is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.rules import Rules
from bot.scenario import Scenario
from moderation import Chain

CHOSEN = "scenario"  # under which the choice of a person at the panel is remembered


@dataclass(frozen=True, slots=True)
class Staging:
    """`choice` is how it is asked for again: series/name, or "" for the one of the settings. `avatars`: the characters'
    pictures (PNG) by name."""

    scenario: Scenario
    checks: Chain
    rules: Rules
    avatars: Mapping[str, Path] = field(default_factory=dict)
    choice: str = ""

    @property
    def key(self) -> str:
        """Under which its cards are on record: series/name."""
        return self.scenario.key


Stage = Callable[[str, str], Staging]
"""By series and name, both "" for the scenario of the settings. Raises Refused or UserError, and nothing has changed."""
