"""Puts a model's weights where a strategy wants them, in its number formats. Computes nothing with them."""

from __future__ import annotations

import logging
from dataclasses import replace

import torch
from torch import Tensor

from bot.engine.arithmetic import Int8, Matrix, arithmetic, input_type
from bot.engine.int8 import in_eight_bits, in_floats
from bot.engine.layer import Layer, Norm
from bot.engine.strategy.grammar import Stage
from bot.engine.weights import DTYPES, Weights

log = logging.getLogger(__name__)

LARGE = ("R", "K", "V", "O", "ffn_K", "ffn_V")
"""The fields of a layer that streaming brings; the others are small and stay on the device."""


class Placed:
    """Hands out weights as one stage holds them."""

    def __init__(self, weights: Weights, stage: Stage) -> None:
        self.device = torch.device(stage.device)
        self._weights, self._int8, self._dtype = weights, stage.int8, DTYPES[stage.format]
        self.input_type = input_type(self.device, self._dtype)

    def matrix(self, name: str, device: torch.device | None = None) -> Matrix:
        """(out, in), on the stage's device unless another is told."""
        device = device or self.device
        if self._int8:
            q, scale = in_eight_bits(self._weights, name)
            return Int8(q.to(device).contiguous(), scale.to(device))
        return in_floats(self._weights, name).to(device, self._dtype).contiguous()

    def vector(self, name: str) -> Tensor:
        return self._weights[name].flatten().to(self.device, torch.float32)

    def norm(self, name: str) -> Norm:
        return self.vector(f"{name}.weight"), self.vector(f"{name}.bias")

    def embedding(self, device: torch.device) -> Tensor:
        """(vocab, D). Of a model in parts it can stay in CPU memory: the rows of a few tokens are quickly brought."""
        return in_floats(self._weights, "emb.weight").to(device, self._dtype).contiguous()

    def layer(self, number: int, streamed: bool = False) -> Layer:
        """The large matrices of a streamed layer are in CPU memory, from which a card can fetch them by itself."""
        prefix = f"blocks.{number}."

        def vector(name: str) -> Tensor:
            return self.vector(prefix + name)

        def matrix(name: str) -> Matrix:
            if not streamed:
                return self.matrix(prefix + name)
            return _fetchable(self.matrix(prefix + name, torch.device("cpu")), self.device)

        def pair(name: str) -> tuple[Matrix, Matrix]:
            down, up = (self.matrix(f"{prefix}att.{name}{n}") for n in (1, 2))
            return down, up

        def lora(name: str) -> tuple[Tensor, Matrix, Matrix]:
            return vector(f"att.{name}0"), *pair(name)

        return Layer(
            dtype=self.input_type,
            ops=arithmetic(self.device),
            ln1=self.norm(prefix + "ln1"),
            ln2=self.norm(prefix + "ln2"),
            ln_x=self.norm(prefix + "att.ln_x"),
            mix=torch.stack([vector(f"att.x_{name}") for name in "rwkvag"])[:, None, None],
            R=matrix("att.receptance.weight"),
            K=matrix("att.key.weight"),
            V=matrix("att.value.weight"),
            O=matrix("att.output.weight"),
            w=lora("w"),
            a=lora("a"),
            v=lora("v") if number else None,
            g=pair("g"),
            k_k=vector("att.k_k"),
            k_a=vector("att.k_a"),
            r_k=vector("att.r_k").view(self._weights["blocks.0.att.r_k"].shape),
            ffn_mix=vector("ffn.x_k"),
            ffn_K=matrix("ffn.key.weight"),
            ffn_V=matrix("ffn.value.weight"),
        )


def numbers(matrix: Matrix) -> Tensor:
    """What takes the room of a matrix."""
    return matrix.q if isinstance(matrix, Int8) else matrix


def with_numbers(matrix: Matrix, there: Tensor) -> Matrix:
    """The same matrix, its numbers lying elsewhere."""
    return replace(matrix, q=there) if isinstance(matrix, Int8) else there


def _fetchable(matrix: Matrix, device: torch.device) -> Matrix:
    """For a card: in memory that the system never moves, and the scales, which are small, on the card."""
    if device.type == "cpu":
        return matrix
    if isinstance(matrix, Int8):
        matrix = replace(matrix, scale=matrix.scale.to(device))
    try:
        return with_numbers(matrix, numbers(matrix).pin_memory())
    except RuntimeError as error:
        log.warning("锁页内存不够，流式的层会慢一些。 / Not enough pinned memory, streaming is slower: %s", error)
        return matrix
