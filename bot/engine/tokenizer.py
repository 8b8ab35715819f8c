"""Text to token ids, and ids to bytes. Which tokenizer belongs to a model is decided here; no model runs."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from bot.engine.errors import ModelError

WORLD_VOCABS = (65536, 65530, 65529)
"""Rows that models with the World vocabulary have: its 65,529 entries and 0, rounded up as a rule."""

PILE_VOCAB = 50277
"""Rows of the Pile and Raven models (most RWKV-4): the vocabulary of GPT-NeoX-20B."""

BESIDE = ("tokenizer.json", "20B_tokenizer.json")
"""Names under which a model's own tokenizer may lie beside it; the second is ChatRWKV's for Pile and Raven."""

PILE_SOURCE = "https://github.com/BlinkDL/ChatRWKV/blob/main/20B_tokenizer.json"


class Tokenizer(Protocol):
    """What the engine asks of a vocabulary. `end` is the token that ends a text; `size` is the last id plus one."""

    end: int
    size: int

    def encode(self, text: str) -> list[int]: ...

    def token_bytes(self, token: int) -> bytes:
        """The token's bytes, often part of a character; empty for special tokens and for ids that mean nothing."""
        ...


class WorldTokenizer:
    """RWKV's World vocabulary: at each place the longest entry that fits, over UTF-8 bytes. 0 ends a text."""

    end = 0

    def __init__(self, rows: int = WORLD_VOCABS[0]) -> None:
        """`rows`: how many the model has; entries beyond them are not used."""
        self._bytes = {token: entry for token, entry in _read_world(_world_file()).items() if token < rows}
        self._ids = {entry: token for token, entry in self._bytes.items()}
        self.size = max(self._bytes) + 1
        lengths: dict[bytes, set[int]] = {}
        for entry in self._ids:
            lengths.setdefault(entry[:2], set()).add(len(entry))
        self._lengths = {start: sorted(found, reverse=True) for start, found in lengths.items()}

    def encode(self, text: str) -> list[int]:
        data = text.encode("utf-8", "replace")
        tokens, at = [], 0
        while at < len(data):
            entry = self._longest(data, at)
            tokens.append(self._ids[entry])
            at += len(entry)
        return tokens

    def _longest(self, data: bytes, at: int) -> bytes:
        for length in self._lengths.get(data[at : at + 2], ()):
            entry = data[at : at + length]
            if entry in self._ids:
                return entry
        return data[at : at + 1]  # every single byte is an entry

    def token_bytes(self, token: int) -> bytes:
        return self._bytes.get(token, b"")


class JsonTokenizer:
    """A `tokenizer.json` of Hugging Face's `tokenizers`: byte-level BPE, or BPE with byte fallback. 0 ends a text."""

    end = 0

    def __init__(self, path: Path) -> None:
        from tokenizers import Tokenizer as Reader  # only for models that need it

        try:
            self._reader = Reader.from_file(str(path))
            self._reader.encode_special_tokens = True  # a viewer who types <|endoftext|> ends nothing
            settings = json.loads(path.read_text("utf-8"))
        except Exception as error:  # the library raises bare Exception for a file that it cannot read
            raise ModelError(f"分词器文件读不懂：{path}。请重新下载。 / Broken tokenizer file ({error}).") from error
        self.size = self._reader.get_vocab_size(with_added_tokens=True)
        self._special = {entry["id"] for entry in settings.get("added_tokens", []) if entry.get("special")}
        self._plain = {entry["id"] for entry in settings.get("added_tokens", [])} - self._special
        text = json.dumps([settings.get("decoder"), settings.get("pre_tokenizer")])
        self._byte_level = '"ByteLevel"' in text
        self._space = "\u2581" if "\u2581" in json.dumps(settings.get("decoder"), ensure_ascii=False) else ""

    def encode(self, text: str) -> list[int]:
        ids: list[int] = self._reader.encode(text, add_special_tokens=False).ids
        return ids

    def token_bytes(self, token: int) -> bytes:
        entry = self._reader.id_to_token(token)
        if entry is None or token in self._special or token == self.end:
            return b""
        if token in self._plain:
            return str(entry).encode()
        return self._byte_level_bytes(entry) if self._byte_level else self._fallback_bytes(entry)

    def _byte_level_bytes(self, entry: str) -> bytes:
        return b"".join(bytes([self._letters[c]]) if c in self._letters else c.encode() for c in entry)

    def _fallback_bytes(self, entry: str) -> bytes:
        byte = re.fullmatch(r"<0x([0-9A-Fa-f]{2})>", entry)
        if byte:
            return bytes([int(byte[1], 16)])
        return (entry.replace(self._space, " ") if self._space else entry).encode()

    @cached_property
    def _letters(self) -> dict[str, int]:
        """The letter by which byte-level BPE writes each byte (the table of GPT-2): printable Latin-1 stands for
        itself, the rest are numbered from U+0100 in order."""
        printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
        others = [byte for byte in range(256) if byte not in printable]
        return {chr(b): b for b in printable} | {chr(0x100 + n): b for n, b in enumerate(others)}


def find_tokenizer(model: Path, vocab: int) -> Tokenizer:
    """The tokenizer of a model with `vocab` rows: a file of its own beside it, else World for a vocabulary of its size."""
    for name in BESIDE:
        beside = model.with_name(name)
        if beside.is_file():
            return _own(beside, model, vocab)
    if vocab in WORLD_VOCABS:
        return WorldTokenizer(vocab)
    raise ModelError(missing_tokenizer(model, vocab))


def missing_tokenizer(model: Path, vocab: int) -> str:
    """Which file to put where."""
    if vocab == PILE_VOCAB:
        return (
            f"{model.name} 是 Pile / Raven 词表（{vocab}）的模型，还缺分词器。请下载 20B_tokenizer.json（{PILE_SOURCE}），"
            f"放到 {model.parent}。 / A Pile or Raven model: put 20B_tokenizer.json beside it."
        )
    return (
        f"模型 {model.name} 的词表大小为 {vocab}，不是 World 词表（{WORLD_VOCABS[0]}）。"
        f"请把它的 tokenizer.json 放到 {model.parent}。 / Put the model's tokenizer.json beside it."
    )


def _own(beside: Path, model: Path, vocab: int) -> Tokenizer:
    tokenizer = JsonTokenizer(beside)
    if tokenizer.size <= vocab:
        return tokenizer
    raise ModelError(
        f"{beside} 有 {tokenizer.size} 个词，而模型 {model.name} 只有 {vocab} 个：不是一对。"
        f"请移走它，或换上配套的文件。 / The {beside.name} beside the model belongs to another model."
    )


def _world_file() -> Path:
    """The vocabulary inside the installed `rwkv` package, which is not imported for it."""
    spec: Any = importlib.util.find_spec("rwkv")
    if spec is None:
        raise ModelError("没有安装 rwkv 包（内含 World 词表）。请运行 python3 start.py。 / Package `rwkv` is missing.")
    return Path(spec.submodule_search_locations[0]) / "rwkv_vocab_v20230424.txt"


def _read_world(path: Path) -> dict[int, bytes]:
    """Lines are `id literal length`; the literal is a Python str or bytes."""
    entries: dict[int, bytes] = {}
    for line in path.read_text("utf-8").split("\n"):
        if not line.strip():
            continue
        token, rest = line.split(" ", 1)
        literal = ast.literal_eval(rest[: rest.rindex(" ")])
        entries[int(token)] = literal.encode() if isinstance(literal, str) else literal
    return entries
