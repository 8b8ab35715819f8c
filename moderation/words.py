"""Finds the terms of word lists in a text, however they are written there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from moderation.categories import CATEGORIES
from moderation.matcher import matcher
from moderation.patterns import (
    Pattern,
    compiled,
    leet_patterns,
    pinyin_patterns,
    plain_patterns,
    tight_patterns,
)
from moderation.terms import Term, version_of
from moderation.verdict import SEVERE, Direction, Finding
from moderation.views import View, leet, pinyin, plain, tight

_REGEX_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Hit:
    """A term at `start:end` of the original."""

    term: Term
    start: int
    end: int
    how: str = ""


class Layer:
    """One view of a text and what is looked for in it."""

    def __init__(
        self,
        name: str,
        see: Callable[[View], View | None],
        patterns: Callable[[Term], Iterable[Pattern]],
        terms: Sequence[Term],
    ) -> None:
        self.name = name
        self.see = see
        self._patterns = [pattern for term in terms for pattern in patterns(term)]
        self._matcher = matcher([pattern.letters for pattern in self._patterns])

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def hits(self, seen: View) -> Iterator[Hit]:
        shapes: set[Pattern] = set()
        for index, start, end in self._matcher.matches(seen.text):
            pattern = self._patterns[index]
            if pattern.shape is not None:
                shapes.add(pattern)
            elif pattern.fits(seen, start, end):
                yield Hit(pattern.term, *seen.original(start, end), pattern.how)
        for pattern in shapes:
            for found in pattern.shape.finditer(seen.text):
                yield Hit(pattern.term, *seen.original(*found.span()))


class WordFilter:
    """Finds the terms of all lists together. Immutable: other lists are another filter."""

    name = "words"

    def __init__(self, terms: Iterable[Term]) -> None:
        self.terms = tuple(terms)
        self.version = version_of(self.terms)
        layers = (
            Layer("plain", lambda seen: seen, plain_patterns, self.terms),
            Layer("tight", tight, tight_patterns, self.terms),
            Layer("leet", leet, leet_patterns, self.terms),
            Layer("pinyin", pinyin, pinyin_patterns, self.terms),
        )
        self.layers = tuple(layer for layer in layers if layer)
        self._expressions = [(term, compiled(term)) for term in self.terms if term.regex]

    def check(self, text: str, direction: Direction) -> Iterator[Finding]:
        seen = plain(text)
        hits = [hit for hit in self._hits(seen) if hit.term.counts(direction)]
        allowed = [(hit.start, hit.end) for hit in hits if hit.term.exception]
        for hit in hits:
            if not hit.term.exception and not any(first <= hit.start and hit.end <= last for first, last in allowed):
                yield _finding(hit)
        yield from _expressions(self._expressions, seen, direction)

    def _hits(self, seen: View) -> list[Hit]:
        """Each occurrence once, although several views show it: as the first of them shows it."""
        found: list[Hit] = []
        taken: set[tuple[int, int]] = set()
        for layer in self.layers:
            if (view := layer.see(seen)) is not None:
                for hit in layer.hits(view):
                    letters = {(id(hit.term), place) for place in range(hit.start, hit.end)}
                    if taken.isdisjoint(letters):
                        taken |= letters
                        found.append(hit)
        return found


def _expressions(expressions: Sequence[tuple[Term, Any]], seen: View, direction: Direction) -> Iterator[Finding]:
    """One that takes too long leaves the text unchecked, which holds it."""
    for term, expression in expressions:
        if not term.counts(direction):
            continue
        try:
            found = [one.span() for one in expression.finditer(seen.text, timeout=_REGEX_SECONDS) if one[0]]
        except TimeoutError:
            reason = f"{term.place} 的正则表达式太慢，这条没有查完。 A pattern of yours is too slow."
            yield Finding("unchecked", SEVERE, f"slow:{term.place}", 0, len(seen.text), reason)
            return
        yield from (_finding(Hit(term, *seen.original(*span))) for span in found)


def _finding(hit: Hit) -> Finding:
    term = hit.term
    details = "，".join(part for part in (term.note, hit.how) if part)
    reason = f"{CATEGORIES[term.category]}：“{term.text}”" + (f"（{details}）" if details else "")
    return Finding(term.category, term.severity, f"word:{term.text}", hit.start, hit.end, reason, source=term.place)
