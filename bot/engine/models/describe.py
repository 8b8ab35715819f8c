"""Which RWKV a file holds and what it needs, told from names and shapes of its tensors, never from the file's name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.engine.models.headers import FileFacts, TensorFacts
from bot.engine.models.memory import STRATEGIES, weight_bytes
from bot.engine.tokenizer import BESIDE, WORLD_VOCABS, missing_tokenizer
from bot.engine.version import version_of
from bot.errors import UserError

Tensors = Mapping[str, TensorFacts]

SCALE = ".scale"
"""The scales beside a matrix in eight bits; see `bot/engine/int8.py`, which imports torch."""

DEEP_EMBED = {"7a": "DeepEmbed", "7b": "DeepEmbed + DeepEmbed Attention"}


@dataclass(frozen=True, slots=True)
class Description:
    """An RWKV file. `heads` is 0 for RWKV-4, which has none; sizes in bytes. `memory`: weights alone, by
    strategy; empty for a model that cannot run here. `state`: of one draft, in fp32."""

    version: str
    layers: int
    width: int
    heads: int
    head_size: int
    vocab: int
    parameters: int
    types: tuple[str, ...]
    memory: Mapping[str, int]
    state: int
    tokenizer: str

    @property
    def refusal(self) -> str:
        """Why such a model cannot run here; "" if nothing is against it."""
        if self.version not in DEEP_EMBED:
            return ""
        extra = DEEP_EMBED[self.version]
        return f"RWKV-{self.version}（{extra}）暂不支持，请换普通的 RWKV-7（rwkv7-g1…）。 / Not supported yet."


def describe(facts: FileFacts) -> Description:
    """UserError if the file holds no RWKV, or not a whole one."""
    tensors = {name: tensor for name, tensor in facts.tensors.items() if not name.endswith(SCALE)}
    version = version_of(tensors)
    if not version:
        raise UserError(_no_rwkv(facts))
    try:
        vocab, width = tensors["emb.weight"].shape
        heads, head_size = _heads(tensors, version)
        layers = 1 + max(int(name.split(".")[1]) for name in tensors if name.startswith("blocks."))
    except (KeyError, ValueError, IndexError, ZeroDivisionError) as error:
        raise UserError(
            f"{facts.path.name} 像是 RWKV-{version}，但不完整。请重新下载。 / Looks like an RWKV, but incomplete ({error})."
        ) from error
    _check_layers(facts, version, layers)
    return Description(
        version=version,
        layers=layers,
        width=width,
        heads=heads,
        head_size=head_size,
        vocab=vocab,
        parameters=sum(tensor.count for tensor in tensors.values()),
        types=tuple(sorted({tensor.type for tensor in tensors.values()})),
        memory=_memory(tensors, version),
        state=4 * layers * (2 * width + heads * head_size**2 if heads else 5 * width),
        tokenizer=tokenizer_of(facts.path, vocab),
    )


def _heads(tensors: Tensors, version: str) -> tuple[int, int]:
    """How many and how wide."""
    if version == "4":
        return 0, 0
    if version.startswith("7"):
        heads, size = tensors["blocks.0.att.r_k"].shape
        return heads, size
    heads = tensors["blocks.0.att.time_faaaa" if version == "6" else "blocks.0.att.time_decay"].shape[0]
    return heads, tensors["blocks.0.att.ln_x.weight"].shape[0] // heads


def _check_layers(facts: FileFacts, version: str, layers: int) -> None:
    missing = [n for n in range(layers) if f"blocks.{n}.ffn.key.weight" not in facts.tensors]
    missing_outer = [name for name in ("ln_out.weight", "head.weight") if name not in facts.tensors]
    if missing or missing_outer:
        what = f"blocks.{missing[0]}.ffn.key.weight" if missing else missing_outer[0]
        raise UserError(
            f"{facts.path.name} 像是 RWKV-{version}，但缺少 {what}。请重新下载。 / Looks like an RWKV, but incomplete."
        )


def _memory(tensors: Tensors, version: str) -> dict[str, int]:
    if version in DEEP_EMBED:
        return {}
    return {strategy: weight_bytes(tensors, version, strategy) for strategy in STRATEGIES}


def tokenizer_of(path: Path, vocab: int) -> str:
    """In words for people: which vocabulary belongs to a model, or what is missing."""
    for beside in map(path.with_name, BESIDE):
        if beside.is_file():
            return f"{beside.name}（{_entries(beside)}）"
    if vocab in WORLD_VOCABS:
        return "World（rwkv_vocab_v20230424）"
    return missing_tokenizer(path, vocab)


def _entries(file: Path) -> str:
    try:
        settings = json.loads(file.read_text("utf-8"))
        ids = [*settings["model"]["vocab"].values(), *(token["id"] for token in settings.get("added_tokens", []))]
        return f"{max(ids) + 1} 个词 / tokens"
    except (ValueError, KeyError, TypeError, AttributeError, OSError):
        return "读不懂 / broken"


def _no_rwkv(facts: FileFacts) -> str:
    if any(name.endswith("time_state") for name in facts.tensors):
        return f"{facts.path.name} 是调好的状态（time_state），不是模型。 / A tuned state, not a model."
    return (
        f"{facts.path.name} 里的张量不是 RWKV 模型。请用 RWKV 的 .pth 或 .safetensors（rwkv7-g1…）。"
        " / The tensors are not those of an RWKV."
    )
