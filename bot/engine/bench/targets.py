"""What `cohost bench engine` is held to: each target, what was reached, and whether that is enough. Measures nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

BF16, INT8 = "cpu bf16", "cpu fp32i8"
F16, Q8 = "llama.cpp F16", "llama.cpp Q8_0"


@dataclass(frozen=True, slots=True)
class Target:
    """`figure`: the keys that lead to it in the report. `aim`: beyond what must be."""

    figure: tuple[str, ...]
    wanted: float
    at_most: bool = False
    aim: bool = False


TARGETS = (
    Target(("strategies", BF16, "vs_rwkv", "five_drafts"), 14),
    Target(("strategies", BF16, "vs_llama", F16, "five_drafts"), 1.4),
    Target(("strategies", INT8, "vs_rwkv", "five_drafts"), 20),
    Target(("strategies", INT8, "vs_llama", F16, "five_drafts"), 2),
    Target(("strategies", INT8, "vs_llama", Q8, "one_draft"), 1),
    Target(("strategies", BF16, "vs_llama", F16, "prefill"), 1),
    Target(("strategies", BF16, "vs_rwkv", "prefill"), 4),
    Target(("strategies", INT8, "vs_llama", Q8, "prefill"), 1),
    Target(("strategies", INT8, "vs_rwkv", "prefill"), 4),
    Target(("int8", "demo", "kl"), 0.01, at_most=True),
    Target(("strategies", INT8, "vs_rwkv", "five_drafts"), 25, aim=True),
    Target(("strategies", INT8, "memory_share", "five_drafts"), 0.6, aim=True),
)
"""For two cores and the shape of the 0.1b model."""


def judged(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every target with `reached` and `met`, both None where a peer was not there to be measured."""
    return [_judged(target, report) for target in TARGETS]


def _judged(target: Target, report: Mapping[str, Any]) -> dict[str, Any]:
    reached = _figure(report, target.figure)
    enough = reached is not None and (reached <= target.wanted if target.at_most else reached >= target.wanted)
    return {
        "figure": " / ".join(target.figure),
        "wanted": f"{'<=' if target.at_most else '>='} {target.wanted:g}",
        "aim": target.aim,
        "reached": reached,
        "met": None if reached is None else enough,
    }


def _figure(report: Mapping[str, Any], keys: tuple[str, ...]) -> float | None:
    found: Any = report
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, int | float) else None
