"""RWKV-7 in several stages: however the layers are dealt out, they compute the same model."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from bot.engine import rwkv7
from bot.engine.arithmetic import Arithmetic, Int8, Matrix, in_range, linear
from bot.engine.cuda import Graphs
from bot.engine.int8 import restored
from bot.engine.random_weights import random_weights
from bot.engine.rwkv7 import Model, ModelError, build_model
from bot.engine.state import State
from bot.engine.strategy import streaming
from bot.engine.strategy.grammar import StrategyError, parse_strategy
from bot.engine.weights import Weights

LAYERS, VOCAB = 6, 257
TOKENS = torch.randint(0, VOCAB, (2, 23), generator=torch.Generator().manual_seed(1))
CLOSE = {"fp32": 1e-5, "bf16": 0.06, "fp16": 6e-3, "bf16i8": 0.1, "fp32i8": 1e-5, "fp16i8": 6e-3}
"""Of the largest logit, against fp32; with eight bits, against fp32 with matrices that were put into eight bits before."""


@cache
def weights() -> Weights:
    return random_weights(LAYERS, 64, VOCAB, head_size=32, ranks=(8, 12, 8, 16))


@cache
def in_eight_bits() -> Weights:
    """What the int8 stages multiply with, in float32."""
    small = {name for name in weights() if ".att." in name and name[-1] in "12" and "ln" not in name}
    large = {name for name in weights() if name.endswith(".weight") and weights()[name].dim() == 2} - {"emb.weight"}
    rest = {name: tensor for name, tensor in weights().items() if name not in small | large}
    return rest | {n: restored(weights(), n).mT for n in small} | {n: restored(weights(), n) for n in large}


def built(strategy: str, given: Weights | None = None) -> Model:
    return build_model(weights() if given is None else given, parse_strategy(strategy))


def told(model: Model) -> Tensor:
    """Logits of a prompt read at once, of a step after it, and of the step of one row of it: (2, 23 + 1 + 1, vocab)."""
    state = model.zero_state(2)
    prompt, step = model.forward_all(TOKENS, state), model.forward(TOKENS[:, :1], state)
    one = model.forward(TOKENS[1:, 1:2], state[1])
    return torch.cat((prompt, step[:, None], one.expand(2, -1)[:, None]), dim=1)


@cache
def expected(eight_bits: bool = False) -> Tensor:
    return told(built("cpu fp32", in_eight_bits() if eight_bits else None))


def distance(ours: Tensor, theirs: Tensor) -> float:
    return float((ours - theirs).abs().max() / theirs.abs().max())


@cache
def alone(form: str) -> Tensor:
    return told(built(f"cpu {form}"))


@pytest.mark.parametrize("form", CLOSE)
def test_every_number_format_is_close(form: str) -> None:
    """fp16 and int8 on the CPU too; eight bits cost what they cost, and not more."""
    assert distance(alone(form), expected("i8" in form)) < CLOSE[form]


@pytest.mark.parametrize("form", ["fp32", "bf16", "fp16", "fp32i8", "bf16i8"])
@pytest.mark.parametrize("at", range(1, LAYERS + 1))
def test_two_stages_compute_what_one_does(form: str, at: int) -> None:
    """To the last bit, wherever the cut is; the head alone is a stage as well."""
    assert torch.equal(told(built(f"cpu {form} *{at} -> cpu {form}")), alone(form))


@pytest.mark.parametrize("form", ["fp32", "bf16", "fp32i8"])
@pytest.mark.parametrize("resident", range(LAYERS + 2))
def test_streamed_layers_compute_what_resident_ones_do(form: str, resident: int) -> None:
    """None, one, an odd number, all of them."""
    assert torch.equal(told(built(f"cpu {form} *{resident}+")), alone(form))


def test_streaming_stands_beside_other_stages() -> None:
    """In the middle, with one streamed layer alone, and before a head of its own."""
    for strategy in ("cpu fp32 *2 -> cpu fp32 *1+ -> cpu fp32 *2", "cpu fp32 *5 -> cpu fp32 *0+ -> cpu fp32 *1"):
        assert torch.equal(told(built(strategy)), alone("fp32"))


def test_the_memory_for_streaming_is_that_of_two_layers() -> None:
    """However many there are; the layers themselves are not on the device."""
    model = built("cpu fp32 *1+")
    stream = model._stages[0]._stream
    assert isinstance(stream, streaming.Stream)
    held = sum(tensor.nbytes for buffer in stream._buffers for tensor in buffer.values())
    assert held == 2 * 12 * 64 * 64 * 4


def test_every_pass_brings_each_layer_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one while one runs, and the first again for the next pass."""
    brought: list[int] = []
    bring = streaming.Stream._bring

    def counted(stream: streaming.Stream, number: int) -> None:
        brought.append(number)
        bring(stream, number)

    monkeypatch.setattr(streaming.Stream, "_bring", counted)
    model = built("cpu fp32 *3+")  # which makes a first pass
    model.forward(TOKENS, model.zero_state(2))
    assert brought == [0, 1, 2, 0, 1, 2, 0]


def test_a_pass_that_breaks_off_does_no_harm_to_the_next() -> None:
    """An error in the middle of the streamed layers: the next pass begins with the first again."""
    model = built("cpu fp32 *2+")
    stream = model._stages[0]._stream
    assert stream is not None
    layers = iter(stream)
    for _ in range(2):
        next(layers)
    layers.close()  # type: ignore[attr-defined]
    assert torch.equal(told(model), alone("fp32"))


shares = st.lists(
    st.tuples(st.integers(1, LAYERS), st.sampled_from(["fp32", "fp32", "bf16", "fp16", "fp32i8"])),
    min_size=1,
    max_size=4,
)


@settings(max_examples=60)
@given(shares, st.booleans())
def test_any_division_is_close(drawn: list[tuple[int, str]], streamed: bool) -> None:
    """Stages of any formats and sizes, the last taking the rest; in fp32 alone, to the last bit."""
    parts = [f"cpu {form} *{count}" for count, form in drawn[:-1]] + [f"cpu {drawn[-1][1]}{' *1+' * streamed}"]
    try:
        model = built(" -> ".join(parts))
    except StrategyError:
        assert sum(count for count, _ in drawn[:-1]) > LAYERS
        return
    forms = {form for _, form in drawn}
    if forms == {"fp32"}:
        assert torch.equal(told(model), expected())
    else:
        assert distance(told(model), expected()) < (0.2 if "fp32i8" in forms else CLOSE["bf16"])


def test_mixed_formats_differ_from_one() -> None:
    """Each stage really computes in its own: the tests above could not tell otherwise."""
    mixed = told(built("cpu fp32 *3 -> cpu bf16 *2 -> cpu fp32"))
    assert not torch.equal(mixed, expected()) and not torch.equal(mixed, alone("bf16"))
    assert distance(mixed, expected()) < CLOSE["bf16"]


def test_every_stage_has_its_own_part_of_the_state() -> None:
    """Bare names for the first, numbered ones for the others, none for a head alone; together they are one model's."""
    model = built("cpu fp32 *2 -> cpu bf16 *4 -> cpu fp32")
    state = model.zero_state(3)
    assert {name: tuple(tensor.shape) for name, tensor in state.tensors.items()} == {
        "shift": (4, 3, 64), "wkv": (2, 3, 2, 32, 32), "shift.1": (8, 3, 64), "wkv.1": (4, 3, 2, 32, 32),
    }  # fmt: skip
    whole, parts = built("cpu fp32"), built("cpu fp32 *2 -> cpu fp32")
    a, b = whole.zero_state(2), parts.zero_state(2)
    whole.forward(TOKENS, a)
    parts.forward(TOKENS, b)
    for name in ("shift", "wkv"):
        assert torch.equal(a.tensors[name], torch.cat((b.tensors[name], b.tensors[f"{name}.1"])))


def test_rows_of_stages_are_copied_and_joined() -> None:
    """Branching works on all parts at once."""
    model = built("cpu fp32 *2 -> cpu fp32")
    state = model.zero_state(1)
    model.forward(TOKENS[:1], state)
    both = State.join([state.repeat(2), model.zero_state(1)])
    logits = model.forward(TOKENS[:1, :1].repeat(3, 1), both[[0, 2, 1]])
    assert distance(logits[0], logits[2]) < 1e-5 and distance(logits[0], logits[1]) > 0.1
    assert distance(logits[0], model.forward(TOKENS[:1, :1], state)[0]) < 1e-5


# Eight bits and fp16


def test_matrices_stay_in_eight_bits() -> None:
    """On every device: one byte a weight, the embedding apart, and nothing of it in floats."""
    layer = built("cpu fp32i8 *1 -> cpu bf16i8")._stages[1]._resident[0]
    for matrix in (layer.R, layer.K, layer.V, layer.O, layer.ffn_K, layer.ffn_V, *layer.g, *layer.w[1:]):
        assert isinstance(matrix, Int8) and matrix.q.dtype == torch.int8


def on_a_card(x: Tensor, weight: Matrix) -> Tensor:
    """As a card's products in fp16 go: inputs are rounded to fp16, sums are float32."""
    assert isinstance(weight, Tensor)
    return linear(x.to(torch.float16).float(), weight)


def hot(factor: float) -> Weights:
    """A model whose feed-forward has inner values of `factor` times the usual, which the second matrix takes back. All
    numbers are fp16's."""
    made = dict(weights())
    for layer in range(LAYERS):
        made[f"blocks.{layer}.ffn.key.weight"] = made[f"blocks.{layer}.ffn.key.weight"] * factor**0.5
        made[f"blocks.{layer}.ffn.value.weight"] = made[f"blocks.{layer}.ffn.value.weight"] / factor
    return {name: tensor.half().float() for name, tensor in made.items()}


def test_fp16_does_not_overflow() -> None:
    """Squares far beyond 65504 in every layer: as close as without them. On the card's way of computing."""
    model = built("cpu fp16", hot(1e5))
    for layer in model._stages[0]._resident:
        layer.dtype, layer.ops = torch.float16, Arithmetic(on_a_card, layer.ops.wkv_step, layer.ops.wkv_scan)
    inner = torch.relu(linear(TOKENS[0, :1, None].float().expand(1, 64), model._stages[0]._resident[0].ffn_K)).square()
    assert inner.max() > 65504
    assert distance(told(model), told(built("cpu fp32", hot(1e5)))) < 5e-3


def test_fp16_on_the_cpu_does_not_overflow_either() -> None:
    """It is kept in fp16 and computed in float32."""
    assert distance(told(built("cpu fp16", hot(1e5))), told(built("cpu fp32", hot(1e5)))) < 1e-5


def test_values_in_range_are_not_touched() -> None:
    """Only the rows that need it are scaled, and then as little as is needed."""
    x = torch.tensor([[1.0, 65504.0], [1.0, 131008.0], [0.0, 0.0]])
    inside, scale = in_range(x, torch.float16)
    assert scale is not None and scale.flatten().tolist() == [1, 2, 1]
    assert inside.tolist() == [[1, 65504], [0.5, 65504], [0, 0]]
    assert in_range(x, torch.bfloat16)[1] is None


# What the card's graphs need, tried without a card


def test_a_model_in_graphs_tells_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps of one token go through `Graphs`, whose memory the states then live in; prompts do not."""
    plain, model = built("cpu fp32 *0+"), built("cpu fp32 *0+")
    captured = []

    def capture(step, device):  # type: ignore[no-untyped-def]
        captured.append(device)
        out = step()
        return lambda: out.copy_(step()), out

    model._step = Graphs(model._plain_step, model.zero_state, capture)
    assert torch.equal(told(model), told(plain)) and len(captured) == 2


# What cannot be


def test_shapes_that_do_not_fit_are_said() -> None:
    """A broken file shows while it is loaded, in whatever stage."""
    wrong = weights() | {"blocks.4.att.output.weight": torch.zeros(32, 64)}
    with pytest.raises(ModelError, match="张量形状前后不一致"):
        built("cpu fp32 *2 -> cpu fp32i8", wrong)


def test_a_strategy_for_another_model_is_refused_with_an_example() -> None:
    """With this one's number of layers."""
    with pytest.raises(StrategyError, match="7 层") as caught:
        built("cpu fp32 *20 -> cpu bf16")
    assert '例如 "cpu fp32 *3 -> cpu bf16"' in str(caught.value)


def test_a_card_that_fails_is_not_taken_for_a_broken_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that is too old, a card without code for it: what to do about that."""

    def fails(*_: object) -> None:
        raise torch.AcceleratorError("CUDA error: no kernel image is available for execution on the device")

    monkeypatch.setattr(rwkv7, "_Head", fails)
    with pytest.raises(ModelError, match=r"显卡用不了 \"cpu fp32 \*3 -> cpu fp32\"：CUDA error: no kernel image.*驱动"):
        built("cpu fp32 *3 -> cpu fp32")


def test_memory_that_runs_out_is_said_with_what_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """The strategy that was tried, and ones that need less."""

    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(rwkv7, "_Head", full)
    with pytest.raises(
        ModelError,
        match=r"内存（或显存）不够放下 model.*\"cpu fp32 \*3 -> cpu fp32\".*\"cpu fp32i8 \*3 -> cpu fp32i8\" 或 \"auto\"",
    ):
        built("cpu fp32 *3 -> cpu fp32")
