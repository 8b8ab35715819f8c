"""What is measured on a card is measured rightly: tried with a small model on the CPU."""

from __future__ import annotations

import pytest
import torch

from bot.engine.cuda import measure
from bot.engine.rwkv7 import Model, build_model
from bot.engine.strategy.grammar import parse_strategy
from bot.engine.weights import too_large


@pytest.mark.skipif(torch.cuda.is_available(), reason="a card is here")
def test_without_a_card_it_says_so() -> None:
    """At once, and in words."""
    report = measure.cuda_report()
    assert report == {"device": None, "why": "没有可用的 CUDA 显卡 / no CUDA device"}
    assert measure.in_words(report) == ["显卡 / card：没有可用的 CUDA 显卡 / no CUDA device"]


def test_a_model_is_near_itself_and_another_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """The distance that stands for parity: nothing for the same model, something for a changed one."""
    assert measure.parity("cpu fp32") == 0
    assert 0 < measure.parity("cpu bf16") < 0.2

    def changed(weights: dict[str, torch.Tensor], *rest: object) -> Model:
        weights["head.weight"] = weights["head.weight"] * 1.1
        return build_model(weights, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(measure, "build_model", changed)
    assert measure.parity("cpu fp32") > 0.05


def test_speeds_and_shares_belong_together(tiny: Model) -> None:
    """Each share is what a step moves, by its speed, over the copy's."""
    copied = 1e9
    found = measure.speeds(tiny, 4, copied, batches=(1, 3), steps=2)
    assert found["prefill"] > 0
    matrices = 4 * (12 * 2 * 64**2 + tiny.vocab * 64)
    for batch in (1, 3):
        moved = matrices + 2 * batch * tiny.zero_state(1).nbytes
        figures = found[str(batch)]
        assert figures["memory_share"] == pytest.approx(
            moved * figures["tokens_s"] / batch / copied, rel=0.01, abs=6e-4
        )


def test_a_model_that_does_not_fit_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its place in the report says so, and the other models are measured."""

    def full(*rest: object) -> Model:
        raise too_large("7.2b")

    here, small = torch.device("cpu"), {"layers": 2, "width": 64, "ranks": (8, 8, 8, 16)}
    monkeypatch.setattr(measure, "STRATEGIES", {"cpu fp32": 4})
    found = measure._speeds("small", small, "cpu fp32", here, 1e9)
    assert isinstance(found, dict) and set(found) == {"prefill", "1", "5", "32", "128"}
    monkeypatch.setattr(measure, "build_model", full)
    assert "显存不够" in measure._speeds("7.2b", small, "cpu fp32", here, 1e9)


def test_a_report_in_words_has_every_figure(tiny: Model) -> None:
    """And says in words which model did not fit."""
    speeds = measure.speeds(tiny, 4, 1e9, batches=(1, 5), steps=1)
    report = {
        "device": "Some Card",
        "kernels": True,
        "memory_gb_s": 936.2,
        "parity": {"fp32": 1e-6},
        "speeds": {"1.5b": {"cuda fp16": speeds}, "7.2b": {"cuda fp16": "显存不够 / not enough memory"}},
    }
    words = "\n".join(measure.in_words(report))
    for figure in ("Some Card", 936.2, "fp32 1.0e-06", speeds["prefill"], "7.2b cuda fp16：显存不够"):
        assert str(figure) in words
    assert all(f"{n} 行 / rows {speeds[n]['tokens_s']:g}" in words for n in ("1", "5"))


def test_the_large_shapes_are_models() -> None:
    """Layers that share their tensors in the file are layers all the same."""
    small = {"layers": 5, "width": 64, "ranks": (8, 8, 8, 16)}
    weights = measure.large_weights(**small, device=torch.device("cpu"))
    model = build_model(weights, parse_strategy("cpu fp32"))
    assert model.shape.layers == 5 and weights["blocks.4.ffn.key.weight"] is weights["blocks.1.ffn.key.weight"]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="a CUDA card is missing")
def test_the_card_comes_near_the_cpu() -> None:
    """fp32 to rounding; 16 and 8 bits as near as they do on the CPU."""
    assert measure.parity("cuda fp32") < 1e-4
    assert measure.parity("cuda fp16") < 1e-3
    assert measure.parity("cuda fp16i8") < 0.01
