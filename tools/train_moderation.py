"""Trains moderation's classifier, in one command: `python tools/train_moderation.py FOLDER`.

FOLDER holds the public texts that tools/moderation_data.py lists. Writes moderation/data/classifier.int8 and
docs/moderation-classifier.md. A minute on one core; with the same texts and torch it gives the same weights.

A logistic regression over hashed letters and pairs of letters. Each weight is learnt as a multiple of how differently
rough and ordinary texts use its letters (S. Wang and C. Manning, Baselines and Bigrams, ACL 2012), and a text's sum is
divided by the root of its number of different letters and pairs. It is trained twice: without COLDataset's dev split,
whose figures the settings below were chosen by, and with it, for the weights that ship.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402
from torch import Tensor  # noqa: E402
from torch.nn.functional import binary_cross_entropy_with_logits, embedding_bag  # noqa: E402

from moderation.classifier import WEIGHTS, Classifier, buckets  # noqa: E402
from moderation.views import fold  # noqa: E402
from tools.moderation_data import Example, Texts, read_texts  # noqa: E402
from tools.moderation_report import report, told_apart  # noqa: E402

REPORT = ROOT / "docs" / "moderation-classifier.md"

BUCKETS = 1 << 18
SEED, EPOCHS, ROWS = 5, 10, 256
RATE, DECAY = 0.03, 2e-6
PRIOR = 3.0
"""Added to both counts of a letter before they are compared: what is rare says little."""
LEAST = 0.2
"""By how much even a letter that both sides use alike may be learnt."""
FLAGGED = 0.001
"""The share of ordinary chat lines that may be flagged: the threshold is chosen by it."""


@dataclass(frozen=True, slots=True)
class Bags:
    """Texts as buckets: `flat` holds those of one text after those of another, `starts` (texts + 1) where each begins."""

    flat: Tensor
    starts: Tensor
    rough: Tensor  # (texts,) 1.0 or 0.0

    @property
    def sizes(self) -> Tensor:
        return self.starts[1:] - self.starts[:-1]

    def rows(self, chosen: Tensor) -> Bags:
        parts = [self.flat[self.starts[row] : self.starts[row + 1]] for row in chosen]
        return Bags(torch.cat(parts), _starts([len(part) for part in parts]), self.rough[chosen])


def bags(examples: Sequence[Example]) -> Bags:
    found = [sorted(buckets(fold(text), BUCKETS)) for text, _ in examples]
    flat = torch.tensor([bucket for one in found for bucket in one])
    return Bags(flat, _starts([len(one) for one in found]), torch.tensor([float(rough) for _, rough in examples]))


def _starts(sizes: list[int]) -> Tensor:
    return torch.tensor([0, *sizes]).cumsum(0)


def train(examples: Sequence[Example]) -> tuple[Tensor, float]:
    """Weights (BUCKETS,) and bias."""
    texts = bags(examples)
    contrast = _contrast(texts)
    learnt, bias = torch.zeros(BUCKETS, requires_grad=True), torch.zeros(1, requires_grad=True)
    descent = torch.optim.Adam([learnt, bias], lr=RATE)
    slower = torch.optim.lr_scheduler.LambdaLR(descent, lambda epoch: 1 - epoch / EPOCHS)
    draw = torch.Generator().manual_seed(SEED)
    for _ in range(EPOCHS):
        for chosen in torch.split(torch.randperm(len(examples), generator=draw), ROWS):
            rows = texts.rows(chosen)
            loss = binary_cross_entropy_with_logits(_logits(rows, learnt * contrast) + bias, rows.rough)
            loss = loss + DECAY * learnt.square().sum()
            descent.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            descent.step()
        slower.step()
    return (learnt * contrast).detach(), bias.item()


def _contrast(texts: Bags) -> Tensor:
    """|log of how much more often| a bucket occurs in rough texts than in others, (BUCKETS,)."""
    rough = texts.rough.repeat_interleave(texts.sizes).double()
    in_rough = torch.bincount(texts.flat, rough, BUCKETS) + PRIOR
    in_others = torch.bincount(texts.flat, 1 - rough, BUCKETS) + PRIOR
    return (in_rough / in_rough.sum() / (in_others / in_others.sum())).log().abs().float() + LEAST


def _logits(texts: Bags, weights: Tensor) -> Tensor:
    sums = embedding_bag(texts.flat, weights[:, None], texts.starts, mode="sum", include_last_offset=True)
    return sums[:, 0] / texts.sizes.sqrt()


def save(weights: Tensor, bias: float, flag_from: float, version: str, file: Path) -> None:
    scale = weights.abs().max().item() / 127
    header = {"version": version, "scale": scale, "bias": bias, "flag_from": flag_from}
    rounded = array("b", (weights / scale).round().to(torch.int8).tolist())
    file.write_bytes(json.dumps(header).encode() + b"\n" + rounded.tobytes())


def note(file: Path, about: dict[str, object]) -> None:
    """Adds to what the file says of itself."""
    header, _, weights = file.read_bytes().partition(b"\n")
    file.write_bytes(json.dumps(json.loads(header) | about).encode() + b"\n" + weights)


# -- the command -------------------------------------------------------------------------------------------------------


def make(texts: Texts, version: str, file: Path, *, with_dev: bool) -> Classifier:
    chat = [(line, False) for line in texts.chat_train]
    weights, bias = train([*texts.train, *(texts.dev if with_dev else ()), *texts.swsr, *chat])
    save(weights, bias, 1.0, version, file)
    scores = sorted(map(Classifier(file).score, texts.chat_choose), reverse=True)
    save(weights, bias, scores[int(FLAGGED * len(scores))], version, file)
    return Classifier(file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="the public texts")
    parser.add_argument("--file", type=Path, default=WEIGHTS, help="where the weights go")
    parser.add_argument("--report", type=Path, default=REPORT, help="where the report goes")
    parser.add_argument("--version", default=time.strftime("%Y-%m-%d"), help="what verdicts call these weights")
    options = parser.parse_args()
    if hasattr(os, "nice"):
        os.nice(10)
    torch.set_num_threads(1)
    texts = read_texts(options.folder)
    held_out = told_apart(make(texts, options.version, options.file, with_dev=False), texts.dev)
    shipped = make(texts, options.version, options.file, with_dev=True)
    note(options.file, {"cold": told_apart(shipped, texts.test)})
    written = report(shipped, texts, held_out)
    options.report.write_text(written, encoding="utf-8")
    print(written)


if __name__ == "__main__":
    main()
