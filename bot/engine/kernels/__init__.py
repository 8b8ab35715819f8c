"""C++ kernels for the CPU: a whole pass through the model in one call. Knows RWKV-7 and nothing of text.

Built once by the machine's own compiler (`build.py`): several times as fast as PyTorch. They come on only when asked:
`RWKV_CUDA_ON=1` (`--cuda_on 1`), as users of the `rwkv` package know it.
Without kernels, `rwkv7.py` computes the same in PyTorch; the log says why, once.
"""

from __future__ import annotations

import logging
import os
from functools import cache

from bot.engine.kernels.build import CannotBuild, built_library
from bot.engine.kernels.fused import Fused
from bot.engine.kernels.native import Library

__all__ = ["Fused", "library", "why_none"]

log = logging.getLogger(__name__)


def library() -> Library | None:
    """The kernels, built and loaded; None where they are switched off or cannot be had."""
    return None if _switched_off() else _attempt()[0]


def why_none() -> str:
    """Why `library()` is None; "" when it is not."""
    return _switched_off() or _attempt()[1]


def _switched_off() -> str:
    """What switches them off; "" when they are on."""
    return "" if os.environ.get("RWKV_CUDA_ON") == "1" else "RWKV_CUDA_ON=1 (--cuda_on 1)"


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
