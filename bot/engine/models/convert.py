"""Writes a model once more, in the number types that a strategy wants: as safetensors, so that loading it is a mapping.

One tensor after another goes from file to file, so a model that is larger than the memory passes too. The engine's
`load_model` takes the result as it is, and computes exactly what it would with the source and that strategy.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from math import prod
from pathlib import Path
from typing import IO

import torch
from torch import Tensor

from bot.engine.int8 import SCALE, by_outputs, in_eight_bits, in_floats, scales
from bot.engine.models.memory import is_matrix
from bot.engine.strategy.grammar import is_auto, parse_strategy
from bot.engine.strategy.machine import this_machine
from bot.engine.weights import DTYPES, ModelError, Weights, check_rwkv7, read_weights
from bot.errors import UserError

TYPES = {torch.float32: "F32", torch.bfloat16: "BF16", torch.float16: "F16", torch.int8: "I8"}
INT8 = "int8"
PAGE = 4096
"""The tensors begin on a page of memory."""

MARGIN = 64 << 20
"""Bytes of the disk that stay free."""

Report = Callable[[int, int], None]
"""Called with the bytes that are written, and with how many there will be."""


def number_type(strategy: str) -> str:
    """`fp32`, `bf16`, `fp16`, or `int8` for `fp32i8` and its like: the one that a strategy names. The devices of this
    machine do not matter here, unless it is `auto`: then a card's fp16, or what the processor computes best."""
    if is_auto(strategy):
        machine = this_machine()
        return "fp16" if machine.cards else "bf16" if machine.bf16 else "fp32"
    names = {INT8 if stage.int8 else stage.format for stage in parse_strategy(strategy).stages}
    if len(names) == 1:
        return names.pop()
    raise UserError(
        f'转换不了成 "{strategy}"：一个文件只有一种数字格式，例如 "cuda fp16"、"cpu bf16"、"cpu fp32i8"。'
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
        _write_atomically(target, _items(weights, kind), metadata, report)
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


@dataclass(frozen=True, slots=True)
class _Item:
    """A tensor to be written; its numbers are made when its turn has come."""

    name: str
    kind: torch.dtype
    shape: tuple[int, ...]
    numbers: Callable[[], Tensor]

    @property
    def size(self) -> int:
        return prod(self.shape) * self.kind.itemsize


def _items(weights: Weights, number_type: str) -> list[_Item]:
    """In the order in which they are written: large numbers first, so that all are aligned."""
    items = [item for name in weights if not name.endswith(SCALE) for item in _of_one(weights, name, number_type)]
    return sorted(items, key=lambda item: (-item.kind.itemsize, item.name))


def _of_one(weights: Weights, name: str, number_type: str) -> list[_Item]:
    tensor = weights[name]
    shape = tuple(tensor.shape)
    if not is_matrix(name):
        return [_Item(name, torch.float32, shape, lambda: tensor)]
    if number_type != INT8:
        return [_Item(name, DTYPES[number_type], shape, lambda: by_outputs(name, in_floats(weights, name)))]
    if name == "emb.weight":  # rows are looked up there, nothing is multiplied: it stays as it is
        return [_Item(name, tensor.dtype, shape, lambda: tensor)]
    outputs = by_outputs(name, tensor)
    scale = weights.get(name + SCALE)
    return [
        _Item(name, torch.int8, shape, lambda: by_outputs(name, in_eight_bits(weights, name)[0])),
        _Item(name + SCALE, torch.float32, (len(outputs),), lambda: scales(outputs) if scale is None else scale),
    ]


def _write_atomically(target: Path, items: list[_Item], metadata: Mapping[str, str], report: Report) -> None:
    fresh = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        with fresh.open("xb") as file:
            _write(file, items, metadata, report)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, target)
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)


def _write(file: IO[bytes], items: list[_Item], metadata: Mapping[str, str], report: Report) -> None:
    total = sum(item.size for item in items)
    _check_room(Path(file.name).parent, total)
    file.write(_header(items, metadata))
    done = 0
    for item in items:
        file.write(_bytes(item))
        done += item.size
        report(done, total)


def _header(items: list[_Item], metadata: Mapping[str, str]) -> bytes:
    entries: dict[str, object] = {"__metadata__": dict(metadata)}
    at = 0
    for item in items:
        place = [at, at + item.size]
        entries[item.name] = {"dtype": TYPES[item.kind], "shape": list(item.shape), "data_offsets": place}
        at += item.size
    text = json.dumps(entries, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-(8 + len(text)) % PAGE)
    return len(text).to_bytes(8, "little") + text


def _bytes(item: _Item) -> memoryview:
    """As they lie in memory; all machines that torch runs on are little endian."""
    values = item.numbers().detach().to(item.kind).contiguous()
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
