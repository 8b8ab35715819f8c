"""The kernels of `kernels.cu`, ready on a card: compiled once a process and card, launched on PyTorch's own stream.

Talks to the card's driver, which is there wherever CUDA is. Where something is missing there is no library, and whoever
asks for one computes with PyTorch; the log says so, once. `RWKV_CUDA_ON=0` and `RWKV_JIT_ON=0` (`--cuda_on 0`,
`--jit_on 0`) ask for plain PyTorch.
"""

from __future__ import annotations

import ctypes
import logging
import os
import sys
from ctypes import POINTER, byref, c_char_p, c_int, c_uint, c_void_p
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from bot.engine.cuda.nvrtc import CannotCompile, compiled

log = logging.getLogger(__name__)

SOURCE = Path(__file__).with_name("kernels.cu")
DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"

Size = tuple[int, int]
"""Of a grid of blocks: x and y."""


def switched_off() -> bool:
    return any(os.environ.get(variable) == "0" for variable in ("RWKV_CUDA_ON", "RWKV_JIT_ON"))


def library(device: torch.device) -> Library | None:
    """The kernels on `device`; None where they are switched off or, said once, cannot be had."""
    return _attempt(device) if device.type == "cuda" and not switched_off() else None


@cache
def _attempt(device: torch.device) -> Library | None:
    try:
        return Library(device)
    except (CannotCompile, OSError, RuntimeError) as error:
        log.warning(
            "没有用上显卡内核，改用 PyTorch 计算：结果一样，只是慢一些。%s"
            " / No CUDA kernels, PyTorch computes the same more slowly.",
            error,
        )
        return None


class Library:
    """The kernels on one card. Raises CannotCompile, OSError (no driver) or AcceleratorError (it refused)."""

    def __init__(self, device: torch.device) -> None:
        code = compiled(SOURCE.read_text(encoding="utf-8"), torch.cuda.get_device_capability(device))
        self._device = device
        self._driver = _driver()
        self._context, self._module = c_void_p(), c_void_p()
        self._functions: dict[str, c_void_p] = {}
        ordinal = c_int()
        with torch.cuda.device(device):
            self._check(self._driver.cuDeviceGet(byref(ordinal), torch.cuda.current_device()))
            self._check(self._driver.cuDevicePrimaryCtxRetain(byref(self._context), ordinal))  # the one PyTorch uses
            self._check(self._driver.cuCtxSetCurrent(self._context))
            self._check(self._driver.cuModuleLoadData(byref(self._module), code))

    def launch(self, name: str, grid: Size, threads: int, *arguments: Tensor | int) -> None:
        """Starts a kernel behind what PyTorch has started: tensors (contiguous, on this card) as addresses, ints as C's int.

        Can be captured in a CUDA graph. The tensors' memory is PyTorch's, which reuses it in the order of the stream.
        """
        values = [c_void_p(a.data_ptr()) if isinstance(a, Tensor) else c_int(a) for a in arguments]
        pointers = (c_void_p * len(values))(*(ctypes.addressof(value) for value in values))
        with torch.cuda.device(self._device):
            stream = torch.cuda.current_stream().cuda_stream
            self._check(self._driver.cuCtxSetCurrent(self._context))  # a new thread has none
            launch = self._driver.cuLaunchKernel
            self._check(launch(self._function(name), *grid, 1, threads, 1, 1, 0, stream, pointers, None))

    def _function(self, name: str) -> c_void_p:
        if name not in self._functions:
            function = c_void_p()
            self._check(self._driver.cuModuleGetFunction(byref(function), self._module, name.encode()))
            self._functions[name] = function
        return self._functions[name]

    def _check(self, result: int) -> None:
        if result:
            words = c_char_p()
            self._driver.cuGetErrorString(result, byref(words))
            raise torch.AcceleratorError(f"CUDA error: {(words.value or b'?').decode()} ({result})")


def _driver() -> ctypes.CDLL:
    driver = ctypes.CDLL(DRIVER)
    driver.cuDeviceGet.argtypes = [c_void_p, c_int]
    driver.cuDevicePrimaryCtxRetain.argtypes = [c_void_p, c_int]
    driver.cuCtxSetCurrent.argtypes = [c_void_p]
    driver.cuModuleLoadData.argtypes = [c_void_p, c_char_p]
    driver.cuModuleGetFunction.argtypes = [c_void_p, c_void_p, c_char_p]
    driver.cuLaunchKernel.argtypes = [c_void_p, *[c_uint] * 7, c_void_p, POINTER(c_void_p), c_void_p]
    driver.cuGetErrorString.argtypes = [c_int, c_void_p]
    return driver
