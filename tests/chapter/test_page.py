"""The story in one HTML file."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

from hypothesis import example, given

from bot.chapter import Chapter, Choices
from bot.chapter.chapter import colon
from bot.chapter.page import page
from tests.chapter.stories import any_choices, chapters, expected, island, png, worst

# What the file is made of; text from outside can add none.
TAGS = {
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "main",
    "header",
    "h1",
    "h2",
    "section",
    "p",
    "b",
    "bdi",
    "i",
    "span",
    "br",
}
ATTRIBUTES = {"lang", "charset", "http-equiv", "content", "name", "class", "dir"}
BLOCKS = ("h1", "h2", "p")


class Read(HTMLParser):
    """Blocks of text, tags and attributes, as a browser's tokenizer finds them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.blocks: list[tuple[str, str]] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.open = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag in BLOCKS:
            self.open = tag
            self.blocks.append((tag, ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag == "br":
            self.handle_data("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == self.open:
            self.open = ""

    def handle_data(self, data: str) -> None:
        if self.open:
            tag, text = self.blocks[-1]
            self.blocks[-1] = (tag, text + data)


@given(chapters(), any_choices)
@example(worst(), Choices())
@example(worst(), Choices(names=False))
def test_the_page_is_read_as_the_words(story: Chapter, choices: Choices) -> None:
    """Title, series, headings and paragraphs, and no tag or attribute that came from a text."""
    read = Read(page(story, choices))
    assert read.blocks[:2] == [("h1", story.title), ("p", story.series)]
    assert [text for _, text in read.blocks[2:]] == expected(story, choices, colon(story))
    assert read.tags <= TAGS
    assert read.attributes <= ATTRIBUTES


@given(chapters(), any_choices)
@example(worst(), Choices())
@example(worst(), Choices(names=False))
def test_the_page_is_xml_too(story: Chapter, choices: Choices) -> None:
    """Other programs can read it without guessing."""
    ElementTree.fromstring(page(story, choices).removeprefix("<!DOCTYPE html>\n"))


def test_nothing_comes_from_outside() -> None:
    """No address in it, and a policy that lets nothing load or run."""
    text = page(island(), Choices())
    assert not re.search(r"https?:|//|@import|src=|href=", text.replace("data:image/png;base64,", ""))
    assert "default-src 'none'" in text


def test_a_picture_is_written_once_and_only_when_it_is_wanted() -> None:
    """However often its owner speaks."""
    story = replace(island(), pictures={"灯塔守": png(), "渔夫": png(1)})
    text = page(story, Choices())
    assert text.count("data:image/png;base64,") == 2
    assert text.count('class="face face0"') == 2 and text.count('class="face face2"') == 1
    for without in (Choices(avatars=False), Choices(names=False)):
        assert "data:" not in page(story, without).replace("img-src data:", "")
        assert 'class="face' not in page(story, without)
