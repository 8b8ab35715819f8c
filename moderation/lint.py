"""Looks over word lists before they are used: what is written twice, too common, or sounds like everyday words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from moderation.lists import false_alarms
from moderation.terms import Term
from moderation.views.pinyin import sounds
from moderation.views.tables import lines_of

_MOST_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to mend, for people. `place` is `file:line`."""

    place: str
    word: str
    text: str


def remarks(terms: Sequence[Term], lines: Sequence[str]) -> list[Remark]:
    """All of them, in the order of the lists. `lines`: everyday chat."""
    place = {id(term): number for number, term in enumerate(terms)}
    checks = (
        _twice(terms),
        _digits(terms),
        _sound_alike(terms),
        _everyday_sounds(terms),
        _in_everyday_chat(terms, lines),
    )
    found = sorted((place[id(term)], text) for check in checks for term, text in check)
    return [Remark(terms[number].place, terms[number].text, text) for number, text in found]


Found = Iterator[tuple[Term, str]]


def _twice(terms: Iterable[Term]) -> Found:
    """The same word for the same direction."""
    first: dict[object, Term] = {}
    for term in terms:
        key = (term.folded, term.flags & {"in", "out", "a"})
        if key in first:
            yield term, f"与 {first[key].place} 重复 / the same as there"
        first.setdefault(key, term)


def _digits(terms: Iterable[Term]) -> Found:
    for term in terms:
        if term.folded.isdigit():
            yield term, "只有数字，会误伤时间、分数和房间号 / digits only"


def _sound_alike(terms: Iterable[Term]) -> Found:
    """Another word with the flag p finds it already."""
    first: dict[str, Term] = {}
    for term in _spoken(terms):
        for sound in sorted(sounds(term.folded)):
            other = first.setdefault(sound, term)
            if other is not term and other.folded != term.folded:
                yield term, f"与 {other.place} 的“{other.text}”同音，留一个就够 / sounds like that one"


def _everyday_sounds(terms: Iterable[Term]) -> Found:
    for term in _spoken(terms):
        words = [word for sound in sounds(term.folded) for word in _by_sound().get(sound, ()) if word != term.folded]
        if words:
            yield term, f"与常用词同音：{_some(words)}。去掉标记 p / sounds like everyday words"


def _in_everyday_chat(terms: Sequence[Term], lines: Sequence[str]) -> Found:
    counted = dict(false_alarms(terms, lines).words)
    for term in terms:
        if not term.exception and term.text in counted:
            yield term, f"{len(lines)} 句平常的话里出现 {counted[term.text]} 句 / found in everyday chat"


def _spoken(terms: Iterable[Term]) -> Iterator[Term]:
    return (term for term in terms if "p" in term.flags and not term.exception)


def _some(words: Sequence[str]) -> str:
    return "、".join(words[:_MOST_EXAMPLES]) + ("……" if len(words) > _MOST_EXAMPLES else "")


@cache
def _by_sound() -> dict[str, list[str]]:
    """Everyday words, and parts of them, by how they sound."""
    found: dict[str, list[str]] = {}
    for word in lines_of("common.txt"):
        for start in range(len(word) - 1):
            for end in range(start + 2, len(word) + 1):
                for sound in sounds(word[start:end]):
                    found.setdefault(sound, []).append(word)
    return found
