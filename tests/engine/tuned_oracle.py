"""What the `rwkv` package computes from a tuned state, in a process of its own.

Usage: tuned_oracle.py FOLDER VERSION... For version 7, NAME.pth is the model and NAME.state.pth is put where the package
has its state, as its users do; for the others the package takes `time_state` from NAME.pth itself. Writes
NAME.answers.safetensors with `logits` (T, vocab), after each of `TOKENS`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

VOCAB = 300
TOKENS = torch.randint(0, VOCAB, (20,), generator=torch.Generator().manual_seed(3)).tolist()


def main(folder: Path, versions: list[str]) -> None:
    os.environ.update(RWKV_V7_ON="1" if versions == ["7"] else "0", RWKV_JIT_ON="0", RWKV_CUDA_ON="0")
    torch.set_num_threads(1)
    from rwkv.model import RWKV

    for version in versions:
        model = RWKV(model=str(folder / version), strategy="cpu fp32")
        state = _begin(model, folder / f"{version}.state.pth") if version == "7" else None
        logits = []
        for token in TOKENS:
            found, state = model.forward([token], state)
            logits.append(found.float().clone())
        save_file({"logits": torch.stack(logits)}, folder / f"{version}.answers.safetensors")


def _begin(model: Any, file: Path) -> list[torch.Tensor]:
    state: list[torch.Tensor] = model.generate_zero_state()
    for name, tensor in torch.load(file).items():
        state[3 * int(name.split(".")[1]) + 1] = tensor
    return state


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
