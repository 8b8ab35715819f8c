"""RWKV-7, batched: tokens and a state in, logits out. Knows nothing of text, sampling or prompts.

The architecture is that of Peng et al., "RWKV-7 Goose" (arXiv:2503.14456), as the `rwkv` package runs it; tests hold
the two together. One layer is in `layer.py`; here the layers are lined up as a strategy wants them. Matrix products run
in its number formats, everything else (norms, mixing, the recurrence, the residual stream) in float32.

Shapes: B rows, T tokens, D width, H heads, N = D / H channels a head, L layers. A state holds `shift` (2 L, B, D), the
last inputs of attention and feed-forward in turn, and `wkv` (L, B, H, V, K), both of the layers of the first stage; those
of later stages are called `shift.1`, `wkv.1` and so on, and lie on the stage's own device.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from bot.engine import kernels
from bot.engine.arithmetic import arithmetic
from bot.engine.layer import Layer, norm, run
from bot.engine.state import State
from bot.engine.strategy.auto import ModelSize
from bot.engine.strategy.grammar import Part, Strategy, is_auto, parse_strategy
from bot.engine.strategy.machine import check_devices, settled
from bot.engine.strategy.placing import Placed
from bot.engine.strategy.streaming import Stream
from bot.engine.weights import (
    DTYPES,
    ModelError,
    Shape,
    Weights,
    check_rwkv7,
    first_line,
    is_out_of_memory,
    read_weights,
    too_large,
)

__all__ = ["Model", "ModelError", "State", "load_model"]

PIECE = 512
"""Tokens of a prompt read at once: enough for full matrix products, few enough to keep the intermediates small."""

Step = Callable[[Tensor, State], Tensor]

KERNEL_FORMATS = ("fp32", "bf16")
"""What the C++ kernels compute in, besides int8."""


class Model:
    """An RWKV-7 that is ready to run. Made by `load_model`; one thread at a time."""

    def __init__(self, weights: Weights, shape: Shape, strategy: Strategy) -> None:
        self.shape = shape
        self.strategy = strategy
        self.kernels = ""
        """The instructions that the C++ kernels use; "" when PyTorch computes."""
        self.why = ""
        """See `LanguageModel`."""
        self._parts = strategy.plan(shape.layers)
        self._fused = _fused(weights, shape, strategy)
        if self._fused is not None:
            self.kernels = self._fused.processor
            return
        self._stages = [_Stage(weights, part, number) for number, part in enumerate(self._parts)]
        first, last = (Placed(weights, self._parts[n].stage) for n in (0, -1))
        self._device = first.device
        on_card = strategy.whole is not None and first.device.type == "cuda"
        self._emb = first.embedding(first.device if on_card else torch.device("cpu"))
        self._ln0 = first.norm("blocks.0.ln0")
        self._head = _Head(last)
        self._step: Step = _graphs(self._plain_step, self.zero_state) if on_card else self._plain_step

    @property
    def vocab(self) -> int:
        return self.shape.vocab

    @property
    def parameters(self) -> int:
        return self.shape.parameters

    @property
    def about(self) -> str:
        return " · ".join(filter(None, (str(self.strategy), self.kernels)))

    def zero_state(self, batch: int = 1) -> State:
        """The state of `batch` rows that have read nothing."""
        s, tensors = self.shape, {}
        for number, part in enumerate(self._parts):
            count, device, (shift, wkv) = part.end - part.first, torch.device(part.stage.device), _names(number)
            if count:
                tensors[shift] = torch.zeros(2 * count, batch, s.width, device=device)
                tensors[wkv] = torch.zeros(count, batch, s.heads, s.head_size, s.head_size, device=device)
        return State(tensors)

    def forward(self, tokens: Tensor, state: State) -> Tensor:
        """Reads `tokens` (B, T); `state` is changed in place. Returns float32 logits (B, vocab) of the last one."""
        return self._logits(tokens, state, last_only=True)[:, 0]

    def forward_all(self, tokens: Tensor, state: State) -> Tensor:
        """As `forward`, with the logits after every token: (B, T, vocab)."""
        return self._logits(tokens, state, last_only=False)

    def _logits(self, tokens: Tensor, state: State, last_only: bool) -> Tensor:
        self._check(tokens, state)
        if self._fused is not None:
            return self._fused_logits(self._fused, tokens, state, last_only)
        with torch.inference_mode():
            logits = self._step(tokens, state) if tokens.shape[1] == 1 else self._several(tokens, state, last_only)
        return logits.clone()  # a normal tensor, for any caller

    def _several(self, tokens: Tensor, state: State, last_only: bool) -> Tensor:
        outputs = [self._read(piece, state) for piece in torch.split(tokens, PIECE, dim=1)]
        return self._head.logits(outputs[-1][:, -1:] if last_only else torch.cat(outputs, dim=1))

    def _plain_step(self, tokens: Tensor, state: State) -> Tensor:
        """tokens (B, 1) -> (B, 1, vocab)."""
        return self._head.logits(self._read(tokens, state))

    def _fused_logits(self, fused: kernels.Fused, tokens: Tensor, state: State, last_only: bool) -> Tensor:
        pieces = torch.split(tokens, PIECE, dim=1)
        outputs = []
        for n, piece in enumerate(pieces, 1):
            wanted = n == len(pieces) if last_only else True
            logits = torch.empty(len(state), 1 if last_only else piece.shape[1], self.vocab) if wanted else None
            fused.read(piece, state.tensors["shift"], state.tensors["wkv"], logits, last_only)
            outputs += [logits] if logits is not None else []
        return outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=1)

    def _check(self, tokens: Tensor, state: State) -> None:
        if tokens.dim() != 2 or tokens.shape[0] != len(state) or not tokens.shape[1]:
            raise ValueError(
                f"tokens {tuple(tokens.shape)} for a state of {len(state)} rows: (B, T) with T > 0 is needed"
            )
        if tokens.min() < 0 or tokens.max() >= self.vocab:
            raise ValueError(f"token {int(tokens.min())}..{int(tokens.max())} outside the vocabulary of {self.vocab}")

    def _read(self, tokens: Tensor, state: State) -> Tensor:
        """(B, T) -> (B, T, D), on the device of the last stage that has layers."""
        x = norm(F.embedding(tokens.to(self._emb.device), self._emb).to(self._device).float(), self._ln0)
        v_first: Tensor | None = None
        for stage in self._stages:
            x, v_first = stage.read(x, v_first, state)
        return x


class _Stage:
    """The layers of one part of the plan, on its device."""

    def __init__(self, weights: Weights, part: Part, number: int) -> None:
        placed = Placed(weights, part.stage)
        self._device = placed.device
        self._names = _names(number)
        self._resident = [placed.layer(n) for n in range(part.first, part.streamed)]
        streamed = [placed.layer(n, streamed=True) for n in range(part.streamed, part.end)]
        self._stream = Stream(streamed, self._device) if streamed else None

    def read(self, x: Tensor, v_first: Tensor | None, state: State) -> tuple[Tensor, Tensor | None]:
        """x (B, T, D) and the first layer's v come from the stage before, wherever that is; `state` is changed."""
        shift, wkv = (state.tensors.get(name) for name in self._names)
        if shift is None or wkv is None:  # the head alone
            return x, v_first
        x = x.to(self._device)
        v_first = v_first.to(self._device) if v_first is not None else None
        shifts = shift.view(-1, 2, *shift.shape[1:])  # (L, 2, B, D)
        for layer, last, S in zip(self._layers(), shifts, wkv, strict=True):
            x, v_first = run(layer, x, last, S, v_first)
        return x, v_first

    def _layers(self) -> Iterator[Layer]:
        yield from self._resident
        if self._stream is not None:
            yield from self._stream


class _Head:
    """The last norm and the matrix that makes logits."""

    def __init__(self, placed: Placed) -> None:
        self._device = placed.device
        self._norm = placed.norm("ln_out")
        self._matrix = placed.matrix("head.weight")
        self._dtype = placed.input_type
        self._linear = arithmetic(placed.device).linear

    def logits(self, x: Tensor) -> Tensor:
        """x (B, T, D) -> (B, T, vocab) float32."""
        return self._linear(norm(x.to(self._device), self._norm).to(self._dtype), self._matrix)


def _graphs(step: Step, zero_state: Callable[[int], State]) -> Step:
    from bot.engine.cuda import Graphs, switched_off  # not before there is a card

    return step if switched_off() else Graphs(step, zero_state)


def _names(stage: int) -> tuple[str, str]:
    """Of its tensors in a state."""
    return ("shift", "wkv") if not stage else (f"shift.{stage}", f"wkv.{stage}")


def _fused(weights: Weights, shape: Shape, strategy: Strategy) -> kernels.Fused | None:
    """The C++ kernels, for a model that is on the CPU as a whole; int8 is one thing to them, whatever it goes with."""
    stage = strategy.whole
    if stage is None or stage.device != "cpu" or not (stage.int8 or stage.format in KERNEL_FORMATS):
        return None
    library = kernels.library()
    if library is None:
        return None
    return kernels.Fused(library, weights, shape, torch.int8 if stage.int8 else DTYPES[stage.format])


def load_model(path: str | os.PathLike[str], strategy: str = "auto") -> Model:
    """Reads a BlinkDL `.pth` or its `.safetensors`; raises ModelError, whose message says what to do."""
    if not is_auto(strategy):
        check_devices(parse_strategy(strategy))  # before a large file is read
    weights, name = read_weights(Path(path)), Path(path).name
    check_rwkv7(weights, name)
    choice = settled(strategy, ModelSize.of(weights))
    model = build_model(weights, choice.strategy, name)
    model.why = choice.why
    return model


def build_model(weights: Weights, strategy: Strategy, name: str = "model") -> Model:
    """A model from tensors that are in memory already."""
    shape = check_rwkv7(weights, name)
    check_devices(strategy)
    strategy.plan(shape.layers)
    try:
        model = Model(weights, shape, strategy)
        model.forward(torch.zeros(1, 1, dtype=torch.long), model.zero_state())  # shapes that do not fit show here
        return model
    except (RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            raise too_large(name, str(strategy), strategy.smaller(shape.layers)) from error
        if isinstance(error, torch.AcceleratorError):
            raise ModelError(
                f'显卡用不了 "{strategy}"：{first_line(error)}。请更新显卡驱动和 CUDA 版的 PyTorch，或先写 "cpu fp32"。'
                ' / The card failed: update its driver, or write "cpu fp32".'
            ) from error
        raise ModelError(f"{name} 的张量形状前后不一致，文件可能损坏。 / Shapes do not fit: {error}") from error
