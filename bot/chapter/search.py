"""Finds words in a story. Case does not count; everything else is taken as it is written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.chapter.chapter import Chapter, Paragraph

AROUND = 40  # characters of a line that are shown before and after what was found


@dataclass(frozen=True, slots=True)
class Hit:
    """`before` and `after` are the words around `match`, cut short with an ellipsis."""

    paragraph: Paragraph
    before: str
    match: str
    after: str


@dataclass(frozen=True, slots=True)
class Found:
    """How often a story has the words, and the first few places."""

    count: int
    hits: tuple[Hit, ...]


def search(chapter: Chapter, query: str, most: int = 3) -> Found:
    """An empty query is nowhere."""
    hits = list(_hits(chapter, query)) if query.strip() else []
    return Found(len(hits), tuple(_cut(paragraph, match) for paragraph, match in hits[:most]))


def _hits(chapter: Chapter, query: str) -> Iterator[tuple[Paragraph, re.Match[str]]]:
    pattern = re.compile(re.escape(query), re.IGNORECASE)
    for paragraph in chapter.paragraphs():
        yield from ((paragraph, match) for match in pattern.finditer(paragraph.words))


def _cut(paragraph: Paragraph, match: re.Match[str]) -> Hit:
    text, start, end = paragraph.words, match.start(), match.end()
    before = text[:start] if start <= AROUND else f"…{text[start - AROUND : start]}"
    after = text[end:] if len(text) - end <= AROUND else f"{text[end : end + AROUND]}…"
    return Hit(paragraph, before, match[0], after)
