"""Random weights of RWKV-4, 5, 5.1, 5.2 and 6, named and shaped as in BlinkDL's files. They speak no sense."""

from __future__ import annotations

import torch
from torch import Tensor

from bot.engine.weights import Weights

VERSIONS = ("4", "5", "5.1", "5.2", "6")


def old_weights(version: str, vocab: int, layers: int = 3, width: int = 64, head_size: int = 16) -> Weights:
    """float32, spread so that a wrong row or a swapped tensor shows in the logits. `hidden` is 3.5 x width, as in 5.2."""
    draw = torch.Generator().manual_seed(len(version) + vocab)
    heads, hidden = width // head_size, width * 7 // 2

    def normal(*shape: int, scale: float = 1.0) -> Tensor:
        return torch.randn(shape, generator=draw) * scale

    def matrix(rows: int, columns: int) -> Tensor:
        return normal(rows, columns, scale=columns**-0.5)

    def norm(name: str) -> Weights:
        return {f"{name}.weight": 1 + normal(width, scale=0.1), f"{name}.bias": normal(width, scale=0.1)}

    def mixes(prefix: str, letters: str) -> Weights:
        return {f"{prefix}{letter}": torch.rand(1, 1, width, generator=draw) for letter in letters}

    def recurrence() -> Weights:
        """Mixing and decay: what differs from version to version."""
        match version:
            case "4":
                return mixes("time_mix_", "kvr") | {"time_decay": normal(width), "time_first": normal(width)}
            case "5":
                return mixes("time_mix_", "kvr") | {"time_decay": normal(heads), "time_first": normal(heads)}
            case "5.1":
                return mixes("time_mix_", "kvrg") | {"time_decay": normal(heads), "time_first": normal(heads)}
            case "5.2":
                part = mixes("time_mix_", "kvrg") | {"time_decay": normal(heads, head_size)}
                return part | {"time_faaaa": normal(heads, head_size)}
            case "6":
                part = mixes("time_maa_", "xwkvrg") | {
                    "time_maa_w1": matrix(width, 40),
                    "time_decay": normal(1, 1, width),
                }
                part |= {"time_maa_w2": normal(5, 8, width, scale=8**-0.5), "time_faaaa": normal(heads, head_size)}
                return part | {"time_decay_w1": matrix(width, 8), "time_decay_w2": matrix(8, width)}
        raise ValueError(version)

    def attention() -> Weights:
        names = ["receptance", "key", "value", "output"] + (["gate"] if version in ("5.1", "5.2", "6") else [])
        part = recurrence() | {f"{name}.weight": matrix(width, width) for name in names}
        return part if version == "4" else part | norm("ln_x")

    def feed_forward() -> Weights:
        part = mixes("time_maa_" if version == "6" else "time_mix_", "kr")
        part |= {"key.weight": matrix(hidden, width), "value.weight": matrix(width, hidden)}
        return part | {"receptance.weight": matrix(width, width)}

    weights = {"emb.weight": normal(vocab, width), "head.weight": 4 * matrix(vocab, width)} | norm("ln_out")
    weights |= norm("blocks.0.ln0")
    for layer in range(layers):
        block = f"blocks.{layer}."
        weights |= norm(block + "ln1") | norm(block + "ln2")
        weights |= {f"{block}att.{name}": tensor for name, tensor in attention().items()}
        weights |= {f"{block}ffn.{name}": tensor for name, tensor in feed_forward().items()}
    return weights
