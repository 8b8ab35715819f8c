"""The drafts that grow together: one forward pass gives each of them a token."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from bot.engine.drafting import Draft
from bot.engine.model import LanguageModel
from bot.engine.sampling.chances import draw, guided
from bot.engine.state import State


@dataclass(slots=True, eq=False)
class Growing:
    """A draft with its rows in the batch: its own, then, with guidance, that of the prompt it is guided against."""

    answer: int
    draft: Draft
    guidance: float | None = None  # None: one row
    token: int = 0  # drawn last, and not read yet
    gained: str = ""  # what the text won by it

    @property
    def rows(self) -> int:
        return 1 if self.guidance is None else 2


class Batch:
    """Rows stand in the order of the drafts. `len` counts rows."""

    def __init__(self, model: LanguageModel) -> None:
        self._model = model
        self._state = model.zero_state(0)
        self.growing: list[Growing] = []

    def __len__(self) -> int:
        return sum(one.rows for one in self.growing)

    def begin(self, growing: list[Growing], state: State, logits: Tensor) -> None:
        """Each draws its first token from `logits` (rows, V). `state` and `logits` are of one draft; they are copied."""
        n = len(growing)
        draw_tokens(growing, merged(logits.repeat(n, 1), growing))
        rows = State.join([state] * n)
        self._state = State.join([self._state, rows]) if self.growing else rows
        self.growing = [*self.growing, *growing]

    def grow(self) -> None:
        """A token for each draft. After an error the states may be half changed: nothing here is of use any more."""
        tokens = torch.tensor([one.token for one in self.growing for _ in range(one.rows)])[:, None]
        logits = self._model.forward(tokens, self._state)
        draw_tokens(self.growing, merged(logits, self.growing))

    def keep(self, stays: Callable[[Growing], bool]) -> None:
        """The others leave."""
        rows: list[int] = []
        kept: list[Growing] = []
        at = 0
        for one in self.growing:
            if stays(one):
                kept.append(one)
                rows += range(at, at + one.rows)
            at += one.rows
        if len(rows) < at:
            self._state = self._state[rows]
            self.growing = kept


def merged(logits: Tensor, growing: list[Growing]) -> Tensor:
    """From a line of `logits` for each row (rows, V) to one for each draft (drafts, V)."""
    if len(logits) == len(growing):
        return logits
    lines, at = [], 0
    for one in growing:
        own = logits[at]
        lines.append(own if one.guidance is None else guided(own, logits[at + 1], one.guidance))
        at += one.rows
    return torch.stack(lines)


def draw_tokens(growing: list[Growing], logits: Tensor) -> None:
    """`logits` (drafts, V) are changed."""
    drafts = [one.draft for one in growing]
    tokens = draw(logits, [draft.chances for draft in drafts], [draft.forbidden for draft in drafts])
    for one, token in zip(growing, tokens, strict=True):
        one.token = token
        one.gained = one.draft.take(token)
