"""Where the model runs and in which number format, from a text such as `cpu bf16` or `cuda:0 fp16`.

Only one device and one format yet; parts of a model on several devices will be written `... -> ...` here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch

from bot.engine.weights import ModelError

FORMATS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
_GRAMMAR = re.compile(r"(cpu|cuda(?::\d+)?) +(fp32|bf16|fp16)(i8)?")


@dataclass(frozen=True, slots=True)
class Strategy:
    """Matrix products run on `device` in `dtype`; states, norms and mixing are float32 everywhere."""

    device: torch.device
    dtype: torch.dtype
    int8: bool = False  # matrices are kept in eight bits; what they are multiplied with is not

    def __str__(self) -> str:
        names = {dtype: name for name, dtype in FORMATS.items()}
        return f"{self.device} {names[self.dtype]}{'i8' if self.int8 else ''}"


def parse_strategy(text: str) -> Strategy:
    """`auto`, `cpu fp32`, `cpu bf16`, `cpu fp32i8`, `cuda fp16`, `cuda:1 bf16` ...; ModelError, with examples, for anything else."""
    if text.strip().lower() in ("", "auto"):
        return auto_strategy()
    match = _GRAMMAR.fullmatch(text.strip().lower())
    if match is None:
        raise ModelError(
            f'看不懂运行策略 strategy: "{text}"。例如 "auto"、"cpu fp32"、"cpu bf16"、"cpu fp32i8"、"cuda fp16"、"cuda:0 bf16"。'
            " / Unknown strategy; see the examples."
        )
    device, form, int8 = match.groups()
    if int8 and (device, form) != ("cpu", "fp32"):
        raise ModelError(
            f'8 位权重目前只能在 CPU 上以 fp32 计算："{text}" 请写成 "cpu fp32i8"。 / int8 runs as "cpu fp32i8".'
        )
    if device == "cpu" and form == "fp16":
        raise ModelError('CPU 上不支持 fp16。请写 "cpu fp32" 或 "cpu bf16"。 / fp16 is for GPUs; write "cpu fp32".')
    if device.startswith("cuda"):
        _check_cuda(device)
    return Strategy(torch.device(device), FORMATS[form], bool(int8))


def auto_strategy() -> Strategy:
    """The GPU when there is one; else the CPU, in bf16 only if it computes that itself (or it is slower)."""
    if torch.cuda.is_available():
        return Strategy(torch.device("cuda"), torch.float16)
    return Strategy(torch.device("cpu"), torch.bfloat16 if _cpu_has_bf16() else torch.float32)


def _cpu_has_bf16() -> bool:
    probe = getattr(torch.cpu, "_is_avx512_bf16_supported", None)  # private, so it may go away: then fp32
    return bool(probe and probe())


def _check_cuda(device: str) -> None:
    number = int(device.partition(":")[2] or 0)
    if number >= torch.cuda.device_count():
        raise ModelError(
            f"运行策略要用 {device}，但 PyTorch 在这台机器上找到 {torch.cuda.device_count()} 块可用显卡。"
            '请写 "auto" 或 "cpu fp32"。 / No such GPU; write "auto".'
        )
