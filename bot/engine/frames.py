"""What the panel's process and the model's process say to each other: one JSON object a line, over the worker's pipes.

No torch here: both sides import this file.

To the worker       {"do": "drafts", "answer": n, "prompt": {...}, "count": n, "sampling": {...}} · {"do": "cancel", "answer": n}
                    {"do": "read", "answer": n, "prompt": {...}} · {"do": "count", "answer": n, "texts": [...]}
                    The end of the stream ends the worker.
From the worker     {"is": "ready", "strategy", "why"} · {"is": "broken", "message"} (it cannot ever work) ·
                    {"is": "grew", "answer", "index", "gained"} · {"is": "finished", "answer", "index", "text", "ending"} ·
                    {"is": "read", "answer", "left"} (tokens; 0 ends it) · {"is": "counted", "answer", "tokens": [...]} ·
                    {"is": "lost", "answer", "message"} · {"is": "figures", "figures": {...}} ·
                    {"is": "notice", "message"} (for the log: something went wrong that costs no answer)
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from bot.engine.types import Prompt, Sampling

Frame = dict[str, Any]

LONGEST = 16 << 20
"""Bytes in one line at most. A draft's whole text and a long prompt are far below."""


def to_line(frame: Frame) -> bytes:
    return json.dumps(frame, separators=(",", ":")).encode() + b"\n"


def from_line(line: bytes) -> Frame:
    frame: Frame = json.loads(line)
    return frame


def drafts_frame(answer: int, prompt: Prompt, count: int, sampling: Sampling) -> Frame:
    return {"do": "drafts", "answer": answer, "prompt": asdict(prompt), "count": count, "sampling": asdict(sampling)}


def read_frame(answer: int, prompt: Prompt) -> Frame:
    return {"do": "read", "answer": answer, "prompt": asdict(prompt)}


def count_frame(answer: int, texts: Sequence[str]) -> Frame:
    return {"do": "count", "answer": answer, "texts": list(texts)}


def prompt_of(frame: Frame) -> Prompt:
    fields = dict(frame["prompt"])
    lists = {name: tuple(fields[name]) for name in ("parts", "stops", "keep", "against")}
    return Prompt(**(fields | lists))


def sampling_of(frame: Frame) -> Sampling:
    fields = dict(frame["sampling"])
    lists = {name: tuple(fields[name]) for name in ("ban", "order")}
    pairs = tuple((words, amount) for words, amount in fields["logit_bias"])
    return Sampling(**(fields | lists | {"logit_bias": pairs}))
