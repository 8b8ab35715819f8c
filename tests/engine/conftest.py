"""Small random models, made once a run. One torch thread: the machine is shared."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from bot.engine.drafting import Vocabulary
from bot.engine.random_weights import random_weights
from bot.engine.rwkv7 import Model, load_model
from bot.engine.scheduling.scheduler import Scheduler
from bot.engine.states.memory import StateCache
from bot.engine.tokenizer import find_tokenizer
from tests.engine.cuda_on_cpu import OnCpu

TINY_WORDS = ["你好", "晚上", "好", "吗", "。", "！", " ", "\n", "\n\n", "。\n\n", "阿强", ":", "：", "a", "b", "hello"]


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(autouse=True, scope="module")
def plain() -> Iterator[None]:
    """PyTorch computes, whatever the machine has: `test_kernels.py` switches the kernels on."""
    with without_kernels():
        yield


@contextmanager
def without_kernels() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RWKV_CUDA_ON", "0")
        yield


def byte_level_tokenizer(path: Path) -> None:
    """A byte-level vocabulary: the end of text, all 256 bytes, and some words."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    vocab = {"<|endoftext|>": 0} | {letter: i for i, letter in enumerate(letters, 1)}
    merges: list[tuple[str, str]] = []
    for word in TINY_WORDS:
        pieces = list("".join(piece for piece, _ in level.pre_tokenize_str(word)))
        left = pieces[0]
        for right in pieces[1:]:
            if left + right not in vocab:
                vocab[left + right] = len(vocab)
                merges.append((left, right))
            left += right
    tokenizer = Tokenizer(models.BPE(vocab, merges))
    tokenizer.pre_tokenizer = level
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<|endoftext|>"])
    tokenizer.save(str(path))


@pytest.fixture(scope="session")
def tiny_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of two layers with a byte-level tokenizer beside it. It speaks nonsense, at 1 ms a token."""
    folder = tmp_path_factory.mktemp("tiny")
    byte_level_tokenizer(folder / "tokenizer.json")
    size = Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab_size()
    save_file(random_weights(2, 64, size + 3, head_size=32, ranks=(8, 8, 8, 16)), folder / "tiny.safetensors")
    return folder / "tiny.safetensors"


@pytest.fixture(scope="session")
def tiny(tiny_path: Path) -> Model:
    with without_kernels():
        return load_model(tiny_path, "cpu fp32")


@pytest.fixture(scope="session")
def world_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A small model with the World vocabulary, as a `.pth`."""
    folder = tmp_path_factory.mktemp("world")
    torch.save(random_weights(2, 64, 65536, ranks=(8, 8, 8, 16)), folder / "world.pth")
    yield folder / "world.pth"
    shutil.rmtree(folder)  # 34 MB


@pytest.fixture(scope="session")
def on_cpu(tmp_path_factory: pytest.TempPathFactory) -> OnCpu:
    """The CUDA kernels, compiled for the CPU."""
    return OnCpu(tmp_path_factory.mktemp("cuda_on_cpu"))


@pytest.fixture(scope="module")
def vocabulary(tiny_path: Path, tiny: Model) -> Vocabulary:
    return Vocabulary(find_tokenizer(tiny_path, tiny.vocab), tiny.vocab)


@pytest.fixture
def scheduler(tiny: Model, vocabulary: Vocabulary) -> Scheduler:
    return Scheduler(tiny, vocabulary, StateCache())
