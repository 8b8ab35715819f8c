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
    """One token for every row: inputs (B, H, N), `state` (B, H, N, N) float32 is changed in place. Returns y."""
    B, H, N = r.shape
    S = state.view(B * H, N, N)
    sa = torch.bmm(S, a.reshape(-1, N, 1))  # (BH, V, 1)
    columns = torch.cat((sa, v.reshape(-1, N, 1)), dim=2)  # (BH, V, 2)
    rows = torch.stack((b.reshape(-1, N), k.reshape(-1, N)), dim=1)  # (BH, 2, K)
    S.mul_(w.reshape(-1, 1, N)).baddbmm_(columns, rows)
    return torch.bmm(S, r.reshape(-1, N, 1)).view(B, H, N)


def wkv_scan(r: Tensor, w: Tensor, k: Tensor, v: Tensor, a: Tensor, b: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
    """T tokens at once, by matrix products: inputs (B, T, H, N) and `state` (B, H, N, N), all float32.

    Returns y (B, T, H, N) and the new state; changes nothing and is differentiable in every input. Within a chunk, with
    P_t = w_1 ... w_t, the state is S_t = Z_t diag(P_t), and Z only ever gains terms of rank one. Writing the chunk's
    tokens as rows of

        A = P_{t-1} a_t    B = b_t / P_t    K = k_t / P_t    R = P_t r_t

    the products u_t = S_{t-1} a_t obey U = A S^T + tril(A B^T, -1) U + tril(A K^T, -1) V, a triangular system. Solving
    it for the two parts of the right side, U = W S^T + X, leaves little to do from chunk to chunk.
    """
    rows, T, H, N = r.shape
    r, k, v, a, b = (_chunks(x, 0.0) for x in (r, k, v, a, b))  # (n, BH, C, N)
    w = _chunks(w, 1.0)
    P = w.cumprod(dim=2)
    A, B, K, R = a * (P / w), b / P, k / P, r * P
    AB, AK = (A @ B.mT).tril(-1), (A @ K.mT).tril(-1)  # (n, BH, C, C)
    RB, RK = (R @ B.mT).tril(), (R @ K.mT).tril()
    one = torch.eye(CHUNK, dtype=AB.dtype, device=AB.device)
    WX = torch.linalg.solve_triangular(one - AB, torch.cat((A, AK @ v), dim=-1), upper=False, unitriangular=True)
    W, X = WX[..., :N].contiguous(), WX[..., N:].contiguous()  # (n, BH, C, K), (n, BH, C, V)
    end = P[:, :, -1:]  # (n, BH, 1, K)
    gain = v.mT @ (K * end)  # (n, BH, V, K)
    B = B * end
    S = state.reshape(rows * H, N, N)
    starts, solved = [], []
    for chunk in range(r.shape[0]):
        U = torch.baddbmm(X[chunk], W[chunk], S.mT)  # (BH, C, V)
        starts.append(S)
        solved.append(U)
        S = torch.addcmul(gain[chunk], S, end[chunk]).baddbmm(U.mT, B[chunk])
    y = R @ torch.stack(starts).mT + RB @ torch.stack(solved) + RK @ v  # (n, BH, C, V)
    y = y.view(-1, rows, H, CHUNK, N).permute(1, 0, 3, 2, 4).reshape(rows, -1, H, N)
    return y[:, :T], S.view(rows, H, N, N)


def _chunks(x: Tensor, fill: float) -> Tensor:
    """(B, T, H, N) -> (n, BH, C, N), the last chunk filled up with tokens that change nothing."""
    B, T, H, N = x.shape
    missing = -T % CHUNK
    if missing:
        x = torch.cat((x, x.new_full((B, missing, H, N), fill)), dim=1)
    return x.view(B, -1, CHUNK, H, N).permute(1, 0, 3, 2, 4).reshape(-1, B * H, CHUNK, N)
