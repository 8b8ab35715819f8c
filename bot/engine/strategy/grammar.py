"""Where each layer of a model runs and in which number format: the `rwkv` package's grammar, read and laid out.

    cuda:0 fp16 *11 -> cuda:1 fp16 *11 -> cuda:2 fp16        cuda fp16i8 *20 -> cpu fp32        cuda fp16 *10+

A strategy is stages, one after another. The last norm and the head count as one layer after the others. `*n` is how
many layers a stage takes; stages without a number share evenly what the others leave. `*n+`, in one stage at most,
takes every layer that no other stage names: n of them stay on the device, the rest are brought to it when needed.
Knows no torch, no devices and no weights.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

from bot.engine.errors import ModelError

FORMATS = ("fp32", "bf16", "fp16")
ARROW = " -> "
_DEVICE = re.compile(r"cpu|cuda(:\d{1,3})?")
_FORMAT = re.compile(rf"({'|'.join(FORMATS)})(i8)?")
_COUNT = re.compile(r"\*(\d{1,6})(\+)?")


class StrategyError(ModelError):
    """A strategy that cannot be. The message marks the place in its text and ends in one that would do."""


@dataclass(frozen=True, slots=True)
class Stage:
    """`layers` None: a share of what the other stages leave. `streamed`: as many stay on the device, the rest come."""

    device: str  # cpu, cuda, cuda:1, ...
    format: str  # one of FORMATS: what matrix products are computed in
    int8: bool = False  # the matrices are kept in eight bits
    layers: int | None = None
    streamed: bool = False

    def __str__(self) -> str:
        count = "" if self.layers is None else f" *{self.layers}{'+' * self.streamed}"
        return f"{self.device} {self.format}{'i8' * self.int8}{count}"


@dataclass(frozen=True, slots=True)
class Part:
    """What one stage holds of a certain model: the layers from `first` up to `end`, of which those from `streamed` on
    come to the device only when they are needed; and the last norm with the head, or not."""

    stage: Stage
    first: int
    end: int
    streamed: int
    head: bool


@dataclass(frozen=True, slots=True)
class Strategy:
    """At least one stage. `str` gives the text that the `rwkv` package reads too."""

    stages: tuple[Stage, ...]

    def __str__(self) -> str:
        return ARROW.join(map(str, self.stages))

    @property
    def whole(self) -> Stage | None:
        """The stage that holds the model by itself; None if there are several, or layers are streamed."""
        return self.stages[0] if len(self.stages) == 1 and not self.stages[0].streamed else None

    def plan(self, layers: int) -> tuple[Part, ...]:
        """The stages laid over a model of so many layers; StrategyError if they do not fit it."""
        parts, first = [], 0
        for stage, count in zip(self.stages, self._counts(layers + 1), strict=True):
            end = first + count
            own_end = min(end, layers)
            streamed = min(first + (stage.layers or 0), own_end) if stage.streamed else own_end
            parts.append(Part(stage, first, own_end, streamed, head=end > layers))
            first = end
        return tuple(parts)

    def _counts(self, units: int) -> list[int]:
        """Layers of each stage, the head being one: all of `units`, and at least one each."""
        named = sum(stage.layers or 0 for stage in self.stages)
        if named > units:
            self._refuse_count(units, named)
        counts = [stage.layers or 0 for stage in self.stages]
        left = units - named
        streaming = [n for n, stage in enumerate(self.stages) if stage.streamed]
        free = [n for n, stage in enumerate(self.stages) if stage.layers is None]
        takers = streaming or free or [len(counts) - 1]  # numbers everywhere, but too small: the last takes the rest
        for n, share in zip(takers, _shares(left, len(takers)), strict=True):
            counts[n] += share
        if 0 in counts:
            self._refuse_empty(units, counts.index(0))
        return counts

    def _refuse_count(self, units: int, named: int) -> NoReturn:
        until, total = 0, 0
        for until, stage in enumerate(self.stages):  # noqa: B007
            total += stage.layers or 0
            if total > units:
                break
        raise StrategyError(
            f"运行策略 {self.marked(until)}与模型对不上：共写了 {named} 层，这个模型只有 {units - 1} 层加输出层，即 {units} 层。"
            f'例如 "{self._fitted(units)}"。 / {named} layers are named, the model has {units} with its head.'
        )

    def _refuse_empty(self, units: int, number: int) -> NoReturn:
        raise StrategyError(
            f"运行策略 {self.marked(number)}与模型对不上：第 {number + 1} 段一层也分不到，这个模型连输出层共 {units} 层。"
            f'例如 "{self._fitted(units)}"。 / Stage {number + 1} gets no layer of the {units}.'
        )

    def smaller(self, layers: int) -> str:
        """One that needs less memory for a model of so many layers; "" if there is none to be told."""
        if not all(stage.int8 for stage in self.stages):
            return str(Strategy(tuple(replace(stage, int8=True) for stage in self.stages)))
        if self.whole is not None and self.whole.device != "cpu":
            return f"{self.whole} *{max(1, layers // 2)} -> cpu fp32i8"
        return ""

    def marked(self, number: int) -> str:
        """The text with one stage in 【】."""
        before = ARROW.join(map(str, self.stages[:number]))
        return marked(str(self), len(before) + len(ARROW) * (number > 0), len(str(self.stages[number])))

    def _fitted(self, units: int) -> Strategy:
        """These stages, as many as can be, with even numbers of layers."""
        stages = self.stages[:units]
        shares = _shares(units, len(stages))
        numbered = (replace(s, layers=n, streamed=False) for s, n in zip(stages[:-1], shares, strict=False))
        return Strategy((*numbered, replace(stages[-1], layers=None, streamed=False)))


def parse_strategy(text: str) -> Strategy:
    """Reads anything but `auto`; StrategyError says what is wrong, where, and what could be written."""
    text = text.strip()
    stages: list[Stage] = []
    for at, part in _split(text):
        stage = _stage(text, at, part)
        if stage.streamed and any(other.streamed for other in stages):
            _refuse(text, at, part, "只能有一段带 +", "only one stage may stream")
        stages.append(stage)
    return Strategy(tuple(stages))


def is_auto(text: str) -> bool:
    return text.strip().lower() in ("", "auto")


def marked(text: str, at: int, length: int) -> str:
    """The text with the wrong part in 【】, and its place, counted from 1."""
    return f'"{text[:at]}【{text[at : at + length]}】{text[at + length :]}"（第 {at + 1} 个字符起）'


def _split(text: str) -> Iterator[tuple[int, str]]:
    """The stages as they are written and where they begin."""
    at = 0
    for part in text.split("->"):
        inner = part.strip()
        yield at + (part.index(inner) if inner else 0), inner
        at += len(part) + len("->")


def _stage(text: str, at: int, part: str) -> Stage:
    words = [(at + word.start(), word[0]) for word in re.finditer(r"\S+", part)]
    if not words:
        _refuse(text, at, "", "这里缺一段：设备和数字格式", "a stage is missing here")
    if not _DEVICE.fullmatch(words[0][1].lower()):
        _refuse(text, *words[0], "不认识的设备，可写 cpu、cuda、cuda:1", "unknown device")
    if len(words) < 2:
        _refuse(text, at + len(part), "", "设备后面缺数字格式", "a number format is missing")
    form = _FORMAT.fullmatch(words[1][1].lower())
    if not form:
        _refuse(text, *words[1], "不认识的数字格式，可写 fp32、bf16、fp16，或加 i8", "unknown number format")
    layers, streamed = _count(text, words[2]) if len(words) > 2 else (None, False)
    if len(words) > 3:
        _refuse(text, *words[3], "多出来的字；各段之间写 ->", "unexpected; stages are joined by ->")
    device = words[0][1].lower()
    device = f"cuda:{int(device[5:])}" if ":" in device else device
    return Stage(device, form[1], bool(form[2]), layers, streamed)


def _count(text: str, word: tuple[int, str]) -> tuple[int, bool]:
    count = _COUNT.fullmatch(word[1])
    if not count:
        _refuse(text, *word, "不认识的层数，应写成 *10 或 *10+", "layers are written *10 or *10+")
    if not int(count[1]) and not count[2]:
        _refuse(text, *word, "一段至少要有一层", "a stage takes at least one layer")
    return int(count[1]), bool(count[2])


def _refuse(text: str, at: int, part: str, what: str, english: str) -> NoReturn:
    raise StrategyError(
        f'看不懂运行策略 {marked(text, at, len(part))}：{what}。例如 "auto"、"cpu fp32"、"cpu bf16"、"cuda fp16"、'
        f'"cuda fp16i8 *20 -> cpu fp32"。 / Unknown strategy: {english}; see the examples.'
    )


def _shares(total: int, n: int) -> Sequence[int]:
    """`total` in n whole parts, as the `rwkv` package cuts it: the larger ones come last."""
    shares = []
    for others in range(n, 0, -1):
        shares.append(total // others)
        total -= shares[-1]
    return shares
