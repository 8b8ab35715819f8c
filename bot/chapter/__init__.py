"""A story as it is read and taken away: text, Markdown, HTML, EPUB, and search in it. Pure: values in, text or bytes out."""

from bot.chapter.chapter import Chapter, Choices, Heading, Paragraph, Person, Quotes, Section
from bot.chapter.forms import FORMS, Form, file_name

__all__ = ["FORMS", "Chapter", "Choices", "Form", "Heading", "Paragraph", "Person", "Quotes", "Section", "file_name"]
