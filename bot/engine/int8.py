"""Matrices in eight bits: a whole number from -127 to 127 for each weight, and one scale for each output.

A file may hold them so (`cohost model convert ... --strategy "cpu fp32i8"`): `X` in int8, and beside it `X.scale`, float32,
one for each output. The outputs are the rows of `….weight`, and the columns of the small matrices (`att.w1` ...), which
files hold the other way round. Read from a file or made while loading, the numbers are the same.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

LARGEST = 127
SCALE = ".scale"

STRETCH = 1 << 18
"""Numbers that are worked on at once: their float32 copy stays in the processor's cache."""


def scales(weight: Tensor) -> Tensor:
    """weight (rows, columns) -> the size of a step for each row: float32 (rows)."""
    return torch.cat([part.float().abs().amax(dim=1) for part in _stretches(weight)]).clamp_min(1e-30) / LARGEST


def quantised(weight: Tensor) -> tuple[Tensor, Tensor]:
    """weight (rows, columns) -> int8 of the same shape and scales (rows), so that q * scale is the weight, nearly."""
    q, scale = torch.empty(weight.shape, dtype=torch.int8), scales(weight)
    steps = torch.split(scale[:, None], _rows(weight))
    for part, step, into in zip(_stretches(weight), steps, _stretches(q), strict=True):
        into.copy_((part.float() / step).round_().clamp_(-LARGEST, LARGEST))
    return q, scale


def in_eight_bits(weights: Mapping[str, Tensor], name: str) -> tuple[Tensor, Tensor]:
    """The matrix `name` as int8 (outputs, inputs), and its scales (outputs)."""
    weight = by_outputs(name, weights[name])
    return (weight, _scale(weights, name)) if weight.dtype == torch.int8 else quantised(weight)


def in_floats(weights: Mapping[str, Tensor], name: str) -> Tensor:
    """The matrix `name` as (outputs, inputs) in a floating type: the file's own, or float32 if the file has eight bits."""
    weight = by_outputs(name, weights[name])
    return weight.float() * _scale(weights, name)[:, None] if weight.dtype == torch.int8 else weight


def restored(weights: Mapping[str, Tensor], name: str) -> Tensor:
    """The float32 matrix (outputs, inputs) that the eight bits of `name` stand for."""
    q, scale = in_eight_bits(weights, name)
    return q.float() * scale[:, None]


def _scale(weights: Mapping[str, Tensor], name: str) -> Tensor:
    """Raises RuntimeError when a file's scales do not fit the matrix: C++ trusts the shapes."""
    scale, rows = weights[name + SCALE], len(by_outputs(name, weights[name]))
    if scale.shape != (rows,):
        raise RuntimeError(f"{name}{SCALE} is {tuple(scale.shape)}, not ({rows},)")
    return scale.float()


def by_outputs(name: str, matrix: Tensor) -> Tensor:
    """A matrix as files hold it, seen as (outputs, inputs); and back again."""
    return matrix if name.endswith(".weight") else matrix.mT


def _stretches(weight: Tensor) -> tuple[Tensor, ...]:
    return torch.split(weight, _rows(weight))


def _rows(weight: Tensor) -> int:
    return max(1, STRETCH // weight.shape[1])
