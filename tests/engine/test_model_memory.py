"""What `cohost model info` says of memory is what the engines take."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from bot.__main__ import main
from bot.engine.models.describe import describe
from bot.engine.models.headers import read_facts
from bot.engine.models.memory import STRATEGIES, has_room
from bot.engine.pip_rwkv import PipModel
from bot.engine.pip_rwkv import build_model as build_old
from bot.engine.random_weights import random_weights
from bot.engine.rwkv7 import Model, load_model
from bot.engine.strategy import machine as machine_module
from bot.engine.strategy.auto import CARD_ROOM, CPU_ROOM, ROWS, Card, Machine, ModelSize
from bot.engine.weights import UNUSED, Weights
from tests.engine.old_weights import VERSIONS, old_weights


@pytest.fixture(autouse=True)
def switches(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """PyTorch computes; the package's switches are put back."""
    for name, value in (("RWKV_JIT_ON", "0"), ("RWKV_CUDA_ON", "0"), ("RWKV_V7_ON", "1")):
        monkeypatch.setenv(name, value)
    yield
    sys.modules.pop("rwkv.model", None)


def seven() -> Weights:
    """Without what the first layer never uses, and some files leave out."""
    weights = random_weights(2, 64, 300, head_size=32, ranks=(8, 8, 8, 16))
    return {name: tensor for name, tensor in weights.items() if name not in UNUSED}


def tensors_in(thing: Any, seen: dict[int, Tensor]) -> dict[int, Tensor]:
    """All that an object holds, however deep, each once."""
    if isinstance(thing, Tensor):
        seen[thing.data_ptr()] = thing
    elif isinstance(thing, list | tuple):
        for part in thing:
            tensors_in(part, seen)
    elif type(thing).__module__.startswith("bot."):
        names = [*getattr(thing, "__dict__", ()), *getattr(thing, "__slots__", ())]
        tensors_in([getattr(thing, name) for name in names], seen)
    return seen


def on_cpu(strategy: str) -> str:
    return strategy.replace("cuda", "cpu")


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("version", VERSIONS)
def test_an_old_model_takes_what_is_said(tmp_path: Path, version: str, strategy: str) -> None:
    """Every tensor that the package keeps, to the byte; as much on a card as on the CPU."""
    save_file(old_weights(version, 300), tmp_path / "m.safetensors")
    model = build_old(old_weights(version, 300), on_cpu(strategy))
    kept = sum(tensor.nbytes for tensor in model._rwkv.w.values())
    assert describe(read_facts(tmp_path / "m.safetensors")).memory[strategy] == kept


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_an_rwkv7_takes_what_is_said(tmp_path: Path, strategy: str) -> None:
    """Every tensor that the model holds, to the byte."""
    torch.save(seven(), tmp_path / "m.pth")
    held = tensors_in(load_model(tmp_path / "m.pth", on_cpu(strategy)), {})
    assert describe(read_facts(tmp_path / "m.pth")).memory[strategy] == sum(t.nbytes for t in held.values())


@pytest.mark.parametrize("version", [*VERSIONS, "7"])
def test_a_draft_takes_what_is_said(tmp_path: Path, version: str) -> None:
    """The state of one row, in fp32."""
    torch.save(seven() if version == "7" else old_weights(version, 300), tmp_path / "m.pth")
    model: Model | PipModel
    model = (
        load_model(tmp_path / "m.pth", "cpu fp32")
        if version == "7"
        else build_old(old_weights(version, 300), "cpu fp32")
    )
    assert describe(read_facts(tmp_path / "m.pth")).state == model.zero_state().nbytes


def test_room_is_for_weights_states_and_what_passes() -> None:
    """One byte less, and it does not fit; any card will do; None where the system does not tell."""
    size = ModelSize.of(seven())
    needed = 10**9 + ROWS * 10**6 + size.passing()

    def room(strategy: str, machine: Machine) -> bool | None:
        return has_room(10**9, 10**6, size, strategy, machine)

    enough = Machine((Card("cuda:0", 0), Card("cuda:1", needed + CARD_ROOM)), needed + CPU_ROOM)
    assert room("cuda fp16", enough) and room("cpu fp32", enough)
    assert not room("cpu fp32", replace(enough, memory=needed + CPU_ROOM - 1))
    assert not room("cuda fp16", replace(enough, cards=(Card("cuda:0", needed + CARD_ROOM - 1),)))
    assert room("cuda fp16", Machine()) is False and room("cpu bf16", Machine()) is None


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("version", [*VERSIONS, "7"])
def test_info_says_it_all(
    tmp_path: Path,
    version: str,
    suffix: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Version, shape, parameters, tokenizer, state, and for each strategy whether this machine has room for it."""
    weights = seven() if version == "7" else old_weights(version, 300)
    path = tmp_path / f"rwkv-0-none{suffix}"
    torch.save(weights, path) if suffix == ".pth" else save_file(weights, path)
    monkeypatch.setattr(machine_module, "cards", lambda: (Card("cuda:0", 10**6),))
    monkeypatch.setattr(machine_module, "free_memory", lambda: 10**10)
    assert main(["model", "info", str(path)]) == 0
    out = capsys.readouterr().out
    layers, heads = (2, "2 个头 x 32") if version == "7" else (3, "" if version == "4" else "4 个头 x 16")
    for words in (
        f"RWKV-{version}\n",
        f"{layers} 层",
        "64",
        heads,
        "300",
        "tokenizer.json",
        "10.0 GB",
        "cuda:0 1.0 MB",
    ):
        assert words in out
    rows = {line[2:18].strip(): line for line in out.splitlines() if line.startswith("  ")}
    assert list(rows) == list(STRATEGIES)
    assert all(("放得下" in line) == (name.startswith("cpu")) for name, line in rows.items())


def test_a_machine_without_a_card_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And one that does not tell its memory claims nothing."""
    save_file(seven(), tmp_path / "m.safetensors")
    monkeypatch.setattr(machine_module, "cards", lambda: ())
    monkeypatch.setattr(machine_module, "free_memory", lambda: None)
    assert main(["model", "info", str(tmp_path / "m.safetensors")]) == 0
    out = capsys.readouterr().out
    assert out.count("没有能用的显卡") == 2 and "放" not in out.partition("内存")[2]


def test_a_model_that_cannot_run_is_given_no_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """RWKV-7a has tables that no engine here keeps."""
    save_file(seven() | {"blocks.0.ffn.s_emb.weight": torch.zeros(300, 32)}, tmp_path / "m.safetensors")
    assert main(["model", "info", str(tmp_path / "m.safetensors")]) == 0
    out = capsys.readouterr().out
    assert "暂不支持" in out and "cpu fp32" not in out
