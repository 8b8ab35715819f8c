"""Which engine a file gets: by what is in it, whatever it is called."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from bot.engine import pip_rwkv
from bot.engine.load import load_any
from bot.engine.pip_rwkv import PipModel
from bot.engine.random_weights import random_weights
from bot.engine.rwkv7 import Model
from bot.engine.strategy import auto
from bot.engine.weights import ModelError, Weights
from tests.engine.old_weights import VERSIONS, old_weights


@pytest.fixture(autouse=True)
def switches(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Loading an old model sets the package's switches for the whole process: here, only for a test."""
    for name, value in (("RWKV_JIT_ON", "0"), ("RWKV_CUDA_ON", "0"), ("RWKV_V7_ON", "1")):
        monkeypatch.setenv(name, value)
    yield
    sys.modules.pop("rwkv.model", None)


def seven() -> Weights:
    return random_weights(1, 64, 50, head_size=32, ranks=(8, 8, 8, 16))


@pytest.mark.parametrize("version", VERSIONS)
def test_an_old_model_under_a_new_name(tmp_path: Path, version: str) -> None:
    """The `rwkv` package runs it; the switch that would turn it into one for RWKV-7 alone is taken back."""
    path = tmp_path / "rwkv7-g1d-0.1b-20260129-ctx8192.pth"
    torch.save({name: tensor.bfloat16() for name, tensor in old_weights(version, 50).items()}, path)
    original = torch.load
    model = load_any(path, "cpu fp32")
    assert isinstance(model, PipModel) and model.version == version
    assert model.about == f"cpu fp32 · RWKV-{version}" and model.vocab == 50
    assert model.parameters == sum(tensor.numel() for tensor in old_weights(version, 50).values())
    assert "RWKV_V7_ON" not in os.environ and torch.load is original


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_new_model_under_an_old_name(tmp_path: Path, suffix: str) -> None:
    """Our own engine runs it."""
    path = tmp_path / f"RWKV-4-Raven-3B{suffix}"
    torch.save(seven(), path) if suffix == ".pth" else save_file(seven(), path)
    assert isinstance(load_any(path, "cpu fp32"), Model)
    assert "rwkv.model" not in sys.modules


DEEP = {"blocks.0.ffn.s_emb.weight": torch.zeros(50, 32)}
REFUSED = {
    "7a": (seven() | DEEP, "7a"),
    "7b": (seven() | DEEP | {"blocks.0.qkv.qq.weight": torch.zeros(64, 8)}, "7b"),
    "another": ({"model.layers.0.mlp.weight": torch.zeros(3, 3)}, "不是 RWKV"),
    "part": ({"blocks.0.att.time_decay": torch.zeros(64)}, "张量不全"),
    "state": ({"blocks.0.att.time_state": torch.zeros(2, 32, 32)}, "不是 RWKV"),
}


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_what_cannot_run_is_refused_in_words(tmp_path: Path, kind: str, suffix: str) -> None:
    """By what it is, and with what to take instead."""
    weights, words = REFUSED[kind]
    path = tmp_path / f"rwkv-6{suffix}"
    torch.save(weights, path) if suffix == ".pth" else save_file(weights, path)
    with pytest.raises(ModelError, match=words):
        load_any(path, "cpu fp32")


def test_what_the_package_converted_is_refused(tmp_path: Path) -> None:
    """Its weights are already in one strategy's formats, transposed and scaled: the message names it."""
    torch.save(old_weights("6", 50) | {"_strategy": "cuda fp16i8", "_version": "0.7"}, tmp_path / "m.pth")
    with pytest.raises(ModelError, match=r"cuda fp16i8.*转换之前"):
        load_any(tmp_path / "m.pth", "cpu fp32")


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("was-here",)


def test_code_in_an_old_model_never_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even where the package would have been told to open such files."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    torch.save(old_weights("6", 50) | {"blocks.0.att.time_extra": Evil()}, tmp_path / "evil.pth")
    with pytest.raises(ModelError):
        load_any(tmp_path / "evil.pth", "cpu fp32")
    assert not (tmp_path / "was-here").exists()


def test_auto_takes_a_card_that_holds_the_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """fp16, or eight bits where only they fit; else the CPU, in the format in which the package is fastest there."""
    weights = old_weights("6", 50)
    torch.save(weights, tmp_path / "m.pth")
    for limit in ("SMALL", "CARD_ROOM", "PIECE", "ROWS"):
        monkeypatch.setattr(auto, limit, 0)  # only the weights count
    chosen: list[str] = []
    monkeypatch.setattr(pip_rwkv, "PipModel", lambda weights, strategy: chosen.append(strategy) or _Nothing())
    count = sum(tensor.numel() for tensor in weights.values())
    for free in (3 * count, 3 * count // 2, 0):
        monkeypatch.setattr(pip_rwkv, "cards", lambda free=free: (auto.Card("cuda:0", free),))
        load_any(tmp_path / "m.pth")
    assert chosen == ["cuda:0 fp16", "cuda:0 fp16i8", "cpu fp32"]


class _Nothing:
    """Stands for a model on a card that is not here."""

    def zero_state(self) -> None: ...

    def forward(self, tokens: torch.Tensor, state: None) -> None: ...


def test_a_strategy_that_cannot_be_is_refused(tmp_path: Path) -> None:
    """With the sentence that RWKV-7 gets for it: what nobody understands, a card that is not there, too many layers."""
    torch.save(old_weights("6", 50), tmp_path / "m.pth")
    for strategy in ("gpu fp16", "cpu fp64", "cuda:99 fp16", "cpu fp32 *9 -> cpu bf16"):
        with pytest.raises(ModelError, match="策略"):
            load_any(tmp_path / "m.pth", strategy)
