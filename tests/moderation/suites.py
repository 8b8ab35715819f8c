"""Reads the test sets under tests/data/moderation. They were written before the rules that they measure."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "data" / "moderation"
_ESCAPE = re.compile(r"\\(\\|n|u[0-9a-f]{4})")


def lines(name: str) -> list[str]:
    """The lines of `name`.tsv, without comments."""
    text = (FOLDER / f"{name}.tsv").read_text(encoding="utf-8")
    return [_ESCAPE.sub(_unescape, line) for line in text.split("\n") if line and not line.startswith("# ")]


def labelled(name: str) -> list[tuple[str, str]]:
    """The same as (label, text)."""
    return [(label, text) for label, _, text in (line.partition("\t") for line in lines(name))]


def _unescape(match: re.Match[str]) -> str:
    escaped = match[1]
    return {"\\": "\\", "n": "\n"}.get(escaped) or chr(int(escaped[1:], 16))
