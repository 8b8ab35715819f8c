"""A model's weights packed for the kernels, and passes through them. Computes what `rwkv7.Model` does, and as it does.

Shapes as in `rwkv7.py`. A row's logits do not depend on which other rows are in the batch, to the last bit.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from bot.engine.int8 import by_outputs, in_eight_bits, in_floats
from bot.engine.kernels.arena import ALIGNED, Arena
from bot.engine.kernels.native import FORMATS, MATRICES, NORMS, Block, Library, Matrix, Norm, Plan
from bot.engine.weights import Shape, Weights

LARGE = {
    "R": "att.receptance.weight",
    "K": "att.key.weight",
    "V": "att.value.weight",
    "O": "att.output.weight",
    "ffn_K": "ffn.key.weight",
    "ffn_V": "ffn.value.weight",
}
"""Our names of matrices that files hold as (out, in); the small ones are `att.w1` ..., as (in, out)."""

FILE_NORMS = {"ln1": "ln1", "ln2": "ln2", "ln_x": "att.ln_x"}


class Fused:
    """RWKV-7 by C++ kernels; one thread of Python at a time."""

    def __init__(self, library: Library, weights: Weights, shape: Shape, dtype: torch.dtype) -> None:
        """`dtype` of the matrices: float32, bfloat16 or int8. Raises RuntimeError when shapes do not fit."""
        self._library, self._weights, self._shape, self._dtype = library, weights, shape, dtype
        self._kept: list[Tensor] = []  # vectors that the plan points to
        names = list(self._matrices())
        sizes = [library.packed_bytes(dtype, *self._size(name)) for name in names]
        self._arena = Arena(sum(size + -size % ALIGNED for size in sizes))
        packed = {name: self._packed(name, size) for name, size in zip(names, sizes, strict=True)}
        self._blocks = (Block * shape.layers)(*(self._block(layer, packed) for layer in range(shape.layers)))
        self._plan = Plan(
            *(FORMATS[dtype], shape.layers, shape.width, shape.heads, self._hidden, shape.vocab),
            self._norm("blocks.0.ln0"),
            self._norm("ln_out"),
            self._blocks,
            packed["head.weight"],
        )
        emb = in_floats(weights, "emb.weight")
        self._emb = emb.to(emb.dtype if dtype == torch.int8 else dtype).contiguous()
        self.processor = library.processor
        self._handle = library.open(self._plan)
        self._close = weakref.finalize(self, library.close, self._handle)
        del self._weights

    def read(self, tokens: Tensor, shift: Tensor, wkv: Tensor, logits: Tensor | None, last_only: bool = True) -> None:
        """tokens (B, T); `shift` and `wkv` of a State are changed in place; writes `logits` unless None."""
        embedded = F.embedding(tokens, self._emb).float().contiguous()
        own = shift.contiguous(), wkv.contiguous()
        self._library.forward(self._handle, embedded, *own, logits, last_only)
        for given, changed in zip((shift, wkv), own, strict=True):
            if given is not changed:
                given.copy_(changed)

    @property
    def _hidden(self) -> int:
        return self._weights["blocks.0.ffn.key.weight"].shape[0]

    def _matrices(self) -> Iterator[str]:
        """Names in the order in which a pass reads them."""
        for layer in range(self._shape.layers):
            for name in ("R", "K", "V", "w1", "a1", "g1", "v1", "w2", "a2", "g2", "v2", "O", "ffn_K", "ffn_V"):
                if layer or name not in ("v1", "v2"):
                    yield f"blocks.{layer}.{LARGE.get(name, f'att.{name}')}"
        yield "head.weight"

    def _size(self, name: str) -> tuple[int, int]:
        """(out, in), checked against the model's shape: the kernels trust it."""
        rows, cols = by_outputs(name, self._weights[name]).shape
        width, hidden = self._shape.width, self._hidden
        wanted = {
            "head.weight": (self._shape.vocab, width),
            "ffn.key.weight": (hidden, width),
            "ffn.value.weight": (width, hidden),
        }
        if name.endswith(".weight"):
            part = name.split(".", 2)[2] if name.startswith("blocks.") else name
            fits = (rows, cols) == wanted.get(part, (width, width))
        elif name.endswith("1"):
            fits = cols == width
        else:
            fits = (rows, cols) == (width, self._weights[f"{name[:-1]}1"].shape[1])
        if not fits:
            raise RuntimeError(f"{name} is {rows} x {cols}")
        return rows, cols

    def _packed(self, name: str, size: int) -> Matrix:
        scale = None
        if self._dtype == torch.int8:
            weight, scales = in_eight_bits(self._weights, name)
            scale = self._keep(F.pad(scales, (0, 32)))
        else:
            weight = in_floats(self._weights, name)
        weight = weight.to(self._dtype).contiguous()
        address = self._arena.take(size)
        self._library.pack(weight, address)
        return Matrix(*weight.shape, address, scale)

    def _block(self, layer: int, packed: dict[str, Matrix]) -> Block:
        prefix, width = f"blocks.{layer}.", self._shape.width
        mix = torch.cat([self._vector(f"{prefix}att.x_{name}") for name in "rwkvag"])
        vectors = [self._keep(mix)]
        for name in ("w0", "a0", "v0", "k_k", "k_a", "r_k"):
            vectors.append(self._pointer(f"{prefix}att.{name}") if layer or name != "v0" else 0)
        vectors.append(self._pointer(f"{prefix}ffn.x_k"))
        none = Matrix(0, width, None, None)
        matrices = [packed.get(prefix + LARGE.get(name, f"att.{name}"), none) for name in MATRICES]
        return Block(*(self._norm(prefix + FILE_NORMS[name]) for name in NORMS), *vectors, *matrices)

    def _norm(self, name: str) -> Norm:
        return Norm(self._pointer(f"{name}.weight"), self._pointer(f"{name}.bias"))

    def _pointer(self, name: str) -> int:
        return self._keep(self._vector(name))

    def _vector(self, name: str) -> Tensor:
        vector = self._weights[name].flatten().float().contiguous()
        if vector.numel() != self._shape.width:
            raise RuntimeError(f"{name} has {vector.numel()} numbers")
        return vector

    def _keep(self, tensor: Tensor) -> int:
        self._kept.append(tensor)
        return tensor.data_ptr()
