"""A stand-in for a card: our own `Library`, with a driver that runs the same kernels.cu on the CPU, slowly."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from bot.engine.cuda import library
from bot.engine.cuda.library import SOURCE, Library, Size

GUARD = 64
"""Numbers before and behind every tensor that no kernel may read or write."""

STREAM = 0x7FFF12345678
"""An address like that of a stream: more than 32 bits."""


class OnCpu:
    """Gives every tensor to the kernel between guards: what is read there shows as NaN, what is written there fails."""

    def __init__(self, folder: Path) -> None:
        self.launched: list[str] = []
        self._driver = _built(folder)
        with self._card():
            self._library = Library(torch.device("cuda:0"))

    def launch(self, name: str, grid: Size, threads: int, *arguments: Tensor | int) -> None:
        self.launched.append(name)
        tensors = {id(argument): argument for argument in arguments if isinstance(argument, Tensor)}
        assert all(tensor.is_contiguous() for tensor in tensors.values())
        guarded = {key: _guarded(tensor) for key, tensor in tensors.items()}
        with self._card():
            self._library.launch(
                name, grid, threads, *(_inside(guarded[id(a)]) if id(a) in guarded else a for a in arguments)
            )
        for key, tensor in tensors.items():
            for guard in (guarded[key][:GUARD], guarded[key][-GUARD:]):
                assert torch.equal(guard.view(torch.uint8), _guard(tensor).view(torch.uint8)), f"{name} wrote outside"
            tensor.copy_(_inside(guarded[key]).view_as(tensor))

    @contextmanager
    def _card(self) -> Iterator[None]:
        """What `Library` asks PyTorch about a card has answers in here."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(library, "DRIVER", str(self._driver))
            patch.setattr(library, "compiled", lambda source, capability: b"code\0of a card")
            patch.setattr(torch.cuda, "get_device_capability", lambda device: (8, 6))
            patch.setattr(torch.cuda, "current_device", lambda: 0)
            patch.setattr(torch.cuda, "current_stream", lambda: SimpleNamespace(cuda_stream=STREAM))
            patch.setattr(torch.cuda, "device", lambda device: nullcontext())
            yield


def _guard(tensor: Tensor) -> Tensor:
    return torch.full((GUARD,), float("nan") if tensor.is_floating_point() else 99).to(tensor.dtype)


def _guarded(tensor: Tensor) -> Tensor:
    return torch.cat((_guard(tensor), tensor.flatten(), _guard(tensor)))


def _inside(whole: Tensor) -> Tensor:
    return whole[GUARD:-GUARD]


def _built(folder: Path) -> Path:
    compiler, made = shutil.which("c++"), folder / "cuda_on_cpu.so"
    if compiler is None or sys.platform != "linux":
        pytest.skip("Linux with a C++ compiler (c++) is missing")
    flags = ["-std=c++17", "-O2", "-Wall", "-Wno-unknown-pragmas", "-Werror", "-shared", "-fPIC", f"-I{SOURCE.parent}"]
    source = Path(__file__).with_name("cuda_on_cpu.cpp")
    subprocess.run([compiler, *flags, str(source), "-o", str(made)], check=True)
    return made
