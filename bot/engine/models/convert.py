"""Writes a model once more, in the number types that a strategy wants: as safetensors, so that loading it is a mapping.

One tensor after another goes from file to file, so a model that is larger than the memory passes too. The engine's
`load_model` takes the result as it is, and computes exactly what it would with the source and that strategy.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO

import torch
from torch import Tensor

from bot.engine.models.describe import is_matrix
from bot.engine.strategy import FORMATS, auto_strategy
from bot.engine.weights import ModelError, Weights, check_rwkv7, read_weights
from bot.errors import UserError

TYPES = {torch.float32: "F32", torch.bfloat16: "BF16", torch.float16: "F16"}
PAGE = 4096
"""The tensors begin on a page of memory."""

MARGIN = 64 << 20
"""Bytes of the disk that stay free."""

Report = Callable[[int, int], None]
"""Called with the bytes that are written, and with how many there will be."""


def number_type(strategy: str) -> str:
    """`fp32`, `bf16` or `fp16`: the one that a strategy names. The devices of this machine do not matter here."""
    text = strategy.strip().lower()
    if text in ("", "auto"):
        return {kind: name for name, kind in FORMATS.items()}[auto_strategy().dtype]
    stages = [re.fullmatch(r"(?:cpu|cuda(?::\d+)?) +(\w+)(?: +\*\d+\+?)?", stage.strip()) for stage in text.split("->")]
    names = {stage[1] if stage else "" for stage in stages}
    if len(names) == 1 and names <= FORMATS.keys():
        return names.pop()
    raise UserError(
        f'转换不了成 "{strategy}"：一个文件只有一种数字格式，例如 "cuda fp16"、"cpu bf16"、"cpu fp32"。'
        " / A file has one number type; see the examples."
    )


def convert(source: Path, target: Path, strategy: str, report: Report = lambda done, total: None) -> Path:
    """Writes `target`, a new `.safetensors`, from an RWKV-7 `.pth` or `.safetensors`. UserError says what is wrong."""
    kind = number_type(strategy)
    _check_target(source, target)
    try:
        weights = read_weights(source)
        check_rwkv7(weights, source.name)
    except ModelError as error:
        raise UserError(str(error)) from error
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _bring_tokenizer(source, target)
        metadata = {
            "format": "pt",
            "source": source.name,
            "rwkv_version": "7",
            "strategy": strategy,
            "number_type": kind,
            "program": f"rwkv-cohost {_own_version()}",
        }
        _write_atomically(target, weights, FORMATS[kind], metadata, report)
    except OSError as error:
        raise UserError(f"写不了 {target}：{error.strerror or error}。 / Cannot write there.") from error
    return target


def _check_target(source: Path, target: Path) -> None:
    if target.suffix != ".safetensors":
        raise UserError(f"目标文件名应以 .safetensors 结尾，现为 {target.name}。 / DST must end in .safetensors.")
    if target.exists():
        raise UserError(f"{target} 已经有了。请换个名字，或先移走它。 / DST exists already.")
    if source.is_file() and source.with_name("tokenizer.json").is_file():
        return
    if target.with_name("tokenizer.json").is_file():
        raise UserError(
            f"{target.parent} 里有别的模型的 tokenizer.json。请换一个文件夹。"
            " / That folder has another model's tokenizer.json; choose another folder."
        )


def _bring_tokenizer(source: Path, target: Path) -> None:
    """A vocabulary of its own goes with the model."""
    ours, theirs = source.with_name("tokenizer.json"), target.with_name("tokenizer.json")
    if not ours.is_file() or (theirs.is_file() and theirs.read_bytes() == ours.read_bytes()):
        return
    strangers = [file for file in target.parent.glob("*") if file.suffix in (".pth", ".safetensors")]
    if theirs.exists() or strangers:
        raise UserError(
            f"这个模型有自己的 tokenizer.json，而 {target.parent} 里已有别的模型。请换一个空文件夹。"
            " / This model has its own tokenizer.json: choose a folder without other models."
        )
    shutil.copyfile(ours, theirs)


def _write_atomically(
    target: Path, weights: Weights, kind: torch.dtype, metadata: Mapping[str, str], report: Report
) -> None:
    fresh = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        with fresh.open("xb") as file:
            _write(file, weights, kind, metadata, report)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, target)
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)


def _write(file: IO[bytes], weights: Weights, kind: torch.dtype, metadata: Mapping[str, str], report: Report) -> None:
    kinds = {name: kind if is_matrix(name) else torch.float32 for name in weights}
    names = sorted(weights, key=lambda name: (-kinds[name].itemsize, name))  # large items first: all are aligned
    sizes = {name: weights[name].numel() * kinds[name].itemsize for name in names}
    _check_room(Path(file.name).parent, sum(sizes.values()))
    file.write(_header(names, weights, kinds, sizes, metadata))
    done = 0
    for name in names:
        file.write(_numbers(weights[name], kinds[name]))
        done += sizes[name]
        report(done, sum(sizes.values()))


def _header(
    names: list[str],
    weights: Weights,
    kinds: Mapping[str, torch.dtype],
    sizes: Mapping[str, int],
    metadata: Mapping[str, str],
) -> bytes:
    entries: dict[str, object] = {"__metadata__": dict(metadata)}
    at = 0
    for name in names:
        entries[name] = {
            "dtype": TYPES[kinds[name]],
            "shape": list(weights[name].shape),
            "data_offsets": [at, at + sizes[name]],
        }
        at += sizes[name]
    text = json.dumps(entries, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-(8 + len(text)) % PAGE)
    return len(text).to_bytes(8, "little") + text


def _numbers(tensor: Tensor, kind: torch.dtype) -> memoryview:
    """As they lie in memory; all machines that torch runs on are little endian."""
    values = tensor.detach().to(kind).contiguous()
    return values.flatten().view(torch.uint8).numpy().data


def _check_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed + MARGIN:
        raise UserError(
            f"磁盘空间不够：要 {needed / 1e9:.2f} GB，{folder} 只剩 {free / 1e9:.2f} GB。 / Not enough disk space."
        )


def _own_version() -> str:
    try:
        return version("rwkv-cohost")
    except PackageNotFoundError:
        return "0"
