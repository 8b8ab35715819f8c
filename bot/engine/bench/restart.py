"""How soon drafts come after a restart: with the scene's state on disk (warm), and without (cold).

Real processes, as in a show: start, load, read the scene, draft. `report` returns

    shape, strategy  of the random model
    drafts, rounds   asked for at once; how often each side was measured, in turns
    threads          that the model computes with
    prompt_tokens    length of the scene with its cue
    state_bytes      of the files that a warm start may read
    cold, warm       medians over the rounds, in seconds
      .load            from the start of the process to a model that is ready
      .first_text      from the request to the first text of any draft
      .last_draft      from the request to the end of the last draft
      .total           from the start of the process to the end of the last draft
      .tokens_read     tokens that the model had to read, all rounds alike
    cold_over_warm   how many times as long the cold start takes, medians of each round's own ratio: the same keys
    same_text        whether every warm start said what its cold start had said
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import torch

from bot.engine.process import LocalEngine
from bot.engine.random_weights import random_weights
from bot.engine.states.keeping import Keeping
from bot.engine.types import DraftDone, EngineState, Prompt, Sampling

FULL = {"layers": 12, "width": 768, "vocab": 65536}
"""The shape of the 0.1b model."""

QUICK = {"layers": 2, "width": 64, "vocab": 65536}
"""A shape that shows in seconds that everything runs; its figures mean little."""

STRATEGY = "cpu bf16"
DRAFTS = 5
TOKENS = 20
"""In a draft."""

SCENE = "小溪一边画画，一边陪大家聊天，窗外下着雨，桌上的茶还冒着热气。"
PROMPT = Prompt((SCENE * 64, "\n\n", "观众:", " 【阿强】晚上好", "\n\n", "小溪:"), keep=(2,))
KEPT = 2
"""States that this prompt leaves: at the end of the scene and at its own end."""

PATIENCE = 300.0
"""Seconds after which something is broken."""

TIMES = ("load", "first_text", "last_draft", "total")

Figures = dict[str, float]


def report(quick: bool = False) -> dict[str, Any]:
    """Measures for about a minute; `quick`: a tiny model and one round."""
    shape, rounds = (QUICK, 1) if quick else (FULL, 5)
    with tempfile.TemporaryDirectory(prefix="cohost-bench-") as folder:
        model = Path(folder) / "random.pth"
        torch.save(
            {
                name: tensor.bfloat16()
                for name, tensor in random_weights(shape["layers"], shape["width"], shape["vocab"]).items()
            },
            model,
        )
        pairs = [_round(model, Path(folder) / f"states-{n}") for n in range(rounds)]
        size = sum(path.stat().st_size for path in (Path(folder) / "states-0").rglob("*.safetensors"))
    cold, warm = [pair[0][0] for pair in pairs], [pair[1][0] for pair in pairs]
    return {
        "shape": shape,
        "strategy": STRATEGY,
        "drafts": DRAFTS,
        "rounds": rounds,
        "threads": torch.get_num_threads(),
        "prompt_tokens": int(cold[0]["tokens_read"]),
        "state_bytes": size,
        "cold": _medians(cold),
        "warm": _medians(warm),
        "cold_over_warm": {
            key: round(median(c[key] / w[key] for c, w in zip(cold, warm, strict=True)), 2) for key in TIMES
        },
        "same_text": all(first[1] == second[1] for first, second in pairs),
    }


def _medians(lives: list[Figures]) -> Figures:
    return {key: round(median(life[key] for life in lives), 3) for key in (*TIMES, "tokens_read")}


def _round(model: Path, states: Path) -> tuple[tuple[Figures, list[str]], tuple[Figures, list[str]]]:
    """A cold start on an empty folder, then a warm one on what it left there."""
    return asyncio.run(_life(model, states)), asyncio.run(_life(model, states))


async def _life(model: Path, states: Path) -> tuple[Figures, list[str]]:
    """One process from start to end: how long everything took, and what was said."""
    begin = time.perf_counter()
    engine = LocalEngine(model, STRATEGY, threads=torch.get_num_threads(), keeping=Keeping(disk=1 << 30, folder=states))
    running = asyncio.create_task(engine.run())
    try:
        await _until(lambda: engine.status.state is not EngineState.LOADING)
        ready = time.perf_counter()
        first, texts = 0.0, dict[int, str]()
        async for event in engine.drafts(PROMPT, DRAFTS, Sampling(seed=1, max_tokens=TOKENS, min_tokens=TOKENS)):
            first = first or time.perf_counter()
            if isinstance(event, DraftDone):
                texts[event.index] = event.text
        end = time.perf_counter()
        await _until(lambda: len(list(states.rglob("*.safetensors"))) >= KEPT)
        await _until(lambda: engine.status.figures.get("tokens_drawn", 0) > 0)
        times = {"load": ready - begin, "first_text": first - ready, "last_draft": end - ready, "total": end - begin}
        return times | {"tokens_read": engine.status.figures["tokens_read"]}, [texts[n] for n in sorted(texts)]
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def _until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not happened():  # noqa: ASYNC110 - a file that appears is no event
            await asyncio.sleep(0.002)
