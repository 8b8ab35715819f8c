"""Other programs' word lists, as lines of ours. What a line of theirs cannot become is said, not lost.

Read: a word a line, or several with commas between; Bilibili's blocked words of a room (the answer of
`xlive/web-ucenter/v1/banned/GetShieldKeywordList`) and of a viewer (`<filters>` as XML, or the same list as JSON).
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from moderation.terms import WordListError, fields_term

_BETWEEN = re.compile(r"[,，、;；|\t]")
_ITEM = re.compile(r"<item\b([^>]*)>(.*?)</item>", re.DOTALL)
_WORD, _PATTERN = 0, 1  # the types of a viewer's blocked words; 2 is a viewer


@dataclass(frozen=True, slots=True)
class Imported:
    """Lines of a list of ours, and why others are missing: (what was there, the reason)."""

    lines: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]


def import_words(text: str, category: str = "custom", severity: str = "2") -> Imported:
    """Raises WordListError where the text is of none of these forms, or the category or the severity is none."""
    _checked("词语", category, severity)
    lines: dict[str, None] = {}
    left_out: list[tuple[str, str]] = []
    for word, flags in _entries(text.lstrip("\ufeff")):
        line = "\t".join((word, category, severity, flags)).rstrip("\t")
        try:
            if word.isdigit():
                raise ValueError("只有数字。 Digits only.")
            fields_term(line.split("\t"))
            lines[line] = None
        except ValueError as error:
            left_out.append((word, str(error)))
    return Imported(tuple(lines), tuple(left_out))


def _checked(word: str, category: str, severity: str) -> None:
    try:
        fields_term([word, category, severity])
    except ValueError as error:
        raise WordListError(str(error)) from error


Entry = tuple[str, str]  # the word, its flags


def _entries(text: str) -> Iterator[Entry]:
    start = text.lstrip()[:1]
    if start in ("{", "["):
        yield from _from_json(text)
    elif start == "<":
        yield from _from_xml(text)
    else:
        yield from _from_lines(text)


def _from_lines(text: str) -> Iterator[Entry]:
    for line in text.splitlines():
        if not line.startswith("#"):
            yield from ((word.strip(), "") for word in _BETWEEN.split(line) if word.strip())


def _from_xml(text: str) -> Iterator[Entry]:
    for attributes, content in _ITEM.findall(text):
        kind, _, value = html.unescape(content.strip()).partition("=")
        if 'enabled="false"' not in attributes and kind in ("t", "r"):
            yield value, "re" if kind == "r" else ""


def _from_json(text: str) -> Iterator[Entry]:
    try:
        read = json.loads(text)
    except json.JSONDecodeError as error:
        raise WordListError(f"第 {error.lineno} 行：不是完整的 JSON。 Not valid JSON.") from error
    found = list(_keywords(read))
    if not found:
        raise WordListError("JSON 里没有 B 站屏蔽词（keyword_list 或 filter）。 No blocked words in it.")
    yield from found


def _keywords(read: object) -> Iterable[Entry]:
    """From either form; anything else is looked into, so that whole answers can be saved as they come."""
    if isinstance(read, list):
        return [entry for one in read for entry in _keywords(one)]
    if not isinstance(read, dict):
        return []
    if isinstance(read.get("keyword"), str):
        return [(read["keyword"], "")]
    if isinstance(read.get("filter"), str):
        kinds = {_WORD: "", _PATTERN: "re"}
        return [(read["filter"], kinds[read["type"]])] if read.get("type") in kinds and read.get("opened", True) else []
    return [entry for one in read.values() for entry in _keywords(one)]
