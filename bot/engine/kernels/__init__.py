"""C++ kernels for the CPU: a whole pass through the model in one call. Knows RWKV-7 and nothing of text.

Built once by the machine's own compiler (`build.py`): several times as fast as PyTorch. They are on where they can be
built and the processor has AVX2 or more, for which they are written. Without them `rwkv7.py` computes the same in PyTorch;
the log says why, once. The variables are those that users of the `rwkv` package know:

    RWKV_CUDA_ON   (`--cuda_on`)   0: no kernels. 1: kernels on any processor. Unset: as above.
    RWKV_JIT_ON    (`--jit_on`)    0: nothing is compiled, so no kernels either
"""

from __future__ import annotations

import logging
import os
from functools import cache

import torch

from bot.engine.kernels.build import CannotBuild, built_library
from bot.engine.kernels.fused import Fused
from bot.engine.kernels.native import Library

__all__ = ["Fused", "library", "why_none"]

log = logging.getLogger(__name__)

WRITTEN_FOR = ("AVX2", "AVX512")
"""What torch calls the processors that the kernels are faster on than PyTorch."""


def library() -> Library | None:
    """The kernels, built and loaded; None where they are switched off or cannot be had."""
    return None if _switched_off() else _attempt()[0]


def why_none() -> str:
    """Why `library()` is None; "" when it is not."""
    return _switched_off() or _attempt()[1]


def _switched_off() -> str:
    """What switches them off; "" when they are on."""
    for variable, option in (("RWKV_JIT_ON", "--jit_on 0"), ("RWKV_CUDA_ON", "--cuda_on 0")):
        if os.environ.get(variable) == "0":
            return option
    if os.environ.get("RWKV_CUDA_ON") == "1" or torch.backends.cpu.get_cpu_capability() in WRITTEN_FOR:
        return ""
    return "这个处理器没有 AVX2；--cuda_on 1 仍可打开 / no AVX2; --cuda_on 1 has them all the same"


@cache
def _attempt() -> tuple[Library | None, str]:
    try:
        return Library(built_library()), ""
    except (CannotBuild, OSError) as error:
        log.warning(
            "没有用上 C++ 内核，改用 PyTorch 计算：结果一样，只是慢一些。%s"
            " / No C++ kernels, PyTorch computes the same more slowly.",
            error,
        )
        return None, str(error)
