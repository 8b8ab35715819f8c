"""A stand-in for `bot.engine.cuda.library.Library` that runs the same kernels.cu on the CPU, slowly."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from ctypes import c_int, c_void_p
from functools import cache
from pathlib import Path

import pytest
import torch
from torch import Tensor

from bot.engine.cuda.library import SOURCE, Size

GUARD = 64
"""Numbers before and behind every tensor that no kernel may read or write."""


class OnCpu:
    """Gives every tensor to the kernel between guards: what is read there shows as NaN, what is written there fails."""

    def __init__(self, folder: Path) -> None:
        self.launched: list[str] = []
        self._library = ctypes.CDLL(str(_built(folder)))

    def launch(self, name: str, grid: Size, threads: int, *arguments: Tensor | int) -> None:
        self.launched.append(name)
        tensors = [argument for argument in arguments if isinstance(argument, Tensor)]
        assert all(tensor.is_contiguous() for tensor in tensors)
        guarded = {id(tensor): _guarded(tensor) for tensor in tensors}
        values = [c_int(a) if isinstance(a, int) else c_void_p(_inside(guarded[id(a)]).data_ptr()) for a in arguments]
        pointers = (c_void_p * len(values))(*(ctypes.addressof(value) for value in values))
        assert self._library.cohost_launch(name.encode(), *grid, threads, pointers) == 0, f"no kernel {name}"
        for tensor in tensors:
            whole = guarded[id(tensor)]
            for guard in (whole[:GUARD], whole[-GUARD:]):
                assert torch.equal(guard.view(torch.uint8), _guard(tensor).view(torch.uint8)), f"{name} wrote outside"
            tensor.copy_(_inside(whole).view_as(tensor))


def _guard(tensor: Tensor) -> Tensor:
    return torch.full((GUARD,), float("nan") if tensor.is_floating_point() else 99).to(tensor.dtype)


def _guarded(tensor: Tensor) -> Tensor:
    return torch.cat((_guard(tensor), tensor.flatten(), _guard(tensor)))


def _inside(whole: Tensor) -> Tensor:
    return whole[GUARD:-GUARD]


@cache
def _built(folder: Path) -> Path:
    compiler, made = shutil.which("c++"), folder / "cuda_on_cpu.so"
    if compiler is None:
        pytest.skip("a C++ compiler (c++) is missing")
    flags = ["-std=c++17", "-O2", "-Wall", "-Wno-unknown-pragmas", "-Werror", "-shared", "-fPIC", f"-I{SOURCE.parent}"]
    source = Path(__file__).with_name("cuda_on_cpu.cpp")
    subprocess.run([compiler, *flags, str(source), "-o", str(made)], check=True)
    return made
