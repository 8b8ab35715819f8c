"""Estimates of drafts a second on common graphics cards, from arithmetic alone: `python -m bot.engine.bench.cards` prints them.

A step gives each of a few drafts one token. It must read every weight once, and read and write each draft's state; and
a layer's operations take some time to begin, however little they do:

    seconds a step = (weights + 2 * drafts * state) / (bandwidth * SHARE) + layers * LAYER

A model fits where its weights, its embedding and ROOM go into the card's memory. Nothing here was measured on these cards.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

SHARE = 0.5
"""Of the bandwidth that the maker states. Our CPU kernels use about 0.5 to 0.6 of what a plain read reaches."""

LAYER = 1e-4
"""Seconds: about 40 small operations, played from a CUDA graph."""

ROOM = 1.2e9
"""Bytes beside the weights: the driver's own, intermediate results, states that are kept."""

TOKENS = 30
"""Of a draft: a reply of about 40 Chinese characters."""

DRAFTS = 5
VOCAB = 65536


@dataclass(frozen=True, slots=True)
class Card:
    """Memory in bytes, bandwidth in bytes a second, as its maker states them."""

    name: str
    memory: float
    bandwidth: float


@dataclass(frozen=True, slots=True)
class Size:
    """A RWKV-7 by its shape. `ranks`: those of w, a, v and g added up."""

    name: str
    layers: int
    width: int
    ranks: int

    @property
    def read(self) -> int:
        """Weights that every step reads: the large and the small matrices, and the head."""
        layer = 12 * self.width**2 + 2 * self.width * self.ranks
        return self.layers * layer + VOCAB * self.width

    @property
    def embedding(self) -> int:
        return VOCAB * self.width

    @property
    def state(self) -> int:
        """Bytes of one draft's: a matrix of 64 numbers for each channel and two vectors a layer, in float32."""
        return 4 * self.layers * self.width * (64 + 2)


CARDS = (
    Card("GTX 1080 8G", 8e9, 320e9),
    Card("Tesla P40 24G", 24e9, 346e9),
    Card("RTX 4060 8G", 8e9, 272e9),
    Card("RTX 3060 12G", 12e9, 360e9),
    Card("RTX 3080 10G", 10e9, 760e9),
    Card("RTX 4090 24G", 24e9, 1008e9),
    Card("RTX 5090 32G", 32e9, 1792e9),
)

SIZES = (
    Size("0.1b", 12, 768, 64 + 64 + 32 + 128),
    Size("0.4b", 24, 1024, 64 + 64 + 32 + 128),
    Size("1.5b", 24, 2048, 96 + 96 + 64 + 256),
    Size("2.9b", 32, 2560, 96 + 96 + 64 + 320),
    Size("7.2b", 32, 4096, 128 + 128 + 96 + 480),
    Size("13.3b", 61, 4096, 192 + 192 + 128 + 384),
)

FORMS = {"fp16": 2, "fp16i8": 1}
"""Bytes of a weight; the embedding has two in both."""


def fits(card: Card, size: Size, form: str) -> bool:
    return FORMS[form] * size.read + 2 * size.embedding + ROOM <= card.memory


def drafts_a_second(card: Card, size: Size, form: str, drafts: int = DRAFTS) -> float:
    """Drafts of TOKENS tokens that are finished a second, `drafts` of them growing together; the prompt has been read."""
    moved = FORMS[form] * size.read + 2 * drafts * size.state
    step = moved / (card.bandwidth * SHARE) + size.layers * LAYER
    return drafts / (TOKENS * step)


def table() -> Iterator[str]:
    """In Markdown: drafts a second in fp16 and with eight bits; a dash where the model does not fit."""
    yield "| | " + " | ".join(size.name for size in SIZES) + " |"
    yield "|---" * (len(SIZES) + 1) + "|"
    for card in CARDS:
        yield f"| {card.name} | " + " | ".join(_cell(card, size) for size in SIZES) + " |"


def _cell(card: Card, size: Size) -> str:
    return " / ".join(_figure(card, size, form) for form in FORMS)


def _figure(card: Card, size: Size, form: str) -> str:
    return f"{drafts_a_second(card, size, form):.1f}" if fits(card, size, form) else "–"


if __name__ == "__main__":
    print("\n".join(table()))
