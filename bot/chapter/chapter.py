"""What is read: a saved log as sections of paragraphs, the way a reader has chosen. Knows no file format.

Words are those of the lines in their canonical form, and nothing else: notices of the program are left out, control
characters and halves of surrogate pairs are gone before any format sees them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from bot.chapter.pictures import kind
from bot.letters import BIDI
from bot.scenario import NARRATOR, Line, Log, Origin, Side, canonical_text

NARRATORS = (NARRATOR, "旁白")  # old logs write the narrator out
Quotes = Literal["「」", "“”"]
OPENING_MARKS = '「『“‘"＂«„'

_NO_XML = re.compile("[\ufffe\uffff]")  # characters, but none that XML can hold
_TURNING = re.compile(f"[{BIDI}]")


@dataclass(frozen=True, slots=True)
class Choices:
    """How somebody likes to read. `quotes` are for dialogue without names."""

    names: bool = True
    opening: bool = True
    headings: bool = True
    avatars: bool = True
    quotes: Quotes = "「」"


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who speaks. `side` is None for those who are not in the scenario; `picture` is an image file or empty."""

    name: str
    side: Side | None = None
    picture: bytes = b""


@dataclass(frozen=True, slots=True)
class Heading:
    """A title in the story. It stands before line number `before`, counted from 0 over all lines of the log."""

    before: int
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One line as it is read. `name` is "" for narration. Words hold single line breaks, never a blank line."""

    name: str
    words: str
    line: Line

    def quoted(self, quotes: Quotes) -> str:
        """The words as dialogue without a name. Those that bring marks of their own keep them."""
        if not self.name or self.words[0] in OPENING_MARKS:
            return self.words
        return f"{quotes[0]}{self.words}{quotes[1]}"


@dataclass(frozen=True, slots=True)
class Section:
    """Paragraphs under a title; the first section may have none ("")."""

    title: str
    paragraphs: tuple[Paragraph, ...]


@dataclass(frozen=True, slots=True)
class Chapter:
    """A story to read. `log` has its scenario and every line; `pictures` are the avatars' files by name.

    A title that says nothing is the scenario's name.
    """

    title: str
    log: Log
    headings: tuple[Heading, ...] = ()
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    _read: tuple[tuple[int, Paragraph], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", label(self.title) or label(self.log.scenario.name) or "故事")
        object.__setattr__(self, "_read", tuple(_numbered(self.log)))

    @property
    def series(self) -> str:
        return label(self.log.scenario.series)

    @property
    def people(self) -> tuple[Person, ...]:
        """The scenario's characters, then whoever else speaks, by their first words."""
        sides: dict[str, Side | None] = {label(c.name): c.side for c in self.log.scenario.characters}
        sides |= {p.name: None for p in self.paragraphs() if p.name and p.name not in sides}
        return tuple(Person(name, side, self._picture(name)) for name, side in sides.items())

    def paragraphs(self, opening: bool = True) -> tuple[Paragraph, ...]:
        return tuple(p for _, p in self._read if opening or p.line.told)

    def sections(self, choices: Choices) -> tuple[Section, ...]:
        """The story under its headings. A heading with nothing under it is left out."""
        titles = [(0, ""), *((h.before, label(h.text)) for h in self.headings if choices.headings)]
        titles.sort(key=lambda title: title[0])
        ends = [before for before, _ in titles[1:]]
        read = [(number, p) for number, p in self._read if choices.opening or p.line.told]
        sections = (
            Section(title, tuple(p for number, p in read if before <= number and (end is None or number < end)))
            for (before, title), end in zip(titles, [*ends, None], strict=True)
        )
        return tuple(section for section in sections if section.paragraphs)

    def _picture(self, name: str) -> bytes:
        """A file that is no picture is as good as none."""
        picture = self.pictures.get(name, b"")
        return picture if kind(picture) else b""


def _numbered(log: Log) -> Iterator[tuple[int, Paragraph]]:
    """What is read of a log, each with the number of its line. A log that does not repeat its scenario's opening gets it
    before everything else."""
    lines: Iterable[tuple[int, Line]] = enumerate(log.lines)
    if not any(line.origin is Origin.OPENING for line in log.lines):
        lines = [*((0, line) for line in log.scenario.opening), *lines]
    for number, line in lines:
        if line.origin is not Origin.SYSTEM and (text := words(line.text)):
            yield number, Paragraph(label("" if line.character in NARRATORS else line.character), text, line)


def words(text: str) -> str:
    """A line's words in their canonical form, of characters that every format can hold."""
    return canonical_text(_NO_XML.sub("\ufffd", text))


def label(text: str) -> str:
    """A name or a title: one line, and without the marks that would turn around what stands beside it."""
    return " ".join(_TURNING.sub("", words(text)).split())


def language(chapter: Chapter) -> str:
    """The language that most of the letters are of, as BCP 47 says it."""
    text = "".join(p.words for p in chapter.paragraphs())
    kana, hangul = len(re.findall("[ぁ-ヺ]", text)), len(re.findall("[가-힣]", text))
    han, latin = len(re.findall("[一-鿿]", text)), len(re.findall("[A-Za-z]+", text))
    if kana * 5 > han and kana > latin:
        return "ja"
    return max((("zh", han), ("en", latin), ("ko", hangul)), key=lambda found: found[1])[0]


def colon(chapter: Chapter) -> str:
    """What stands between a name and its words."""
    return "：" if language(chapter) in ("zh", "ja") else ": "
