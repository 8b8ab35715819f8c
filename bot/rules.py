"""How a show is run: its settings and its pause modes. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bot.engine.types import Sampling


class Pause(StrEnum):
    RUN = "run"
    HOLD = "hold"  # everything waits
    DROP = "drop"  # what waits and what arrives is let go


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings of a show. Times in seconds; `lifetimes` by wait class, None: a card waits for ever. `voices` are
    the characters that draw their words in a way of their own. `care` is proposed to somebody in danger, in place of
    what the model would write; "": nothing is proposed."""

    drafts: int = 5
    sampling: Sampling = Sampling()
    voices: Mapping[str, Sampling] = field(default_factory=dict)
    turns: int = 16
    max_pending: int = 5
    max_text: int = 200
    need_operator: bool = True
    quote: bool = True
    lifetimes: dict[str, float | None] = field(default_factory=dict)
    least_seconds: float = 6.0
    seconds_per_character: float = 0.25
    most_seconds: float = 30.0
    care: str = ""
    lang: str = "zh"
    version: str = ""

    def sampling_of(self, character: str) -> Sampling:
        return self.voices.get(character, self.sampling)
