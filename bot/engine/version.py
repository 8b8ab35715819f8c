"""Which version of RWKV a set of tensors is. By names and shapes alone, so that a file's header is enough; no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol


class Shaped(Protocol):
    """A tensor, or what a file's header says of one."""

    @property
    def shape(self) -> Sequence[int]: ...


def version_of(tensors: Mapping[str, Shaped]) -> str:
    """One of 7, 7a, 7b, 6, 5.2, 5.1, 5 and 4, by the rules of the `rwkv` package; "" if it is no RWKV."""
    if "blocks.0.att.r_k" in tensors:
        return _seven(tensors)
    if any("att.time_maa" in name for name in tensors):
        return "6"
    decay = tensors.get("blocks.0.att.time_decay")
    if decay is None:
        return ""
    if "blocks.0.att.ln_x.weight" not in tensors:
        return "4"
    if len(decay.shape) > 1 and decay.shape[1] > 1:
        return "5.2"
    return "5.1" if "blocks.0.att.gate.weight" in tensors else "5"


def _seven(tensors: Mapping[str, Shaped]) -> str:
    if any(".qkv." in name for name in tensors):
        return "7b"
    return "7a" if any(".ffn.s_emb" in name for name in tensors) else "7"
