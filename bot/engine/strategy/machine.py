"""What this machine has: graphics cards, memory, what its processor computes. Everything is asked for, nothing changed."""

from __future__ import annotations

import ctypes
import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import torch

from bot.engine import kernels
from bot.engine.strategy.auto import Card, Choice, Machine, ModelSize, choose
from bot.engine.strategy.grammar import Strategy, StrategyError, is_auto, parse_strategy

log = logging.getLogger(__name__)


def this_machine() -> Machine:
    return Machine(cards(), free_memory(), _cpu_has_bf16() or kernels.library() is not None)


def cards() -> tuple[Card, ...]:
    """Those that PyTorch can use."""
    return tuple(card for number in range(torch.cuda.device_count()) if (card := _card(number)) is not None)


def settled(strategy: str, size: ModelSize, machine: Callable[[], Machine] = this_machine) -> Choice:
    """What is written, if it can be here and for this model; what `auto` means otherwise. StrategyError or ModelError."""
    if is_auto(strategy):
        return choose(size, machine())
    written = parse_strategy(strategy)
    check_devices(written)
    written.plan(size.layers)
    return Choice(written, why="")


def check_devices(strategy: Strategy) -> None:
    """StrategyError if a stage names a card that is not there."""
    count = torch.cuda.device_count()
    for number, stage in enumerate(strategy.stages):
        if stage.device.startswith("cuda") and int(stage.device.partition(":")[2] or 0) >= count:
            raise StrategyError(
                f"运行策略 {strategy.marked(number)}要用 {stage.device}，但 PyTorch 在这台机器上找到 {count} 块可用显卡。"
                f"{_instead(count)} / No such card; see the examples."
            )


def _instead(cards: int) -> str:
    if not cards:
        return '请写 "auto"、"cpu fp32" 或 "cpu bf16"；有显卡的话，请装 CUDA 版的 PyTorch。'
    split = " -> ".join(f"cuda:{number} fp16" for number in range(cards))
    return f'请写 "auto" 或 "{split}"。'


def _card(number: int) -> Card | None:
    """None for a card that this PyTorch has no code for, or that does not answer."""
    try:
        major, minor = torch.cuda.get_device_capability(number)
        if not _has_code(major, minor, torch.cuda.get_arch_list()):
            log.warning("cuda:%d (sm_%d%d) is not supported by this PyTorch", number, major, minor)
            return None
        return Card(f"cuda:{number}", torch.cuda.mem_get_info(number)[0])
    except RuntimeError as error:  # another program has it for itself, a broken driver
        log.warning("cuda:%d: %s", number, error)
        return None


def _has_code(major: int, minor: int, built_for: list[str]) -> bool:
    """`built_for` is such as sm_86 or compute_90: machine code runs on later minor versions, the other on all later."""
    for kind, _, number in (name.partition("_") for name in built_for):
        code = int("".join(filter(str.isdigit, number)))
        there = 10 * major + minor
        if code <= there and (kind == "compute" or code // 10 == major):
            return True
    return not built_for


def _cpu_has_bf16() -> bool:
    probe = getattr(torch.cpu, "_is_avx512_bf16_supported", None)  # private, so it may go away: then fp32
    return bool(probe and probe())


def free_memory(system: str = sys.platform) -> int | None:
    """Bytes that a new program can have; None where the system does not tell."""
    if system == "linux":
        return _free_on_linux()
    return _free_on_windows() if system == "win32" else _half_of_all()


def _free_on_linux(proc: Path = Path("/proc/meminfo"), group: Path = Path("/sys/fs/cgroup")) -> int | None:
    """What the kernel calls available, or less where a container sets a limit."""
    lines = dict(line.split(":", 1) for line in proc.read_text().splitlines() if ":" in line)
    if "MemAvailable" not in lines:
        return None
    free = 1024 * int(lines["MemAvailable"].split()[0])
    with suppress(OSError, ValueError):  # no such limit: the file is not there, or says "max"
        limit, used = (int((group / name).read_text()) for name in ("memory.max", "memory.current"))
        cached = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        free = min(free, limit - used + int(cached.get("inactive_file", 0)))
    return max(free, 0)


def _free_on_windows() -> int | None:
    class Status(ctypes.Structure):
        """MEMORYSTATUSEX of the Windows API."""

        _fields_ = (
            *(("length", ctypes.c_ulong), ("load", ctypes.c_ulong)),
            *(
                (name, ctypes.c_ulonglong)
                for name in ("all", "free", "page_all", "page_free", "own", "own_free", "ext")
            ),
        )

    status = Status(length=ctypes.sizeof(Status))
    windll = getattr(ctypes, "windll", None)
    return int(status.free) if windll and windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)) else None


def _half_of_all() -> int | None:
    """macOS tells how much there is; half of it is a fair guess."""
    with suppress(ValueError, OSError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    return None
