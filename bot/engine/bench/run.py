"""`cohost bench engine`: our engine beside the `rwkv` package, on the same random weights, in turns within one run.

`cohost bench engine` measures with our C++ kernels, and with RWKV_CUDA_ON=0 in the environment without them.
llama.cpp is measured too where `llama-cpp-python` and `gguf` are installed (extra `[bench]`).

JSON keys. All speeds are tokens a second, medians over the rounds; all ratios are medians of each round's own ratio, so
that a machine that is busy for a while slows both sides.

    shape            layers, width, vocab
    rounds, threads, torch
    kernels          the instructions that our C++ kernels use; "" when PyTorch computes
    rwkv             the package, `cpu fp32`, its best on a CPU: prefill, one_draft, five_drafts (one after another)
    llama            `llama.cpp F16` and `llama.cpp Q8_0`, when installed: the same tasks (five drafts in one batch)
    memory_gb_s      at which a plain sum on all threads reads memory
    strategies       for each of ours: prefill, one_draft, five_drafts (together in one batch), and
      .five_over_one   what five drafts together cost, in times of one draft (at most 2.5 is asked for)
      .vs_rwkv         prefill, one_draft, five_drafts: how many times as fast as the package
      .vs_llama        for each of `llama`: the same ratios
      .memory_share    weights read a second by one_draft and five_drafts, as a share of `memory_gb_s`
    int8             `cpu fp32i8` beside `cpu fp32`: mean KL divergence of the next-token distributions (kl) and how
                     often the likeliest token is the same (agreement), for the demo model (demo) and a random one of
                     the shape measured (random)
    cuda             the first graphics card, as `bot/engine/cuda/measure.py` says; `device` None where there is none
    restart          drafts after a restart, warm and cold, as `bot/engine/bench/restart.py` says
    targets          what all this is held to (`bot/engine/bench/targets.py`), for two cores and the shape of the 0.1b: for
                     each `figure` of this report what is `wanted`, what was `reached`, and whether that is enough (`met`;
                     null where a peer is missing); `aim` marks what goes beyond
    best             the strategy with the fastest five drafts
    five_over_one, vs_rwkv   those of `best`
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from statistics import mean, median
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from bot.engine import kernels
from bot.engine.bench import restart as bench_restart
from bot.engine.bench.contender import LLAMA
from bot.engine.bench.targets import judged
from bot.engine.process import worker_environment
from bot.engine.random_weights import random_weights
from bot.engine.rwkv7 import build_model
from bot.engine.strategy.grammar import parse_strategy
from bot.engine.weights import Weights, check_rwkv7, read_weights

TASKS = ("prefill", "one_draft", "five_drafts")
STRATEGIES = ("cpu fp32", "cpu bf16", "cpu fp32i8")
WEIGHT_BYTES = {"cpu fp32": 4, "cpu bf16": 2, "cpu fp32i8": 1}

FULL = {"layers": 12, "width": 768, "vocab": 65536}
"""The shape of the 0.1b model."""

QUICK = {"layers": 2, "width": 128, "vocab": 2000}
"""A shape that shows in seconds that everything runs; its figures mean nothing."""

DEMO = Path(__file__).parents[1] / "demo" / "model.safetensors"

Rounds = dict[str, dict[str, list[float]]]  # side -> task -> tokens a second in each round


def run(as_json: bool = False, *, quick: bool = False) -> dict[str, Any]:
    """Measures for some minutes, prints a table or JSON, and returns what JSON would say."""
    shape, rounds = (QUICK, 3) if quick else (FULL, 5)
    report: dict[str, Any] = {
        "shape": shape,
        "rounds": rounds,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    library = kernels.library()
    report["kernels"] = library.processor if library else ""
    weights = random_weights(shape["layers"], shape["width"], shape["vocab"])
    with tempfile.TemporaryDirectory(prefix="cohost-bench-") as folder:
        files = _files(Path(folder), weights)
        found = _measure(files, rounds)
    report |= summary(found, sum(w.numel() for name, w in weights.items() if name != "emb.weight" and w.dim() > 1))
    report["int8"] = {"demo": closeness(read_weights(DEMO)), "random": closeness(weights)}
    report["cuda"] = _card(quick)
    report["restart"] = bench_restart.report(quick)
    report["targets"] = judged(report)
    if as_json:
        print(json.dumps(report, indent=2))
    else:
        _print_table(report)
    return report


def _card(quick: bool) -> dict[str, Any]:
    from bot.engine.cuda.measure import cuda_report  # nothing of CUDA is imported where it is not wanted

    return cuda_report(quick)


def _files(folder: Path, weights: Weights) -> dict[str, Path]:
    """What each side loads."""
    ours = folder / "random.pth"
    torch.save({name: tensor.bfloat16() for name, tensor in weights.items()}, ours)
    files = dict.fromkeys(("rwkv", *STRATEGIES), ours)
    if find_spec("llama_cpp") and find_spec("gguf"):
        from bot.engine.bench.gguf import write_gguf

        for name in LLAMA:
            files[name] = folder / f"{name}.gguf"
            write_gguf(files[name], weights, check_rwkv7(weights, name), quantised=name.endswith("Q8_0"))
    return files


def closeness(weights: Weights, length: int = 40) -> dict[str, float]:
    """How near int8 comes to fp32, over eight texts that the fp32 model draws from its own distribution."""
    exact, eight = (build_model(weights, parse_strategy(name)) for name in ("cpu fp32", "cpu fp32i8"))
    states = exact.zero_state(8), eight.zero_state(8)
    chance = torch.Generator().manual_seed(0)
    token = torch.zeros(8, 1, dtype=torch.long)
    kl, same = [], []
    for _ in range(length):
        p, q = (m.forward(token, s).log_softmax(-1) for m, s in zip((exact, eight), states, strict=True))
        kl.append(float((p.exp() * (p - q)).sum(-1).mean()))
        same.append(float((p.argmax(-1) == q.argmax(-1)).float().mean()))
        token = torch.multinomial(p.exp(), 1, generator=chance)
    return {"kl": round(mean(kl), 6), "agreement": round(mean(same), 4)}


def summary(found: Rounds, parameters: int) -> dict[str, Any]:
    """Medians and ratios of what was measured; `parameters` are those that every step reads."""
    llama = {name: _speeds(found[name]) for name in LLAMA if name in found}
    report: dict[str, Any] = {"rwkv": _speeds(found["rwkv"]), "llama": llama, "strategies": {}}
    read = found["memory"]["read"]
    report["memory_gb_s"] = round(median(read) / 1e9, 1)
    for name in (name for name in found if name in STRATEGIES):
        ours, weights = found[name], WEIGHT_BYTES[name] * parameters
        report["strategies"][name] = _speeds(ours) | {
            "five_over_one": _ratio([5 * one for one in ours["one_draft"]], ours["five_drafts"]),
            "vs_rwkv": _ratios(ours, found["rwkv"]),
            "vs_llama": {peer: _ratios(ours, found[peer]) for peer in llama},
            "memory_share": {
                "one_draft": _ratio([speed * weights for speed in ours["one_draft"]], read),
                "five_drafts": _ratio([speed / 5 * weights for speed in ours["five_drafts"]], read),
            },
        }
    best = max(report["strategies"], key=lambda name: report["strategies"][name]["five_drafts"])
    return report | {"best": best} | {key: report["strategies"][best][key] for key in ("five_over_one", "vs_rwkv")}


def _ratios(ours: dict[str, list[float]], theirs: dict[str, list[float]]) -> dict[str, float]:
    return {task: _ratio(ours[task], theirs[task]) for task in TASKS}


def _speeds(tasks: dict[str, list[float]]) -> dict[str, Any]:
    return {task: round(median(speeds), 1) for task, speeds in tasks.items()}


def _ratio(above: list[float], below: list[float]) -> float:
    return round(median(a / b for a, b in zip(above, below, strict=True)), 2)


def _measure(files: dict[str, Path], rounds: int) -> Rounds:
    """Every side does every task once a round; they take turns, and only one computes at a time."""
    sides = {name: _start(name, path) for name, path in files.items()}
    found: Rounds = {name: {task: [] for task in TASKS} for name in sides}
    found["memory"] = {"read": []}
    try:
        for _ in range(rounds):
            found["memory"]["read"].append(float(_ask(sides["rwkv"], "read")))
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
        [sys.executable, "-P", "-m", "bot.engine.bench.contender", name, str(model)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=_environment(name),
    )
    _answer(side)
    return side


def _environment(name: str) -> dict[str, str]:
    """Ours as in the real program, where waiting threads sleep; the peers as they are, or they would be far slower."""
    environment = worker_environment()
    if name not in STRATEGIES:
        environment.pop("RWKV_CUDA_ON", None)  # the package would look for a GPU's compiler
        if "OMP_WAIT_POLICY" not in os.environ:
            environment.pop("OMP_WAIT_POLICY", None)
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
    for name, side in report["llama"].items():
        table.add_row(name, *(f"{side[task]:g}" for task in TASKS))
    for name, side in report["strategies"].items():
        table.add_row(name, *(f"{side[task]:g}（{side['vs_rwkv'][task]:g}×）" for task in TASKS))
    console = Console()
    console.print(table)
    console.print(
        f"五条候选的耗时是一条的 {report['five_over_one']:g} 倍（{report['best']}） / five drafts cost that of one"
    )
    console.print(f"内核 / kernels：{report['kernels'] or kernels.why_none()}")
    for name, near in report["int8"].items():
        console.print(f"int8 与 fp32（{name}）：KL {near['kl']:g}，首选一致 / same choice {near['agreement']:.1%}")
    cold, warm = (report["restart"][start]["first_text"] for start in ("cold", "warm"))
    console.print(f"重启后的第一个字 / first text after a restart：冷 / cold {cold:.2f} s，热 / warm {warm:.2f} s")
    console.print(_targets(report["targets"]))
    from bot.engine.cuda.measure import in_words

    for line in in_words(report["cuda"]):
        console.print(line)


def _targets(targets: list[dict[str, Any]]) -> Table:
    table = Table("目标 / target", "要求 / wanted", "达到 / reached", "", title="两核、0.1b 的目标 / for two cores")
    marks = {True: "✓", False: "✗", None: "没有测 / not measured"}
    for target in targets:
        reached = "" if target["reached"] is None else f"{target['reached']:g}"
        table.add_row(target["figure"], target["wanted"], reached, marks[target["met"]])
    return table
