"""Matrices in eight bits: a whole number from -127 to 127 for each weight, and one scale for each row (output)."""

from __future__ import annotations

import torch
from torch import Tensor

LARGEST = 127


def quantised(weight: Tensor) -> tuple[Tensor, Tensor]:
    """weight (rows, columns) -> int8 of the same shape and scales (rows), so that q * scale is the weight, nearly."""
    weight = weight.float()
    scale = weight.abs().amax(dim=1).clamp_min(1e-30) / LARGEST
    return (weight / scale[:, None]).round().clamp(-LARGEST, LARGEST).to(torch.int8), scale


def restored(weight: Tensor) -> Tensor:
    """The float32 matrix that the eight bits of `weight` stand for."""
    q, scale = quantised(weight)
    return q.float() * scale[:, None]
