"""A chapter as plain text, one paragraph a line of the story, with blank lines between."""

from __future__ import annotations

from bot.chapter.chapter import Chapter, Choices, Paragraph, colon


def plain(chapter: Chapter, choices: Choices) -> str:
    head = "\n".join(line for line in (chapter.title, chapter.series) if line)
    blocks, between = [head], colon(chapter)
    for section in chapter.sections(choices):
        if section.title:
            blocks.append(f"\n{section.title}")
        blocks += (_paragraph(paragraph, choices, between) for paragraph in section.paragraphs)
    return "\n\n".join(blocks) + "\n"


def _paragraph(paragraph: Paragraph, choices: Choices, between: str) -> str:
    if choices.names and paragraph.name:
        return f"{paragraph.name}{between}{paragraph.words}"
    return paragraph.quoted(choices.quotes)
