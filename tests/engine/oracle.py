"""What the `rwkv` package computes, in a process of its own: its RWKV-7 excludes its other versions in one process.

Usage: oracle.py FOLDER. For every NAME.pth in it, writes NAME.answers.safetensors:
`steps` (T, vocab): logits after each of `TOKENS`, token by token; `seq_N`: after the first N tokens, read at once;
`branch` (T2, vocab): from the state after `BRANCH_AT` tokens, the logits after each of `OTHER`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

LENGTHS = (2, 15, 16, 17, 33, 75)
BRANCH_AT = 40


def tokens(vocab: int, n: int, seed: int) -> list[int]:
    return torch.randint(0, vocab, (n,), generator=torch.Generator().manual_seed(seed)).tolist()


def main(folder: Path) -> None:
    os.environ["RWKV_V7_ON"] = "1"
    torch.set_num_threads(1)
    from rwkv.model import RWKV

    for path in sorted(folder.glob("*.pth")):
        model = RWKV(model=str(path.with_suffix("")), strategy="cpu fp32")
        vocab = model.args.vocab_size
        text, other = tokens(vocab, max(LENGTHS), seed=1), tokens(vocab, 20, seed=2)
        steps, middle, state = [], None, None
        for n, token in enumerate(text, 1):
            logits, state = model.forward([token], state)
            steps.append(logits.clone())
            if n == BRANCH_AT:
                middle = [part.clone() for part in state]
        branch = []
        for token in other:
            logits, middle = model.forward([token], middle)
            branch.append(logits.clone())
        answers = {f"seq_{n}": model.forward(text[:n], None)[0].clone() for n in LENGTHS}
        save_file(answers | {"steps": torch.stack(steps), "branch": torch.stack(branch)}, path.with_suffix(".answers"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
