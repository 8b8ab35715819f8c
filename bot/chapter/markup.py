"""The story as XHTML that stands alone in a file and in a book alike. Text goes in by `escaped` only."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from bot.chapter.chapter import Chapter, Choices, Paragraph, Person, Section, colon

Face = Callable[[Person], str]
"""The markup of a person's picture."""


def escaped(text: str) -> str:
    return escape(text, quote=True)


def sections(chapter: Chapter, choices: Choices, face: Face) -> list[str]:
    """The markup of each section of `chapter.sections(choices)`."""
    faces = {p.name: face(p) for p in chapter.people if p.picture} if choices.names and choices.avatars else {}
    between = colon(chapter)
    return [_section(section, choices, faces, between) for section in chapter.sections(choices)]


def _section(section: Section, choices: Choices, faces: dict[str, str], between: str) -> str:
    title = f'<h2 dir="auto">{escaped(section.title)}</h2>\n' if section.title else ""
    paragraphs = "\n".join(_paragraph(paragraph, choices, faces, between) for paragraph in section.paragraphs)
    kind = ' class="faces"' if faces else ""
    return f"<section{kind}>\n{title}{paragraphs}\n</section>"


def _paragraph(paragraph: Paragraph, choices: Choices, faces: dict[str, str], between: str) -> str:
    if not paragraph.name:
        return f'<p class="told" dir="auto">{_broken(paragraph.words)}</p>'
    if not choices.names:
        return f'<p dir="auto">{_broken(paragraph.quoted(choices.quotes))}</p>'
    name = f'{faces.get(paragraph.name, "")}<b class="name"><bdi>{escaped(paragraph.name)}</bdi>{between}</b>'
    return f'<p class="said">{name}<span dir="auto">{_broken(paragraph.words)}</span></p>'


def _broken(text: str) -> str:
    return escaped(text).replace("\n", "<br/>")
