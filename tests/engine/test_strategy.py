"""The grammar of strategies: what can be written, how it is laid over a model, and what is said about the rest."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bot.engine.strategy.grammar import FORMATS, Part, Stage, Strategy, StrategyError, is_auto, parse_strategy
from tests.engine.old_weights import old_weights

WRITTEN = {
    "cpu bf16": [Stage("cpu", "bf16")],
    "  CUDA  FP16 ": [Stage("cuda", "fp16")],
    "cuda:0 fp16 *11 -> cuda:1 fp16 *11 -> cuda:2 fp16": [
        Stage("cuda:0", "fp16", layers=11),
        Stage("cuda:1", "fp16", layers=11),
        Stage("cuda:2", "fp16"),
    ],
    "cuda fp16i8 *20->cpu fp32": [Stage("cuda", "fp16", int8=True, layers=20), Stage("cpu", "fp32")],
    "cuda fp16 *10+": [Stage("cuda", "fp16", layers=10, streamed=True)],
    "cuda:01 bf16i8 *0+ -> cpu fp32 *1": [Stage("cuda:1", "bf16", True, 0, True), Stage("cpu", "fp32", layers=1)],
}


@pytest.mark.parametrize("text", WRITTEN)
def test_a_strategy_is_read_as_it_is_meant(text: str) -> None:
    """Devices, formats, eight bits, numbers of layers, streaming; spaces and capitals do not matter."""
    assert list(parse_strategy(text).stages) == WRITTEN[text]


stages = st.builds(
    Stage,
    device=st.sampled_from(["cpu", "cuda", "cuda:0", "cuda:12"]),
    format=st.sampled_from(FORMATS),
    int8=st.booleans(),
    layers=st.none() | st.integers(1, 99),
)


@given(st.lists(stages, min_size=1, max_size=5))
def test_what_is_printed_is_read_again(wanted: list[Stage]) -> None:
    """`str` and `parse_strategy` are each other's inverse."""
    strategy = Strategy(tuple(wanted))
    assert parse_strategy(str(strategy)) == strategy


WRONG = {
    "cpu": ("cpu【】（第 4 个字符起）", "缺数字格式"),
    "gpu fp16": ("【gpu】 fp16", "不认识的设备"),
    "cuda: fp16": ("【cuda:】 fp16", "不认识的设备"),
    "mps fp16": ("【mps】 fp16", "不认识的设备"),
    "cuda fp16 *10 -> cpu fp8": ("cuda fp16 *10 -> cpu 【fp8】（第 22 个字符起）", "不认识的数字格式"),
    "cpu fp32i4": ("cpu 【fp32i4】", "不认识的数字格式"),
    "cuda fp16 10 -> cpu fp32": ("cuda fp16 【10】 -> cpu fp32", "不认识的层数"),
    "cuda fp16 *-1": ("cuda fp16 【*-1】", "不认识的层数"),
    "cuda fp16 *0 -> cpu fp32": ("cuda fp16 【*0】 -> cpu fp32", "至少要有一层"),
    "cuda fp16 *3 cpu fp32": ("cuda fp16 *3 【cpu】 fp32", "各段之间写 ->"),
    "cuda fp16 *3 -> ": ("cuda fp16 *3 ->【】", "缺一段"),
    "-> cpu fp32": ("【】-> cpu fp32（第 1 个字符起）", "缺一段"),
    "cuda fp16 *3+ -> cpu fp32 *2+": ("cuda fp16 *3+ -> 【cpu fp32 *2+】", "只能有一段带 +"),
    "": ("【】", "缺一段"),
}


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_strategy_is_told_what_and_where(text: str) -> None:
    """The place is marked in the text, counted, and an example follows, in one line."""
    with pytest.raises(StrategyError) as caught:
        parse_strategy(text)
    place, what = WRONG[text]
    message = str(caught.value)
    assert place.replace('"', "") in message.replace('"', "") and what in message
    assert '"cpu fp32"' in message and "\n" not in message


@given(st.text(alphabet="cpuda:0123 fp6b8i*+->", max_size=40))
def test_any_other_text_is_refused_and_never_more(text: str) -> None:
    """A StrategyError or a strategy: no other exception."""
    with suppress(StrategyError):
        parse_strategy(text)


@pytest.mark.parametrize("text", ["auto", " Auto ", ""])
def test_auto_is_no_strategy_but_a_wish(text: str) -> None:
    """It is answered when model and machine are known."""
    assert is_auto(text) and not is_auto("cpu fp32")


# Laid over a model


def laid(text: str, layers: int) -> list[tuple[int, int, int, bool]]:
    return [(part.first, part.end, part.streamed, part.head) for part in parse_strategy(text).plan(layers)]


PLANS = {
    ("cpu fp32", 12): [(0, 12, 12, True)],
    ("cuda:0 fp16 *11 -> cuda:1 fp16 *11 -> cuda:2 fp16", 24): [
        (0, 11, 11, False),
        (11, 22, 22, False),
        (22, 24, 24, True),
    ],
    ("cpu fp32 *12 -> cpu bf16", 12): [(0, 12, 12, False), (12, 12, 12, True)],  # the head alone
    ("cpu fp32 -> cpu bf16 -> cpu fp32", 12): [(0, 4, 4, False), (4, 8, 8, False), (8, 12, 12, True)],
    ("cpu fp32 *6 -> cpu bf16 *2", 12): [(0, 6, 6, False), (6, 12, 12, True)],  # too few: the last takes the rest
    ("cuda fp16 *10+", 24): [(0, 24, 10, True)],
    ("cuda fp16 *0+ -> cpu fp32 *1", 24): [(0, 24, 0, False), (24, 24, 24, True)],
    ("cpu fp32 *2 -> cuda fp16 *3+ -> cpu fp32 *4", 12): [(0, 2, 2, False), (2, 9, 5, False), (9, 12, 12, True)],
    ("cuda fp16 *13+", 12): [(0, 12, 12, True)],
}


@pytest.mark.parametrize(("text", "layers"), PLANS)
def test_layers_are_dealt_out(text: str, layers: int) -> None:
    """The last norm and the head are one layer more; what is streamed comes last in its stage."""
    assert laid(text, layers) == PLANS[text, layers]


FITS_NOT = {
    ("cpu fp32 *9 -> cpu bf16 *9", 12): ("cpu fp32 *9 -> 【cpu bf16 *9】\"（第 16 个字符起）", "共写了 18 层", "cpu fp32 *6 -> cpu bf16"),
    ("cpu fp32 *14", 12): ("【cpu fp32 *14】", "只有 12 层加输出层，即 13 层", "cpu fp32"),
    ("cuda fp16 *13 -> cpu fp32", 12): ("cuda fp16 *13 -> 【cpu fp32】", "第 2 段一层也分不到", "cuda fp16 *6 -> cpu fp32"),
    ("cuda fp16 *2+ -> cpu fp32", 12): ("【cpu fp32】", "第 2 段一层也分不到", "cuda fp16 *6 -> cpu fp32"),
    ("cpu fp32 -> cpu fp32 -> cpu fp32 -> cpu fp32", 2): ("【cpu fp32】 -> cpu", "第 1 段", "cpu fp32 *1 -> cpu fp32 *1 -> cpu fp32"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "layers"), FITS_NOT)
def test_a_strategy_that_does_not_fit_the_model_is_told_so(text: str, layers: int) -> None:
    """Which stage, the numbers, and an example that this very model takes."""
    with pytest.raises(StrategyError) as caught:
        parse_strategy(text).plan(layers)
    place, what, example = FITS_NOT[text, layers]
    message = str(caught.value)
    assert place in message and what in message and f'例如 "{example}"。' in message
    assert parse_strategy(example).plan(layers)


@given(st.lists(stages, min_size=1, max_size=4), st.integers(1, 40), st.integers(-1, 3))
def test_every_layer_is_somewhere_and_only_there(wanted: list[Stage], layers: int, streaming: int) -> None:
    """Whatever fits is a division of the layers in order, with the head at the end; whatever does not comes with an
    example that does."""
    if 0 <= streaming < len(wanted):
        old = wanted[streaming]
        wanted[streaming] = Stage(old.device, old.format, old.int8, old.layers or 0, streamed=True)
    strategy = Strategy(tuple(wanted))
    try:
        parts = strategy.plan(layers)
    except StrategyError as error:
        parse_strategy(str(error).split("例如 ")[1].split('"')[1]).plan(layers)
        return
    assert [part.first for part in parts] == [0, *(part.end for part in parts[:-1])]
    assert parts[-1].end == layers and [part.head for part in parts] == [*([False] * (len(parts) - 1)), True]
    for part in parts:
        assert part.first <= part.streamed <= part.end and (part.end > part.first or part.head)
        assert _takes_what_is_written(part)


def _takes_what_is_written(part: Part) -> bool:
    units, written = part.end - part.first + part.head, part.stage.layers
    if part.stage.streamed:
        return part.streamed == min(part.first + (written or 0), part.end)
    return part.streamed == part.end and (written is None or units == written or (part.head and units > written))


COMPARED = (
    "cpu fp32",
    "cpu fp32 *2 -> cpu bf16",
    "cpu fp32 *1 -> cpu bf16 *2 -> cpu fp16",
    "cpu fp32 -> cpu bf16",
    "cpu fp32 -> cpu bf16 -> cpu fp16",
    "cpu fp32 -> cpu bf16 *1 -> cpu fp16",
    "cpu fp32 *1 -> cpu bf16 *1",
    "cpu bf16 *4 -> cpu fp32",
    "cpu bf16i8 *4 -> cpu fp32i8",
    "cpu fp32 *2+",
    "cpu fp32 *0+ -> cpu bf16 *1",
    "cpu bf16 *1 -> cpu fp32 *1+ -> cpu bf16 *2",
)
PACKAGE = """
import json, sys, torch
torch.set_num_threads(1)
from rwkv.model import RWKV
for text in sys.argv[2:]:
    layers = RWKV(sys.argv[1], text, verbose=False).strategy
    print(json.dumps([[str(s.atype)[6:], s.wtype is torch.uint8, s.stream] for s in layers]))
"""


def test_layers_are_dealt_out_as_the_package_does(tmp_path: Path) -> None:
    """Format, eight bits and streaming of every layer, and of the head, of an RWKV-4 of four layers."""
    torch.save(old_weights("4", 100, layers=4), tmp_path / "m.pth")
    command = [sys.executable, "-c", PACKAGE, str(tmp_path / "m"), *COMPARED]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=200)
    lines = [line for line in done.stdout.splitlines() if line.startswith("[[")]
    for text, line in zip(COMPARED, lines, strict=True):
        assert _each_layer(text, 4) == json.loads(line), text


def _each_layer(text: str, layers: int) -> list[list[object]]:
    names = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}
    found: list[list[object]] = []
    for part in parse_strategy(text).plan(layers):
        for number in range(part.first, part.end + part.head):
            streamed = part.stage.streamed and number >= part.streamed
            found.append([names[part.stage.format], part.stage.int8, streamed])
    return found


def test_the_examples_in_the_docs_are_strategies() -> None:
    """Every text in the table of docs/strategy.md can be written."""
    text = (Path(__file__).parents[2] / "docs" / "strategy.md").read_text(encoding="utf-8")
    examples = re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)
    assert len(examples) >= 7
    assert all(is_auto(example) or parse_strategy(example).plan(32) for example in examples)
