"""Trains the demo model from tools/demo_corpus, in one command: `python tools/train_demo_model.py`.

Writes bot/engine/demo/{model.safetensors,tokenizer.json} and docs/demo-model.md. With the same corpus, seed, number of
steps, threads and torch it gives the same weights. About half an hour on two cores; no network, no other data.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # waiting threads leave the cores to others

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: E402
from safetensors.torch import save_file  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402
from torch import Tensor  # noqa: E402

from bot.engine.prompting import scene_parts  # noqa: E402
from bot.scenario import load_scenario  # noqa: E402
from tools.demo_corpus import Corpus, load_corpus, show  # noqa: E402
from tools.demo_net import Memory, Size, empty_memory, first_weights, read  # noqa: E402
from tools.demo_vocabulary import train_tokenizer  # noqa: E402

FOLDER = ROOT / "bot" / "engine" / "demo"
REPORT = ROOT / "docs" / "demo-model.md"

STEPS = 1700
ROWS, PIECE, PIECES = 8, 256, (1, 2, 3, 4, 5)
"""A step reads PIECE tokens of ROWS shows; a show is 1 to 5 steps long, about 30 rounds at most, and its state is
carried from one step to the next."""
RATE, WARM_UP, DECAY = 2e-3, 40, 0.1
HINT = 0.5
"""Weight of a second task in training only: to name the viewer's intent from what stands at the cue. It makes the model
listen long before the replies alone would."""
NOTHING = -100


@dataclass(frozen=True, slots=True)
class Piece:
    """Tokens (B, T + 1) and, for each of the last T, whether 小铃 says it. `intents` (B, T) holds, where the cue stands,
    which intent is to be answered, and NOTHING elsewhere. `first` marks the beginning of shows."""

    tokens: Tensor
    spoken: Tensor
    intents: Tensor
    first: bool


def scene_tokens(tokenizer: Tokenizer) -> list[int]:
    scene = scene_parts(load_scenario(FOLDER / "scenario.json").lines)
    return [token for part in scene for token in tokenizer.encode(part).ids]


def encode_exchange(tokenizer: Tokenizer, draw: Random, viewer: str, reply: str) -> tuple[list[int], list[bool]]:
    """Part by part, as prompts are. Now and then the viewer's words are cut at odd places, so that unusual ways to
    split a word into tokens are known too."""
    parts = ["观众:", *_cut(draw, f" {viewer}"), "\n\n", "小铃:"]
    heard = [token for part in parts for token in tokenizer.encode(part).ids]
    spoken = tokenizer.encode(f" {reply}").ids + tokenizer.encode("\n\n").ids
    return heard + spoken, [False] * len(heard) + [True] * len(spoken)


def _cut(draw: Random, text: str) -> list[str]:
    if draw.random() < 0.7:
        return [text]
    cuts = sorted({0, len(text), *(draw.randrange(1, len(text)) for _ in range(draw.randint(1, 4)))})
    return [text[a:b] for a, b in pairwise(cuts)]


def pieces(corpus: Corpus, tokenizer: Tokenizer, seed: int) -> Iterator[Piece]:
    draw = Random(seed)
    scene = scene_tokens(tokenizer)
    while True:
        count = draw.choice(PIECES)
        rows = [_row(corpus, tokenizer, draw, scene[-1], count * PIECE + 1) for _ in range(ROWS)]
        tokens, spoken, intents = (torch.tensor(part) for part in zip(*rows, strict=True))
        for index in range(count):
            at = slice(index * PIECE, (index + 1) * PIECE + 1)
            yield Piece(tokens[:, at], spoken[:, at][:, 1:], intents[:, at][:, :-1], index == 0)


def _row(
    corpus: Corpus, tokenizer: Tokenizer, draw: Random, before: int, length: int
) -> tuple[list[int], list[bool], list[int]]:
    """`length` tokens of a show, the first being the scene's last, with what `Piece` says of them."""
    numbers = {name: number for number, name in enumerate(corpus.intents)}
    tokens, spoken, intents = [before], [False], [NOTHING]
    for exchange in show(corpus, draw):
        more, said = encode_exchange(tokenizer, draw, exchange.viewer, exchange.reply)
        cue = said.index(True) - 1
        tokens, spoken = tokens + more, spoken + said
        intents += [numbers[exchange.intent] if place == cue else NOTHING for place in range(len(more))]
        if len(tokens) >= length:
            break
    return tokens[:length], spoken[:length], intents[:length]


class Trainer:
    def __init__(self, size: Size, scene: list[int], intents: int, seed: int) -> None:
        self.size = size
        self.weights = {name: value.requires_grad_() for name, value in first_weights(size, seed).items()}
        self._scene = torch.tensor([scene[:-1]])
        self._memory: Memory | None = None
        self._naming = torch.zeros(intents, size.width, requires_grad=True)
        matrices = [w for w in self.weights.values() if w.dim() == 2 and min(w.shape) >= 16]
        others = [w for w in self.weights.values() if not (w.dim() == 2 and min(w.shape) >= 16)]
        groups = [{"params": [*matrices, self._naming], "weight_decay": DECAY}, {"params": others, "weight_decay": 0.0}]
        self._optimizer = torch.optim.AdamW(groups, lr=RATE, betas=(0.9, 0.99), eps=1e-12, fused=True)

    def step(self, piece: Piece, rate: float) -> tuple[float, float]:
        """Learns from one piece; returns the mean loss over 小铃's tokens, and over the intents."""
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        if piece.first or self._memory is None:
            _, scene = read(self.weights, self.size, self._scene, empty_memory(self.size, 1))
            memory = scene.repeat(len(piece.tokens))
        else:
            memory = self._memory
        seen, memory = read(self.weights, self.size, piece.tokens[:, :-1], memory)
        logits = F.linear(seen[piece.spoken], self.weights["head.weight"])
        loss = F.cross_entropy(logits, piece.tokens[:, 1:][piece.spoken])
        cues = piece.intents != NOTHING
        hint = F.cross_entropy(F.linear(seen[cues], self._naming), piece.intents[cues])
        self._optimizer.zero_grad(set_to_none=True)
        (loss + HINT * hint).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.weights.values(), 1.0)
        self._optimizer.step()
        self._memory = memory.detach()
        return loss.item(), hint.item()

    def save(self, path: Path) -> None:
        """In fp16, as the engine loads it. Written beside and moved into place, so a reader never sees half a file."""
        halves = {name: value.detach().half().contiguous() for name, value in self.weights.items()}
        beside = path.with_suffix(".part")
        save_file(halves, beside)
        beside.chmod(0o644)
        beside.replace(path)


def rate_at(step: int, steps: int) -> float:
    """Warm-up, then a cosine down to a tenth."""
    if step < WARM_UP:
        return RATE * (step + 1) / WARM_UP
    progress = (step - WARM_UP) / max(1, steps - WARM_UP)
    return RATE * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * progress)))


def train(
    trainer: Trainer, stream: Iterator[Piece], steps: int, minutes: float | None, path: Path
) -> tuple[int, float]:
    """Returns the steps taken and the seconds they took. With `minutes`, the number of steps follows the clock."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    start, step = time.monotonic(), 0
    smooth = torch.zeros(2)
    with Progress(*columns, refresh_per_second=1) as progress:
        bar = progress.add_task("训练", total=steps)
        while step < steps:
            losses = torch.tensor(trainer.step(next(stream), rate_at(step, steps)))
            smooth = losses if not step else torch.lerp(smooth, losses, 0.05)
            step += 1
            elapsed = time.monotonic() - start
            if minutes is not None and step % 10 == 0:
                steps = max(step, round(step * minutes * 60 / elapsed))
            said = f"loss {smooth[0]:.3f} 意图 {smooth[1]:.3f} {step * ROWS * PIECE / elapsed:.0f} token/s"
            progress.update(bar, completed=step, total=steps, description=f"训练 {said}")
            if step % 100 == 0:
                progress.console.print(f"{step}/{steps} {said} {elapsed:.0f} s")
                trainer.save(path.with_suffix(".checkpoint"))
    path.with_suffix(".checkpoint").unlink(missing_ok=True)
    return step, time.monotonic() - start


def main() -> None:
    options = _options()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    FOLDER.mkdir(exist_ok=True)
    corpus = load_corpus()
    tokenizer = train_tokenizer(corpus, options.vocab, options.out / "tokenizer.json")
    size = replace(Size(options.vocab), layers=options.layers)
    trainer = Trainer(size, scene_tokens(tokenizer), len(corpus.intents), options.seed)
    model = options.out / "model.safetensors"
    steps, seconds = train(trainer, pieces(corpus, tokenizer, options.seed), options.steps, options.minutes, model)
    trainer.save(model)
    print(f"{steps} steps in {seconds / 60:.1f} min -> {model} ({model.stat().st_size / 1e6:.2f} MB)")
    if not options.no_report:
        from tools.demo_report import write_report

        write_report(options.out, REPORT, f"{steps} 步，{seconds / 60:.0f} 分钟，种子 {options.seed}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--minutes", type=float, help="train about this long instead; not repeatable to the bit")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--layers", type=int, default=Size(0).layers)
    parser.add_argument("--vocab", type=int, default=2816)
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder of model and tokenizer")
    parser.add_argument("--no-report", action="store_true", help="do not measure, do not write docs/demo-model.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
