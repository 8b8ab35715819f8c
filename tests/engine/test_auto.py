"""What `auto` chooses: a table of machines and models, and what must hold for all of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bot.engine.errors import ModelError
from bot.engine.random_weights import random_weights
from bot.engine.strategy import machine
from bot.engine.strategy.auto import CPU_ROOM, Card, Machine, ModelSize, choose
from bot.engine.strategy.grammar import StrategyError, parse_strategy
from bot.engine.strategy.machine import settled, this_machine

GB = 1_000_000_000


def size(layers: int, width: int) -> ModelSize:
    """Of a World model of the RWKV-7 family."""
    head = 65536 * width
    layer = 12 * width**2 + width * 1200
    return ModelSize(layers, width, 4 * width, layer, head, head, state=4 * width * 66)


MODELS = {
    "demo": ModelSize(6, 192, 768, 500_000, 1_000_000, 1_000_000, 4 * 192 * 66),
    "0.4b": size(24, 1024),
    "1.5b": size(24, 2048),
    "2.9b": size(32, 2560),
    "7.2b": size(32, 4096),
    "13.3b": size(61, 4096),
}


def cards(*free: float) -> tuple[Card, ...]:
    return tuple(Card(f"cuda:{n}", int(gigabytes * GB)) for n, gigabytes in enumerate(free))


def computer(*free: float, ram: float = 24, bf16: bool = True) -> Machine:
    return Machine(cards(*free), int(ram * GB), bf16)


TABLE = [
    # a card that holds all of it
    ("1.5b", computer(7.5), "cuda:0 fp16"),
    ("2.9b", computer(7.5), "cuda:0 fp16"),
    ("2.9b", computer(5.5), "cuda:0 fp16i8"),
    ("7.2b", computer(23.5), "cuda:0 fp16"),
    ("7.2b", computer(11.5), "cuda:0 fp16i8"),
    ("13.3b", computer(79), "cuda:0 fp16"),
    ("1.5b", computer(4, 23, 7), "cuda:1 fp16"),  # the roomiest
    # several cards
    ("7.2b", computer(7.5, 7.5, 7.5), "cuda:0 fp16 *10 -> cuda:1 fp16 *11 -> cuda:2 fp16"),
    (
        "7.2b",
        computer(3.8, 7.5, 7.5, 7.5),
        "cuda:1 fp16 *10 -> cuda:2 fp16 *11 -> cuda:3 fp16",
    ),  # those that are enough
    ("7.2b", computer(11, 7.5), "cuda:0 fp16i8"),
    ("13.3b", computer(11.5, 11.5, 7.5), "cuda:0 fp16 *23 -> cuda:1 fp16 *24 -> cuda:2 fp16"),
    ("13.3b", computer(11.5, 7.5), "cuda:0 fp16i8 *38 -> cuda:1 fp16i8"),
    # the first layers on a card
    ("7.2b", computer(7.5), "cuda:0 fp16i8 *29 -> cpu bf16"),
    ("7.2b", computer(3.8), "cuda:0 fp16i8 *13 -> cpu bf16"),
    ("13.3b", computer(7.5, ram=16), "cuda:0 fp16i8 *29 -> cpu bf16"),
    ("13.3b", computer(7.5, ram=12), "cuda:0 fp16i8 *29 -> cpu fp32i8"),
    ("7.2b", computer(3.8, bf16=False, ram=40), "cuda:0 fp16i8 *13 -> cpu fp32"),
    # the CPU alone
    ("7.2b", computer(1.5), "cpu bf16"),  # a card for two or three layers is not worth the way
    ("1.5b", computer(ram=6), "cpu bf16"),
    ("1.5b", computer(ram=4.0), "cpu bf16"),
    ("1.5b", computer(ram=3.9), "cpu fp32i8"),
    ("1.5b", computer(ram=8, bf16=False), "cpu fp32"),
    ("1.5b", computer(ram=4, bf16=False), "cpu fp32i8"),
    ("13.3b", Machine((), None, bf16=True), "cpu bf16"),  # a system that does not tell: try it
    ("demo", computer(23.5), "cpu bf16"),
    ("demo", computer(ram=2, bf16=False), "cpu fp32"),
]


@pytest.mark.parametrize(("model", "there", "expected"), TABLE)
def test_auto_chooses(model: str, there: Machine, expected: str) -> None:
    """The first that fits, in a line that says why."""
    choice = choose(MODELS[model], there)
    assert str(choice.strategy) == expected
    assert choice.why and "\n" not in choice.why
    assert choice.strategy.plan(MODELS[model].layers)


@pytest.mark.parametrize("model", ["7.2b", "13.3b"])
def test_a_model_that_fits_nowhere_is_told_with_numbers(model: str) -> None:
    """How much it needs, how much there is, and what to do."""
    with pytest.raises(
        ModelError, match=r"最少要 (8|1[45])\.\d GB，现在只有 4\.0 GB 可用，cuda:0 显存 2\.0 GB。请关掉别的程序"
    ):
        choose(MODELS[model], computer(2, ram=4))


@given(
    st.sampled_from(sorted(MODELS)),
    st.lists(st.floats(0, 40), max_size=4),
    st.floats(0, 64),
    st.booleans(),
)
def test_what_is_chosen_fits(model: str, free: list[float], ram: float, bf16: bool) -> None:
    """On any machine: it is a strategy for this model, and no device gets more weights than it has free memory; more
    memory never makes a model fit no longer."""
    there, wanted = computer(*free, ram=ram, bf16=bf16), MODELS[model]
    try:
        choice = choose(wanted, there)
    except ModelError:
        return
    room = {card.device: card.free for card in there.cards} | {"cpu": there.memory or 0}
    for part in choice.strategy.plan(wanted.layers):
        weight = 1 if part.stage.int8 else {"fp32": 4, "bf16": 2, "fp16": 2}[part.stage.format]
        room[part.stage.device] -= weight * ((part.end - part.first) * wanted.layer + part.head * wanted.head)
    assert min(room.values()) >= 0
    assert room["cpu"] >= (CPU_ROOM if choice.strategy.stages[-1].device == "cpu" else 0)
    choose(wanted, computer(*(gigabytes + 1 for gigabytes in free), ram=ram + 1, bf16=bf16))


def test_sizes_come_from_the_tensors() -> None:
    """Of any file's names and shapes."""
    weights = random_weights(3, 128, 500, ranks=(8, 8, 8, 16))
    found = ModelSize.of(weights)
    assert (found.layers, found.width, found.hidden, found.head) == (3, 128, 512, 500 * 128)
    assert found.layer == sum(tensor.numel() for name, tensor in weights.items() if name.startswith("blocks.0."))
    assert found.state == 4 * (2 * 128 + 2 * 64 * 64)


# This machine


def test_a_written_strategy_is_settled_as_it_is() -> None:
    """Nothing is chosen, so there is nothing to explain; `auto` is chosen for the machine that is given."""
    choice = settled("cpu fp32 *3 -> cpu bf16", MODELS["0.4b"])
    assert (str(choice.strategy), choice.why) == ("cpu fp32 *3 -> cpu bf16", "")
    assert str(settled("auto", MODELS["7.2b"], lambda: computer(23.5)).strategy) == "cuda:0 fp16"
    with pytest.raises(StrategyError, match="25 层"):
        settled("cpu fp32 *30", MODELS["0.4b"])


@pytest.mark.parametrize(
    ("cards_there", "example"), [(0, '"cpu fp32" 或 "cpu bf16"'), (2, '"cuda:0 fp16 -> cuda:1 fp16"')]
)
def test_a_card_that_is_not_there_is_marked(monkeypatch: pytest.MonkeyPatch, cards_there: int, example: str) -> None:
    """Where in the text, how many there are, and what this machine could run."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cards_there)
    with pytest.raises(StrategyError) as caught:
        machine.check_devices(parse_strategy("cpu fp32 *2 -> cuda:2 fp16"))
    message = str(caught.value)
    assert "cpu fp32 *2 -> 【cuda:2 fp16】" in message and f"找到 {cards_there} 块" in message and example in message


def test_this_machine_tells_its_memory() -> None:
    """Some of it is free."""
    there = this_machine()
    assert there.memory is None or 0 < there.memory < 1 << 50
    assert len(there.cards) <= torch.cuda.device_count()


def test_linux_tells_what_is_free(tmp_path: Path) -> None:
    """What the kernel calls available; in a container, what its limit leaves, what can be dropped counting as free."""
    (tmp_path / "meminfo").write_text("MemTotal: 8000 kB\nMemFree: 100 kB\nMemAvailable: 5000 kB\n")
    group = tmp_path / "group"
    group.mkdir()
    assert machine._free_on_linux(tmp_path / "meminfo", group) == 5000 * 1024
    (group / "memory.max").write_text("max\n")
    (group / "memory.current").write_text("2000000\n")
    (group / "memory.stat").write_text("anon 1\ninactive_file 500000\n")
    assert machine._free_on_linux(tmp_path / "meminfo", group) == 5000 * 1024
    (group / "memory.max").write_text("3000000\n")
    assert machine._free_on_linux(tmp_path / "meminfo", group) == 1_500_000


def test_a_card_needs_code_that_it_can_run() -> None:
    """Machine code runs on its own generation, from its minor version on; `compute_` code on everything later."""
    built = ["sm_75", "sm_80", "sm_86", "sm_90", "compute_90"]
    assert machine._has_code(7, 5, built) and machine._has_code(8, 9, built) and machine._has_code(12, 0, built)
    assert not machine._has_code(6, 1, built) and not machine._has_code(7, 0, built)
    assert not machine._has_code(10, 0, ["sm_90"])
