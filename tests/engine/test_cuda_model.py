"""The whole model by the operations of a card: our kernels, 8-bit products and graphs together. Here they run on the CPU."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from bot.engine import arithmetic, rwkv7
from bot.engine.cuda import Graphs, products
from bot.engine.cuda import wkv as cuda_wkv
from bot.engine.random_weights import random_weights
from bot.engine.rwkv7 import Model, build_model
from bot.engine.strategy import placing
from bot.engine.strategy.grammar import parse_strategy
from tests.engine.cuda_on_cpu import OnCpu
from tests.engine.test_cuda_graphs import FakeCapture
from tests.engine.test_wkv import distance

CLOSE = {"cpu fp32": 1e-5, "cpu fp16": 5e-3, "cpu bf16": 0.05, "cpu fp16i8": 5e-3}
"""Largest difference of a logit, relative to the largest. A CPU computes fp16 in fp32; a card rounds inputs to 11 bits.
Products in bf16 are rounded on a CPU and not on a card."""

WEIGHTS = {"layers": 2, "width": 64, "vocab": 50, "head_size": 32, "ranks": (16, 24, 8, 32), "hidden": 128}


@dataclass
class Pass:
    """The logits after a prompt, and after each of some steps of three rows."""

    prompt: Tensor
    steps: list[Tensor]


def run(model: Model) -> Pass:
    one = model.zero_state(1)
    prompt = model.forward(torch.arange(1, 10)[None], one)
    three = one.repeat(3)
    return Pass(prompt, [model.forward(torch.tensor([[n], [n + 20], [n + 40]]), three) for n in range(3)])


@pytest.fixture
def as_on_a_card(on_cpu: OnCpu, monkeypatch: pytest.MonkeyPatch) -> OnCpu:
    """A model that is built now takes the CPU for a card."""
    ops = arithmetic.Arithmetic(arithmetic._linear_on_card, cuda_wkv.wkv_step, cuda_wkv.wkv_scan)
    for module in (placing, rwkv7):
        monkeypatch.setattr(module, "arithmetic", lambda device: ops)
    for module in (cuda_wkv, products):
        monkeypatch.setattr(module, "library", lambda device: on_cpu)
    monkeypatch.setattr(placing, "input_type", lambda device, dtype: dtype)
    on_cpu.launched.clear()
    return on_cpu


@pytest.mark.parametrize("strategy", CLOSE)
def test_a_model_on_a_card_is_the_model(
    strategy: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prompt and drafts, steps as graphs: the logits of the same strategy on the CPU, and the kernels had a part in it."""
    monkeypatch.delenv("RWKV_CUDA_ON", raising=False)
    monkeypatch.setattr(rwkv7, "_fused", lambda *rest: None)
    weights, plan = random_weights(**WEIGHTS), parse_strategy(strategy)
    expected = run(build_model(weights, plan))
    kernels: OnCpu = request.getfixturevalue("as_on_a_card")
    model = build_model(weights, plan)
    capture = FakeCapture()
    model._step = Graphs(model._plain_step, model.zero_state, capture)
    ours = run(model)
    assert distance(ours.prompt, expected.prompt) < CLOSE[strategy]
    for step, theirs in zip(ours.steps, expected.steps, strict=True):
        assert distance(step, theirs) < CLOSE[strategy]
    assert capture.sizes == [3] and capture.replays == 3
    names = {name.rpartition("_")[0] for name in kernels.launched}
    assert names == ({"wkv"} if not strategy.endswith("i8") else {"wkv", f"int8_{strategy[4:8]}"})


def test_without_a_card_nothing_of_this_is_imported() -> None:
    """A run on the CPU does not pay for it, and cannot fail in it."""
    code = "import sys, bot.engine.work, bot.engine.bench.run; sys.exit(any(m.startswith('bot.engine.cuda') for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
