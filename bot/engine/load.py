"""Any RWKV, ready to run: which version it is, is told from the file's tensors, never from its name."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from bot.engine import pip_rwkv
from bot.engine.model import LanguageModel
from bot.engine.rwkv7 import load_model
from bot.engine.strategy import parse_strategy
from bot.engine.version import version_of
from bot.engine.weights import Weights, read_weights

SPARE = 1.2
"""A card must have so many times the weights' size free: states, intermediate results and the system want some too."""


def load_any(path: str | os.PathLike[str], strategy: str = "auto") -> LanguageModel:
    """RWKV-7 by our own engine, RWKV-4 to 6 by the `rwkv` package. Raises ModelError, whose message says what to do."""
    path = Path(path)
    weights = read_weights(path)  # maps the file into memory: reading it once more costs nothing
    if version_of(weights) not in pip_rwkv.VERSIONS:
        return load_model(path, strategy)  # which refuses what is no RWKV-7
    return pip_rwkv.build_model(weights, _chosen(strategy, weights), path.name)


def _chosen(strategy: str, weights: Weights) -> str:
    """In the package's grammar. `auto` is a card that holds the weights, else the CPU in fp32, where the package is
    fastest by far."""
    if strategy.strip().lower() not in ("", "auto"):
        return str(parse_strategy(strategy))
    if torch.cuda.is_available():
        free, _ = torch.cuda.mem_get_info()
        count = sum(tensor.numel() for tensor in weights.values())
        for form, size in (("fp16", 2), ("fp16i8", 1)):
            if SPARE * size * count <= free:
                return f"cuda {form}"
    return "cpu fp32"
