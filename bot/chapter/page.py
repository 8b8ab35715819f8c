"""A chapter as one HTML file: its own style, pictures inside, nothing from outside, and a form for paper."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

from bot.chapter.chapter import Chapter, Choices, Person, language
from bot.chapter.markup import escaped, sections
from bot.chapter.pictures import kind

STYLE = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")

# The file may load nothing and run nothing, wherever it is opened.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


def page(chapter: Chapter, choices: Choices) -> str:
    """One picture is written once, in the style: a story shows it a thousand times."""
    faces = {person.name: f"face{number}" for number, person in enumerate(chapter.people) if person.picture}
    story = "\n".join(sections(chapter, choices, lambda person: f'<i class="face {faces[person.name]}"></i>'))
    pictures = [_picture(faces[p.name], p) for p in chapter.people if p.picture and choices.names and choices.avatars]
    title, series = escaped(chapter.title), escaped(chapter.series)
    return f"""<!DOCTYPE html>
<html lang="{language(chapter)}">
<head>
<meta charset="utf-8"/>
<meta http-equiv="Content-Security-Policy" content="{_POLICY}"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
<meta name="referrer" content="no-referrer"/>
<title>{title}</title>
<style>
{STYLE}{"".join(pictures)}</style>
</head>
<body>
<main>
<header>
<h1 dir="auto">{title}</h1>
<p class="series" dir="auto">{series}</p>
</header>
{story}
</main>
</body>
</html>
"""


def _picture(name: str, person: Person) -> str:
    encoded = b64encode(person.picture).decode()
    return f".{name} {{ background-image: url(data:{kind(person.picture)};base64,{encoded}); }}\n"
