"""The training of the demo model: what it reads, what it learns from, and that it can be repeated."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from random import Random

import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

from bot.engine.drafting import Vocabulary
from bot.engine.prompting import live_prompt
from bot.engine.rwkv7 import load_model
from bot.engine.tokenizer import JsonTokenizer
from bot.scenario import VIEWER, Line, Origin, load_scenario
from tools import train_demo_model
from tools.demo_corpus import Corpus, load_corpus, show
from tools.demo_net import Size
from tools.train_demo_model import FOLDER, NOTHING, RATE, Trainer, encode_exchange, pieces, rate_at, scene_tokens


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    torch.set_num_threads(1)
    return load_corpus()


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.from_file(str(FOLDER / "tokenizer.json"))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Size:
    monkeypatch.setattr(train_demo_model, "ROWS", 2)
    monkeypatch.setattr(train_demo_model, "PIECE", 96)
    return Size(vocab=2816, layers=2, width=64, hidden=128, ranks=(8, 8, 8, 8))


def test_it_reads_what_the_engine_feeds(corpus: Corpus, tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scene, exchanges and cue have the same tokens in training and in a live prompt."""
    monkeypatch.setattr(train_demo_model, "_cut", lambda draw, text: [text])
    scenario, draw = load_scenario(FOLDER / "scenario.json"), Random(1)
    past = list(islice(show(corpus, draw), 9))
    trained = scene_tokens(tokenizer)
    for exchange in past:
        trained += encode_exchange(tokenizer, draw, exchange.viewer, exchange.reply)[0]
    lines = [line for e in past for line in (Line(VIEWER, e.viewer), Line("小铃", e.reply, Origin.MODEL))]
    prompt = live_prompt(scenario, lines, None)
    fed, _ = Vocabulary(JsonTokenizer(FOLDER / "tokenizer.json"), 2816).encode_prompt(prompt)
    assert fed == trained + tokenizer.encode("小铃:").ids


def test_it_learns_from_replies_only(corpus: Corpus, tokenizer: Tokenizer) -> None:
    """What counts in the loss is 小铃's words and the blank line that ends them; the cue is where the intent stands."""
    draw = Random(2)
    for exchange in islice(show(corpus, draw), 50):
        tokens, spoken = encode_exchange(tokenizer, draw, exchange.viewer, exchange.reply)
        said = [token for token, counts in zip(tokens, spoken, strict=True) if counts]
        heard = [token for token, counts in zip(tokens, spoken, strict=True) if not counts]
        assert tokenizer.decode(said) == f" {exchange.reply}\n\n"
        assert tokenizer.decode(heard) == f"观众: {exchange.viewer}\n\n小铃:"


def test_pieces_go_on_where_the_last_ended(corpus: Corpus, tokenizer: Tokenizer) -> None:
    """A piece's first token is the last of the one before, and intents stand just before a reply."""
    stream = pieces(corpus, tokenizer, seed=3)
    before = next(stream)
    for piece in islice(stream, 6):
        assert piece.first or torch.equal(piece.tokens[:, 0], before.tokens[:, -1])
        row, place = torch.nonzero(piece.intents[:, 1:-1] != NOTHING)[0].tolist()
        assert piece.spoken[row, place + 1] and not piece.spoken[row, place]
        before = piece


def test_the_same_seed_gives_the_same_weights(corpus: Corpus, tokenizer: Tokenizer, small: Size) -> None:
    """To the bit; another seed gives others."""

    def trained(seed: int) -> torch.Tensor:
        trainer = Trainer(small, scene_tokens(tokenizer), len(corpus.intents), seed)
        for piece in islice(pieces(corpus, tokenizer, seed), 3):
            trainer.step(piece, 1e-3)
        return torch.cat([weight.detach().flatten() for weight in trainer.weights.values()])

    first, again, other = trained(1), trained(1), trained(2)
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_the_loss_falls(corpus: Corpus, tokenizer: Tokenizer, small: Size, tmp_path: Path) -> None:
    """On one piece, read again and again; what is saved loads as any RWKV-7."""
    trainer = Trainer(small, scene_tokens(tokenizer), len(corpus.intents), seed=1)
    piece = next(pieces(corpus, tokenizer, seed=1))
    losses = [trainer.step(piece, 3e-3)[0] for _ in range(12)]
    assert losses[-1] < losses[0] - 1
    trainer.save(tmp_path / "model.safetensors")
    assert load_model(tmp_path / "model.safetensors", "cpu fp32").vocab == small.vocab
    assert load_file(tmp_path / "model.safetensors").keys() == trainer.weights.keys()


def test_the_rate_rises_then_falls_to_a_tenth() -> None:
    """Warm-up, cosine."""
    rates = [rate_at(step, 1000) for step in range(1000)]
    assert rates[0] < rates[20] < max(rates) == pytest.approx(RATE)
    assert rates[-1] == pytest.approx(RATE / 10, rel=0.01)
    assert rates[100:] == sorted(rates[100:], reverse=True)
