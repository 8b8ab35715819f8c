"""RWKV-4 to 6: what our wrapper says is what the `rwkv` package says, whatever is done to the states in between."""

from __future__ import annotations

import asyncio
import codecs
import importlib
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import Tensor

from bot.engine import pip_rwkv
from bot.engine.drafting import Vocabulary
from bot.engine.load import load_any
from bot.engine.pip_rwkv import PipModel
from bot.engine.process import LocalEngine
from bot.engine.scheduling.scheduler import Event, Finished, Scheduler
from bot.engine.state import State
from bot.engine.states.memory import StateCache
from bot.engine.tokenizer import find_tokenizer
from bot.engine.types import DraftDone, EngineState, Prompt, Sampling
from bot.engine.weights import ModelError, Weights
from tests.engine.conftest import byte_level_tokenizer
from tests.engine.old_weights import VERSIONS, old_weights

ROWS = 300
"""Of the vocabulary: room for the byte-level tokenizer of the tests."""

TEXT = torch.randint(0, ROWS, (70,), generator=torch.Generator().manual_seed(1)).tolist()
GREEDY = Sampling(temperature=0, presence=0, frequency=0, max_tokens=24)


@pytest.fixture(autouse=True, scope="module")
def package() -> Iterator[None]:
    """The package without its compiler, which is slow to start; afterwards this process is as it was."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("RWKV_JIT_ON", "0"), ("RWKV_CUDA_ON", "0"), ("RWKV_V7_ON", "1")):
            patch.setenv(name, value)
        yield
    sys.modules.pop("rwkv.model", None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`4.pth` … `6.pth`, with a byte-level tokenizer beside them."""
    folder = tmp_path_factory.mktemp("old")
    byte_level_tokenizer(folder / "tokenizer.json")
    for version in VERSIONS:
        torch.save(old_weights(version, ROWS), folder / f"{version}.pth")
    return folder


@pytest.fixture(scope="module", params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def ours(folder: Path, version: str) -> PipModel:
    model = load_any(folder / f"{version}.pth", "cpu fp32")
    assert isinstance(model, PipModel)
    return model


@pytest.fixture(scope="module")
def theirs(ours: PipModel, folder: Path, version: str) -> Any:
    """The package as its own users call it. `ours` comes first, because it imports the package as it needs it."""
    return _theirs(folder / f"{version}.pth", "cpu fp32")


def _theirs(path: Path, strategy: str) -> Any:
    with warnings.catch_warnings(action="ignore"), pip_rwkv._cheap_collections():
        return importlib.import_module("rwkv.model").RWKV(str(path.with_suffix("")), strategy, verbose=False)


def read(model: PipModel, tokens: list[int], state: State | None = None) -> tuple[Tensor, State]:
    state = model.zero_state() if state is None else state
    return model.forward(torch.tensor([tokens]), state)[0], state


def test_logits_are_the_packages(ours: PipModel, theirs: Any) -> None:
    """Token by token, at once, and on from where a piece ended: the same numbers."""
    state, their_state = ours.zero_state(), None
    for token in TEXT[:20]:
        logits, state = read(ours, [token], state)
        theirs_logits, their_state = theirs.forward([token], their_state)
        assert torch.equal(logits, theirs_logits)
    assert torch.equal(read(ours, TEXT[20:], state)[0], theirs.forward(TEXT[20:], their_state)[0])
    assert torch.equal(read(ours, TEXT)[0], theirs.forward(TEXT, None)[0])


def test_a_long_prompt_is_read_in_pieces(ours: PipModel, theirs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last piece may be a single token."""
    monkeypatch.setattr(pip_rwkv, "PIECE", 23)
    logits, _ = read(ours, TEXT)
    torch.testing.assert_close(logits, theirs.forward(TEXT, None)[0], atol=1e-4, rtol=1e-4)


def test_a_branched_state_is_as_if_read_anew(ours: PipModel) -> None:
    """Repeat, take rows, join: each row goes on as its own text would alone, and the original is left as it was."""
    _, state = read(ours, TEXT[:9])
    _, other = read(ours, TEXT[40:43])
    batch = State.join([state.repeat(2), other])[[2, 0]]
    both = ours.forward(torch.tensor([TEXT[:5], TEXT[5:10]]), batch)
    assert torch.equal(both[0], read(ours, TEXT[:5], other)[0])
    assert torch.equal(both[1], read(ours, TEXT[5:10], state)[0])
    assert not torch.equal(both[0], both[1])


def test_no_rows_are_a_state_as_well(ours: PipModel) -> None:
    """The scheduler begins with an empty batch and joins to it."""
    empty = ours.zero_state(0)
    assert len(empty) == 0
    joined = State.join([empty, ours.zero_state(2)])
    assert {name: t.shape for name, t in joined.tensors.items()} == {
        name: t.shape for name, t in ours.zero_state(2).tensors.items()
    }


@pytest.mark.parametrize("strategy", ["cpu bf16", "cpu fp32i8", "cpu fp32 *1 -> cpu bf16 *1 -> cpu fp32"])
def test_every_strategy_of_the_package(folder: Path, version: str, strategy: str) -> None:
    """Other number formats, eight bits, and layers apart: the package's numbers, and states that branch."""
    path = folder / f"{version}.pth"
    weights = torch.load(path)
    ours, theirs = pip_rwkv.build_model(weights, strategy), _theirs(path, strategy)
    assert len(ours.zero_state().tensors) == (6 if "->" in strategy else 2)
    logits, state = read(ours, TEXT[:12])
    their_logits, their_state = theirs.forward(TEXT[:12], None)
    assert torch.equal(logits, their_logits)
    copy = state.repeat(2)[1]
    assert torch.equal(read(ours, TEXT[12:13], copy)[0], theirs.forward(TEXT[12:13], their_state)[0])


def test_safetensors_are_the_same_model(folder: Path, version: str, ours: PipModel, tmp_path: Path) -> None:
    """Though the names come in another order."""
    weights = torch.load(folder / f"{version}.pth")
    save_file(dict(sorted(weights.items(), reverse=True)), tmp_path / "m.safetensors")
    again = load_any(tmp_path / "m.safetensors", "cpu fp32")
    torch.testing.assert_close(read(again, TEXT)[0], read(ours, TEXT)[0])  # other addresses may round otherwise


def test_one_layer_is_enough(version: str, tmp_path: Path) -> None:
    """The package alone counts the heads of such a model too early, or never."""
    weights = old_weights(version, ROWS, layers=1)
    logits, _ = read(pip_rwkv.build_model(weights, "cpu fp32"), TEXT[:5])
    assert logits.shape == (ROWS,) and logits.isfinite().all()


@pytest.mark.parametrize("version", ["5.2", "6"])
def test_a_tuned_beginning_in_the_file_counts(version: str, tmp_path: Path) -> None:
    """`time_state`, which such files hold with its last two axes the other way round."""
    weights = old_weights(version, ROWS)
    for layer in range(3):
        weights[f"blocks.{layer}.att.time_state"] = torch.randn(4, 16, 16)
    torch.save(weights, tmp_path / "tuned.pth")
    ours = pip_rwkv.build_model(weights, "cpu fp32")
    assert torch.equal(read(ours, TEXT)[0], _theirs(tmp_path / "tuned.pth", "cpu fp32").forward(TEXT, None)[0])


def answers(model: PipModel, vocabulary: Vocabulary, prompts: list[Prompt], cache: StateCache | None) -> list[str]:
    """The greedy draft of each prompt, asked for together, two drafts each."""
    scheduler = Scheduler(model, vocabulary, cache)
    events: list[Event] = []
    for number, prompt in enumerate(prompts):
        events += scheduler.submit(number, prompt, 2, GREEDY)
    while scheduler.busy:
        events += scheduler.step()
    done = {(e.answer, e.index): e.text for e in events if isinstance(e, Finished)}
    assert len(done) == 2 * len(prompts)
    assert all(done[n, 0] == done[n, 1] for n in range(len(prompts)))
    return [done[n, 0] for n in range(len(prompts))]


def test_drafts_are_a_plain_loop_over_the_package(folder: Path, version: str, ours: PipModel, theirs: Any) -> None:
    """Greedy, several answers together, with and without kept states."""
    vocabulary = Vocabulary(find_tokenizer(folder / f"{version}.pth", ROWS), ROWS)
    prompts = [Prompt(("背景。", "\n\n", name + ":"), stops=(), keep=(2,)) for name in ("小溪", "阿强", "小溪")]
    expected = [_greedy(theirs, vocabulary, prompt) for prompt in prompts]
    cache = StateCache()
    assert answers(ours, vocabulary, prompts, cache) == expected
    assert answers(ours, vocabulary, prompts, cache) == expected
    assert answers(ours, vocabulary, prompts, None) == expected
    assert len(cache) > 0 and len(set(expected)) == 2


def _greedy(theirs: Any, vocabulary: Vocabulary, prompt: Prompt) -> str:
    tokens, _ = vocabulary.encode_prompt(prompt)
    logits, state = theirs.forward(tokens, None)
    characters = codecs.getincrementaldecoder("utf-8")("replace")
    text = ""
    for _ in range(GREEDY.max_tokens):
        if not text.strip():  # it neither ends nor breaks the line before it has said something
            logits[vocabulary.endings] = -torch.inf
        token = int(logits.argmax())
        if token == vocabulary.tokenizer.end:
            break
        text += characters.decode(vocabulary.entry(token))  # part of a character waits for the rest
        logits, state = theirs.forward([token], state)
    return text.strip()


def test_a_file_that_is_not_whole_is_refused(version: str) -> None:
    """A tensor that is missing, and one of another shape: which, in words."""
    weights = old_weights(version, ROWS)
    del weights["blocks.1.ffn.value.weight"]
    with pytest.raises(ModelError, match=r"张量不全.*ffn\.value"):
        pip_rwkv.build_model(weights, "cpu fp32", "m.pth")
    weights = old_weights(version, ROWS) | {"blocks.1.ffn.value.weight": torch.ones(64, 3)}
    with pytest.raises(ModelError, match="形状不对"):
        pip_rwkv.build_model(weights, "cpu fp32", "m.pth")


def test_tokens_that_do_not_fit_are_refused(ours: PipModel) -> None:
    """Wrong rows, no tokens, and ids outside the vocabulary."""
    for tokens in (torch.zeros(2, 1), torch.zeros(1, 0), torch.zeros(1), torch.tensor([[ROWS]]), torch.tensor([[-1]])):
        with pytest.raises(ValueError):
            ours.forward(tokens.long(), ours.zero_state())


def test_the_switch_for_kernels_is_harmless_without_a_gpu(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--cuda_on 1` turns on our kernels for the CPU too; the package must not look for a GPU's compiler then."""
    monkeypatch.setenv("RWKV_CUDA_ON", "1")
    load_any(folder / "6.pth", "cpu fp32")
    assert os.environ["RWKV_CUDA_ON"] == "0"


def test_kernels_that_cannot_be_built_are_done_without(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Said with its reason; the model runs all the same."""
    monkeypatch.setenv("RWKV_CUDA_ON", "1")
    monkeypatch.setattr(pip_rwkv, "_gpu_kernels_wanted", lambda strategy: True)

    def no_compiler(*_: object, **__: object) -> None:
        raise RuntimeError("no nvcc")

    monkeypatch.setattr("torch.utils.cpp_extension.load", no_compiler)
    model = load_any(folder / "6.pth", "cpu fp32")
    assert "CUDA 内核用不了" in caplog.text and "no nvcc" in caplog.text
    assert model.forward(torch.tensor([TEXT]), model.zero_state()).isfinite().all()


def test_kernels_that_fail_in_use_are_done_without(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As those do that were built for another card: they build and load, and fail at the first token."""
    monkeypatch.setattr(pip_rwkv, "_gpu_kernels_wanted", lambda strategy: True)
    tried: list[bool] = []
    attempt = pip_rwkv._attempt

    def broken(weights: Weights, strategy: str, gpu_kernels: bool) -> Any:
        tried.append(gpu_kernels)
        rwkv = attempt(weights, strategy, gpu_kernels=False)
        if gpu_kernels:
            rwkv.w.pop("head.weight")  # stands for a kernel that is not there
        return rwkv

    monkeypatch.setattr(pip_rwkv, "_attempt", broken)
    model = load_any(folder / "6.pth", "cpu fp32")
    assert tried == [True, False] and "CUDA 内核用不了" in caplog.text
    assert model.forward(torch.tensor([TEXT]), model.zero_state()).isfinite().all()


def pile_like_tokenizer(path: Path, entries: int) -> None:
    byte_level_tokenizer(path)
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.add_tokens([f"word{n}" for n in range(entries - tokenizer.get_vocab_size())])
    tokenizer.save(str(path))


@pytest.mark.skipif(sys.platform != "linux", reason="as the tests of the worker")
@pytest.mark.parametrize(("version", "rows"), [("4", 50277), ("6", 65536)])
async def test_a_worker_of_its_own(tmp_path: Path, version: str, rows: int) -> None:
    """A Raven with its tokenizer beside it, a World model without: drafts through the process, as for RWKV-7."""
    path = tmp_path / "model.pth"
    torch.save(old_weights(version, rows, layers=2, width=32), path)
    if rows == 50277:
        pile_like_tokenizer(tmp_path / "20B_tokenizer.json", rows)
    engine = LocalEngine(path, "auto", threads=1)
    running = asyncio.create_task(engine.run())
    try:
        async with asyncio.timeout(60):
            while engine.status.state is not EngineState.READY:
                assert not running.done() and engine.status.state is not EngineState.FAILED, engine.status
                await asyncio.sleep(0.05)
            prompt, sampling = (
                Prompt(("背景。", "\n\n", "小溪:"), stops=()),
                Sampling(max_tokens=8, min_tokens=8, seed=3),
            )
            async with aclosing(engine.drafts(prompt, 2, sampling)) as drafts:
                done = [event async for event in drafts if isinstance(event, DraftDone)]
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert sorted(event.index for event in done) == [0, 1] and all(event.text for event in done)
    assert "RWKV-" + version in engine.status.detail + engine.status.model
