"""What a model file says of itself: the names, shapes and number types of its tensors. Loads none of them.

A safetensors file is 8 bytes with the length of the header (little endian), the header in JSON, then the tensors.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from bot.errors import UserError

MAX_HEADER = 100_000_000
"""Bytes; the safetensors library refuses longer ones as well."""

ITEM_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}


@dataclass(frozen=True, slots=True)
class TensorFacts:
    """`type` is written as safetensors does it: F32, BF16, F16 ..."""

    shape: tuple[int, ...]
    type: str

    @property
    def count(self) -> int:
        return prod(self.shape)


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A model file without its numbers. `metadata` is empty for a `.pth`."""

    path: Path
    size: int
    tensors: Mapping[str, TensorFacts]
    metadata: Mapping[str, str]


def read_facts(path: Path) -> FileFacts:
    """Reads a `.safetensors` by its header, anything else as a `.pth` of plain weights. UserError says what is wrong."""
    if not path.is_file():
        raise UserError(
            f"找不到模型文件：{path}。请检查路径，或运行 python3 start.py model list。 / No such model file."
        )
    with path.open("rb") as file:
        start = file.read(9)
    if start[:4] == b"GGUF":
        raise UserError(f"{path.name} 是 GGUF 文件，请换官方的 .pth 或 .safetensors。 / GGUF files are not read here.")
    if path.suffix == ".safetensors" or start[8:] == b"{":
        return _safetensors(path)
    return _pth(path)


def _safetensors(path: Path) -> FileFacts:
    size = path.stat().st_size
    try:
        header, begin = _read_header(path, size)
        metadata = header.pop("__metadata__", {})
        tensors = {name: _tensor(facts, size - begin) for name, facts in header.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(
            f"模型文件损坏或不完整：{path.name}。请重新下载。 / Broken safetensors file ({error})."
        ) from error
    return FileFacts(path, size, tensors, {str(key): str(value) for key, value in metadata.items()})


def _read_header(path: Path, size: int) -> tuple[dict[str, Any], int]:
    """The header, and where the tensors begin."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > min(MAX_HEADER, size - 8):
            raise ValueError(f"header of {length} bytes in a file of {size}")
        header = json.loads(file.read(length))
    if not isinstance(header, dict):
        raise ValueError("header is no object")
    return header, 8 + length


def _tensor(facts: dict[str, Any], room: int) -> TensorFacts:
    tensor = TensorFacts(tuple(int(n) for n in facts["shape"]), str(facts["dtype"]))
    first, end = facts["data_offsets"]
    if not 0 <= first <= end <= room:
        raise ValueError(f"tensors up to byte {end}, only {room} there")
    expected = tensor.count * ITEM_BYTES.get(tensor.type, 0)
    if expected and end - first != expected:
        raise ValueError(f"{end - first} bytes for a tensor of {expected}")
    return tensor


def _pth(path: Path) -> FileFacts:
    """Through torch, which maps the file into memory and reads no numbers yet."""
    from bot.engine.weights import ModelError, read_weights

    try:
        weights = read_weights(path)
    except ModelError as error:
        raise UserError(str(error)) from error
    tensors = {name: TensorFacts(tuple(t.shape), _type_name(str(t.dtype))) for name, t in weights.items()}
    return FileFacts(path, path.stat().st_size, tensors, {})


def _type_name(dtype: str) -> str:
    name = dtype.removeprefix("torch.")
    return {"bfloat16": "BF16"}.get(name, name.replace("float", "F").replace("uint", "U").replace("int", "I").upper())
