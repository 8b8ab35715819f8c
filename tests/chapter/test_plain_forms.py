"""Markdown and plain text: read back, they are the words of the lines."""

from __future__ import annotations

import itertools
import re

from hypothesis import example, given
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.chapter import Chapter, Choices
from bot.chapter.chapter import colon
from bot.chapter.markdown import markdown
from bot.chapter.plain import plain
from bot.scenario import Line, Log, Scenario
from tests.chapter.stories import any_choices, chapters, expected, island, worst

GITHUB = MarkdownIt("gfm-like", {"linkify": False})  # tables and strikethrough on top of CommonMark


def shown(inline: Token) -> str:
    """What a reader sees of it. Only emphasis and line breaks may be anything but text."""
    assert {child.type for child in inline.children or ()} <= {
        "text", "text_special", "hardbreak", "strong_open", "strong_close", "em_open", "em_close",
    }  # fmt: skip
    return "".join("\n" if child.type == "hardbreak" else child.content for child in inline.children or ())


def blocks(text: str) -> list[tuple[str, str]]:
    """Tag and words of each block. Only headings and paragraphs may be there."""
    tokens = GITHUB.parse(text)
    assert {token.type for token in tokens} <= {
        "heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline",
    }  # fmt: skip
    pairs = itertools.pairwise(tokens)
    return [(opening.tag, shown(inline)) for opening, inline in pairs if inline.type == "inline"]


def edges(text: str) -> str:
    """Without spaces at the edges of lines, which Markdown does not keep."""
    return re.sub(r"(?m)^\s+|\s+$", "", text)


@given(chapters(), any_choices)
@example(worst(), Choices())
@example(worst(), Choices(names=False))
def test_markdown_is_read_as_the_words(story: Chapter, choices: Choices) -> None:
    """By a CommonMark parser with GitHub's additions: nothing becomes a list, a link, a table, or markup."""
    read = blocks(markdown(story, choices))
    head = [("h1", story.title), *([("p", story.series)] if story.series else [])]
    assert read[: len(head)] == head
    assert [edges(text) for _, text in read[len(head) :]] == [edges(t) for t in expected(story, choices, colon(story))]
    titles = [text for tag, text in read if tag == "h2"]
    assert titles == [section.title for section in story.sections(choices) if section.title]


@given(chapters(), any_choices)
@example(worst(), Choices())
@example(worst(), Choices(names=False))
def test_plain_text_is_read_as_the_words(story: Chapter, choices: Choices) -> None:
    """A blank line ends a paragraph, and no words hold one."""
    head, *rest = re.split(r"\n{2,}", plain(story, choices).removesuffix("\n"))
    assert head == "\n".join(filter(None, (story.title, story.series)))
    assert rest == expected(story, choices, colon(story))


def test_a_table_without_bars_is_none() -> None:
    """GitHub takes two such lines for one; the parser above does not, so this is looked at as it is written."""
    story = Chapter("题", Log(Scenario("", ""), (Line("", "甲\n:-:"),)))
    assert markdown(story, Choices()).endswith("甲\\\n\\:-:\n")


def test_a_reader_of_the_markdown_file_itself_sees_little_of_it() -> None:
    """Only what would be taken for markup is escaped."""
    text = markdown(island(), Choices())
    assert "**我**：这是哪儿？现在几点：12:30？" in text
    assert "窗外的雾散开了一条缝。\\\n海是灰的。" in text
