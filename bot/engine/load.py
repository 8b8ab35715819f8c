"""Any RWKV, ready to run: which version it is, is told from the file's tensors, never from its name."""

from __future__ import annotations

import os
from pathlib import Path

from bot.engine import pip_rwkv
from bot.engine.model import LanguageModel
from bot.engine.rwkv7 import load_model
from bot.engine.version import version_of
from bot.engine.weights import read_weights


def load_any(path: str | os.PathLike[str], strategy: str = "auto") -> LanguageModel:
    """RWKV-7 by our own engine, RWKV-4 to 6 by the `rwkv` package. Raises ModelError, whose message says what to do."""
    path = Path(path)
    weights = read_weights(path)  # maps the file into memory: reading it once more costs nothing
    if version_of(weights) in pip_rwkv.VERSIONS:
        return pip_rwkv.build_model(weights, strategy, path.name)
    return load_model(path, strategy)  # which refuses what is no RWKV-7
