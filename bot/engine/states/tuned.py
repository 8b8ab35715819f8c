"""Tuned states: what state tuning (RWKV-PEFT, RWKV-LM) has learned as the beginning, in place of an empty memory.

A file holds `blocks.N.att.time_state` (H, V, K) for each layer N, and nothing else. RWKV-7 keeps its memory that way
round; RWKV-5 and 6 keep it as (K, V), and the `rwkv` package turns it as well. The other parts of a state begin at zero.
"""

from __future__ import annotations

import re
from pathlib import Path

import torch
from torch import Tensor

from bot.engine.model import LanguageModel
from bot.engine.pip_rwkv import PipModel
from bot.engine.state import State
from bot.engine.weights import ModelError, Weights, read_weights

_NAME = re.compile(r"blocks\.(\d+)\.att\.time_state")
_MEMORY = re.compile(r"wkv(\.\d+)?")


class TunedModel:
    """A model whose rows begin with a tuned state instead of nothing; otherwise the model itself."""

    def __init__(self, model: LanguageModel, start: State, name: str) -> None:
        """`start` is one row."""
        self._model = model
        self._start = start
        self.vocab = model.vocab
        self.parameters = model.parameters
        self.about = f"{model.about} · {name}"
        self.why = model.why

    def zero_state(self, batch: int = 1) -> State:
        return self._start.repeat(batch)

    def forward(self, tokens: Tensor, state: State) -> Tensor:
        return self._model.forward(tokens, state)


def load_tuned(model: LanguageModel, path: Path) -> TunedModel:
    """Reads a `.pth` or `.safetensors` of a tuned state for this model; ModelError, for people, if it is not one."""
    if not path.is_file():
        raise ModelError(
            f"找不到状态文件 engine.state：{path}。请检查路径，不用就留空。 / There is no such tuned state file."
        )
    return TunedModel(model, tuned_state(model, read_weights(path), path.name), path.name)


def tuned_state(model: LanguageModel, weights: Weights, name: str) -> State:
    """One row that begins with the tensors of a tuned state file called `name`."""
    state = model.zero_state(1)
    memories = [tensor for key, tensor in state.tensors.items() if _MEMORY.fullmatch(key)]
    if not memories or any(memory.dim() != 5 for memory in memories):
        raise ModelError(
            f"这个模型不能用状态文件 {name}：只有 RWKV-5、6、7 可以。 / Tuned states are for RWKV-5, 6 and 7."
        )
    layers = [row for memory in memories for row in memory[:, 0]]  # views, (H, N, N) each
    for layer, tuned in zip(layers, _in_order(weights, [tuple(layer.shape) for layer in layers], name), strict=True):
        layer.copy_(tuned.mT if isinstance(model, PipModel) else tuned)
    return state


def _in_order(weights: Weights, shapes: list[tuple[int, ...]], name: str) -> list[Tensor]:
    """The tensors layer by layer; ModelError unless they are exactly those of a model with these `shapes`."""
    found = {int(match[1]): weights[key] for key in weights if (match := _NAME.fullmatch(key))}
    if not found or len(found) != len(weights):
        raise ModelError(
            f"{name} 不是状态文件：里面应该只有 blocks.N.att.time_state。请用 RWKV-PEFT 等工具 state tuning 得到的文件。"
            " / Not a file of tuned states."
        )
    given = [tuple(found[layer].shape) for layer in sorted(found)]
    if sorted(found) != list(range(len(shapes))) or given != shapes:
        raise ModelError(
            f"状态文件 {name} 与模型不配套：文件里是 {_shown(given)}，模型要 {_shown(shapes)}。"
            "请用在这个大小的模型上训练的状态。 / The tuned state belongs to a model of another shape."
        )
    if not all(bool(torch.isfinite(tensor).all()) for tensor in found.values()):
        raise ModelError(
            f"状态文件 {name} 里有无穷大或非数，训练时可能发散了。请换一个。 / Numbers that are not finite."
        )
    return [found[layer] for layer in sorted(found)]


def _shown(shapes: list[tuple[int, ...]]) -> str:
    kinds = " 或 ".join(dict.fromkeys("×".join(map(str, shape)) for shape in shapes))
    return f"{len(shapes)} 层 {kinds}"
