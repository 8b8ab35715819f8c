"""Tries to forge turns: hostile strings as messages and as names, until the count is reached or one gets through.

    python -m tools.fuzz_turns                      # 1,000,000 strings on all cores, some minutes
    python -m tools.fuzz_turns --strings 10000 --seed 3

Run from the folder of the project: the strings and the eyes that read the prompts are those of the tests.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import sys
import time

from tests.engine.turns import assert_harmless
from tests.hostile import hostile_string

LINES = 5  # viewers' lines in one prompt, of a message and a name each
BATCH = 2000  # prompts that one process tries before it reports


def attack(seed: int) -> list[str]:
    """A batch of prompts; what got through, as text that can be tried again."""
    source = random.Random(seed)
    found: list[str] = []
    for _ in range(BATCH):
        hostile = [(hostile_string(source), hostile_string(source)) for _ in range(LINES)]
        try:
            assert_harmless(hostile)
        except (AssertionError, ValueError) as error:
            found.append(f"seed {seed}: {hostile!a}: {type(error).__name__}")
    return found


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz_turns", description=__doc__.split("\n\n")[0])
    parser.add_argument("--strings", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args(arguments)
    batches = -(-chosen.strings // (2 * LINES * BATCH))
    began = time.perf_counter()
    seeds = range(chosen.seed, chosen.seed + batches)
    with multiprocessing.Pool(min(chosen.processes, batches)) as pool:
        found = [one for batch in pool.imap_unordered(attack, seeds) for one in batch]
    for one in found:
        print(one)
    tried = batches * BATCH * LINES * 2
    print(f"{len(found)} forged turns in {tried:,} strings (names included), {time.perf_counter() - began:.0f} s")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
