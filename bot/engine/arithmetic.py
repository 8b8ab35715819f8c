"""The three operations that each kind of device does in its own way. Layers call them and know nothing of devices.

On the CPU matrices in fp16 and int8 are only kept small: a stretch at a time, which fits into the processor's cache, is
put into the format that it computes in. That is faster than PyTorch's fp16, and its sums cannot overflow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from bot.engine import wkv


@dataclass(frozen=True, slots=True)
class Int8:
    """The matrix q * scale[:, None]: q (out, in) int8, scale (out) float32."""

    q: Tensor
    scale: Tensor


Matrix = Tensor | Int8
"""(out, in)."""

STRETCH = 1 << 20
"""Numbers of a matrix that are converted at a time: 4 MB of float32."""

FP16_LARGEST = 65504.0


@dataclass(frozen=True, slots=True)
class Arithmetic:
    linear: Callable[[Tensor, Matrix], Tensor]
    """x (..., in) of any float type times a matrix (out, in): float32 (..., out)."""
    wkv_step: Callable[..., Tensor]
    wkv_scan: Callable[..., tuple[Tensor, Tensor]]


def arithmetic(device: torch.device) -> Arithmetic:
    if device.type != "cuda":
        return Arithmetic(linear, wkv.wkv_step, wkv.wkv_scan)
    from bot.engine.cuda import wkv as cuda_wkv  # not before there is a card

    return Arithmetic(_linear_on_card, cuda_wkv.wkv_step, cuda_wkv.wkv_scan)


def input_type(device: torch.device, dtype: torch.dtype) -> torch.dtype:
    """What inputs of products are rounded to where `dtype` is asked for: CPUs do not compute in fp16."""
    return torch.float32 if device.type == "cpu" and dtype == torch.float16 else dtype


def linear(x: Tensor, weight: Matrix) -> Tensor:
    """On the CPU; x is float32 or bfloat16."""
    if isinstance(weight, Int8):
        stretches = zip(_stretches(weight.q), torch.split(weight.scale, _rows(weight.q)), strict=True)
        return torch.cat([F.linear(x, q.to(x.dtype)).float() * scale for q, scale in stretches], dim=-1)
    if weight.dtype == torch.float16:
        return torch.cat([F.linear(x.float(), part.float()) for part in _stretches(weight)], dim=-1)
    return F.linear(x.to(weight.dtype), weight).float()


def in_range(x: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor | None]:
    """x (..., n) float32 in `dtype`, and what the product has to be multiplied with; None if nothing is needed.

    fp16 ends at 65504, where squares get easily: rows that go beyond it are divided by as much as is needed.
    """
    if dtype != torch.float16:
        return x.to(dtype), None
    scale = (x.abs().amax(dim=-1, keepdim=True) / FP16_LARGEST).clamp_min(1)
    return (x / scale).to(dtype), scale


def _rows(matrix: Tensor) -> int:
    return max(1, STRETCH // matrix.shape[1])


def _stretches(matrix: Tensor) -> tuple[Tensor, ...]:
    return torch.split(matrix, _rows(matrix))


def _linear_on_card(x: Tensor, weight: Matrix) -> Tensor:
    from bot.engine.cuda import products

    if isinstance(weight, Int8):
        return products.linear_int8(x, weight.q, weight.scale)
    return products.linear(x.to(weight.dtype), weight)
