"""Our RWKV-7 against the `rwkv` package on the same random weights, and what a model file must be."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from bot.engine import rwkv7
from bot.engine.random_weights import random_weights
from bot.engine.rwkv7 import Model, ModelError, load_model
from bot.engine.state import State
from bot.engine.weights import Weights
from tests.engine.oracle import BRANCH_AT, LENGTHS, tokens

SHAPES = {
    "one_head": {"layers": 2, "width": 64, "vocab": 300, "ranks": (8, 8, 8, 16)},
    "odd_vocabulary": {"layers": 3, "width": 128, "vocab": 1001, "ranks": (16, 24, 8, 32)},
    "small_heads": {"layers": 2, "width": 96, "vocab": 257, "head_size": 32, "ranks": (5, 7, 3, 11)},
    "narrow_feed_forward": {"layers": 4, "width": 256, "vocab": 777, "ranks": (32, 16, 16, 40), "hidden": 320},
}
CLOSE = 1e-4


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of each shape and what the package makes of it."""
    folder = tmp_path_factory.mktemp("models")
    for seed, (name, shape) in enumerate(SHAPES.items()):
        torch.save(random_weights(**shape, seed=seed), folder / f"{name}.pth")
    command = [sys.executable, str(Path(__file__).with_name("oracle.py")), str(folder)]
    subprocess.run(command, check=True, capture_output=True, timeout=200)
    return folder


class Case:
    """A model of ours and the package's answers for the same weights."""

    def __init__(self, folder: Path, name: str) -> None:
        self.model = load_model(folder / f"{name}.pth", "cpu fp32")
        self.answers = load_file(folder / f"{name}.answers")
        self.text = torch.tensor([tokens(self.model.vocab, max(LENGTHS), seed=1)])
        self.other = torch.tensor([tokens(self.model.vocab, 20, seed=2)])


@pytest.fixture(scope="module", params=SHAPES)
def case(request: pytest.FixtureRequest, models: Path) -> Case:
    return Case(models, request.param)


def distance(ours: Tensor, theirs: Tensor) -> float:
    """The largest difference, relative to the largest logit."""
    return float((ours - theirs).abs().max() / theirs.abs().max())


@pytest.mark.parametrize("n", LENGTHS)
def test_a_prompt_read_at_once_gives_the_packages_logits(case: Case, n: int) -> None:
    """Whole chunks and odd ends, from an empty state."""
    logits = case.model.forward(case.text[:, :n], case.model.zero_state(1))
    assert logits.dtype == torch.float32 and logits.shape == (1, case.model.vocab)
    assert distance(logits[0], case.answers[f"seq_{n}"]) < CLOSE


def test_every_single_step_gives_the_packages_logits(case: Case) -> None:
    """Token by token, 75 of them."""
    state = case.model.zero_state(1)
    for t in range(case.text.shape[1]):
        logits = case.model.forward(case.text[:, t : t + 1], state)
        assert distance(logits[0], case.answers["steps"][t]) < CLOSE


@pytest.mark.parametrize("piece", [2, 7, 16, 40])
def test_a_prompt_read_in_pieces_gives_the_packages_logits(case: Case, piece: int) -> None:
    """However it is cut, by the caller; after each piece the logits are those of that place."""
    state, at = case.model.zero_state(1), 0
    for part in torch.split(case.text, piece, dim=1):
        at += part.shape[1]
        assert distance(case.model.forward(part, state)[0], case.answers["steps"][at - 1]) < CLOSE


def test_a_prompt_longer_than_a_piece_is_cut_by_the_model(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Inside `forward` as well, with the logits after every token."""
    monkeypatch.setattr(rwkv7, "PIECE", 20)
    logits = case.model.forward_all(case.text, case.model.zero_state(1))
    assert distance(logits[0], case.answers["steps"]) < CLOSE


def test_every_row_of_a_batch_gives_the_packages_logits(case: Case) -> None:
    """Rows at different places of different texts are stepped together and do not see each other."""
    a, b, c = case.model.zero_state(1), case.model.zero_state(1), case.model.zero_state(1)
    case.model.forward(case.text[:, :10], a)
    case.model.forward(case.text[:, :BRANCH_AT], b)
    batch = State.join([a, b, c])
    columns = torch.stack((case.text[0, 10:30], case.other[0], case.text[0, :20]))
    for t in range(20):
        logits = case.model.forward(columns[:, t : t + 1], batch)
        expected = torch.stack((case.answers["steps"][10 + t], case.answers["branch"][t], case.answers["steps"][t]))
        assert distance(logits, expected) < CLOSE


def test_a_batch_is_read_at_once_too(case: Case) -> None:
    """Several rows and several tokens in one call."""
    state = case.model.zero_state(1)
    case.model.forward(case.text[:, :BRANCH_AT], state)
    batch = State.join([state, case.model.zero_state(1)])
    logits = case.model.forward_all(torch.cat((case.other, case.text[:, :20])), batch)
    assert distance(logits[0], case.answers["branch"]) < CLOSE
    assert distance(logits[1], case.answers["steps"][:20]) < CLOSE


def test_a_branched_state_goes_its_own_way(case: Case) -> None:
    """Branching copies: the branch gives the package's logits, and so does the trunk afterwards."""
    trunk = case.model.zero_state(1)
    case.model.forward(case.text[:, :BRANCH_AT], trunk)
    branches = trunk.repeat(3)
    logits = case.model.forward(case.other.repeat(3, 1), branches)
    assert distance(logits, case.answers["branch"][-1].expand(3, -1)) < CLOSE
    rest = case.model.forward(case.text[:, BRANCH_AT:], trunk)
    assert distance(rest[0], case.answers["seq_75"]) < CLOSE
    one = branches[1]
    step = case.model.forward(torch.tensor([[5]]), one)
    again = case.model.forward(torch.tensor([[5]] * 3), branches)
    assert distance(again, step.expand(3, -1)) < CLOSE


@pytest.mark.parametrize("planted", ["att.k_a", "att.v0", "ffn.x_k", "att.ln_x.bias", "att.g1"])
def test_a_planted_mistake_would_be_seen(models: Path, tmp_path: Path, planted: str) -> None:
    """These tests can fail: 5 % off in one small tensor of the last layer is far outside the tolerance."""
    case = Case(models, "odd_vocabulary")
    weights = torch.load(models / "odd_vocabulary.pth", weights_only=True)
    weights[f"blocks.2.{planted}"] *= 1.05
    torch.save(weights, tmp_path / "wrong.pth")
    wrong = load_model(tmp_path / "wrong.pth", "cpu fp32")
    assert distance(wrong.forward(case.text, wrong.zero_state(1))[0], case.answers["seq_75"]) > 2 * CLOSE


def test_bf16_is_close(models: Path) -> None:
    """Eight bits of mantissa: near the exact logits, and nearly always the same first choice."""
    case = Case(models, "odd_vocabulary")
    half = load_model(models / "odd_vocabulary.pth", "cpu bf16")
    logits = half.forward_all(case.text, half.zero_state(1))[0]
    assert logits.dtype == torch.float32
    assert distance(logits, case.answers["steps"]) < 0.05
    agreement = (logits.argmax(-1) == case.answers["steps"].argmax(-1)).float().mean()
    assert agreement > 0.85


def test_a_state_is_copied_by_rows(tiny: Model) -> None:
    """`state[i]`, slices, `repeat` and `join` keep every row's content and share no memory."""
    state = tiny.zero_state(3)
    tiny.forward(torch.tensor([[1, 2], [3, 4], [5, 6]]), state)
    assert torch.equal(state[-1].tensors["wkv"], state[2].tensors["wkv"]) and len(state[1]) == 1
    assert torch.equal(State.join([state[0], state[1:]]).tensors["wkv"], state.tensors["wkv"])
    twice = state.repeat(2)
    assert torch.equal(twice[[1, 3]].tensors["shift"], state[[0, 1]].tensors["shift"])
    twice.tensors["wkv"].zero_()
    assert state.tensors["wkv"].abs().sum() > 0
    with pytest.raises(IndexError):
        state[3]


def test_an_empty_batch_can_be_joined(tiny: Model) -> None:
    """A state of no rows is where a batch begins and ends."""
    none = tiny.zero_state(2)[[]]
    assert len(none) == 0
    assert len(State.join([none, tiny.zero_state(1)])) == 1


@pytest.mark.parametrize("given", [[[1, 2], [3, 4]], [[]], [[100_000]], [[-1]]])
def test_tokens_that_do_not_fit_are_refused(tiny: Model, given: list[list[int]]) -> None:
    """Wrong row counts, no tokens, ids outside the vocabulary: an error instead of nonsense or a crash."""
    with pytest.raises(ValueError):
        tiny.forward(torch.tensor(given, dtype=torch.long), tiny.zero_state(1))


def test_the_logits_belong_to_the_caller(tiny: Model) -> None:
    """They may be changed in place outside of inference mode."""
    logits = tiny.forward(torch.tensor([[1]]), tiny.zero_state(1))
    logits[0, 0] = -torch.inf


# Model files


def small() -> Weights:
    return random_weights(2, 64, 100, ranks=(8, 8, 8, 16))


def test_safetensors_and_pth_are_the_same_model(tmp_path: Path) -> None:
    """Either kind of file, and files that leave out what the first layer never uses."""
    weights = small()
    torch.save(weights, tmp_path / "m.pth")
    for name in ("v0", "v1", "v2"):
        del weights[f"blocks.0.att.{name}"]
    save_file(weights, tmp_path / "m.safetensors")
    text = torch.tensor([[1, 2, 3]])
    a, b = load_model(tmp_path / "m.pth", "cpu fp32"), load_model(str(tmp_path / "m.safetensors"), "cpu fp32")
    assert distance(a.forward(text, a.zero_state(1)), b.forward(text, b.zero_state(1))) < 1e-5


def test_an_old_style_pth_is_read(tmp_path: Path) -> None:
    """Files from before torch 1.6 are no zip files."""
    torch.save(small(), tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    assert load_model(tmp_path / "old.pth", "cpu fp32").vocab == 100


class Bomb:
    """A pickle that would make a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (self.folder,)


def test_a_pickle_with_code_is_refused(tmp_path: Path) -> None:
    """Nothing of it runs, and the message says what to use instead."""
    torch.save({"emb.weight": Bomb(tmp_path / "exploded")}, tmp_path / "bomb.pth")
    with pytest.raises(ModelError, match=r"拒绝打开 bomb.pth.*safetensors"):
        load_model(tmp_path / "bomb.pth", "cpu fp32")
    assert not (tmp_path / "exploded").exists()


def test_files_that_are_no_models_are_refused(tmp_path: Path) -> None:
    """Missing, empty, cut off, something else: one clear message each, never another exception."""
    torch.save(small(), tmp_path / "whole.pth")
    whole = (tmp_path / "whole.pth").read_bytes()
    save_file(small(), tmp_path / "whole.safetensors")
    wrong = {
        "empty.pth": b"",
        "text.pth": "你好".encode(),
        "cut.pth": whole[: len(whole) // 2],
        "list.pth": pickle.dumps([1, 2]),
        "empty.safetensors": b"",
        "cut.safetensors": (tmp_path / "whole.safetensors").read_bytes()[:5000],
        "page.safetensors": b"<html>404</html>",
    }
    for name, content in wrong.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ModelError, match=name):
            load_model(tmp_path / name, "cpu fp32")
    with pytest.raises(ModelError, match="找不到模型文件"):
        load_model(tmp_path / "missing.pth", "cpu fp32")


CRAMPED = """
import resource, sys, torch
from pathlib import Path
from bot.engine.rwkv7 import ModelError, load_model
from bot.engine.state import State
size = int(Path("/proc/self/statm").read_text().split()[0]) * 4096
resource.setrlimit(resource.RLIMIT_AS, (size + int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    load_model(sys.argv[1], "cpu bf16")
except ModelError as error:
    sys.exit(str(error))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs RLIMIT_AS")
@pytest.mark.parametrize("room", [10 << 20, 40 << 20])
def test_a_model_that_does_not_fit_into_memory_is_said(world_path: Path, room: int) -> None:
    """Really too little, for the file of 34 MB or for what is made of it: no talk of a broken file."""
    command = [sys.executable, "-c", CRAMPED, str(world_path), str(room)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1 and "内存（或显存）不够放下 world.pth" in done.stderr


def changed(**changes: Tensor | None) -> Weights:
    weights = small()
    for name, tensor in changes.items():
        name = name.replace("__", ".")
        if tensor is None:
            del weights[name]
        else:
            weights[name] = tensor
    return weights


FOREIGN = {
    "7a/7b": changed(**{"blocks.0.ffn.s_emb.weight": torch.zeros(100, 8)}),
    "RWKV-6": {"blocks.0.att.time_maa_x": torch.zeros(1), "blocks.0.att.ln_x.weight": torch.zeros(1)},
    "RWKV-5.2": {
        "blocks.0.att.time_decay": torch.zeros(2, 64),
        "blocks.0.att.ln_x.weight": torch.zeros(1),
        "blocks.0.att.gate.weight": torch.zeros(1),
    },
    "RWKV-4": {"blocks.0.att.time_decay": torch.zeros(64)},
    "不是 RWKV 模型": {"model.embed_tokens.weight": torch.zeros(2, 2)},
    "缺少张量 blocks.1.att.k_a": changed(**{"blocks.1.att.k_a": None}),
    "不认识张量 blocks.1.att.mystery": changed(**{"blocks.1.att.mystery": torch.zeros(1)}),
    "张量形状前后不一致": changed(**{"blocks.1.att.output.weight": torch.zeros(32, 64)}),
}


@pytest.mark.parametrize("said", FOREIGN)
def test_other_models_are_named_and_refused(said: str, tmp_path: Path) -> None:
    """Told from the tensors: which version it is, or what is wrong with it."""
    torch.save(FOREIGN[said], tmp_path / "model.pth")
    with pytest.raises(ModelError, match=said):
        load_model(tmp_path / "model.pth", "cpu fp32")


@pytest.mark.parametrize("strategy", ["cpu", "gpu fp16", "cpu fp8", "cuda:9 fp16 *10 -> cpu fp32"])
def test_a_strategy_that_is_not_understood_comes_with_an_example(strategy: str, tmp_path: Path) -> None:
    """Before the file is touched."""
    with pytest.raises(ModelError, match="cpu fp32"):
        load_model(tmp_path / "missing.pth", strategy)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_a_gpu_that_is_not_there_is_said(tmp_path: Path) -> None:
    """With what to write instead."""
    with pytest.raises(ModelError, match="0 块可用显卡"):
        load_model(tmp_path / "missing.pth", "cuda fp16")


def test_auto_names_its_choice(tiny_path: Path) -> None:
    """`auto` is a strategy that can be written out."""
    chosen = load_model(tiny_path, "auto").strategy
    assert str(load_model(tiny_path, str(chosen)).strategy) == str(chosen)
