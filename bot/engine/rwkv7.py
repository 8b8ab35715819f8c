"""RWKV-7, batched: tokens and a state in, logits out. Knows nothing of text, sampling or prompts.

The architecture is that of Peng et al., "RWKV-7 Goose" (arXiv:2503.14456), as the `rwkv` package runs it; tests hold
the two together. Matrix products run in the strategy's number format, everything else (norms, mixing, the recurrence,
the residual stream) in float32, so fp16 cannot overflow between layers.

Shapes: B rows, T tokens, D width, H heads, N = D / H channels a head, L layers. A state holds `shift` (2 L, B, D), the
last inputs of attention and feed-forward in turn, and `wkv` (L, B, H, V, K).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from math import exp
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from bot.engine import kernels
from bot.engine.int8 import in_floats, restored
from bot.engine.state import State
from bot.engine.strategy import Strategy, parse_strategy
from bot.engine.weights import ModelError, Shape, Weights, check_rwkv7, is_out_of_memory, read_weights, too_large
from bot.engine.wkv import wkv_scan, wkv_step

__all__ = ["Model", "ModelError", "State", "load_model"]

PIECE = 512
"""Tokens of a prompt read at once: enough for full matrix products, few enough to keep the intermediates small."""

GROUP_EPS = 64e-5
"""Of the norm over heads: 1e-5 times the square of the head's scale 8, whatever the head size."""


@dataclass(slots=True)
class _Block:
    """The weights of one layer. Matrices in the strategy's format and (out, in); vectors in float32."""

    ln1: tuple[Tensor, Tensor]
    ln2: tuple[Tensor, Tensor]
    ln_x: tuple[Tensor, Tensor]
    mix: Tensor  # (6, 1, 1, D): token shift of r, w, k, v, a, g
    R: Tensor
    K: Tensor
    V: Tensor
    O: Tensor  # noqa: E741
    w: tuple[Tensor, Tensor, Tensor]  # bias (D), down (rank, D), up (D, rank)
    a: tuple[Tensor, Tensor, Tensor]
    v: tuple[Tensor, Tensor, Tensor] | None  # None in the first layer
    g: tuple[Tensor, Tensor]
    k_k: Tensor
    k_a: Tensor
    r_k: Tensor  # (H, N)
    ffn_mix: Tensor
    ffn_K: Tensor
    ffn_V: Tensor


class Model:
    """An RWKV-7 that is ready to run. Made by `load_model`; one thread at a time."""

    def __init__(self, weights: Weights, shape: Shape, strategy: Strategy) -> None:
        self.shape = shape
        self.strategy = strategy
        self.kernels = ""
        """The instructions that the C++ kernels use; "" when PyTorch computes."""
        self._fused: kernels.Fused | None = None
        library = kernels.library() if strategy.device.type == "cpu" else None
        if library is not None:
            self._fused = kernels.Fused(library, weights, shape, torch.int8 if strategy.int8 else strategy.dtype)
            self.kernels = library.processor
            return
        self._blocks = [_block(weights, layer, strategy) for layer in range(shape.layers)]
        placed = _Placed(weights, strategy)
        self._emb = placed.matrix("emb.weight")
        self._ln0 = placed.vector("blocks.0.ln0.weight"), placed.vector("blocks.0.ln0.bias")
        self._ln_out = placed.vector("ln_out.weight"), placed.vector("ln_out.bias")
        self._head = placed.matrix("head.weight")

    @property
    def vocab(self) -> int:
        return self.shape.vocab

    @property
    def parameters(self) -> int:
        return self.shape.parameters

    @property
    def about(self) -> str:
        return " · ".join(filter(None, (str(self.strategy), self.kernels)))

    def zero_state(self, batch: int = 1) -> State:
        """The state of `batch` rows that have read nothing."""
        s, device = self.shape, self.strategy.device
        shift = torch.zeros(2 * s.layers, batch, s.width, device=device)
        wkv = torch.zeros(s.layers, batch, s.heads, s.head_size, s.head_size, device=device)
        return State({"shift": shift, "wkv": wkv})

    def forward(self, tokens: Tensor, state: State) -> Tensor:
        """Reads `tokens` (B, T); `state` is changed in place. Returns float32 logits (B, vocab) of the last one."""
        return self._logits(tokens, state, last_only=True)[:, 0]

    def forward_all(self, tokens: Tensor, state: State) -> Tensor:
        """As `forward`, with the logits after every token: (B, T, vocab)."""
        return self._logits(tokens, state, last_only=False)

    def _logits(self, tokens: Tensor, state: State, last_only: bool) -> Tensor:
        self._check(tokens, state)
        if self._fused is not None:
            return self._fused_logits(self._fused, tokens, state, last_only)
        with torch.inference_mode():
            pieces = torch.split(tokens.to(self.strategy.device), PIECE, dim=1)
            outputs = [self._read(piece, state) for piece in pieces]
            x = outputs[-1][:, -1:] if last_only else torch.cat(outputs, dim=1)
            logits = F.linear(_norm(x, self._ln_out).to(self.strategy.dtype), self._head)
        return logits.clone() if logits.dtype == torch.float32 else logits.float()  # a normal tensor, for any caller

    def _fused_logits(self, fused: kernels.Fused, tokens: Tensor, state: State, last_only: bool) -> Tensor:
        pieces = torch.split(tokens, PIECE, dim=1)
        outputs = []
        for n, piece in enumerate(pieces, 1):
            wanted = n == len(pieces) if last_only else True
            logits = torch.empty(len(state), 1 if last_only else piece.shape[1], self.vocab) if wanted else None
            fused.read(piece, state.tensors["shift"], state.tensors["wkv"], logits, last_only)
            outputs += [logits] if logits is not None else []
        return outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=1)

    def _check(self, tokens: Tensor, state: State) -> None:
        if tokens.dim() != 2 or tokens.shape[0] != len(state) or not tokens.shape[1]:
            raise ValueError(
                f"tokens {tuple(tokens.shape)} for a state of {len(state)} rows: (B, T) with T > 0 is needed"
            )
        if tokens.min() < 0 or tokens.max() >= self.vocab:
            raise ValueError(f"token {int(tokens.min())}..{int(tokens.max())} outside the vocabulary of {self.vocab}")

    def _read(self, tokens: Tensor, state: State) -> Tensor:
        x = _norm(F.embedding(tokens, self._emb).float(), self._ln0)  # (B, T, D)
        v_first: Tensor | None = None
        shifts = state.tensors["shift"].view(-1, 2, *tokens.shape[:1], self.shape.width)  # (L, 2, B, D)
        for block, shift, S in zip(self._blocks, shifts, state.tensors["wkv"], strict=True):
            out, v_first = self._attend(block, _norm(x, block.ln1), shift[0], S, v_first)
            x = x + out
            x = x + self._feed_forward(block, _norm(x, block.ln2), shift[1])
        return x

    def _attend(self, p: _Block, x: Tensor, last: Tensor, S: Tensor, v_first: Tensor | None) -> tuple[Tensor, Tensor]:
        """x (B, T, D), `last` (B, D) and `S` (B, H, N, N) are changed in place; returns the output and the first v."""
        B, T, D = x.shape
        heads = (B, T, self.shape.heads, self.shape.head_size)
        mixed = torch.addcmul(x, _shift(x, last) - x, p.mix)  # (6, B, T, D)
        xr, xw, xk, xv, xa, xg = mixed.to(self.strategy.dtype).unbind()

        r, k, v = F.linear(xr, p.R).float(), F.linear(xk, p.K).float(), F.linear(xv, p.V).float()
        w = p.w[0] + _lora(torch.tanh(F.linear(xw, p.w[1])), p.w[2])
        a = torch.sigmoid(p.a[0] + _lora(F.linear(xa, p.a[1]), p.a[2]))
        g = _lora(torch.sigmoid(F.linear(xg, p.g[0])), p.g[1])
        if p.v is None or v_first is None:
            v_first = v
        else:
            v = torch.lerp(v, v_first, torch.sigmoid(p.v[0] + _lora(F.linear(xv, p.v[1]), p.v[2])))

        decay = torch.exp(torch.sigmoid(w) * -exp(-0.5))
        kk = F.normalize((k * p.k_k).view(heads), dim=-1)
        k = k * torch.addcmul(1 - p.k_a, a, p.k_a)
        r, decay, k, v_heads, a = (z.view(heads) for z in (r, decay, k, v, a))
        if T == 1:
            y = wkv_step(r[:, 0], decay[:, 0], k[:, 0], v_heads[:, 0], -kk[:, 0], (kk * a)[:, 0], S)
        else:
            y, after = wkv_scan(r, decay, k, v_heads, -kk, kk * a, S)
            S.copy_(after)
        y = F.group_norm(y.reshape(B * T, D), self.shape.heads, *p.ln_x, eps=GROUP_EPS).view(heads)
        y = torch.addcmul(y, (r * k * p.r_k).sum(dim=-1, keepdim=True), v_heads).view(B, T, D)
        return F.linear((y * g).to(self.strategy.dtype), p.O).float(), v_first

    def _feed_forward(self, p: _Block, x: Tensor, last: Tensor) -> Tensor:
        """x (B, T, D); `last` (B, D) is changed in place."""
        mixed = torch.addcmul(x, _shift(x, last) - x, p.ffn_mix).to(self.strategy.dtype)
        return F.linear(torch.relu(F.linear(mixed, p.ffn_K)).square(), p.ffn_V).float()


def load_model(path: str | os.PathLike[str], strategy: str = "auto") -> Model:
    """Reads a BlinkDL `.pth` or its `.safetensors`; raises ModelError, whose message says what to do."""
    plan = parse_strategy(strategy)
    weights = read_weights(Path(path))
    return build_model(weights, plan, Path(path).name)


def build_model(weights: Weights, strategy: Strategy, name: str = "model") -> Model:
    """A model from tensors that are in memory already."""
    shape = check_rwkv7(weights, name)
    try:
        model = Model(weights, shape, strategy)
        model.forward(torch.zeros(1, 1, dtype=torch.long), model.zero_state())  # shapes that do not fit show here
        return model
    except (RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            raise too_large(name) from error
        raise ModelError(f"{name} 的张量形状前后不一致，文件可能损坏。 / Shapes do not fit: {error}") from error


def _block(weights: Weights, layer: int, strategy: Strategy) -> _Block:
    placed = _Placed(weights, strategy, f"blocks.{layer}.")
    matrix, vector = placed.matrix, placed.vector

    def lora(name: str) -> tuple[Tensor, Tensor, Tensor]:
        return vector(f"att.{name}0"), *pair(name)

    def pair(name: str) -> tuple[Tensor, Tensor]:
        return matrix(f"att.{name}1"), matrix(f"att.{name}2")

    return _Block(
        ln1=(vector("ln1.weight"), vector("ln1.bias")),
        ln2=(vector("ln2.weight"), vector("ln2.bias")),
        ln_x=(vector("att.ln_x.weight"), vector("att.ln_x.bias")),
        mix=torch.stack([vector(f"att.x_{name}") for name in "rwkvag"])[:, None, None],
        R=matrix("att.receptance.weight"),
        K=matrix("att.key.weight"),
        V=matrix("att.value.weight"),
        O=matrix("att.output.weight"),
        w=lora("w"),
        a=lora("a"),
        v=lora("v") if layer else None,
        g=pair("g"),
        k_k=vector("att.k_k"),
        k_a=vector("att.k_a"),
        r_k=vector("att.r_k").view(weights["blocks.0.att.r_k"].shape),
        ffn_mix=vector("ffn.x_k"),
        ffn_K=matrix("ffn.key.weight"),
        ffn_V=matrix("ffn.value.weight"),
    )


class _Placed:
    """Hands out weights where and how the strategy wants them."""

    def __init__(self, weights: Weights, strategy: Strategy, prefix: str = "") -> None:
        self._weights, self._strategy, self._prefix = weights, strategy, prefix

    def matrix(self, name: str) -> Tensor:
        as_numbers = restored if self._strategy.int8 and name != "emb.weight" else in_floats
        weight = as_numbers(self._weights, self._prefix + name)
        return weight.to(self._strategy.device, self._strategy.dtype).contiguous()

    def vector(self, name: str) -> Tensor:
        return self._weights[self._prefix + name].flatten().to(self._strategy.device, torch.float32)


def _norm(x: Tensor, weight_bias: tuple[Tensor, Tensor]) -> Tensor:
    return F.layer_norm(x, x.shape[-1:], *weight_bias)


def _lora(x: Tensor, up: Tensor) -> Tensor:
    return F.linear(x, up).float()


def _shift(x: Tensor, last: Tensor) -> Tensor:
    """The input before each token, (B, T, D); `last` (B, D) is replaced by the newest."""
    before = torch.cat((last[:, None], x[:, :-1]), dim=1)
    last.copy_(x[:, -1])
    return before
