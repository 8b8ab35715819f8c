"""Finds every occurrence of many terms: by `ahocorasick_rs` where it is installed, by a dictionary trie elsewhere.

Both give the same matches: all of them, overlapping ones too, as (index of the term, start, end).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Match = tuple[int, int, int]


class TrieMatcher:
    """Pure Python. About five times slower than the library, which is still fast enough for a chat."""

    def __init__(self, terms: Sequence[str]) -> None:
        self._root: dict[str, Any] = {}
        for index, term in enumerate(terms):
            node = self._root
            for letter in term:
                node = node.setdefault(letter, {})
            node.setdefault("", []).append(index)  # the empty key: terms that end here

    def matches(self, text: str) -> list[Match]:
        found: list[Match] = []
        for start in range(len(text)):
            node = self._root
            for end in range(start, len(text)):
                if (node := node.get(text[end], {})) == {}:
                    break
                found.extend((index, start, end + 1) for index in node.get("", ()))
        return sorted(found)


class RustMatcher:
    """The same through `ahocorasick_rs`."""

    def __init__(self, terms: Sequence[str]) -> None:
        from ahocorasick_rs import AhoCorasick

        self._automaton = AhoCorasick(list(terms))

    def matches(self, text: str) -> list[Match]:
        return sorted(self._automaton.find_matches_as_indexes(text, overlapping=True))


def matcher(terms: Sequence[str]) -> TrieMatcher | RustMatcher:
    """The fastest one that this machine has. Terms must not be empty."""
    try:
        return RustMatcher(terms)
    except ImportError:
        return TrieMatcher(terms)
