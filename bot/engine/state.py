"""All that a model remembers of some rows of text, whatever the model: named tensors with one axis for the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

import torch
from torch import Tensor

ROWS = 1
"""The axis of the rows in every tensor of a state."""


class State:
    """`len(state)` is the number of rows, B; rows never see each other. Models change the tensors in place."""

    __slots__ = ("__weakref__", "tensors")

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        """`tensors` are (n, B, …), with the same B; which there are is the model's own affair."""
        self.tensors = dict(tensors)

    def __len__(self) -> int:
        return next(iter(self.tensors.values())).shape[ROWS]

    @property
    def nbytes(self) -> int:
        return sum(tensor.nbytes for tensor in self.tensors.values())

    def repeat(self, n: int) -> State:
        """n copies of every row, those of one row side by side."""
        return State({name: tensor.repeat_interleave(n, dim=ROWS) for name, tensor in self.tensors.items()})

    def __getitem__(self, rows: int | slice | Sequence[int]) -> State:
        """A copy of some rows; `state[i]` is a batch of one."""
        if isinstance(rows, slice):
            rows = range(*rows.indices(len(self)))
        chosen = [rows] if isinstance(rows, int) else list(rows)
        if any(not -len(self) <= row < len(self) for row in chosen):
            raise IndexError(f"rows {chosen} of a state with {len(self)} rows")
        index = torch.tensor(chosen, dtype=torch.long) % max(len(self), 1)
        return State(
            {name: tensor.index_select(ROWS, index.to(tensor.device)) for name, tensor in self.tensors.items()}
        )

    @classmethod
    def join(cls, states: Sequence[State]) -> Self:
        """One batch with the rows of all of them, in order."""
        names = states[0].tensors
        return cls({name: torch.cat([state.tensors[name] for state in states], dim=ROWS) for name in names})
