"""The recurrence of RWKV-7 on the card: the functions of `bot/engine/wkv.py`, by one kernel for a step and a scan."""

from __future__ import annotations

import torch
from torch import Tensor

from bot.engine import wkv as plain
from bot.engine.cuda.library import Library, library

HEAD_SIZES = (32, 64, 128)
VALUES = 16  # rows of a head's state in a block of 128 threads; as in kernels.cu


def wkv_step(r: Tensor, w: Tensor, k: Tensor, v: Tensor, a: Tensor, b: Tensor, state: Tensor) -> Tensor:
    """One token for every row: inputs (B, H, N), `state` (B, H, N, N) float32 is changed in place. Returns y."""
    kernels = _kernels(r, state)
    if kernels is None:
        return plain.wkv_step(r, w, k, v, a, b, state)
    y = _run(kernels, [x[:, None] for x in (r, w, k, v, a, b)], state)
    return y[:, 0]


def wkv_scan(r: Tensor, w: Tensor, k: Tensor, v: Tensor, a: Tensor, b: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
    """T tokens: inputs (B, T, H, N), `state` (B, H, N, N), all float32. Returns y and the new state; changes nothing."""
    kernels = _kernels(r, state)
    if kernels is None:
        return plain.wkv_scan(r, w, k, v, a, b, state)
    after = state.clone(memory_format=torch.contiguous_format)
    return _run(kernels, [r, w, k, v, a, b], after), after


def _kernels(r: Tensor, state: Tensor) -> Library | None:
    fits = r.shape[-1] in HEAD_SIZES and r.dtype == state.dtype == torch.float32 and r.numel()
    return library(r.device) if fits else None


def _run(kernels: Library, inputs: list[Tensor], state: Tensor) -> Tensor:
    """Inputs (B, T, H, N); `state` is changed in place."""
    assert state.is_contiguous()
    inputs = [x.contiguous() for x in inputs]
    B, T, H, N = inputs[0].shape
    y = torch.empty_like(inputs[0])
    kernels.launch(f"wkv_{N}", (B * H, N // VALUES), 8 * VALUES, T, H, *inputs, state, y)
    return y
