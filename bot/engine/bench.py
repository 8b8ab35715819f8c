"""`cohost bench engine`: our engine beside the `rwkv` package, on the same random weights, in turns within one run.

JSON keys. All speeds are tokens a second, medians over the rounds; all ratios are medians of each round's own ratio, so
that a machine that is busy for a while slows both sides.

    shape            layers, width, vocab
    rounds, threads, torch
    rwkv             the package, `cpu fp32`, its best on a CPU: prefill, one_draft, five_drafts (one after another)
    strategies       for each of ours: prefill, one_draft, five_drafts (together in one batch), and
      .five_over_one   what five drafts together cost, in times of one draft (at most 2.5 is asked for)
      .vs_rwkv         prefill, one_draft, five_drafts: how many times as fast as the package
    best             the strategy with the fastest five drafts
    five_over_one, vs_rwkv   those of `best`
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from bot.engine.process import worker_environment
from bot.engine.random_weights import random_weights

TASKS = ("prefill", "one_draft", "five_drafts")
STRATEGIES = ("cpu fp32", "cpu bf16")

FULL = {"layers": 12, "width": 768, "vocab": 65536}
"""The shape of the 0.1b model."""

QUICK = {"layers": 2, "width": 128, "vocab": 2000}
"""A shape that shows in seconds that everything runs; its figures mean nothing."""

Rounds = dict[str, dict[str, list[float]]]  # side -> task -> tokens a second in each round


def run(as_json: bool = False, *, quick: bool = False) -> dict[str, Any]:
    """Measures for about two minutes, prints a table or JSON, and returns what JSON would say."""
    shape, rounds = (QUICK, 3) if quick else (FULL, 5)
    with tempfile.TemporaryDirectory(prefix="cohost-bench-") as folder:
        model = Path(folder) / "random.pth"
        weights = random_weights(shape["layers"], shape["width"], shape["vocab"])
        torch.save({name: tensor.bfloat16() for name, tensor in weights.items()}, model)
        found = _measure(model, rounds)
    report = {"shape": shape, "rounds": rounds, "threads": torch.get_num_threads(), "torch": torch.__version__}
    report |= summary(found)
    if as_json:
        print(json.dumps(report, indent=2))
    else:
        _print_table(report)
    return report


def summary(found: Rounds) -> dict[str, Any]:
    """Medians and ratios of what was measured."""
    report: dict[str, Any] = {"rwkv": _speeds(found["rwkv"]), "strategies": {}}
    for name in (name for name in found if name != "rwkv"):
        ours, theirs = found[name], found["rwkv"]
        report["strategies"][name] = _speeds(ours) | {
            "five_over_one": _ratio([5 * one for one in ours["one_draft"]], ours["five_drafts"]),
            "vs_rwkv": {task: _ratio(ours[task], theirs[task]) for task in TASKS},
        }
    best = max(report["strategies"], key=lambda name: report["strategies"][name]["five_drafts"])
    return report | {"best": best} | {key: report["strategies"][best][key] for key in ("five_over_one", "vs_rwkv")}


def _speeds(tasks: dict[str, list[float]]) -> dict[str, Any]:
    return {task: round(median(speeds), 1) for task, speeds in tasks.items()}


def _ratio(above: list[float], below: list[float]) -> float:
    return round(median(a / b for a, b in zip(above, below, strict=True)), 2)


def _measure(model: Path, rounds: int) -> Rounds:
    """Every side does every task once a round; they take turns, and only one computes at a time."""
    sides = {name: _start(name, model) for name in ("rwkv", *STRATEGIES)}
    found: Rounds = {name: {task: [] for task in TASKS} for name in sides}
    try:
        for _ in range(rounds):
            for task in TASKS:
                for name, side in sides.items():
                    found[name][task].append(float(_ask(side, task)))
    finally:
        for side in sides.values():
            side.kill()
            side.communicate()
    return found


def _start(name: str, model: Path) -> subprocess.Popen[str]:
    """Waits until the side is ready, so that the next one loads in peace."""
    side = subprocess.Popen(
        [sys.executable, "-P", "-m", "bot.engine.bench_contender", name, str(model)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=_environment(name),
    )
    _answer(side)
    return side


def _environment(name: str) -> dict[str, str]:
    """Ours as in the engine's worker; the package as it is when someone runs it."""
    environment = worker_environment()
    if name == "rwkv" and "OMP_WAIT_POLICY" not in os.environ:
        del environment["OMP_WAIT_POLICY"]
    return environment


def _ask(side: subprocess.Popen[str], task: str) -> str:
    assert side.stdin is not None
    print(task, file=side.stdin, flush=True)
    return _answer(side)


def _answer(side: subprocess.Popen[str]) -> str:
    assert side.stdout is not None
    line = side.stdout.readline()
    if not line:
        raise RuntimeError(f"the process that measures ended with code {side.wait()}: {side.args!r}")
    return line.strip()


def _print_table(report: dict[str, Any]) -> None:
    table = Table(
        "", "读入 256 词 / prefill", "一条候选 / one draft", "五条候选 / five drafts", title="tokens/s（× rwkv）"
    )
    table.add_row("rwkv, cpu fp32", *(f"{report['rwkv'][task]:g}" for task in TASKS))
    for name, side in report["strategies"].items():
        table.add_row(name, *(f"{side[task]:g}（{side['vs_rwkv'][task]:g}×）" for task in TASKS))
    console = Console()
    console.print(table)
    console.print(
        f"五条候选的耗时是一条的 {report['five_over_one']:g} 倍（{report['best']}） / five drafts cost that of one"
    )
