"""A small RWKV-7 that can be trained: first weights, and a forward pass with gradients.

The weights are a plain dict under the names of BlinkDL's files, so saving them is all that it takes to load them with
`bot.engine.rwkv7`. A test holds this forward pass and the engine's together.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

import torch
import torch.nn.functional as F
from torch import Tensor

from bot.engine.layer import GROUP_EPS
from bot.engine.wkv import CHUNK

HEAD = 64


@dataclass(frozen=True, slots=True)
class Size:
    """`ranks` are those of the small matrices of w, a, v and g; `hidden` is the feed-forward's width."""

    vocab: int
    layers: int = 4
    width: int = 192
    hidden: int = 768
    ranks: tuple[int, int, int, int] = (24, 24, 16, 32)

    @property
    def heads(self) -> int:
        return self.width // HEAD


@dataclass(slots=True)
class Memory:
    """The state of B rows: per layer the last inputs of both halves (B, D) and the matrix (B, H, V, K)."""

    attention: list[Tensor]
    feed_forward: list[Tensor]
    wkv: list[Tensor]

    def repeat(self, rows: int) -> Memory:
        """The state of one row, for `rows` rows; gradients flow back into the one."""
        return Memory(*([x.expand(rows, *x.shape[1:]) for x in part] for part in self._parts()))

    def detach(self) -> Memory:
        return Memory(*([x.detach() for x in part] for part in self._parts()))

    def _parts(self) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        return self.attention, self.feed_forward, self.wkv


def empty_memory(size: Size, rows: int) -> Memory:
    layers = range(size.layers)
    return Memory(
        [torch.zeros(rows, size.width) for _ in layers],
        [torch.zeros(rows, size.width) for _ in layers],
        [torch.zeros(rows, size.heads, HEAD, HEAD) for _ in layers],
    )


def first_weights(size: Size, seed: int) -> dict[str, Tensor]:
    """RWKV-7's own start: ramped token shift, decay and gate biases by channel, orthogonal projections, zero outputs."""
    draw = torch.Generator().manual_seed(seed)
    L, D = size.layers, size.width
    channel = torch.arange(D) / (D - 1)
    ramp = (torch.arange(D) / D).view(1, 1, D)
    zigzag = (torch.arange(D) % HEAD - (HEAD - 1) / 2) / ((HEAD - 1) / 2)
    zigzag = zigzag * zigzag.abs()

    def orthogonal(rows: int, columns: int, gain: float) -> Tensor:
        weight = torch.empty(rows, columns)
        torch.nn.init.orthogonal_(weight, gain=gain * max(1.0, rows / columns) ** 0.5, generator=draw)
        return weight

    def uniform(rows: int, columns: int, bound: float) -> Tensor:
        return (torch.rand(rows, columns, generator=draw) * 2 - 1) * bound

    def norm(name: str, gain: float = 1.0) -> dict[str, Tensor]:
        return {f"{name}.weight": torch.full((D,), gain), f"{name}.bias": torch.zeros(D)}

    def attention(layer: int) -> dict[str, Tensor]:
        deep, rest = layer / max(1, L - 1), 1 - layer / L
        power = {"r": 0.2 * rest, "w": 0.9 * rest, "k": 0.7 * rest, "v": 0.7 * rest, "a": 0.9 * rest, "g": 0.2 * rest}
        part = {f"x_{name}": 1 - ramp**exponent for name, exponent in power.items()}
        bias = {
            "w": -6 + 6 * channel ** (1 + deep**0.3) + 0.5 + 2.5 * zigzag,
            "a": -0.19 + 0.3 * zigzag + 0.4 * (channel - 0.5),
            "v": 0.73 - 0.4 * (channel - 0.5),
        }
        for name, rank in zip("wavg", size.ranks, strict=True):
            part |= {f"{name}1": torch.zeros(D, rank), f"{name}2": orthogonal(rank, D, 0.1)}
            if name in bias:
                part[f"{name}0"] = bias[name].view(1, 1, D).clone()
        part["k_k"] = (0.71 - 0.1 * zigzag).view(1, 1, D)
        part["k_a"] = torch.full((1, 1, D), 1.02)
        part["r_k"] = torch.full((size.heads, HEAD), -0.04)
        bound = D**-0.5
        part |= {"receptance.weight": uniform(D, D, 0.5 * bound), "key.weight": uniform(D, D, 0.05 * bound)}
        part |= {"value.weight": uniform(D, D, 0.5 * bound), "output.weight": torch.zeros(D, D)}
        return part | norm("ln_x", ((1 + layer) / L) ** 0.7)

    def feed_forward(layer: int) -> dict[str, Tensor]:
        return {
            "x_k": 1 - ramp ** ((1 - layer / L) ** 4),
            "key.weight": uniform(size.hidden, D, 0.5 * D**-0.5),
            "value.weight": torch.zeros(D, size.hidden),
        }

    weights = {"emb.weight": uniform(size.vocab, D, 1e-4)} | norm("blocks.0.ln0")
    for layer in range(L):
        block = f"blocks.{layer}."
        weights |= norm(block + "ln1") | norm(block + "ln2")
        weights |= {f"{block}att.{name}": value for name, value in attention(layer).items()}
        weights |= {f"{block}ffn.{name}": value for name, value in feed_forward(layer).items()}
    return weights | norm("ln_out") | {"head.weight": orthogonal(size.vocab, D, 0.5)}


def read(weights: dict[str, Tensor], size: Size, tokens: Tensor, memory: Memory) -> tuple[Tensor, Memory]:
    """Reads tokens (B, T). Returns what the head looks at, (B, T, D), and the memory after the last token."""
    after = Memory([], [], [])
    x = _norm(weights, "blocks.0.ln0", F.embedding(tokens, weights["emb.weight"]))
    v_first = None
    for layer in range(size.layers):
        block = f"blocks.{layer}."
        p = {name.removeprefix(block): value for name, value in weights.items() if name.startswith(block)}
        xx = _norm(p, "ln1", x)
        out, S, v_first = _attend(p, size, xx, memory.attention[layer], memory.wkv[layer], v_first)
        x = x + out
        yy = _norm(p, "ln2", x)
        mixed = torch.lerp(yy, _before(yy, memory.feed_forward[layer]), p["ffn.x_k"])
        x = x + F.linear(F.relu(F.linear(mixed, p["ffn.key.weight"])).square(), p["ffn.value.weight"])
        after.attention.append(xx[:, -1])
        after.feed_forward.append(yy[:, -1])
        after.wkv.append(S)
    return _norm(weights, "ln_out", x), after


def _attend(
    p: dict[str, Tensor], size: Size, x: Tensor, last: Tensor, S: Tensor, v_first: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    B, T, D = x.shape
    heads = (B, T, size.heads, HEAD)
    before = _before(x, last)
    xr, xw, xk, xv, xa, xg = (torch.lerp(x, before, p[f"att.x_{name}"]) for name in "rwkvag")
    r, k, v = (F.linear(z, p[f"att.{n}.weight"]) for z, n in ((xr, "receptance"), (xk, "key"), (xv, "value")))
    w = p["att.w0"] + torch.tanh(xw @ p["att.w1"]) @ p["att.w2"]
    a = torch.sigmoid(p["att.a0"] + xa @ p["att.a1"] @ p["att.a2"])
    g = torch.sigmoid(xg @ p["att.g1"]) @ p["att.g2"]
    if v_first is None:
        v_first = v
    else:
        v = torch.lerp(v, v_first, torch.sigmoid(p["att.v0"] + xv @ p["att.v1"] @ p["att.v2"]))
    decay = torch.exp(torch.sigmoid(w) * -exp(-0.5))
    kk = F.normalize((k * p["att.k_k"]).view(heads), dim=-1)
    k = k * (1 + (a - 1) * p["att.k_a"])
    r, decay, k, v_heads, a = (z.view(heads) for z in (r, decay, k, v, a))
    y, S = _scan(r, decay, k, v_heads, -kk, kk * a, S)
    ln_x = p["att.ln_x.weight"], p["att.ln_x.bias"]
    y = F.group_norm(y.reshape(B * T, D), size.heads, *ln_x, eps=GROUP_EPS).view(heads)
    y = (y + (r * k * p["att.r_k"]).sum(dim=-1, keepdim=True) * v_heads).view(B, T, D)
    return F.linear(y * g, p["att.output.weight"]), S, v_first


def _norm(weights: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    return F.layer_norm(x, x.shape[-1:], weights[f"{name}.weight"], weights[f"{name}.bias"])


def _before(x: Tensor, last: Tensor) -> Tensor:
    return torch.cat((last[:, None], x[:, :-1]), dim=1)


def _scan(r: Tensor, w: Tensor, k: Tensor, v: Tensor, a: Tensor, b: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
    """The engine's `wkv_scan`, where the formulas are explained, laid out for a quick backward pass.

    Taking chunk after chunk out of one tensor by index would cost a whole tensor of zeros per chunk when gradients flow
    back; `unbind` costs one copy for all.
    """
    rows, T, H, N = r.shape
    r, k, v, a, b = (_chunks(x, 0.0) for x in (r, k, v, a, b))  # (n, BH, C, N)
    P = _chunks(w, 1.0).log().cumsum(dim=2).exp()
    before = torch.cat((torch.ones_like(P[:, :, :1]), P[:, :, :-1]), dim=2)
    A, B, K, R = a * before, b / P, k / P, r * P
    BK = torch.cat((B, K), dim=2).mT
    AB, AK = (A @ BK).chunk(2, dim=3)  # (n, BH, C, C)
    RBK = R @ BK
    mask = torch.ones(CHUNK, CHUNK).tril()
    below = mask - torch.eye(CHUNK)
    X, inverse = (AK * below) @ v, _inverse(AB * below)
    W, X = (inverse @ torch.cat((A, X), dim=3)).chunk(2, dim=3)
    ends = P[:, :, -1:]
    gains = v.mT @ (K * ends)  # (n, BH, V, K)
    S = state.reshape(rows * H, N, N)
    starts, solved = [], []
    for w_, x_, b_, end, gain in zip(*(x.unbind() for x in (W, X, B * ends, ends, gains)), strict=True):
        U = torch.baddbmm(x_, w_, S.mT)  # (BH, C, V)
        starts.append(S)
        solved.append(U)
        S = torch.baddbmm(torch.addcmul(gain, S, end), U.mT, b_)
    UV = torch.cat((torch.stack(solved), v), dim=2)
    y = R @ torch.stack(starts).mT + (RBK * torch.cat((mask, mask), dim=1)) @ UV  # (n, BH, C, V)
    y = y.view(-1, rows, H, CHUNK, N).permute(1, 0, 3, 2, 4).reshape(rows, -1, H, N)
    return y[:, :T], S.view(rows, H, N, N)


def _inverse(L: Tensor) -> Tensor:
    """(1 - L)^-1 of strictly lower triangular matrices of 16 rows: (1 + L)(1 + L^2)(1 + L^4)(1 + L^8)."""
    one = torch.eye(CHUNK)
    inverse, power = one + L, L
    for _ in range(3):
        power = power @ power
        inverse = inverse + inverse @ power
    return inverse


def _chunks(x: Tensor, fill: float) -> Tensor:
    """(B, T, H, N) -> (n, BH, C, N), the last chunk filled up with tokens that change nothing."""
    B, T, H, N = x.shape
    if missing := -T % CHUNK:
        x = torch.cat((x, x.new_full((B, missing, H, N), fill)), dim=1)
    return x.view(B, -1, CHUNK, H, N).permute(1, 0, 3, 2, 4).reshape(-1, B * H, CHUNK, N)
