"""How fast the CUDA path is on this machine's first card, and how near to the CPU's numbers: for `cohost bench engine`.

`python -m bot.engine.cuda.measure` prints it alone. The models are random, of the shapes of RWKV-7 1.5b and 7.2b. Keys:

    device          the card's name; None, with `why`, where there is none
    torch, cuda     versions
    kernels         whether our kernels run (else PyTorch computes)
    memory_gb_s     at which a plain copy reads and writes the card's memory
    parity          a small model on the card beside the same on the CPU in fp32: `fp32` is the largest difference of a
                    logit, relative to the largest logit; `fp16` and `fp16i8` are mean KL divergences of the next token
    speeds          for each shape and strategy, `prefill` (tokens a second, 512 at once) and for each number of rows that
                    grow together (1, 5, 32, 128)
      .tokens_s       tokens a second of all rows, the likeliest token chosen on the card
      .memory_share   what such a step must read and write (matrices once, states of all rows twice), as a share of what
                      a plain copy would move in that time
                    or a sentence where the model did not fit
"""

from __future__ import annotations

import gc
import time
from typing import Any

import torch
from rich.console import Console
from torch import Tensor

from bot.engine.cuda.library import library
from bot.engine.random_weights import random_weights
from bot.engine.rwkv7 import Model, build_model
from bot.engine.strategy.grammar import parse_strategy
from bot.engine.weights import ModelError, Weights

SHAPES: dict[str, dict[str, Any]] = {
    "1.5b": {"layers": 24, "width": 2048, "ranks": (96, 96, 64, 256)},
    "7.2b": {"layers": 32, "width": 4096, "ranks": (128, 128, 96, 480)},
}
SMALL: dict[str, dict[str, Any]] = {"small": {"layers": 2, "width": 128, "ranks": (16, 16, 16, 32)}}
"""Shows in seconds that everything runs; its figures mean nothing."""

STRATEGIES = {"cuda fp16": 2, "cuda fp16i8": 1}
"""And the bytes of a weight."""

BATCHES = (1, 5, 32, 128)
PROMPT = 512


def cuda_report(quick: bool = False) -> dict[str, Any]:
    """Some minutes on a card, seconds if `quick`; at once where there is none."""
    if not torch.cuda.is_available():
        return {"device": None, "why": "没有可用的 CUDA 显卡 / no CUDA device"}
    card = torch.zeros(1, device="cuda").device
    speed, shapes = copy_speed(card), SMALL if quick else SHAPES
    return {
        "device": torch.cuda.get_device_name(card),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "kernels": library(card) is not None,
        "memory_gb_s": round(speed / 1e9, 1),
        "parity": {name: parity(f"cuda {name}") for name in ("fp32", "fp16", "fp16i8")},
        "speeds": {
            name: {strategy: _speeds(name, shape, strategy, card, speed) for strategy in STRATEGIES}
            for name, shape in shapes.items()
        },
    }


def in_words(report: dict[str, Any]) -> list[str]:
    """What `cuda_report` found, a line each."""
    if report["device"] is None:
        return [f"显卡 / card：{report['why']}"]
    kernels = "有 / on" if report["kernels"] else "无 / off"
    near = "，".join(f"{name} {value:.1e}" for name, value in report["parity"].items())
    lines = [
        f"显卡 / card：{report['device']}，复制 / copies {report['memory_gb_s']:g} GB/s，内核 / kernels：{kernels}",
        f"与 CPU fp32 之差 / from the CPU：{near}",
    ]
    for shape, strategies in report["speeds"].items():
        for strategy, found in strategies.items():
            lines.append(f"{shape} {strategy}：{found if isinstance(found, str) else _figures(found)}")
    return lines


def _figures(found: dict[str, Any]) -> str:
    rows = ((rows, figures) for rows, figures in found.items() if rows != "prefill")
    growing = "，".join(f"{n} 行 / rows {f['tokens_s']:g}（{f['memory_share']:.0%}）" for n, f in rows)
    return f"读入 / prefill {found['prefill']:g}，{growing} tokens/s（占显存速度 / of the memory's speed）"


def copy_speed(device: torch.device, size: int = 1 << 28) -> float:
    """Bytes read and written a second by a plain copy."""
    source, target = (torch.zeros(size, dtype=torch.uint8, device=device) for _ in range(2))
    target.copy_(source)
    seconds = _seconds(device, lambda: target.copy_(source), 20)
    return 2 * size / seconds


def parity(strategy: str) -> float:
    """How far a small model under `strategy` is from `cpu fp32`, over a prompt and some steps of five rows."""
    weights = random_weights(3, 256, 1000, ranks=(32, 32, 16, 64))
    models = [build_model(weights, parse_strategy(name)) for name in ("cpu fp32", strategy)]
    states = [model.zero_state(1) for model in models]
    prompt = torch.arange(1, 41)[None]
    pairs = [[model.forward(prompt, state).cpu() for model, state in zip(models, states, strict=True)]]
    states = [state.repeat(5) for state in states]
    for n in range(8):
        tokens = torch.arange(5)[:, None] + 5 * n
        pairs.append([model.forward(tokens, state).cpu() for model, state in zip(models, states, strict=True)])
    exact, ours = (torch.cat(logits) for logits in zip(*pairs, strict=True))
    if strategy.endswith("fp32"):
        return float((ours - exact).abs().max() / exact.abs().max())
    p, q = exact.log_softmax(-1), ours.log_softmax(-1)
    return float((p.exp() * (p - q)).sum(-1).mean())


def _speeds(name: str, shape: dict[str, Any], strategy: str, card: torch.device, copied: float) -> dict[str, Any] | str:
    try:
        model = build_model(large_weights(**shape, device=card), parse_strategy(strategy), name)
        return speeds(model, STRATEGIES[strategy], copied)
    except (ModelError, torch.OutOfMemoryError) as error:
        return f"显存不够 / not enough memory: {error}"
    finally:
        gc.collect()
        torch.cuda.empty_cache()


def large_weights(layers: int, width: int, ranks: tuple[int, int, int, int], device: torch.device) -> Weights:
    """Weights whose layers from the second on are the same tensors, in bf16: a model in another format copies each."""
    two = {name: w.to(device, torch.bfloat16) for name, w in random_weights(2, width, ranks=ranks).items()}
    second = {name.removeprefix("blocks.1."): w for name, w in two.items() if name.startswith("blocks.1.")}
    return two | {f"blocks.{layer}.{name}": w for layer in range(2, layers) for name, w in second.items()}


def speeds(
    model: Model, weight_bytes: int, copied: float, batches: tuple[int, ...] = BATCHES, steps: int = 32
) -> dict[str, Any]:
    """`copied` is the bytes a second of a plain copy."""
    one, prompt = model.zero_state(1), torch.arange(PROMPT)[None] % model.vocab
    device = one.tensors["wkv"].device
    matrices = weight_bytes * (model.parameters - model.vocab * model.shape.width)  # the embedding is looked up
    reading = _seconds(device, lambda: model.forward(prompt, one), 3)
    found: dict[str, Any] = {"prefill": round(PROMPT / reading)}
    for batch in batches:
        state, tokens = model.zero_state(batch), torch.zeros(batch, 1, dtype=torch.long, device=device)

        def step(state: Any = state, tokens: Tensor = tokens) -> None:
            tokens.copy_(model.forward(tokens, state).argmax(dim=-1, keepdim=True))

        seconds = _seconds(device, step, steps)
        moved = matrices + 2 * batch * one.nbytes
        found[str(batch)] = {
            "tokens_s": round(batch / seconds, 1),
            "memory_share": round(moved / seconds / copied, 3),
        }
    return found


def _seconds(device: torch.device, call: Any, times: int) -> float:
    """Of one call, after three for nothing: libraries get ready, graphs are made."""
    for _ in range(3):
        call()
    _wait(device)
    begin = time.perf_counter()
    for _ in range(times):
        call()
    _wait(device)
    return (time.perf_counter() - begin) / times


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


if __name__ == "__main__":
    Console().print_json(data=cuda_report())
