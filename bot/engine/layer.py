"""One layer of RWKV-7: attention (the recurrence) and feed-forward. Norms, mixing and the recurrence are float32; only
the products of matrices are computed in the layer's own number format.

Shapes as in `rwkv7.py`: B rows, T tokens, D width, H heads, N = D / H channels a head.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

import torch
import torch.nn.functional as F
from torch import Tensor

from bot.engine.arithmetic import Arithmetic, Matrix, in_range

GROUP_EPS = 64e-5
"""Of the norm over heads: 1e-5 times the square of the head's scale 8, whatever the head size."""

Norm = tuple[Tensor, Tensor]
"""Weight and bias."""


@dataclass(slots=True)
class Layer:
    """The weights of one layer. Matrices are (out, in), in the stage's format; vectors float32."""

    dtype: torch.dtype  # of what matrices are multiplied with
    ops: Arithmetic
    ln1: Norm
    ln2: Norm
    ln_x: Norm
    mix: Tensor  # (6, 1, 1, D): token shift of r, w, k, v, a, g
    R: Matrix
    K: Matrix
    V: Matrix
    O: Matrix  # noqa: E741
    w: tuple[Tensor, Matrix, Matrix]  # bias (D), down (rank, D), up (D, rank)
    a: tuple[Tensor, Matrix, Matrix]
    v: tuple[Tensor, Matrix, Matrix] | None  # None in the first layer
    g: tuple[Matrix, Matrix]
    k_k: Tensor
    k_a: Tensor
    r_k: Tensor  # (H, N)
    ffn_mix: Tensor
    ffn_K: Matrix
    ffn_V: Matrix


def run(p: Layer, x: Tensor, shift: Tensor, S: Tensor, v_first: Tensor | None) -> tuple[Tensor, Tensor]:
    """x (B, T, D) -> x after the layer, and the first layer's v. `shift` (2, B, D) and `S` (B, H, N, N), the layer's
    memory, are changed in place. `v_first` is None in the first layer."""
    out, v_first = _attend(p, norm(x, p.ln1), shift[0], S, v_first)
    x = x + out
    return x + _feed_forward(p, norm(x, p.ln2), shift[1]), v_first


def norm(x: Tensor, weight_bias: Norm) -> Tensor:
    return F.layer_norm(x, x.shape[-1:], *weight_bias)


def _attend(p: Layer, x: Tensor, last: Tensor, S: Tensor, v_first: Tensor | None) -> tuple[Tensor, Tensor]:
    """x (B, T, D), `last` (B, D) and `S` (B, H, N, N) are changed in place; returns the output and the first v."""
    B, T, D = x.shape
    H, N = p.r_k.shape
    heads, linear = (B, T, H, N), p.ops.linear
    mixed = torch.addcmul(x, _shift(x, last) - x, p.mix)  # (6, B, T, D)
    xr, xw, xk, xv, xa, xg = mixed.to(p.dtype).unbind()

    r, k, v = linear(xr, p.R), linear(xk, p.K), linear(xv, p.V)
    w = p.w[0] + linear(torch.tanh(linear(xw, p.w[1])).to(p.dtype), p.w[2])
    a = torch.sigmoid(p.a[0] + linear(linear(xa, p.a[1]).to(p.dtype), p.a[2]))
    g = linear(torch.sigmoid(linear(xg, p.g[0])).to(p.dtype), p.g[1])
    if p.v is None or v_first is None:
        v_first = v
    else:
        more = p.v[0] + linear(linear(xv, p.v[1]).to(p.dtype), p.v[2])
        v = torch.lerp(v, v_first, torch.sigmoid(more))

    decay = torch.exp(torch.sigmoid(w) * -exp(-0.5))
    kk = F.normalize((k * p.k_k).view(heads), dim=-1)
    k = k * torch.addcmul(1 - p.k_a, a, p.k_a)
    r, decay, k, v_heads, a = (z.view(heads) for z in (r, decay, k, v, a))
    if T == 1:
        y = p.ops.wkv_step(r[:, 0], decay[:, 0], k[:, 0], v_heads[:, 0], -kk[:, 0], (kk * a)[:, 0], S)
    else:
        y, after = p.ops.wkv_scan(r, decay, k, v_heads, -kk, kk * a, S)
        S.copy_(after)
    y = F.group_norm(y.reshape(B * T, D), H, *p.ln_x, eps=GROUP_EPS).view(heads)
    y = torch.addcmul(y, (r * k * p.r_k).sum(dim=-1, keepdim=True), v_heads).view(B, T, D)
    return linear((y * g).to(p.dtype), p.O), v_first


def _feed_forward(p: Layer, x: Tensor, last: Tensor) -> Tensor:
    """x (B, T, D); `last` (B, D) is changed in place."""
    mixed = torch.addcmul(x, _shift(x, last) - x, p.ffn_mix).to(p.dtype)
    hidden, scale = in_range(torch.relu(p.ops.linear(mixed, p.ffn_K)).square(), p.dtype)
    out = p.ops.linear(hidden, p.ffn_V)
    return out if scale is None else out * scale


def _shift(x: Tensor, last: Tensor) -> Tensor:
    """The input before each token, (B, T, D); `last` (B, D) is replaced by the newest."""
    before = torch.cat((last[:, None], x[:, :-1]), dim=1)
    last.copy_(x[:, -1])
    return before
