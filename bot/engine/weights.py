"""Reads a model file into named tensors and checks that it is an RWKV-7. Runs nothing that is inside the file."""

from __future__ import annotations

import pickle
import struct
import warnings
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from bot.engine.errors import ModelError
from bot.engine.version import version_of

__all__ = [
    "BROKEN",
    "DTYPES",
    "ModelError",
    "Shape",
    "Weights",
    "check_rwkv7",
    "first_line",
    "is_out_of_memory",
    "read_weights",
    "too_large",
]

Weights = dict[str, Tensor]

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
"""By their names in strategies."""

BROKEN = (
    *(SafetensorError, RuntimeError, OSError, EOFError, ValueError, LookupError, MemoryError),
    *(TypeError, AttributeError, AssertionError, struct.error),
)
"""What torch and safetensors raise for a file of nonsense."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of torch's means that memory, of whatever kind, was not to be had."""
    words = ("DefaultCPUAllocator", "Cannot allocate memory", "not enough memory")
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or any(word in str(error) for word in words)


def too_large(name: str, strategy: str = "", smaller: str = "") -> ModelError:
    """`strategy` is the one that was tried, `smaller` one that needs less memory."""
    tried = f' "{strategy}"' if strategy else ""
    instead = f'请把 strategy 改成 "{smaller}" 或 "auto"，或换小一些的模型' if smaller else "请换小一些的模型"
    return ModelError(
        f"内存（或显存）不够放下 {name}{tried}。{instead}，或关掉别的程序再试。"
        f" / Not enough memory for this model{f'; try {smaller}' if smaller else ''}."
    )


@dataclass(frozen=True, slots=True)
class Shape:
    """What the tensors' shapes tell of a model."""

    layers: int
    width: int
    heads: int
    head_size: int
    vocab: int

    @property
    def parameters(self) -> int:
        """About how many numbers there are, leaving out the small ones."""
        return 12 * self.layers * self.width**2 + 2 * self.vocab * self.width


ATTENTION = (
    *("x_r", "x_w", "x_k", "x_v", "x_a", "x_g", "w0", "w1", "w2", "a0", "a1", "a2", "v0", "v1", "v2", "g1", "g2"),
    *("k_k", "k_a", "r_k", "receptance.weight", "key.weight", "value.weight", "output.weight"),
    *("ln_x.weight", "ln_x.bias"),
)
FEED_FORWARD = ("x_k", "key.weight", "value.weight")
NORMS = ("ln1.weight", "ln1.bias", "ln2.weight", "ln2.bias")
OUTER = ("emb.weight", "blocks.0.ln0.weight", "blocks.0.ln0.bias", "ln_out.weight", "ln_out.bias", "head.weight")
UNUSED = ("blocks.0.att.v0", "blocks.0.att.v1", "blocks.0.att.v2")
"""The first layer has no earlier value to mix in: files may have these or not, they are never used."""


def read_weights(path: Path) -> Weights:
    """The tensors of a `.pth` (a dict of tensors, loaded with `weights_only`) or `.safetensors` file, on the CPU."""
    if not path.is_file():
        raise ModelError(
            f"找不到模型文件：{path}。请检查路径，或去掉 model 设置以使用自带的演示模型。 / No such model file."
        )
    try:
        with warnings.catch_warnings(action="ignore"):  # remarks on odd files that are refused below anyway
            weights = load_file(path) if path.suffix == ".safetensors" else _load_pth(path)
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"拒绝打开 {path.name}：它不只是权重（可能含有程序代码），或者不是模型文件。"
            f"请改用官方 .pth 或 .safetensors。 / Refused: not a plain file of weights ({first_line(error)})."
        ) from error
    except BROKEN as error:
        if is_out_of_memory(error):
            raise too_large(path.name) from error
        raise ModelError(
            f"模型文件损坏或不完整：{path.name}。请重新下载。 / Broken model file ({first_line(error)})."
        ) from error
    if isinstance(weights, dict) and "_strategy" in weights:
        raise ModelError(
            f"{path.name} 是 rwkv 包的 convert_model 转换过的（{weights['_strategy']}）。请用转换之前的 .pth。"
            " / Converted by the `rwkv` package; use the file that it was made from."
        )
    if not isinstance(weights, dict) or not all(isinstance(tensor, Tensor) for tensor in weights.values()):
        raise ModelError(f"{path.name} 里不是一组张量，不是 RWKV 模型。 / Not a dict of tensors.")
    return weights


def _load_pth(path: Path) -> Weights:
    try:
        loaded: Weights = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except RuntimeError as error:
        if "mmap" not in str(error):
            raise
        loaded = torch.load(path, map_location="cpu", weights_only=True)  # the format from before 2020
    return loaded


def first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def check_rwkv7(weights: Weights, name: str) -> Shape:
    """The shape of an RWKV-7 whose tensors are all there and known; ModelError for anything else."""
    version = version_of(weights)
    if version != "7":
        raise ModelError(_not_seven(version, name))
    layers = 1 + max(int(key.split(".")[1]) for key in weights if key.startswith("blocks."))
    expected = set(_names(layers)) | {f"{key}.scale" for key in weights if weights[key].dtype == torch.int8}
    missing = sorted(expected - weights.keys() - set(UNUSED))
    unknown = sorted(weights.keys() - expected)
    if missing or unknown:
        what = (
            f"缺少张量 {missing[0]} 等 {len(missing)} 个"
            if missing
            else f"不认识张量 {unknown[0]} 等 {len(unknown)} 个"
        )
        raise ModelError(f"{name} 不是完整的 RWKV-7 模型：{what}。请换官方的模型。 / Missing or unknown tensors.")
    heads, head_size = weights["blocks.0.att.r_k"].shape
    vocab, width = weights["emb.weight"].shape
    return Shape(layers, width, heads, head_size, vocab)


def _names(layers: int) -> list[str]:
    parts = [*NORMS, *(f"att.{part}" for part in ATTENTION), *(f"ffn.{part}" for part in FEED_FORWARD)]
    return [*OUTER, *(f"blocks.{layer}.{part}" for layer in range(layers) for part in parts)]


def _not_seven(version: str, name: str) -> str:
    if version in ("7a", "7b"):
        return (
            f"{name} 是 RWKV-7a/7b（DeepEmbed），暂不支持。请换普通的 RWKV-7（rwkv7-g1…）。 / No DeepEmbed models yet."
        )
    if version:
        return f"{name} 是 RWKV-{version}，这里只支持 RWKV-7（rwkv7-g1…）。请换一个模型。 / Only RWKV-7 is supported."
    return f"{name} 不是 RWKV 模型。请用 RWKV-7 的 .pth 或 .safetensors（rwkv7-g1…）。 / Not an RWKV model."
