"""A kept state as the bytes of a safetensors file, and back. What was changed on the way is refused, never returned.

The metadata name the `key` under which the state was kept and a `digest` of that key and of every tensor's name, type,
shape and numbers. It guards against broken disks and mixed-up files, not against someone who means harm.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import blake2b

import torch
from safetensors.torch import load, save
from torch import Tensor

from bot.engine.weights import BROKEN


class DamagedError(Exception):
    """These bytes are not what was kept under this key."""


def pack(tensors: Mapping[str, Tensor], key: str) -> bytes:
    """`tensors` on the CPU."""
    whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
    return save(whole, {"key": key, "digest": digest(whole, key)})


def unpack(data: bytes, key: str) -> dict[str, Tensor]:
    """What was packed under `key`; DamagedError if the bytes are anything else."""
    try:
        metadata, tensors = _metadata(data), load(data)
    except BROKEN as error:
        raise DamagedError("no safetensors file") from error
    if metadata.get("key") != key:
        raise DamagedError("kept under another key")
    if metadata.get("digest") != digest(tensors, key):
        raise DamagedError("digest differs")
    return tensors


def digest(tensors: Mapping[str, Tensor], key: str = "") -> str:
    """Of a key and of tensors: equal only if all of it is."""
    found = blake2b(key.encode(), digest_size=32)
    for name, tensor in sorted(tensors.items()):
        found.update(json.dumps([name, str(tensor.dtype), list(tensor.shape)]).encode())
        found.update(tensor.cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return found.hexdigest()


def _metadata(data: bytes) -> dict[str, str]:
    """From the header: 8 bytes with its length (little endian), then JSON. ValueError and its kin if there is none."""
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    metadata = header["__metadata__"]
    if not isinstance(metadata, dict):
        raise ValueError("metadata is no object")
    return metadata
