"""CUDA C++ in, machine code for one kind of card out, by NVIDIA's compiler library NVRTC.

Every CUDA wheel of PyTorch brings NVRTC, on Windows as on Linux. So this needs no nvcc, no C++ compiler and no Triton,
which live streamers' machines do not have. (`torch.cuda._compile_kernel` does the same, but asks for a CUDA toolkit.)
"""

from __future__ import annotations

import ctypes
import ctypes.util
import sys
from collections.abc import Iterator
from ctypes import byref, c_char_p, c_int, c_size_t, c_void_p
from functools import cache
from pathlib import Path

import torch


class CannotCompile(Exception):
    """No NVRTC, or it refused. The message is for people."""


def compiled(source: str, capability: tuple[int, int]) -> bytes:
    """The machine code (a cubin) of `source` for cards of a compute capability, such as (8, 6). About a second."""
    nvrtc = _library()
    program = c_void_p()
    _check(nvrtc, nvrtc.nvrtcCreateProgram(byref(program), source.encode(), b"kernels.cu", 0, None, None))
    try:
        options = [f"--gpu-architecture=sm_{capability[0]}{capability[1]}".encode(), b"--std=c++17"]
        failed = nvrtc.nvrtcCompileProgram(program, len(options), (c_char_p * len(options))(*options))
        if failed:
            raise CannotCompile(f"NVRTC：{_log(nvrtc, program)[:2000] or _words(nvrtc, failed)}")
        size = c_size_t()
        _check(nvrtc, nvrtc.nvrtcGetCUBINSize(program, byref(size)))
        code = ctypes.create_string_buffer(size.value)
        _check(nvrtc, nvrtc.nvrtcGetCUBIN(program, code))
        return code.raw
    finally:
        nvrtc.nvrtcDestroyProgram(byref(program))


@cache
def _library() -> ctypes.CDLL:
    for name in _names():
        try:
            nvrtc = ctypes.CDLL(name)
            break
        except OSError:
            continue
    else:
        raise CannotCompile("找不到 NVRTC，它随 CUDA 版 PyTorch 一起安装。 / NVRTC comes with PyTorch for CUDA.")
    nvrtc.nvrtcCreateProgram.argtypes = [c_void_p, c_char_p, c_char_p, c_int, c_void_p, c_void_p]
    nvrtc.nvrtcCompileProgram.argtypes = [c_void_p, c_int, c_void_p]
    nvrtc.nvrtcDestroyProgram.argtypes = [c_void_p]
    for name in ("GetCUBINSize", "GetCUBIN", "GetProgramLogSize", "GetProgramLog"):
        getattr(nvrtc, f"nvrtc{name}").argtypes = [c_void_p, c_void_p]
    nvrtc.nvrtcGetErrorString.restype = c_char_p
    return nvrtc


def _names() -> Iterator[str]:
    """Where NVRTC may be: the version that PyTorch was built with, PyTorch's folders, anywhere in the system."""
    packages = Path(torch.__file__).parent.parent
    major = (torch.version.cuda or "").partition(".")[0]
    if sys.platform == "win32":
        yield from (str(path) for path in sorted(packages.glob("torch/lib/nvrtc64_*_0.dll")))
    elif major:
        yield f"libnvrtc.so.{major}"
    yield from (str(path) for path in sorted(packages.glob("nvidia/*/lib/libnvrtc.so.*")))
    if found := ctypes.util.find_library("nvrtc"):
        yield found


def _check(nvrtc: ctypes.CDLL, result: int) -> None:
    if result:
        raise CannotCompile(f"NVRTC：{_words(nvrtc, result)}")


def _words(nvrtc: ctypes.CDLL, result: int) -> str:
    return bytes(nvrtc.nvrtcGetErrorString(result)).decode()


def _log(nvrtc: ctypes.CDLL, program: c_void_p) -> str:
    size = c_size_t()
    nvrtc.nvrtcGetProgramLogSize(program, byref(size))
    log = ctypes.create_string_buffer(max(size.value, 1))
    nvrtc.nvrtcGetProgramLog(program, log)
    return log.value.decode(errors="replace")
