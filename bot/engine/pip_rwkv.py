"""RWKV-4, 5, 5.1, 5.2 and 6 through the `rwkv` package: the same LanguageModel as our own RWKV-7, one row after another.

The package is asked for what it is good at, the arithmetic. It opens no file: it is given tensors that were read and
checked before, so nothing pickled runs, a `.safetensors` works as well, and no copy is written for it.
`RWKV_JIT_ON` and `RWKV_CUDA_ON` are its own switches, read when it is imported: so it is imported here, late. One model
of these a process.
"""

from __future__ import annotations

import gc
import importlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import Any

import torch
from torch import Tensor

from bot.engine.state import State
from bot.engine.strategy.auto import Machine, ModelSize
from bot.engine.strategy.machine import cards, free_memory, settled
from bot.engine.version import version_of
from bot.engine.weights import BROKEN, ModelError, Weights, is_out_of_memory, too_large

log = logging.getLogger(__name__)

VERSIONS = ("4", "5", "5.1", "5.2", "6")
"""What runs here."""

PIECE = 256
"""Tokens that the package gets at once, as in its own examples: its RWKV-5 needs T x T numbers for each head."""

NEVER = -1e30
"""Where RWKV-4's running maximum of exponents begins."""


class PipModel:
    """An RWKV-4 to 6 that is ready to run. `strategy` is written in the package's grammar.

    A state holds, for each run of layers on one device in one number format, `shift` (2 L, B, D), the last inputs of
    attention and feed-forward in turn, and `wkv`, in float32: (L, B, H, K, V), or for RWKV-4 (3 L, B, D) with numerator,
    denominator and exponent of each layer in turn. The first run's names are bare, then come `shift.1`, `wkv.1` ...
    """

    def __init__(self, weights: Weights, strategy: str) -> None:
        self.version = version_of(weights)
        self.vocab = weights["emb.weight"].shape[0]
        self.parameters = sum(tensor.numel() for tensor in weights.values())
        self._rwkv = _made_by_package(weights, strategy)
        self._width: int = self._rwkv.args.n_embd
        self._runs = _runs(self._rwkv)
        self.about = f"{strategy} · RWKV-{self.version}"
        self.why = ""

    def zero_state(self, batch: int = 1) -> State:
        """The state of `batch` rows that have read nothing; a tuned beginning (`time_state`) in the file counts."""
        tensors: dict[str, Tensor] = {}
        for n, layers in enumerate(self._runs):
            place = self._rwkv.strategy[layers[0]]
            shift = torch.zeros(2 * len(layers), batch, self._width, dtype=place.atype, device=place.device)
            wkv = torch.cat([self._fresh(layer) for layer in layers])
            tensors[_name("shift", n)] = shift
            tensors[_name("wkv", n)] = wkv[:, None].repeat(1, batch, *[1] * (wkv.dim() - 1))
        return State(tensors)

    def forward(self, tokens: Tensor, state: State) -> Tensor:
        """Reads `tokens` (B, T); `state` is changed in place. Returns float32 logits (B, vocab) of the last one."""
        self._check(tokens, state)
        with torch.no_grad():
            return torch.stack([self._read(row, state, b) for b, row in enumerate(tokens.tolist())])

    def _read(self, tokens: list[int], state: State, row: int) -> Tensor:
        parts = self._parts(state, row)
        layers = list(parts)  # the package replaces entries of this list
        logits: Tensor
        for at in range(0, len(tokens), PIECE):
            logits, layers = self._rwkv.forward(tokens[at : at + PIECE], layers)
        for part, after in zip(parts, layers, strict=True):
            part.copy_(after)
        return logits

    def _parts(self, state: State, row: int) -> list[Tensor]:
        """Views of a row in the package's order: each layer's last input, its memory, and the feed-forward's input."""
        parts: list[Tensor] = []
        for n, layers in enumerate(self._runs):
            shift = state.tensors[_name("shift", n)][:, row]
            wkv = state.tensors[_name("wkv", n)][:, row].chunk(len(layers))
            for attention, memory, feed_forward in zip(shift[0::2], wkv, shift[1::2], strict=True):
                parts += [attention, *memory, feed_forward]
        return parts

    def _fresh(self, layer: int) -> Tensor:
        """The memory of a layer that has read nothing: (3, D) for RWKV-4, (1, H, K, V) for the later ones."""
        args, device = self._rwkv.args, self._rwkv.strategy[layer].device
        if self.version == "4":
            memory = torch.zeros(3, args.n_att, device=device)
            memory[2] = NEVER
            return memory
        if args.time_state:  # files of tuned states have V before K
            tuned: Tensor = self._rwkv.w[f"blocks.{layer}.att.time_state"]
            return tuned.transpose(1, 2).to(device, torch.float32)[None]
        size = args.n_att // args.n_head
        return torch.zeros(1, args.n_head, size, size, device=device)

    def _check(self, tokens: Tensor, state: State) -> None:
        if tokens.dim() != 2 or tokens.shape[0] != len(state) or not tokens.numel():
            raise ValueError(f"tokens {tuple(tokens.shape)} for a state of {len(state)} rows: (B, T), T > 0 is needed")
        if tokens.min() < 0 or tokens.max() >= self.vocab:
            raise ValueError(f"token {int(tokens.min())}..{int(tokens.max())} outside the vocabulary of {self.vocab}")


def build_model(weights: Weights, strategy: str = "auto", name: str = "model") -> PipModel:
    """A model from tensors that are in memory already; ModelError says what is wrong with them or with the strategy."""
    try:
        choice = settled(strategy, ModelSize.of(weights), _machine)
        model = PipModel(weights, str(choice.strategy))
        model.why = choice.why
        model.forward(torch.zeros(1, 2, dtype=torch.long), model.zero_state())  # what does not fit shows here
        return model
    except BROKEN as error:
        if is_out_of_memory(error):
            raise too_large(name) from error
        raise ModelError(
            f"{name} 像是 RWKV-{version_of(weights)}，但 rwkv 包用不了它：张量不全或形状不对。请重新下载。"
            f" / The `rwkv` package cannot run this file ({type(error).__name__}: {error})."
        ) from error


def _machine() -> Machine:
    """As `auto` should see it: the package is several times slower in bf16 on any CPU."""
    return Machine(cards(), free_memory(), bf16=False)


def _name(kind: str, run: int) -> str:
    return f"{kind}.{run}" if run else kind


def _runs(rwkv: Any) -> list[list[int]]:
    """Neighbouring layers whose states can share a tensor: on one device, in one number format."""
    places = [(str(place.device), place.atype) for place in rwkv.strategy[: rwkv.args.n_layer]]
    return [list(layers) for _, layers in groupby(range(len(places)), key=places.__getitem__)]


def _made_by_package(weights: Weights, strategy: str) -> Any:
    """The package's own model: with its GPU kernels where they were asked for and can be built, else without."""
    if _gpu_kernels_wanted(strategy):
        try:
            rwkv = _attempt(weights, strategy, gpu_kernels=True)
            for tokens in ([0], [0, 0]):  # built for another card, they fail when first used
                rwkv.forward(tokens, None)[0].cpu()
            return rwkv
        except Exception as error:  # a compiler that fails raises whatever its build script raises
            log.warning("rwkv 包的 CUDA 内核用不了，不用它继续：%s / Going on without its CUDA kernels.", error)
    return _attempt(weights, strategy, gpu_kernels=False)


def _gpu_kernels_wanted(strategy: str) -> bool:
    if os.environ.get("RWKV_CUDA_ON") != "1" or "cuda" not in strategy:
        return False  # the same switch turns on our own kernels for the CPU
    from torch.utils.cpp_extension import CUDA_HOME

    return CUDA_HOME is not None and torch.cuda.is_available()


def _attempt(weights: Weights, strategy: str, gpu_kernels: bool) -> Any:
    with warnings.catch_warnings(action="ignore"):  # it is written for `torch.jit`, which torch has begun to give up
        package = _imported(gpu_kernels)
        with _instead_of_reading(_telling_names_first(weights)), _cheap_collections():
            return package.RWKV("model", strategy, verbose=False)


def _imported(gpu_kernels: bool) -> Any:
    """The package with that choice. Its RWKV-7 would exclude all other versions."""
    os.environ.pop("RWKV_V7_ON", None)
    os.environ["RWKV_CUDA_ON"] = str(int(gpu_kernels))
    sys.modules.pop("rwkv.model", None)  # it may have been imported with another
    return importlib.import_module("rwkv.model")


@contextmanager
def _instead_of_reading(weights: Weights) -> Iterator[None]:
    """Meanwhile `torch.load`, the only way the package has of getting weights, returns these."""
    original = torch.load
    torch.load = lambda *_, **__: weights
    try:
        yield
    finally:
        torch.load = original


@contextmanager
def _cheap_collections() -> Iterator[None]:
    """The package collects garbage after every layer, 0.15 s each beside an imported torch: show it only what is new."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _telling_names_first(weights: Weights) -> Weights:
    """A new dict, which the package may change. It counts heads while it still finds out the version, name by name; in
    the order of a `.safetensors`, or with a single layer, it would count before it knows."""
    tells = ("ln_x", "gate.weight", "time_maa")
    return dict(sorted(weights.items(), key=lambda item: not any(part in item[0] for part in tells)))
