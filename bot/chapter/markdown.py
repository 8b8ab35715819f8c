"""A chapter as Markdown that any CommonMark reader, GitHub's too, shows as the words that were written."""

from __future__ import annotations

import re

from bot.chapter.chapter import Chapter, Choices, Paragraph, colon

# Backslash, code, emphasis, links, HTML, entities, headings, and what GitHub adds: tables, strikethrough, formulas.
_ANYWHERE = re.compile(r"[\\`*_\[\]<>&#|~$]")
# List items, underlines of headings, rules, and the second row of a table, which only begin a line.
_AT_LINE_START = re.compile(r"(?m)^( *)([+=-]|:(?=-)|\d+(?=[.)]))")


def markdown(chapter: Chapter, choices: Choices) -> str:
    blocks = [f"# {_escaped(chapter.title)}"]
    if chapter.series:
        blocks.append(f"*{_escaped(chapter.series)}*")
    between = colon(chapter)
    for section in chapter.sections(choices):
        if section.title:
            blocks.append(f"## {_escaped(section.title)}")
        blocks += (_paragraph(paragraph, choices, between) for paragraph in section.paragraphs)
    return "\n\n".join(blocks) + "\n"


def _paragraph(paragraph: Paragraph, choices: Choices, between: str) -> str:
    if choices.names and paragraph.name:
        return f"**{_escaped(paragraph.name)}**{between}{_broken(_escaped(paragraph.words))}"
    return _broken(_escaped(paragraph.quoted(choices.quotes)))


def _escaped(text: str) -> str:
    text = _ANYWHERE.sub(r"\\\g<0>", text)
    return _AT_LINE_START.sub(_spelt_out, text)


def _spelt_out(start: re.Match[str]) -> str:
    """The digits of a list's number cannot be escaped, the point after them can."""
    return f"{start[1]}{start[2]}\\" if start[2].isdigit() else f"{start[1]}\\{start[2]}"


def _broken(text: str) -> str:
    """A line break that is kept, written so that it can be seen."""
    return text.replace("\n", "\\\n")
