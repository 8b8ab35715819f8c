"""Word lists: reads them, and finds their terms whatever their case, width or invisible stuffing.

One term a line: `term<TAB>category<TAB>severity<TAB>flags<TAB>note`; everything after the term may be left out, and a
line that begins with `#` is a comment. Flags: `w` whole word (always so for a term of Latin letters and digits), `in`
or `out` one direction only, `a` an exception: a find that lies inside it does not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.errors import UserError
from moderation.matcher import matcher
from moderation.verdict import NOTABLE, Direction, Finding
from moderation.view import View, fold, view

CATEGORIES = {
    "insult": "辱骂",
    "threat": "威胁",
    "hate": "仇恨",
    "sexual": "色情",
    "minors": "涉未成年人",
    "self_harm": "自伤",
    "violence": "暴力",
    "gambling": "赌博",
    "drugs_weapons": "毒品与武器",
    "ads_fraud": "广告与诈骗",
    "privacy": "隐私",
    "politics": "时政",
    "injection": "操纵模型",
    "quality": "质量",
    "custom": "自定义词",
}
FLAGS = {"w", "in", "out", "a"}


class WordListError(UserError):
    """A word list that cannot be used: `file:line：` what is wrong and what to write."""


@dataclass(frozen=True, slots=True)
class Term:
    """One entry. `folded` is how it is looked for."""

    text: str
    folded: str
    category: str = "custom"
    severity: int = NOTABLE
    flags: frozenset[str] = frozenset()
    note: str = ""

    @property
    def exception(self) -> bool:
        return "a" in self.flags

    def counts(self, direction: Direction) -> bool:
        return not self.flags & {"in", "out"} or direction.value in self.flags


def load_words(file: Path) -> tuple[Term, ...]:
    """Reads one list. Raises WordListError with every bad line."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise WordListError(f"{file}：不是 UTF-8 文本，请用 UTF-8 编码另存。") from error
    except OSError as error:
        raise WordListError(f"{file}：读不了（{error.strerror or error}），请检查路径和权限。") from error
    return parse_words(text, str(file))


def parse_words(text: str, file: str = "words.tsv") -> tuple[Term, ...]:
    """The terms of a list; `file` is named in errors."""
    terms: list[Term] = []
    mistakes: list[str] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            terms.append(_term(line.rstrip("\r").split("\t")))
        except ValueError as mistake:
            mistakes.append(f"{file}:{number}：{mistake}")
    if mistakes:
        raise WordListError("\n".join(mistakes))
    return tuple(terms)


def _term(fields: Sequence[str]) -> Term:
    text, category, severity, flags, note = (field.strip() for field in (*fields, *[""] * 5)[:5])
    if len(fields) > 5:
        raise ValueError(f"有 {len(fields)} 列，最多 5 列：词、类别、级别、标记、备注。")
    return Term(text, _folded(text), _category(category), _severity(severity), _flags(flags), note)


def _folded(text: str) -> str:
    folded = fold(text).strip()
    if len(folded) < 2:
        raise ValueError(f"“{text}”太短，会误伤很多正常的话。请写两个字以上。")
    return folded


def _category(text: str) -> str:
    if text and text not in CATEGORIES:
        raise ValueError(f"没有类别“{text}”。请写其中之一：{'、'.join(CATEGORIES)}。")
    return text or "custom"


def _severity(text: str) -> int:
    if text and text not in ("1", "2", "3", "4"):
        raise ValueError(f"级别“{text}”应为 1 到 4：1、2 提醒，3 拦下，4 绝不播出。")
    return int(text or NOTABLE)


def _flags(text: str) -> frozenset[str]:
    flags = frozenset(text.replace(",", " ").split())
    if unknown := flags - FLAGS:
        raise ValueError(f"没有标记“{'、'.join(sorted(unknown))}”。可用：w（整词）、in、out（方向）、a（例外）。")
    return flags


class WordFilter:
    """Finds the terms of all lists together."""

    name = "words"

    def __init__(self, terms: Iterable[Term]) -> None:
        self._terms = tuple(terms)
        self._matcher = matcher([term.folded for term in self._terms]) if self._terms else None

    def check(self, text: str, direction: Direction) -> Iterator[Finding]:
        seen = view(text)
        hits = [hit for hit in self._hits(seen) if hit[0].counts(direction)]
        allowed = [(start, end) for term, start, end in hits if term.exception]
        for term, start, end in hits:
            if not term.exception and not any(first <= start and end <= last for first, last in allowed):
                yield _finding(term, *seen.original(start, end))

    def _hits(self, seen: View) -> list[tuple[Term, int, int]]:
        if self._matcher is None:
            return []
        found = ((self._terms[index], start, end) for index, start, end in self._matcher.matches(seen.text))
        return [(term, start, end) for term, start, end in found if _fits(term, seen.text, start, end)]


def _fits(term: Term, text: str, start: int, end: int) -> bool:
    """Whether a whole-word term stands alone there."""
    if "w" not in term.flags and not term.folded.isascii():
        return True
    before, after = text[start - 1 : start], text[end : end + 1]
    return not _word_letter(before) and not _word_letter(after)


def _word_letter(letter: str) -> bool:
    return letter.isascii() and letter.isalnum()


def _finding(term: Term, start: int, end: int) -> Finding:
    note = f"，{term.note}" if term.note else ""
    reason = f"{CATEGORIES[term.category]}：“{term.text}”{note}"
    return Finding(term.category, term.severity, f"word:{term.text}", start, end, reason)
