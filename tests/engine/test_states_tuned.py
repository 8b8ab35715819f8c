"""Tuned states: the scene begins where the tuning says, the right way round for each version."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from bot.engine.load import load_any
from bot.engine.model import LanguageModel
from bot.engine.random_weights import random_weights
from bot.engine.rwkv7 import Model, load_model
from bot.engine.states.tuned import TunedModel, load_tuned
from bot.engine.types import EngineState, Prompt
from bot.engine.weights import ModelError, Weights
from tests.engine.old_weights import old_weights
from tests.engine.test_states_restart import life
from tests.engine.tuned_oracle import TOKENS, VOCAB

OLD = ("5", "5.1", "5.2", "6")
CLOSE = 1e-4


def tuned_weights(layers: int, heads: int, size: int, seed: int = 1) -> Weights:
    """Far from symmetric: the wrong way round shows."""
    draw = torch.Generator().manual_seed(seed)
    return {f"blocks.{n}.att.time_state": torch.randn(heads, size, size, generator=draw) for n in range(layers)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """VERSION.pth, its tuned state in VERSION.state.pth, and what the package makes of both."""
    folder = tmp_path_factory.mktemp("tuned")
    torch.save(random_weights(3, 64, VOCAB, head_size=32, ranks=(8, 8, 8, 16)), folder / "7.pth")
    torch.save(tuned_weights(3, 2, 32), folder / "7.state.pth")
    for version in OLD:
        tuned = tuned_weights(3, 4, 16)
        torch.save(old_weights(version, VOCAB) | tuned, folder / f"{version}.pth")
        torch.save(tuned, folder / f"{version}.state.pth")
    oracle = str(Path(__file__).with_name("tuned_oracle.py"))
    for versions in (("7",), OLD):
        subprocess.run([sys.executable, oracle, str(folder), *versions], check=True, capture_output=True, timeout=200)
    for version in OLD:
        torch.save(old_weights(version, VOCAB), folder / f"{version}.pth")
    return folder


@pytest.fixture(scope="module")
def seven(folder: Path) -> Model:
    return load_model(folder / "7.pth", "cpu fp32")


def said(model: LanguageModel) -> torch.Tensor:
    """Logits (T, vocab) after each token, from the model's own beginning."""
    state = model.zero_state(1)
    return torch.cat([model.forward(torch.tensor([[token]]), state) for token in TOKENS])


@pytest.mark.parametrize("version", ["7", *OLD])
def test_begins_as_the_package_does(folder: Path, version: str) -> None:
    """Not turned for RWKV-7, turned for 5 and 6; every layer, through the whole text."""
    plain = load_any(folder / f"{version}.pth", "cpu fp32")
    model = load_tuned(plain, folder / f"{version}.state.pth")
    theirs = load_file(folder / f"{version}.answers.safetensors")["logits"]
    assert (said(model) - theirs).abs().max() < CLOSE * theirs.abs().max()
    assert (said(plain) - theirs).abs().max() > 100 * CLOSE * theirs.abs().max(), "the state must matter"


@pytest.mark.parametrize("version", ["7", "6"])
def test_layers_may_be_in_several_places(folder: Path, version: str) -> None:
    """Each place has tensors of its own; the tuned state is dealt out among them."""
    model = load_any(folder / f"{version}.pth", "cpu fp32 *1 -> cpu bf16")
    begun = load_tuned(model, folder / f"{version}.state.pth").zero_state(1)
    assert {name for name in begun.tensors if name.startswith("wkv")} == {"wkv", "wkv.1"}
    layers = torch.cat([begun.tensors["wkv"], begun.tensors["wkv.1"]])[:, 0]
    alone = load_tuned(load_any(folder / f"{version}.pth", "cpu fp32"), folder / f"{version}.state.pth").zero_state(1)
    assert torch.equal(layers, alone.tensors["wkv"][:, 0])


def test_turning_it_matters(folder: Path, seven: Model) -> None:
    """The comparison with the package sees a state that is the wrong way round."""
    turned = {name: tensor.mT.contiguous() for name, tensor in torch.load(folder / "7.state.pth").items()}
    theirs = load_file(folder / "7.answers.safetensors")["logits"]
    assert (said(tuned(seven, folder, turned)) - theirs).abs().max() > 100 * CLOSE * theirs.abs().max()


def test_rows_begin_alike_and_apart(seven: Model, tmp_path: Path) -> None:
    """As many as are asked for, none among them; reading in one does not colour the next."""
    model = tuned(seven, tmp_path, tuned_weights(3, 2, 32))
    first = said(model)
    assert torch.equal(said(model), first)
    assert len(model.zero_state(0)) == 0 and len(model.zero_state(3)) == 3
    three = model.zero_state(3)
    logits = model.forward(torch.tensor([[TOKENS[0]]] * 3), three)
    assert torch.allclose(logits, first[:1].expand(3, -1), atol=1e-4)
    assert model.about == "cpu fp32 · tuned.safetensors" and model.vocab == VOCAB


def tuned(model: LanguageModel, folder: Path, weights: Weights) -> TunedModel:
    save_file({name: tensor.contiguous() for name, tensor in weights.items()}, folder / "tuned.safetensors")
    return load_tuned(model, folder / "tuned.safetensors")


def test_half_precision_files_are_taken(seven: Model, tmp_path: Path) -> None:
    """Tuning often saves bf16; the state itself stays float32."""
    weights = tuned_weights(3, 2, 32)
    exact = said(tuned(seven, tmp_path, weights))
    half = tuned(seven, tmp_path, {name: tensor.bfloat16() for name, tensor in weights.items()})
    assert half.zero_state(1).tensors["wkv"].dtype == torch.float32
    assert (said(half) - exact).abs().max() < 0.05 * exact.abs().max()


RIGHT = tuned_weights(2, 2, 32)
ONE = "blocks.0.att.time_state"


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ({}, "不是状态文件"),
        (RIGHT | {"emb.weight": torch.zeros(3, 3)}, "不是状态文件"),
        ({"head.weight": torch.zeros(3, 3)}, "不是状态文件"),
        (tuned_weights(3, 2, 32), "文件里是 3 层 2×32×32，模型要 2 层 2×32×32"),
        (tuned_weights(2, 4, 16), "文件里是 2 层 4×16×16，模型要 2 层 2×32×32"),
        ({ONE: RIGHT[ONE], "blocks.2.att.time_state": RIGHT[ONE].clone()}, "不配套"),
        (RIGHT | {ONE: torch.zeros(2, 32)}, "2×32 或 2×32×32"),
        (RIGHT | {ONE: RIGHT[ONE] / 0}, "非数"),
    ],
    ids=["empty", "more", "a model", "layers", "heads", "hole", "flat", "infinite"],
)
def test_what_does_not_fit_is_said(tiny: Model, tmp_path: Path, weights: Weights, words: str) -> None:
    """In a line that names the file and both shapes."""
    with pytest.raises(ModelError, match=words) as caught:
        tuned(tiny, tmp_path, weights)
    assert "tuned.safetensors" in str(caught.value)


def test_files_that_cannot_be_read_are_said(tiny: Model, tmp_path: Path) -> None:
    """Missing, or nonsense; nothing in it is run."""
    with pytest.raises(ModelError, match="engine.state"):
        load_tuned(tiny, tmp_path / "gone.pth")
    (tmp_path / "noise.pth").write_bytes(b"noise" * 100)
    with pytest.raises(ModelError, match=r"noise\.pth"):
        load_tuned(tiny, tmp_path / "noise.pth")


def test_rwkv_4_has_no_such_states(folder: Path, tmp_path: Path) -> None:
    """Its memory is three vectors a layer."""
    torch.save(old_weights("4", VOCAB), tmp_path / "4.pth")
    with pytest.raises(ModelError, match="RWKV-5、6、7"):
        load_tuned(load_any(tmp_path / "4.pth", "cpu fp32"), folder / "6.state.pth")


async def test_a_process_begins_with_it_and_keeps_its_states_apart(tiny_path: Path, tmp_path: Path) -> None:
    """The same scene with and without the tuned state: other words, and neither uses the other's states."""
    prompt = Prompt(("晚上好。", "\n\n", "小溪:"), keep=(2,))  # short: a model of random weights soon forgets
    save_file(tuned_weights(2, 2, 32), tmp_path / "tuned.safetensors")
    states = tmp_path / "states"
    texts = []
    for file in (None, tmp_path / "tuned.safetensors"):
        async with life(tiny_path, states, tuned=file) as one:
            texts.append(await one.ask(prompt))
            assert await one.tokens_read() > 5
            await one.on_disk(2 * len(texts))
    assert texts[0] != texts[1]
    async with life(tiny_path, states, tuned=tmp_path / "tuned.safetensors") as one:
        assert await one.ask(prompt) == texts[1]
        assert await one.tokens_read() == 0


async def test_a_process_that_cannot_begin_with_it_says_so(tiny_path: Path, tmp_path: Path) -> None:
    """Once, for good: starting again would not help."""
    save_file(tuned_weights(1, 2, 32), tmp_path / "tuned.safetensors")
    with pytest.raises(AssertionError, match="不配套"):
        async with life(tiny_path, tmp_path / "states", tuned=tmp_path / "tuned.safetensors") as one:
            assert one.engine.status.state is EngineState.FAILED
