"""Random RWKV-7 weights of any shape, in the manner of trained ones, for tests and `cohost bench`. They speak no sense."""

from __future__ import annotations

import torch
from torch import Tensor

from bot.engine.weights import Weights


def random_weights(
    layers: int = 12,
    width: int = 768,
    vocab: int = 65536,
    *,
    head_size: int = 64,
    ranks: tuple[int, int, int, int] = (64, 64, 32, 128),
    hidden: int | None = None,
    seed: int = 0,
) -> Weights:
    """Named as in BlinkDL's files, float32. `ranks` are those of w, a, v and g; `hidden` is 4 x width unless told.

    The defaults are the shape of the 0.1b model. Decays, mixes and gates are spread over their ranges, so that a wrong
    sign or a swapped pair of tensors shows in the logits; the head is large enough to prefer some tokens clearly.
    """
    draw = torch.Generator().manual_seed(seed)
    hidden = hidden or 4 * width

    def normal(*shape: int, scale: float = 1.0) -> Tensor:
        return torch.randn(shape, generator=draw) * scale

    def uniform(*shape: int) -> Tensor:
        return torch.rand(shape, generator=draw)

    def matrix(rows: int, columns: int) -> Tensor:
        return normal(rows, columns, scale=columns**-0.5)

    def norm(name: str) -> Weights:
        return {f"{name}.weight": 1 + normal(width, scale=0.1), f"{name}.bias": normal(width, scale=0.1)}

    def lora(name: str, rank: int) -> Weights:
        return {f"{name}1": normal(width, rank, scale=width**-0.5), f"{name}2": normal(rank, width, scale=rank**-0.5)}

    def attention() -> Weights:
        part = {f"x_{name}": uniform(1, 1, width) for name in "rwkvag"}
        for name, rank in zip("wavg", ranks, strict=True):
            part |= lora(name, rank)
        part |= {"w0": normal(1, 1, width, scale=2.0), "a0": normal(1, 1, width), "v0": normal(1, 1, width)}
        part |= {"k_k": 0.5 + uniform(1, 1, width), "k_a": uniform(1, 1, width)}
        part |= {"r_k": normal(width // head_size, head_size, scale=0.1)}
        part |= {f"{name}.weight": matrix(width, width) for name in ("receptance", "key", "value", "output")}
        return part | norm("ln_x")

    def feed_forward() -> Weights:
        return {"x_k": uniform(1, 1, width), "key.weight": matrix(hidden, width), "value.weight": matrix(width, hidden)}

    weights = {"emb.weight": normal(vocab, width), "head.weight": 4 * matrix(vocab, width)} | norm("ln_out")
    weights |= norm("blocks.0.ln0")
    for layer in range(layers):
        block = f"blocks.{layer}."
        weights |= norm(block + "ln1") | norm(block + "ln2")
        weights |= {f"{block}att.{name}": tensor for name, tensor in attention().items()}
        weights |= {f"{block}ffn.{name}": tensor for name, tensor in feed_forward().items()}
    return weights
