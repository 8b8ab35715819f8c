"""Matrix products on the card that give float32: sums cannot overflow fp16, whatever the model. Knows no model.

Matrices in eight bits (`bot/engine/int8.py`) stay so: a few rows are multiplied straight from the eight bits; for many, a
stretch of the matrix at a time is put into x's format. Whole numbers up to 127 are exact in fp16 and bf16, so
nothing is lost by that; the scales multiply the float32 sums.
"""

from __future__ import annotations

import torch
from torch import Tensor

from bot.engine.cuda.library import Library, library

FORMATS = {torch.float16: "fp16", torch.bfloat16: "bf16"}

FEW = 32
"""Rows up to which the kernel is used: four groups of 8, each of which reads the matrix; putting it into 16 bits and reading
that takes five times its size."""

STRETCH = 1 << 24
"""Numbers of a matrix that are put into 16 bits at a time: 32 MB."""

OUTS = 2  # outputs of a warp; as in kernels.cu
WARPS = 4


def linear(x: Tensor, weight: Tensor) -> Tensor:
    """x (..., in) times weight (out, in), of the same type. Returns float32 (..., out)."""
    return _product(x.reshape(-1, x.shape[-1]), weight).view(*x.shape[:-1], -1)


def linear_int8(x: Tensor, q: Tensor, scale: Tensor) -> Tensor:
    """x (..., in) times q (out, in) int8, each output times its scale (out) float32. Returns float32 (..., out)."""
    rows = x.reshape(-1, x.shape[-1]).contiguous()
    kernels = _kernels(rows, q)
    product = _few(kernels, rows, q, scale) if kernels is not None else _many(rows, q, scale)
    return product.view(*x.shape[:-1], -1)


def _kernels(x: Tensor, q: Tensor) -> Library | None:
    fits = 0 < len(x) <= FEW and x.dtype in FORMATS and x.shape[1] % 16 == 0 and q.is_contiguous()
    return library(x.device) if fits else None


def _few(kernels: Library, x: Tensor, q: Tensor, scale: Tensor) -> Tensor:
    """x (B, in): the kernel that holds B rows, or as many as it can."""
    (B, columns), outs = x.shape, len(q)
    group = next(size for size in (1, 4, 8) if size >= B or size == 8)
    out = torch.empty(B, outs, device=x.device)
    grid = (-(-B // group), -(-outs // (OUTS * WARPS)))
    kernels.launch(f"int8_{FORMATS[x.dtype]}_{group}", grid, 32 * WARPS, B, columns, outs, x, q, scale, out)
    return out


def _many(x: Tensor, q: Tensor, scale: Tensor) -> Tensor:
    out = torch.empty(len(x), len(q), device=x.device)
    rows = max(1, STRETCH // q.shape[1])
    for part, scales, to in zip(
        torch.split(q, rows), torch.split(scale, rows), torch.split(out, rows, dim=1), strict=True
    ):
        torch.mul(_product(x, part.to(x.dtype)), scales, out=to)
    return out


def _product(x: Tensor, weight: Tensor) -> Tensor:
    """x (B, in) times weight (out, in), in float32."""
    if x.is_cuda and x.dtype in FORMATS:
        return torch.mm(x, weight.mT, out_dtype=torch.float32)
    return x.float() @ weight.float().mT
