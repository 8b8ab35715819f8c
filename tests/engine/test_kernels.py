"""The C++ kernels compute what the PyTorch path computes; and without a compiler the PyTorch path does it alone."""

from __future__ import annotations

import gc
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from bot.engine import kernels
from bot.engine.int8 import quantised, restored
from bot.engine.kernels import build
from bot.engine.kernels.arena import Arena
from bot.engine.kernels.native import Library, Matrix
from bot.engine.random_weights import random_weights
from bot.engine.rwkv7 import Model, ModelError, build_model
from bot.engine.state import State
from bot.engine.strategy.grammar import parse_strategy
from bot.engine.weights import Weights

SHAPES = {
    "one_head": {"layers": 2, "width": 64, "vocab": 300, "ranks": (8, 8, 8, 16)},
    "three_small_heads": {"layers": 2, "width": 96, "vocab": 257, "head_size": 32, "ranks": (5, 7, 3, 11)},
    "odd_everything": {"layers": 3, "width": 105, "vocab": 331, "head_size": 21, "ranks": (9, 6, 5, 13), "hidden": 203},
    "five_heads": {"layers": 2, "width": 320, "vocab": 1001, "ranks": (32, 16, 16, 40), "hidden": 1100},
}
STRATEGIES = ("cpu fp32", "cpu bf16", "cpu fp32i8")

CLOSE = {"cpu fp32": 1e-5, "cpu bf16": 0.05, "cpu fp32i8": 2e-3}
"""Largest difference from PyTorch, relative to the largest logit. fp32: another order of sums. bf16: sums round to bf16 at
the same places, but one that lies between two values may fall the other way, 2^-8 off, and so on through the layers (bf16
itself is up to 0.09 from fp32 on these shapes).
int8: the vectors have 16 bits, each up to 2^-16 of their largest off."""


@pytest.fixture(scope="module", autouse=True)
def switched_on(plain: None) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RWKV_CUDA_ON", "1")
        yield


@pytest.fixture(scope="module")
def library(switched_on: None) -> Library:
    """Built at most once, then from the cache. In CI there must be a compiler."""
    found = kernels.library()
    if found is None:
        assert not os.environ.get("CI"), f"CI needs the kernels: {kernels.why_none()}"
        pytest.skip(f"no kernels here: {kernels.why_none()}")
    return found


@pytest.fixture
def threads() -> Iterator[None]:
    """Two threads, to meet at barriers."""
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


def pair(weights: Weights, strategy: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Model, Model]:
    """The same model with kernels and without."""
    with_kernels = build_model(weights, parse_strategy(strategy))
    with monkeypatch.context() as patch:
        patch.setenv("RWKV_CUDA_ON", "0")
        without = build_model(weights, parse_strategy(strategy))
    assert with_kernels.kernels and not without.kernels
    return with_kernels, without


def distance(ours: Tensor, theirs: Tensor) -> float:
    return float((ours - theirs).abs().max() / theirs.abs().max())


def some_tokens(vocab: int, rows: int, length: int) -> Tensor:
    return torch.randint(0, vocab, (rows, length), generator=torch.Generator().manual_seed(rows + length))


# One product


@pytest.mark.parametrize(("rows", "cols"), [(1, 1), (31, 5), (32, 64), (33, 63), (100, 257), (64, 1030)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int8], ids=str)
def test_a_product_is_that_of_pytorch(library: Library, dtype: torch.dtype, rows: int, cols: int) -> None:
    """All numbers of vectors from 1 to 9, and shapes that fill no register."""
    draw = torch.Generator().manual_seed(rows)
    weight, x = torch.randn(rows, cols, generator=draw), torch.randn(9, cols, generator=draw)
    x[3] = 0
    x[4] = x[4].abs() * 1e4  # all of one sign
    x[5] *= 1e-4
    numbers, scales = quantised(weight) if dtype == torch.int8 else (weight.to(dtype), torch.ones(rows))
    scales = F.pad(scales, (0, 32))
    arena = Arena(library.packed_bytes(dtype, rows, cols))
    address = arena.take(library.packed_bytes(dtype, rows, cols))
    library.pack(numbers.contiguous(), address)
    matrix = Matrix(rows, cols, address, scales.data_ptr())
    rounded = x.bfloat16() if dtype == torch.bfloat16 else x
    exact = rounded.double() @ (numbers.double() * scales[:rows, None].double()).mT
    size = rounded.double().norm(dim=1, keepdim=True) * (numbers.double() * scales[:rows, None]).norm(dim=1)
    for count in range(1, 10):
        y = library.multiply(dtype, matrix, x[:count].contiguous())
        assert torch.all((y - exact[:count]).abs() <= 1e-4 * size[:count])


def test_int8_keeps_every_weight_within_half_a_step() -> None:
    """Of its row's own scale; a row of zeros stays one."""
    weight = torch.randn(7, 50) * torch.tensor([1.0, 1e-3, 1e3, 1, 1, 1, 0])[:, None]
    numbers, scale = quantised(weight)
    assert numbers.dtype == torch.int8 and numbers.abs().max() == 127
    again = restored({"x.weight": weight}, "x.weight")
    assert torch.all((again - weight).abs() <= scale[:, None] * 0.501)
    assert torch.equal(again[6], torch.zeros(50))


# Whole passes


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.usefixtures("library")
def test_passes_are_those_of_pytorch(name: str, strategy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prompts and steps, batches of 1 to 9, logits and both parts of the state."""
    ours, theirs = pair(random_weights(**SHAPES[name]), strategy, monkeypatch)
    for rows in range(1, 10):
        text = some_tokens(ours.vocab, rows, 20 if rows in (1, 4) else 3)
        a, b = ours.zero_state(rows), theirs.zero_state(rows)
        assert distance(ours.forward_all(text, a), theirs.forward_all(text, b)) < CLOSE[strategy]
        for t in range(2):
            step = text[:, t : t + 1]
            assert distance(ours.forward(step, a), theirs.forward(step, b)) < CLOSE[strategy]
        assert (
            distance(a.tensors["wkv"], b.tensors["wkv"]) < CLOSE[strategy]
            and distance(a.tensors["shift"], b.tensors["shift"]) < CLOSE[strategy]
        )


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.usefixtures("library", "threads")
def test_a_row_does_not_feel_its_neighbours_nor_the_threads(strategy: str) -> None:
    """To the last bit: alone, in any batch, on one thread or two. So a seed gives the same draft in every batch."""
    model = build_model(random_weights(**SHAPES["five_heads"]), parse_strategy(strategy))
    text = some_tokens(model.vocab, 9, 6)
    state = model.zero_state(9)
    together = torch.stack([model.forward(text[:, t : t + 1], state) for t in range(6)], dim=1)
    torch.set_num_threads(1)
    for row in range(9):
        alone = model.zero_state(1)
        logits = torch.cat([model.forward(text[row : row + 1, t : t + 1], alone) for t in range(6)])
        assert torch.equal(logits, together[row]) and torch.equal(
            alone.tensors["wkv"][:, 0], state.tensors["wkv"][:, row]
        )
    at_once = model.zero_state(1)
    assert torch.equal(model.forward_all(text[:1], at_once)[0], together[0])


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.usefixtures("library")
def test_the_likeliest_text_is_the_same_without_kernels(strategy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo model, greedily, 60 tokens from each of five beginnings; in bf16 up to a tie."""
    from bot.app import DEMO_MODEL
    from bot.engine.weights import read_weights

    ours, theirs = pair(read_weights(DEMO_MODEL), strategy, monkeypatch)
    text = some_tokens(ours.vocab, 5, 12)
    a, b = greedy(ours, text), greedy(theirs, text)
    if strategy != "cpu bf16":
        assert torch.equal(a, b)
        return
    for row in range(5):  # logits in bf16 are often equal, or neighbours: only there may the texts part
        at = int((a[row] != b[row]).int().argmax())
        begun = torch.cat((text[row], b[row, :at]))[None]
        logits = theirs.forward(begun, theirs.zero_state(1))[0]
        assert logits[b[row, at]] - logits[a[row, at]] <= 2**-6 * logits.abs().max()


def greedy(model: Model, text: Tensor) -> Tensor:
    state, written = model.zero_state(len(text)), []
    for _ in range(60):
        text = model.forward(text, state).argmax(dim=-1, keepdim=True)
        written.append(text)
    return torch.cat(written, dim=1)


@pytest.mark.usefixtures("library")
def test_int8_is_close_to_fp32_on_the_demo_model() -> None:
    """Mean KL divergence of the next-token distributions below 0.01."""
    from bot.app import DEMO_MODEL
    from bot.engine.weights import read_weights

    weights = read_weights(DEMO_MODEL)
    exact, eight = (build_model(weights, parse_strategy(s)) for s in ("cpu fp32", "cpu fp32i8"))
    text = greedy(exact, some_tokens(exact.vocab, 5, 12))
    p, q = (m.forward_all(text, m.zero_state(5)).log_softmax(dim=-1) for m in (exact, eight))
    assert float((p.exp() * (p - q)).sum(dim=-1).mean()) < 0.01
    assert float((p.argmax(-1) == q.argmax(-1)).float().mean()) > 0.95


@pytest.mark.usefixtures("library")
def test_a_state_that_is_a_view_is_changed_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernels want plain memory; the caller's tensors are the ones that change."""
    ours, theirs = pair(random_weights(**SHAPES["one_head"]), "cpu fp32", monkeypatch)
    whole = ours.zero_state(4)
    view, plain = State({name: tensor[:, 1:3] for name, tensor in whole.tensors.items()}), theirs.zero_state(2)
    text = some_tokens(300, 2, 5)
    assert distance(ours.forward(text, view), theirs.forward(text, plain)) < CLOSE["cpu fp32"]
    assert distance(whole.tensors["wkv"][:, 1:3], plain.tensors["wkv"]) < CLOSE["cpu fp32"]
    assert whole.tensors["wkv"][:, 0].abs().max() == 0 and whole.tensors["shift"][:, 3].abs().max() == 0


@pytest.mark.parametrize("planted", ["att.k_a", "att.v0", "att.w2", "ffn.x_k", "att.ln_x.bias", "att.g1"])
@pytest.mark.usefixtures("library")
def test_a_planted_mistake_would_be_seen(planted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """These comparisons can fail: 5 % off in one small tensor of the last layer is far outside the tolerance."""
    weights = random_weights(**SHAPES["odd_everything"])
    _, right = pair(weights, "cpu fp32", monkeypatch)
    weights[f"blocks.2.{planted}"] = weights[f"blocks.2.{planted}"] * 1.05
    wrong = build_model(weights, parse_strategy("cpu fp32"))
    text = some_tokens(331, 2, 9)
    difference = distance(wrong.forward(text, wrong.zero_state(2)), right.forward(text, right.zero_state(2)))
    assert difference > 10 * CLOSE["cpu fp32"]


@pytest.mark.parametrize("name", ["att.w2", "att.g1", "att.k_k", "att.output.weight", "ffn.value.weight", "ln2.bias"])
@pytest.mark.usefixtures("library")
def test_shapes_that_do_not_fit_are_refused_before_they_are_read(name: str) -> None:
    """C++ trusts the shapes, so each is checked."""
    weights = random_weights(**SHAPES["one_head"])
    weights[f"blocks.1.{name}"] = torch.zeros(3, 5) if weights[f"blocks.1.{name}"].dim() > 1 else torch.zeros(65)
    with pytest.raises(ModelError, match="形状前后不一致"):
        build_model(weights, parse_strategy("cpu fp32"))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.usefixtures("library")
def test_memory_does_not_grow() -> None:
    """Over thousands of steps in batches of all sizes, and over models made and dropped."""
    weights = random_weights(**SHAPES["one_head"])

    def work(steps: int) -> None:
        model = build_model(weights, parse_strategy("cpu fp32i8"))
        for n in range(steps):
            model.forward(some_tokens(300, 1 + n % 9, 1 + n % 3), model.zero_state(1 + n % 9))

    work(300)
    gc.collect()
    before = resident()
    for _ in range(10):
        work(300)
    gc.collect()
    assert resident() - before < 4 << 20


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


# Building


@pytest.mark.parametrize(
    ("cuda_on", "jit_on", "capability", "on"),
    [
        (None, None, "AVX2", True),
        (None, "1", "AVX512", True),
        (None, None, "DEFAULT", False),  # another processor than those that they were written for
        ("1", None, "DEFAULT", True),
        ("0", None, "AVX512", False),
        (None, "0", "AVX512", False),
        ("1", "0", "AVX512", False),
    ],
)
def test_they_are_on_where_they_are_of_use(
    cuda_on: str | None,
    jit_on: str | None,
    capability: str,
    on: bool,
    library: Library,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Unless `--cuda_on` or `--jit_on` say otherwise; why not is said."""
    for name, value in (("RWKV_CUDA_ON", cuda_on), ("RWKV_JIT_ON", jit_on)):
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    assert (kernels.library() is library) is on
    assert bool(kernels.why_none()) is not on


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process that has not tried yet."""
    kernels._attempt.cache_clear()
    yield
    kernels._attempt.cache_clear()


@pytest.mark.usefixtures("fresh")
def test_without_a_compiler_pytorch_does_it_and_says_so_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever number of models is loaded; every strategy still works."""
    monkeypatch.setenv("CXX", "no-such-compiler")
    with caplog.at_level(logging.WARNING):
        models = [build_model(random_weights(**SHAPES["one_head"]), parse_strategy(s)) for s in STRATEGIES]
    assert [model.kernels for model in models] == ["", "", ""]
    assert [text for text in caplog.messages if "C++ 内核" in text and "no-such-compiler" in text] == caplog.messages
    assert len(caplog.messages) == 1
    for model in models:
        assert model.forward(torch.tensor([[1, 2]]), model.zero_state(1)).isfinite().all()


@pytest.mark.usefixtures("fresh")
def test_a_compiler_that_fails_is_like_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The message has its words, and no rubbish is left."""
    broken = tmp_path / "c++"
    broken.write_text("#!/bin/sh\ncase $1 in -*version) echo 12.2.0;; *) echo compiler sorrow >&2; exit 1;; esac\n")
    broken.chmod(0o755)
    monkeypatch.setenv("CXX", str(broken))
    monkeypatch.setenv("COHOST_KERNEL_CACHE", str(tmp_path / "cache"))
    assert kernels.library() is None
    assert "compiler sorrow" in kernels.why_none() and len(caplog.messages) == 1
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.usefixtures("fresh")
def test_they_can_be_switched_off(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """`--cuda_on 0`: nothing is built and nothing is said."""
    monkeypatch.setenv("RWKV_CUDA_ON", "0")
    monkeypatch.setattr(build, "_compiler", lambda: pytest.fail("looked for a compiler"))
    assert kernels.library() is None and kernels.why_none() and caplog.messages == []


@pytest.mark.usefixtures("library")
def test_a_built_library_is_used_again_and_a_broken_one_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiler runs only when there is no whole file of this source, compiler and processor."""
    good = build.built_library()
    monkeypatch.setenv("COHOST_KERNEL_CACHE", str(tmp_path))
    runs = []

    def compiled(work: Path) -> Path:
        runs.append(work)
        (work / f"made{good.suffix}").write_bytes(good.read_bytes())
        return work / f"made{good.suffix}"

    monkeypatch.setattr(build, "_compile", compiled)
    first = build.built_library()
    assert build.built_library() == first and len(runs) == 1
    first.write_bytes(first.read_bytes()[:1000])  # a full disk, a crash
    assert Library(build.built_library()).processor and len(runs) == 2
    assert [path.name for path in tmp_path.iterdir()] == [first.name]
    monkeypatch.setattr(build, "_flags", lambda: ["-O1"])
    assert build.built_library() != first and len(runs) == 3


def test_a_cache_that_cannot_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its folder is named."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("COHOST_KERNEL_CACHE", str(tmp_path / "file"))
    monkeypatch.setattr(build, "_compiler", lambda: "c++ 1.0")
    with pytest.raises(build.CannotBuild, match="file"):
        build.built_library()


def test_every_source_is_part_of_the_key() -> None:
    """A changed header must not find an old library."""
    folder = Path(build.__file__).parent
    assert {path.name for path in folder.iterdir() if path.suffix in (".cpp", ".h")} == set(build.SOURCES)
