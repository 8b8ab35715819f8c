"""The recurrence of RWKV-7, one token at a time and in chunks. Plain tensors: no weights, no layers, no tokens.

With one head's state S (V, K), in fp32, a token does (Peng et al., "RWKV-7 Goose", arXiv:2503.14456)

    S_t = S_{t-1} diag(w_t) + (S_{t-1} a_t) b_t^T + v_t k_t^T        y_t = S_t r_t

where in the model a = -kk and b = kk * (in-context learning rate). Shapes below: B rows, T tokens, H heads, N channels
a head (V = K = N), C tokens a chunk.
"""

from __future__ import annotations

import torch
from torch import Tensor

CHUNK = 16
"""Tokens a chunk. The model's decay is at least exp(-exp(-0.5)) = 0.545, so 16 of them stay above 6e-5: dividing by
their product is safe in fp32."""


def wkv_step(r: Tensor, w: Tensor, k: Tensor, v: Tensor, a: Tensor, b: Tensor, state: Tensor) -> Tensor:
    """One token for every row: inputs (B, H, N), `state` (B, H, N, N) float32 is changed in place; returns y (B, H, N)."""
    B, H, N = r.shape
    S = state.view(B * H, N, N)
    sa = torch.bmm(S, a.reshape(-1, N, 1))  # (BH, V, 1)
    columns = torch.cat((sa, v.reshape(-1, N, 1)), dim=2)  # (BH, V, 2)
    rows = torch.stack((b.reshape(-1, N), k.reshape(-1, N)), dim=1)  # (BH, 2, K)
    S.mul_(w.reshape(-1, 1, N)).baddbmm_(columns, rows)
    return torch.bmm(S, r.reshape(-1, N, 1)).view(B, H, N)


def wkv_scan(
    r: Tensor, w: Tensor, k: Tensor, v: Tensor, a: Tensor, b: Tensor, state: Tensor
) -> tuple[Tensor, Tensor]:
    """T tokens at once, by matrix products: inputs (B, T, H, N) and `state` (B, H, N, N), all float32.

    Returns y (B, T, H, N) and the new state; changes nothing and is differentiable in every input. Within a chunk, with
    P_t = w_1 ... w_t, the state is S_t = Z_t diag(P_t), and Z only ever gains terms of rank one. Writing the chunk's
    tokens as rows of

        A = P_{t-1} a_t    B = b_t / P_t    K = k_t / P_t    R = P_t r_t

    the products u_t = S_{t-1} a_t obey U = A S^T + tril(A B^T, -1) U + tril(A K^T, -1) V, a triangular system. Solving
    it for the two parts of the right side, U = W S^T + X, leaves one affine map of the state for each chunk.
    """
    T = r.shape[1]
    r, k, v, a, b = (_chunks(x, 0.0) for x in (r, k, v, a, b))  # (B, H, n, C, N)
    w = _chunks(w, 1.0)
    P = w.cumprod(dim=3)
    A, B, K, R = a * (P / w), b / P, k / P, r * P
    AB, AK = (A @ B.mT).tril(-1), (A @ K.mT).tril(-1)  # (B, H, n, C, C)
    RB, RK = (R @ B.mT).tril(), (R @ K.mT).tril()
    one = torch.eye(CHUNK, dtype=AB.dtype, device=AB.device)
    N = r.shape[-1]
    WX = torch.linalg.solve_triangular(one - AB, torch.cat((A, AK @ v), dim=-1), upper=False, unitriangular=True)
    W, X = WX[..., :N], WX[..., N:]  # (B, H, n, C, K), (B, H, n, C, V)
    end = P[..., -1:, :]  # (B, H, n, 1, K)
    move = (torch.eye(N, dtype=W.dtype, device=W.device) + W.mT @ B) * end  # (B, H, n, K, K)
    gain = (X.mT @ B + v.mT @ K) * end  # (B, H, n, V, K)
    starts = []
    for chunk in range(r.shape[2]):
        starts.append(state)
        state = state @ move[:, :, chunk] + gain[:, :, chunk]
    S = torch.stack(starts, dim=2)  # (B, H, n, V, K): the state before each chunk
    y = (R + RB @ W) @ S.mT + RB @ X + RK @ v  # (B, H, n, C, V)
    return y.permute(0, 2, 3, 1, 4).flatten(1, 2)[:, :T], state


def _chunks(x: Tensor, fill: float) -> Tensor:
    """(B, T, H, N) -> (B, H, n, C, N), the last chunk filled up with tokens that change nothing."""
    B, T, H, N = x.shape
    missing = -T % CHUNK
    if missing:
        x = torch.cat((x, x.new_full((B, missing, H, N), fill)), dim=1)
    return x.view(B, -1, CHUNK, H, N).permute(0, 3, 1, 2, 4)
