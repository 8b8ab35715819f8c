"""How much memory a model's weights take with each strategy, counted from a file's header; and whether that is there.

What counts is what the engines keep: `placing.py` for RWKV-7, the `rwkv` package for the older ones. No torch.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import prod

from bot.engine.models.headers import TensorFacts
from bot.engine.strategy.auto import CARD_ROOM, CPU_ROOM, ROWS, Machine, ModelSize
from bot.engine.strategy.grammar import Stage, parse_strategy

STRATEGIES = ("cuda fp16", "cuda fp16i8", "cpu fp32", "cpu bf16", "cpu fp32i8")
"""What one would choose among, the fastest first."""

BYTES = {"fp32": 4, "bf16": 2, "fp16": 2}

_MATRIX = re.compile(
    r"(emb|head|.+\.att\.(receptance|key|value|output)|.+\.ffn\.(key|value))\.weight|.+\.att\.[wavg][12]"
)
_ALWAYS_FP32 = re.compile(r".+\.att\.(ln_x\.\w+|time_decay|time_first|time_faaaa)")
_NEVER_INT8 = re.compile(r"emb\.weight|.+_w[12]")

Tensors = Mapping[str, TensorFacts]


def weight_bytes(tensors: Tensors, version: str, strategy: str) -> int:
    """Of all weights in a strategy of one stage. Our C++ kernels may take less: they leave the embedding as it is."""
    (stage,) = parse_strategy(strategy).stages
    of_one = _of_seven if version == "7" else _of_older
    return sum(of_one(name, tensor, stage) for name, tensor in tensors.items())


def has_room(weights: int, state: int, size: ModelSize, strategy: str, machine: Machine) -> bool | None:
    """Whether it would run there now, with as many drafts as `auto` counts on; None if nobody knows."""
    needed = weights + ROWS * state + size.passing()
    if strategy.startswith("cuda"):
        return any(needed + CARD_ROOM <= card.free for card in machine.cards)
    return None if machine.memory is None else needed + CPU_ROOM <= machine.memory


def is_matrix(name: str) -> bool:
    """Of an RWKV-7: whether the engine keeps it in the strategy's number type; the rest stays float32."""
    return _MATRIX.fullmatch(name) is not None


def _of_seven(name: str, tensor: TensorFacts, stage: Stage) -> int:
    """In eight bits, a scale of four bytes for each output: a row of `….weight`, a column of the others."""
    if not is_matrix(name):
        return 4 * tensor.count
    if stage.int8 and name != "emb.weight":
        return tensor.count + 4 * tensor.shape[0 if name.endswith(".weight") else 1]
    return BYTES[stage.format] * tensor.count


def _of_older(name: str, tensor: TensorFacts, stage: Stage) -> int:
    """In eight bits, two numbers of the strategy's format for each row and each column."""
    if name.startswith("blocks.0.ln0."):
        return 0  # goes into the embedding
    if _ALWAYS_FP32.fullmatch(name):
        return 4 * tensor.count
    sides = [n for n in tensor.shape if n != 1] if ".time_" in name else list(tensor.shape)
    if stage.int8 and len(sides) == 2 and not _NEVER_INT8.fullmatch(name):
        return prod(sides) + 2 * BYTES[stage.format] * sum(sides)
    return BYTES[stage.format] * tensor.count
