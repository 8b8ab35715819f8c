"""A kept state as bytes: what comes back is what was kept, or it is refused."""

from __future__ import annotations

import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save
from torch import Tensor

from bot.engine.states.file import DamagedError, digest, pack, unpack

KEY = "space/12-key"
TENSORS = {
    "shift": torch.arange(12.0).view(4, 1, 3),
    "wkv": torch.randn(2, 1, 1, 3, 3, generator=torch.Generator().manual_seed(1)),
    "half": torch.tensor([[1.5, -2.0]]).bfloat16(),
}
DATA = pack(TENSORS, KEY)
HEADER = 8 + int.from_bytes(DATA[:8], "little")


def same(tensors: dict[str, Tensor]) -> bool:
    """Names, types, shapes and numbers."""
    return tensors.keys() == TENSORS.keys() and all(
        tensor.dtype == TENSORS[name].dtype and torch.equal(tensor, TENSORS[name]) for name, tensor in tensors.items()
    )


def dropped_or_right(data: bytes) -> bool:
    try:
        return same(unpack(data, KEY))
    except DamagedError:
        return True


def test_comes_back_as_it_was() -> None:
    """In every number type that states have; views of larger tensors too."""
    assert same(unpack(DATA, KEY))
    whole = torch.arange(24.0).view(2, 3, 4)
    assert torch.equal(unpack(pack({"a": whole[:, 1]}, "k"), "k")["a"], whole[:, 1])


@given(st.integers(0, 8 * len(DATA) - 1))
def test_one_bit_is_dropped_or_harmless(bit: int) -> None:
    """Anywhere: in the length, the header, the digest, the numbers."""
    data = bytearray(DATA)
    data[bit // 8] ^= 1 << bit % 8
    assert dropped_or_right(bytes(data))


@given(st.binary(min_size=1, max_size=40), st.integers(0, len(DATA) - 1))
def test_overwritten_bytes_are_dropped_or_harmless(noise: bytes, at: int) -> None:
    """A block of the disk that holds something else."""
    assert dropped_or_right(DATA[:at] + noise + DATA[at + len(noise) :])


@given(st.integers(0, len(DATA) - 1), st.binary(max_size=20))
def test_a_cut_file_is_dropped(end: int, tail: bytes) -> None:
    """Whatever follows instead."""
    assert dropped_or_right(DATA[:end] + tail)
    with pytest.raises(DamagedError):
        unpack(DATA[:end], KEY)


@given(st.binary(max_size=200))
def test_any_bytes_at_all_are_dropped(noise: bytes) -> None:
    with pytest.raises(DamagedError):
        unpack(noise, KEY)


def test_every_byte_of_the_numbers_counts() -> None:
    """No region is left unguarded: each changed byte of the tensors is noticed."""
    for at in range(HEADER, len(DATA)):
        with pytest.raises(DamagedError):
            unpack(DATA[:at] + bytes([DATA[at] ^ 0xFF]) + DATA[at + 1 :], KEY)


def test_a_whole_file_under_another_name_is_dropped() -> None:
    """It is a good state, of another text."""
    with pytest.raises(DamagedError, match="another key"):
        unpack(DATA, "space/12-other")


@pytest.mark.parametrize(
    "other",
    [
        {"shift": TENSORS["shift"].view(1, 4, 3)},
        {"shift": TENSORS["shift"].view(torch.int32)},
        {"shift": TENSORS["wkv"], "wkv": TENSORS["shift"]},
        {"more": torch.zeros(1)},
    ],
    ids=["shape", "type", "swapped", "more"],
)
def test_same_bytes_with_another_meaning_are_dropped(other: dict[str, Tensor]) -> None:
    """The digest is of names, types and shapes as well."""
    forged = save(
        {name: t.clone() for name, t in (TENSORS | other).items()}, {"key": KEY, "digest": digest(TENSORS, KEY)}
    )
    with pytest.raises(DamagedError, match="digest"):
        unpack(forged, KEY)


@pytest.mark.parametrize("header", [b"[]", b"{}", b'{"__metadata__":[]}', b'{"__metadata__":{"key":1}}', b"[" * 9999])
def test_a_header_of_nonsense_is_dropped(header: bytes) -> None:
    """JSON, but not ours."""
    with pytest.raises(DamagedError):
        unpack(len(header).to_bytes(8, "little") + header, KEY)


def test_nothing_pickled_is_read() -> None:
    """The file is 8 bytes, JSON, and numbers."""
    assert set(json.loads(DATA[8:HEADER])) == {"__metadata__", *TENSORS}
