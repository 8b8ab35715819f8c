"""Puts a word like [电话] in the place of what a finding masks. Knows nothing of what was found there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from moderation.verdict import Finding


def mask(text: str, findings: Iterable[Finding]) -> tuple[str, tuple[Finding, ...]]:
    """The masked text, and the findings with their places in it. Masks that overlap become the first of them."""
    findings = tuple(findings)
    masks = [found for found in findings if found.mask and found.start < found.end]
    if not masks:
        return text, findings
    pieces: list[tuple[int, int, str]] = []  # (start, end, what stands there instead), apart and in order
    for found in sorted(masks, key=lambda one: (one.start, -one.end)):
        if pieces and found.start < pieces[-1][1]:
            start, end, word = pieces[-1]
            pieces[-1] = start, max(end, found.end), word
        else:
            pieces.append((found.start, found.end, found.mask))
    return _put(text, pieces), tuple(_moved(found, pieces) for found in findings)


def _put(text: str, pieces: Iterable[tuple[int, int, str]]) -> str:
    parts, at = [], 0
    for start, end, word in pieces:
        parts += [text[at:start], word]
        at = end
    return "".join([*parts, text[at:]])


def _moved(found: Finding, pieces: Iterable[tuple[int, int, str]]) -> Finding:
    """A place within what was masked grows to the whole mask."""
    start, end = found.start, found.end
    for first, last, word in pieces:
        grown = len(word) - (last - first)
        if last <= found.start:
            start += grown
        elif first < found.start:
            start -= found.start - first
        if last <= found.end:
            end += grown
        elif first < found.end:
            end += last - found.end + grown
    return replace(found, start=start, end=end)
