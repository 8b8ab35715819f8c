"""Word lists: what a line means. Reads and checks; finds nothing.

One term a line: `term<TAB>category<TAB>severity<TAB>flags<TAB>note`; everything after the term may be left out, and a
line that begins with `#` is a comment. In a term `?` is any one letter and `*` up to eight.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from bot.errors import UserError
from moderation.categories import CATEGORIES
from moderation.verdict import NOTABLE, Direction
from moderation.views import fold

# Those that a list can have; the others are what checks say of themselves.
LIST_CATEGORIES = tuple(name for name in CATEGORIES if name not in ("suspect", "unchecked"))
FLAGS = {
    "p": "拼音、同音字也算",
    "w": "整词（纯字母数字的词总是如此）",
    "s": "只找原样，不管拆开、重复、倒写",
    "in": "只查弹幕",
    "out": "只查回复",
    "a": "例外：这个词里面的不算",
    "re": "正则表达式",
}
_MOST_LETTERS = 260
_MOST_PATTERNS = 50  # a regular expression costs each message time, a word does not


class WordListError(UserError):
    """A word list that cannot be used: `file:line：` what is wrong and what to write."""


@dataclass(frozen=True)
class Term:
    """One entry. `place` is where it is written, as `file:line`."""

    text: str
    category: str = "custom"
    severity: int = NOTABLE
    flags: frozenset[str] = frozenset()
    note: str = ""
    place: str = field(default="", compare=False)

    @cached_property
    def folded(self) -> str:
        """In plain letters; a regular expression is left as it is."""
        return self.text if self.regex else fold(self.text).strip()

    @property
    def exception(self) -> bool:
        return "a" in self.flags

    @property
    def regex(self) -> bool:
        return "re" in self.flags

    @property
    def wild(self) -> bool:
        return not self.regex and bool({"*", "?"} & set(self.folded))

    @property
    def strict(self) -> bool:
        """Only as it is written."""
        return bool({"s", "re"} & self.flags) or self.wild

    def counts(self, direction: Direction) -> bool:
        return not self.flags & {"in", "out"} or direction.value in self.flags


def load_words(file: Path) -> tuple[Term, ...]:
    """Reads one list. Raises WordListError with every bad line."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise WordListError(f"{file}：不是 UTF-8 文本，请用 UTF-8 编码另存。 Not UTF-8.") from error
    except OSError as error:
        reason = error.strerror or error
        raise WordListError(f"{file}：读不了（{reason}），请检查路径和权限。 Cannot be read.") from error
    return parse_words(text, str(file))


def parse_words(text: str, file: str = "words.tsv") -> tuple[Term, ...]:
    """The terms of a list; `file` is named in errors."""
    terms: list[Term] = []
    mistakes: list[str] = []
    name = Path(file).name
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            terms.append(fields_term(line.rstrip("\r").split("\t"), f"{name}:{number}"))
        except ValueError as mistake:
            mistakes.append(f"{file}:{number}：{mistake}")
    if mistakes:
        raise WordListError("\n".join(mistakes))
    if sum(term.regex for term in terms) > _MOST_PATTERNS:
        raise WordListError(f"{file}：正则表达式最多 {_MOST_PATTERNS} 条。 Too many patterns.")
    return tuple(terms)


def version_of(terms: Iterable[Term]) -> str:
    """Twelve digits that change when any entry does; kept with every verdict."""
    digest = hashlib.sha256()
    for term in terms:
        entry = (term.text, term.category, str(term.severity), *sorted(term.flags), term.note)
        digest.update("\t".join(entry).encode("utf-8", "surrogatepass") + b"\n")
    return digest.hexdigest()[:12]


def fields_term(fields: Sequence[str], place: str = "") -> Term:
    """The entry of a line. Raises ValueError with what is wrong."""
    text, category, severity, flags, note = (field.strip() for field in (*fields, *[""] * 5)[:5])
    if len(fields) > 5:
        raise ValueError(f"有 {len(fields)} 列，最多 5 列：词、类别、级别、标记、备注。 Five columns at most.")
    term = Term(text, _category(category), _severity(severity), _flags(flags), note, place)
    _check_length(term)
    if term.regex:
        compile_regex(term.text)
    if term.regex and term.exception:
        raise ValueError("例外不能是正则表达式。 An exception cannot be a pattern.")
    return term


def _check_length(term: Term) -> None:
    letters = term.folded.replace("*", "").replace("?", "")
    if len(letters) < 2:
        raise ValueError(f"“{term.text}”太短，会误伤很多正常的话。请写两个字以上。 Too short.")
    if len(letters) > _MOST_LETTERS:
        raise ValueError(f"有 {len(letters)} 字，最多 {_MOST_LETTERS} 字。 Too long.")


def compile_regex(pattern: str) -> Any:
    """A pattern of `regex`. Raises ValueError where it is wrong, or where the library is missing that can stop a slow one."""
    try:
        import regex
    except ImportError as error:
        raise ValueError("正则表达式要装 regex：pip install regex。 Needs the package regex.") from error
    try:
        return regex.compile(pattern, regex.IGNORECASE)
    except regex.error as error:
        raise ValueError(f"正则表达式“{pattern}”写错了：{error}。 A bad pattern.") from error


def _category(text: str) -> str:
    if text and text not in LIST_CATEGORIES:
        raise ValueError(f"没有类别“{text}”。请写其中之一：{'、'.join(LIST_CATEGORIES)}。 No such category.")
    return text or "custom"


def _severity(text: str) -> int:
    if text and text not in ("1", "2", "3", "4"):
        raise ValueError(f"级别“{text}”应为 1 到 4：1、2 提醒，3 拦下，4 绝不播出。 Severity is 1 to 4.")
    return int(text or NOTABLE)


def _flags(text: str) -> frozenset[str]:
    flags = frozenset(text.replace(",", " ").split())
    if unknown := flags - set(FLAGS):
        can = "；".join(f"{flag} {meaning}" for flag, meaning in FLAGS.items())
        raise ValueError(f"没有标记“{'、'.join(sorted(unknown))}”。可用：{can}。 No such flag.")
    return flags
