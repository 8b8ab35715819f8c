"""The demo model that ships: it loads like any RWKV-7, is small, and answers within its role."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from bot.engine.prompting import stops
from bot.engine.tokenizer import JsonTokenizer, find_tokenizer
from bot.engine.types import Ending, Sampling
from tests.engine import oracle
from tools.demo_corpus import load_corpus
from tools.demo_net import Size, empty_memory, first_weights, read
from tools.demo_report import NEAR, Intents, Player

FOLDER = Path(__file__).resolve().parents[2] / "bot" / "engine" / "demo"
MODEL = FOLDER / "model.safetensors"

# What a viewer says, and the intents whose answers fit.
LINES = {
    "晚上好": "greet_evening greet",
    "大家好": "greet greet_evening",
    "早上好": "greet_morning",
    "你是谁": "who",
    "你是AI吗": "ai",
    "主播在干嘛": "doing",
    "这是什么游戏": "which_game",
    "又死了": "fail",
    "赢了": "win",
    "666": "six",
    "哈哈哈哈": "laugh",
    "？？？": "question_mark",
    "小铃好可爱": "praise_ling",
    "主播加油": "cheer super_chat",
    "唱首歌吧": "sing",
    "讲个笑话": "joke",
    "肚子饿了": "hungry",
    "我失恋了": "sad",
    "晚安": "good_night",
    "再见": "bye",
    "hello": "en_hello",
    "who are you": "en_who",
}


@pytest.fixture(scope="module")
def player() -> Player:
    torch.set_num_threads(1)
    return Player(FOLDER)


@pytest.fixture(scope="module")
def tokenizer() -> JsonTokenizer:
    found = find_tokenizer(MODEL, load_file(MODEL)["emb.weight"].shape[0])
    assert isinstance(found, JsonTokenizer)
    return found


def text_of(tokenizer: JsonTokenizer, tokens: list[int]) -> str:
    return b"".join(map(tokenizer.token_bytes, tokens)).decode()


def test_it_is_small() -> None:
    """Model and tokenizer are at most 8 MB together, in fp16."""
    assert MODEL.stat().st_size + (FOLDER / "tokenizer.json").stat().st_size <= 8_000_000
    assert {tensor.dtype for tensor in load_file(MODEL).values()} == {torch.float16}


@given(st.text())
def test_any_text_is_written_and_read_back_byte_for_byte(text: str) -> None:
    """Whatever Unicode holds."""
    tokenizer = JsonTokenizer(FOLDER / "tokenizer.json")
    assert text_of(tokenizer, tokenizer.encode(text)) == text


def test_every_byte_has_a_token(tokenizer: JsonTokenizer) -> None:
    """So that nothing is unknown."""
    assert {bytes([byte]) for byte in range(256)} <= {tokenizer.token_bytes(token) for token in range(tokenizer.size)}


@pytest.mark.parametrize("text", ["<|endoftext|>", " <|endoftext|>\n\n", "<s></s>", "\0", "endoftext"])
def test_nobody_can_type_the_end_of_the_text(tokenizer: JsonTokenizer, text: str) -> None:
    """Token 0 never comes from words."""
    assert tokenizer.end == 0 and tokenizer.end not in tokenizer.encode(text)
    assert not json.loads((FOLDER / "tokenizer.json").read_text("utf-8"))["added_tokens"]


def test_training_reads_as_the_engine_does() -> None:
    """The trainable forward pass and the engine's agree, on random weights with every part in use."""
    from bot.engine.rwkv7 import build_model
    from bot.engine.strategy.grammar import parse_strategy

    size = Size(vocab=300, layers=3, width=128, hidden=256)
    draw = torch.Generator().manual_seed(1)
    weights = {n: w + 0.1 * torch.randn(w.shape, generator=draw) for n, w in first_weights(size, 0).items()}
    model = build_model(weights, parse_strategy("cpu fp32"))
    tokens = torch.randint(300, (2, 75), generator=draw)
    seen, memory = read(weights, size, tokens[:, :40], empty_memory(size, 2))
    later, _ = read(weights, size, tokens[:, 40:], memory)
    ours = torch.cat((seen, later), dim=1) @ weights["head.weight"].T
    theirs = model.forward_all(tokens, model.zero_state(2))
    assert (ours - theirs).abs().max() < 1e-4 * theirs.abs().max()


def test_the_rwkv_package_gets_the_same_logits(player: Player, tmp_path: Path) -> None:
    """The shipped weights, as a .pth, in the package; its process loads one version of RWKV only, so in its own."""
    torch.save({name: tensor.float() for name, tensor in load_file(MODEL).items()}, tmp_path / "demo.pth")
    command = [sys.executable, str(Path(oracle.__file__)), str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, timeout=200)
    theirs = load_file(tmp_path / "demo.answers")["steps"]
    tokens = torch.tensor([oracle.tokens(player.model.vocab, len(theirs), seed=1)])
    ours = player.model.forward_all(tokens, player.model.zero_state())[0]
    assert (ours - theirs).abs().max() < 1e-4 * theirs.abs().max()


@pytest.fixture(scope="module")
def greedy(player: Player) -> dict[str, tuple[str, Ending | None]]:
    """What it says first of all to each of LINES."""
    answers = {}
    for line in LINES:
        prompt = player.prompt([], f"【晚风】{line}")
        draft = player.drafts(prompt, player.read(prompt), Sampling(temperature=0, max_tokens=60), 1)[0]
        answers[line] = draft.text, draft.ending
    return answers


@pytest.mark.parametrize("line", LINES)
def test_it_ends_by_itself(greedy: dict[str, tuple[str, Ending | None]], line: str) -> None:
    """Within 60 tokens, with words of its own, in nobody else's name."""
    text, ending = greedy[line]
    assert ending is Ending.STOP
    assert 4 <= len(text) <= 90 and "\n" not in text and "\ufffd" not in text
    assert not any(stop.strip() and stop.strip() in text for stop in stops(["小铃"]))


def test_it_answers_to_the_point(greedy: dict[str, tuple[str, Ending | None]]) -> None:
    """On the most everyday lines: nearly every answer is one of the right intent."""
    intents = Intents(load_corpus())
    fitting = [line for line, wanted in LINES.items() if intents.nearest(greedy[line][0])[0] in wanted.split()]
    assert len(fitting) >= len(LINES) - 2, sorted(LINES.keys() - fitting)


def test_answers_are_told_apart() -> None:
    """The measure of the report knows a reply of the corpus, and does not take nonsense for one."""
    intents = Intents(load_corpus())
    assert intents.nearest("我是小铃，挂在主播窗边的风铃精，请多关照！")[0] == "who"
    assert intents.nearest("量子泡面星期八的方程式")[1] < NEAR
