"""The C interface of `forward.cpp`, declared for ctypes. The structures here and there must stay the same."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, Structure, byref, c_char_p, c_int64, c_void_p
from pathlib import Path

import torch
from torch import Tensor

FORMATS = {torch.float32: 0, torch.bfloat16: 1, torch.int8: 2}
"""The types of packed matrices, by number."""

NORMS = ("ln1", "ln2", "ln_x")
VECTORS = ("mix", "w0", "a0", "v0", "k_k", "k_a", "r_k", "ffn_mix")
MATRICES = ("R", "K", "V", "O", "w1", "a1", "v1", "g1", "w2", "a2", "v2", "g2", "ffn_K", "ffn_V")


class Matrix(Structure):
    _fields_ = (("rows", c_int64), ("cols", c_int64), ("data", c_void_p), ("scale", c_void_p))


class Norm(Structure):
    _fields_ = (("weight", c_void_p), ("bias", c_void_p))


class Block(Structure):
    _fields_ = (
        *((name, Norm) for name in NORMS),
        *((name, c_void_p) for name in VECTORS),
        *((name, Matrix) for name in MATRICES),
    )


class Plan(Structure):
    _fields_ = (
        *((name, c_int64) for name in ("format", "layers", "width", "heads", "hidden", "vocab")),
        ("ln0", Norm),
        ("ln_out", Norm),
        ("blocks", POINTER(Block)),
        ("head", Matrix),
    )


class Library:
    """The functions of a built library."""

    def __init__(self, path: Path) -> None:
        """Raises OSError when the file is no library for this machine."""
        dll = ctypes.CDLL(str(path))
        dll.cohost_processor.restype = c_char_p
        dll.cohost_packed_bytes.restype = c_int64
        dll.cohost_packed_bytes.argtypes = [c_int64] * 3
        dll.cohost_pack.restype = None
        dll.cohost_pack.argtypes = [c_int64] * 3 + [c_void_p] * 2 + [c_int64]
        dll.cohost_open.restype = c_void_p
        dll.cohost_open.argtypes = [POINTER(Plan)]
        dll.cohost_close.restype = None
        dll.cohost_close.argtypes = [c_void_p]
        dll.cohost_forward.restype = c_int64
        dll.cohost_forward.argtypes = [c_void_p] * 4 + [c_int64] * 2 + [c_void_p] + [c_int64] * 2
        dll.cohost_multiply.restype = None
        dll.cohost_multiply.argtypes = [c_int64, POINTER(Matrix), c_void_p, c_int64, c_void_p]
        self._dll = dll
        self.processor: str = dll.cohost_processor().decode()

    def packed_bytes(self, dtype: torch.dtype, rows: int, cols: int) -> int:
        return int(self._dll.cohost_packed_bytes(FORMATS[dtype], rows, cols))

    def pack(self, weight: Tensor, target: int) -> None:
        """weight (rows, columns), contiguous, in one of FORMATS; `target`: an address with room for `packed_bytes`."""
        rows, cols = weight.shape
        threads = torch.get_num_threads()
        self._dll.cohost_pack(FORMATS[weight.dtype], rows, cols, weight.data_ptr(), target, threads)

    def open(self, plan: Plan) -> int:
        return int(self._dll.cohost_open(byref(plan)))

    def close(self, handle: int) -> None:
        self._dll.cohost_close(handle)

    def forward(
        self, handle: int, embedded: Tensor, shift: Tensor, wkv: Tensor, logits: Tensor | None, last_only: bool
    ) -> None:
        """See `cohost_forward`. All tensors float32 and contiguous; embedded (B, T, D)."""
        B, T, _ = embedded.shape
        out = None if logits is None else logits.data_ptr()
        pointers = (embedded.data_ptr(), shift.data_ptr(), wkv.data_ptr())
        if self._dll.cohost_forward(handle, *pointers, B, T, out, last_only, torch.get_num_threads()):
            raise MemoryError

    def multiply(self, dtype: torch.dtype, matrix: Matrix, x: Tensor) -> Tensor:
        """x (M, columns) float32 times a packed matrix: (M, rows)."""
        y = torch.empty(x.shape[0], matrix.rows)
        self._dll.cohost_multiply(FORMATS[dtype], byref(matrix), x.data_ptr(), x.shape[0], y.data_ptr())
        return y
