"""What goes into an engine and what comes out of it. No torch here: the panel's process imports this file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Protocol

from bot.engine.sampling.limits import STEPS, active_steps, problems


@dataclass(frozen=True, slots=True)
class Prompt:
    """Everything the model reads before it speaks.

    `parts` are encoded one by one and their tokens joined, so text can never merge with the separator next to it.
    `keep` counts parts: the state after `parts[:n]` is worth keeping for each n in it (the end of the scenario, the end
    of the confirmed story). `stops` are texts that end a draft and are not part of it. `start_with` is fed after the
    parts and stands at the beginning of every draft's text. `against` are the parts of a second prompt, which the drafts
    are led away from by `Sampling.guidance`; () is none. `urgent`: a person waits for it; it goes before all others,
    unless it has very much to read.
    """

    parts: tuple[str, ...]
    stops: tuple[str, ...] = ("\n\n",)
    start_with: str = ""
    keep: tuple[int, ...] = ()
    against: tuple[str, ...] = ()
    urgent: bool = False


Words = str | int
"""A text, or the id of a token for those who know it."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is drawn. The defaults of what is not in the `rwkv` package change nothing.

    `order`: the steps that narrow and bend the distribution, one after another, each seeing what the one before left,
    summing to 1. The usual order has `temperature` after `top_p` and `top_k`, as the `rwkv` package does.
    `temperature` 0 is greedy. `top_k` 0, `min_p` 0, `typical` 1, `mirostat_tau` 0 (in bits a token) are off.
    `guidance` 1 is off: how far the draft follows its prompt away from a second one (`sampling.guided`).

    `presence`, `frequency`, `decay`: the penalties of ChatRWKV (subtracted from a token's logit once it was drawn; the
    count fades by `decay` a token). `dry_multiplier` 0 is off: DRY, see `repetition.py`. Of the characters in
    `no_repeat` none comes twice in a row. What stands in `ban` is never said: a text however it is cut into tokens, an
    id as the token. `logit_bias`: pairs of a word (as a text, or one token's id) and what is added to its logits, see
    `bias.py`.

    `seed` None draws a fresh one; draft i uses seed + i, whatever else is in the batch. `max_tokens` and `min_tokens`
    bound what is written after `start_with`. Raises ValueError with all that is wrong (`limits.py`).
    """

    temperature: float = 1.0
    top_p: float = 0.5
    top_k: int = 0
    presence: float = 0.5
    frequency: float = 0.5
    decay: float = 0.996
    max_tokens: int = 80
    min_tokens: int = 0
    seed: int | None = None
    min_p: float = 0.0
    typical: float = 1.0
    mirostat_tau: float = 0.0
    mirostat_rate: float = 0.1
    guidance: float = 1.0
    no_repeat: str = ""
    dry_multiplier: float = 0.0
    dry_base: float = 1.75
    dry_allowed_length: int = 2
    dry_range: int = 512
    dry_breakers: str = '\n:："*'
    ban: tuple[Words, ...] = ()
    logit_bias: tuple[tuple[Words, float], ...] = ()
    order: tuple[str, ...] = STEPS

    def __post_init__(self) -> None:
        wrong = list(problems({f.name: getattr(self, f.name) for f in fields(self)}))
        if wrong:
            raise ValueError("\n".join(f"{name}：{chinese} / {english}" for name, chinese, english in wrong))

    @property
    def guides(self) -> bool:
        """Whether a draft is led away from a second prompt, if there is one, and so takes two rows of the model."""
        return self.guidance != 1

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps that change anything, in their order."""
        on = active_steps({f.name: getattr(self, f.name) for f in fields(self)})
        return tuple(step for step in self.order if step in on)


class Ending(StrEnum):
    """Why a draft ended."""

    STOP = "stop"  # a stop text, or the model's end of text
    LENGTH = "length"  # max_tokens


@dataclass(frozen=True, slots=True)
class DraftText:
    """Draft `index` (from 0) has grown; `text` is all of it so far, whole characters only."""

    index: int
    text: str


@dataclass(frozen=True, slots=True)
class DraftDone:
    """Draft `index` is finished."""

    index: int
    text: str
    ending: Ending


@dataclass(frozen=True, slots=True)
class Reading:
    """Of the `total` tokens that the model has to read, `done` are read. What it knew already is in neither: total 0
    says that there was nothing to read."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Counted:
    """How many tokens each of several texts is. `exact` False: estimated, since nobody there knows the vocabulary."""

    tokens: tuple[int, ...]
    exact: bool = True


class EngineState(StrEnum):
    LOADING = "loading"
    READY = "ready"
    RESTARTING = "restarting"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """For people: `detail` says what happened or what to do; `figures` are numbers for the panel and /metrics."""

    state: EngineState = EngineState.LOADING
    model: str = ""
    detail: str = ""
    figures: dict[str, float] = field(default_factory=dict)


class EngineError(Exception):
    """An answer was lost (crash, out of memory, not loaded). The message says what to do; the caller may ask again."""


class Engine(Protocol):
    """Anything that proposes replies. Closing an iterator cancels what it was for, within one step."""

    @property
    def status(self) -> EngineStatus: ...

    def drafts(self, prompt: Prompt, count: int, sampling: Sampling) -> AsyncIterator[DraftText | DraftDone]:
        """Raises EngineError from the iteration when the answer is lost."""
        ...

    def read(self, prompt: Prompt) -> AsyncIterator[Reading]:
        """Reads ahead, so that drafts of this prompt begin at once; answers in progress go before it. The first Reading
        has `done` 0, the last `done` == `total`. Where the engine keeps nothing of what it read, one of 0 is all that
        comes. Raises EngineError from the iteration when the reading is lost."""
        ...

    async def count(self, texts: Sequence[str]) -> Counted:
        """Of each text by itself. An engine that cannot look just now estimates; it never fails."""
        ...
