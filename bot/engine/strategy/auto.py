"""Chooses a strategy for a model and a machine: `auto`. Plain numbers in, a strategy out; asks no device anything.

The first of these that fits: the whole model on one card in fp16, then in int8; on several cards in fp16, then in int8;
the first layers on the cards in int8 and the rest on the CPU; the CPU alone. Never bf16 on a card: with overflow
taken care of (`arithmetic.in_range`), fp16 has three bits more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Protocol

from bot.engine.errors import ModelError
from bot.engine.strategy.grammar import Stage, Strategy

SMALL = 50_000_000
"""Parameters below which the CPU is as quick as a card, and the card is left to the game."""

ROWS = 16
"""Drafts at once for which there should be room."""

PIECE = 512
"""Tokens of a prompt that are read at once."""

CARD_ROOM = 512 << 20
"""Bytes of a card, besides what is counted: kernels, libraries, states that are kept, what the allocator wastes."""

CPU_ROOM = 512 << 20

WORTH_IT = 8
"""A card that would take less than one layer in so many is left out."""

GB = 1e9


class Shaped(Protocol):
    """A tensor, or what a file's header says of one."""

    @property
    def shape(self) -> Sequence[int]: ...


@dataclass(frozen=True, slots=True)
class ModelSize:
    """What memory depends on. Numbers of weights in one layer (the largest), in the head, in the embedding."""

    layers: int
    width: int
    hidden: int
    layer: int
    head: int
    embedding: int
    state: int  # bytes of one layer's state for one row

    @classmethod
    def of(cls, tensors: Mapping[str, Shaped]) -> ModelSize:
        """Of any RWKV; KeyError or ValueError if it is none."""
        counts = {name: prod(tensor.shape) for name, tensor in tensors.items()}
        layers = 1 + max(int(name.split(".")[1]) for name in tensors if name.startswith("blocks."))
        hidden, width = tensors["blocks.0.ffn.key.weight"].shape
        heads = tensors.get("blocks.0.att.r_k")
        head_size = heads.shape[1] if heads is not None else 64
        return cls(
            layers,
            width,
            hidden,
            max(sum(c for n, c in counts.items() if n.startswith(f"blocks.{layer}.")) for layer in range(layers)),
            counts["head.weight"],
            counts["emb.weight"],
            4 * width * (2 + head_size),
        )

    @property
    def parameters(self) -> int:
        return self.layers * self.layer + self.head + self.embedding

    def passing(self) -> int:
        """Bytes of what lies about while a piece of a prompt is read."""
        return 4 * PIECE * (20 * self.width + 3 * self.hidden)


@dataclass(frozen=True, slots=True)
class Card:
    """A graphics card that PyTorch can use; `free` in bytes."""

    device: str
    free: int


@dataclass(frozen=True, slots=True)
class Machine:
    """`memory`: free bytes of the computer's own, None if it does not tell. `bf16`: its processor computes that fast."""

    cards: tuple[Card, ...] = ()
    memory: int | None = None
    bf16: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """`why` it is this one, for people, in a line; "" if it was written by one."""

    strategy: Strategy
    why: str


def choose(size: ModelSize, machine: Machine) -> Choice:
    """ModelError, which says how much memory there should be, if the model fits nowhere."""
    if size.parameters < SMALL:
        return _on_cpu(size, machine, "小模型，CPU 就够快 / small, the CPU is quick enough")
    for int8 in (False, True):
        roomy = [card for card in machine.cards if _need(size, int8) <= card.free]
        if roomy:
            card = max(roomy, key=lambda card: card.free)
            return Choice(Strategy((_stage(card.device, int8),)), _why(card, _need(size, int8)))
    for int8 in (False, True):
        split = _split(size, machine.cards, int8)
        if split:
            return Choice(
                split, f"一块显卡放不下，分在 {len(split.stages)} 块上 / split over {len(split.stages)} cards"
            )
    return _shared(size, machine) or _on_cpu(size, machine, "没有能用的显卡 / no card for it")


def _stage(device: str, int8: bool, layers: int | None = None) -> Stage:
    return Stage(device, "fp16", int8, layers)


def _why(card: Card, need: int) -> str:
    return f"显存空闲 {card.free / GB:.1f} GB，需要 {need / GB:.1f} GB / {card.device} has room for it"


def _weight(int8: bool) -> int:
    """Bytes of a weight on a card."""
    return 1 if int8 else 2


def _layer(size: ModelSize, int8: bool) -> int:
    """Bytes of a layer on a card, with its states."""
    return _weight(int8) * size.layer + ROWS * size.state


def _need(size: ModelSize, int8: bool) -> int:
    """Bytes of the whole model on a card."""
    return CARD_ROOM + size.passing() + 2 * size.embedding + size.layers * _layer(size, int8) + _head(size, int8)


def _head(size: ModelSize, int8: bool) -> int:
    """Bytes of the head, and of logits."""
    return _weight(int8) * size.head + 4 * ROWS * (size.head // size.width)


def _capacity(size: ModelSize, card: Card, int8: bool) -> int:
    """Layers that the card has room for, at most the model's."""
    free = card.free - CARD_ROOM - size.passing()
    return max(0, min(size.layers, free // _layer(size, int8)))


def _split(size: ModelSize, cards: Sequence[Card], int8: bool) -> Strategy | None:
    """Over as few cards as hold it, the roomiest first, each by what it has room for. None if they do not hold it."""
    by_room = sorted(cards, key=lambda card: -card.free)
    for count in range(2, len(cards) + 1):
        chosen = [card for card in cards if card in by_room[:count]]
        rooms = [_capacity(size, card, int8) for card in chosen]
        last = Card(chosen[-1].device, chosen[-1].free - _head(size, int8))
        rooms[-1] = _capacity(size, last, int8)
        if sum(rooms) >= size.layers and all(rooms):
            return Strategy(tuple(_numbered(chosen, _by_room(size.layers, rooms), int8)))
    return None


def _by_room(layers: int, rooms: Sequence[int]) -> list[int]:
    """Shares in proportion; none is larger than its room, since the sum of rooms is at least `layers`."""
    ends = [layers * sum(rooms[:n]) // sum(rooms) for n in range(len(rooms) + 1)]
    return [end - start for start, end in pairwise(ends)]


def _numbered(cards: Sequence[Card], shares: Sequence[int], int8: bool) -> list[Stage]:
    """The last takes what is left, with the head."""
    taking = [(card, share) for card, share in zip(cards, shares, strict=True) if share]
    stages = [_stage(card.device, int8, share) for card, share in taking[:-1]]
    return [*stages, _stage(taking[-1][0].device, int8)]


def _shared(size: ModelSize, machine: Machine) -> Choice | None:
    """The first layers on the cards and the others, with the head, on the CPU."""
    rooms = [(card.device, _capacity(size, card, int8=True)) for card in machine.cards]
    rooms = [(device, room) for device, room in rooms if room * WORTH_IT >= size.layers]
    left = size.layers - sum(room for _, room in rooms)
    rest = _cpu_stage(size, machine, max(left, 0))
    if not rooms or rest is None:
        return None
    if left <= 0:  # all but the head fits
        device, room = rooms[-1]
        rooms[-1] = device, max(1, room + left)
    stages = [Stage(device, "fp16", True, room) for device, room in rooms]
    on_cards = sum(room for _, room in rooms)
    why = f"显存只放得下 {on_cards} 层，其余在 CPU / room for {on_cards} of {size.layers} layers on the card"
    return Choice(Strategy((*stages, rest)), why)


def _on_cpu(size: ModelSize, machine: Machine, why: str) -> Choice:
    stage = _cpu_stage(size, machine, size.layers)
    if stage is None:
        assert machine.memory is not None
        raise ModelError(
            f"内存不够：这个模型最少要 {_cpu_need(size, size.layers, 1) / GB:.1f} GB，现在只有 {machine.memory / GB:.1f} GB 可用"
            + "".join(f"，{card.device} 显存 {card.free / GB:.1f} GB" for card in machine.cards)
            + "。请关掉别的程序，或换小一些的模型。 / Not enough memory: close programs, or take a smaller model."
        )
    return Choice(Strategy((stage,)), why)


def _cpu_stage(size: ModelSize, machine: Machine, layers: int) -> Stage | None:
    """So many layers and the head, in the fastest format that there is memory for."""
    best = Stage("cpu", "bf16") if machine.bf16 else Stage("cpu", "fp32")
    for stage, weight in ((best, 2 if machine.bf16 else 4), (Stage("cpu", "fp32", int8=True), 1)):
        if machine.memory is None or _cpu_need(size, layers, weight) <= machine.memory:
            return stage
    return None


def _cpu_need(size: ModelSize, layers: int, weight: int) -> int:
    """Bytes; `weight` of them for each number. The embedding is there in any case, and in 16 bits at least."""
    held = weight * (layers * size.layer + size.head) + max(weight, 2) * size.embedding
    return CPU_ROOM + size.passing() + held + ROWS * layers * size.state
