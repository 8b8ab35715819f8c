"""A chapter as an EPUB 3 book (https://www.w3.org/TR/epub-33/): one file a section, pictures and style beside them."""

from __future__ import annotations

import io
import uuid
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.chapter.chapter import Chapter, Choices, Person, language
from bot.chapter.markup import escaped, sections
from bot.chapter.pictures import kind

STYLE = (Path(__file__).parent / "book.css").read_text(encoding="utf-8")
MEDIA_TYPE = "application/epub+zip"

_XHTML = "application/xhtml+xml"
_NAMESPACES = 'xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"'
_CONTAINER = """<?xml version="1.0" encoding="UTF-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="book/package.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>
"""
# "Contents", and what a section without a title is called there.
_WORDS = {"zh": ("目录", "正文"), "ja": ("目次", "本文"), "ko": ("차례", "본문"), "en": ("Contents", "Story")}


@dataclass(frozen=True, slots=True)
class _File:
    """A file of the book. `title` is what the table of contents calls it."""

    id: str
    path: str
    media_type: str
    content: str | bytes
    title: str = ""
    properties: str = ""


def epub(chapter: Chapter, choices: Choices, modified: datetime) -> bytes:
    """The same chapter, choices and time give the same bytes. `modified` is a time with its zone."""
    lang = language(chapter)
    pictures = _pictures(chapter) if choices.names and choices.avatars else {}
    pages = [_cover(chapter, pictures, lang), *_story(chapter, choices, pictures, lang)]
    style = _File("style", "style.css", "text/css", STYLE)
    files = [*pages, _contents(pages, lang), style, *pictures.values()]
    return _zipped(_package(chapter, files, pages, lang, modified), files, modified)


def _pictures(chapter: Chapter) -> dict[str, _File]:
    """By the person's name. The first one stands for the book on a shelf."""
    found: dict[str, _File] = {}
    for person in chapter.people:
        if person.picture:
            number, media_type = len(found) + 1, kind(person.picture)
            path = f"pictures/{number}.{media_type.removeprefix('image/')}"
            shelf = "" if found else "cover-image"
            found[person.name] = _File(f"picture-{number}", path, media_type, person.picture, properties=shelf)
    return found


def _cover(chapter: Chapter, pictures: Mapping[str, _File], lang: str) -> _File:
    people = "".join(
        f'<span><img src="{file.path}" alt=""/><br/><bdi>{escaped(name)}</bdi></span>'
        for name, file in pictures.items()
    )
    series = f'\n<p class="series" dir="auto">{escaped(chapter.series)}</p>' if chapter.series else ""
    faces = f'\n<p class="people">{people}</p>' if people else ""
    body = f'<section epub:type="titlepage">\n<h1 dir="auto">{escaped(chapter.title)}</h1>{series}{faces}\n</section>'
    return _document("cover", chapter.title, body, lang)


def _story(chapter: Chapter, choices: Choices, pictures: Mapping[str, _File], lang: str) -> list[_File]:
    def face(person: Person) -> str:
        return f'<img class="face" src="{pictures[person.name].path}" alt=""/>'

    titles = [section.title or _WORDS[lang][1] for section in chapter.sections(choices)]
    bodies = sections(chapter, choices, face)
    numbered = enumerate(zip(titles, bodies, strict=True), start=1)
    return [_document(f"section-{number}", title, body, lang) for number, (title, body) in numbered]


def _contents(pages: Sequence[_File], lang: str) -> _File:
    title = _WORDS[lang][0]
    entries = "\n".join(f'<li><a href="{page.path}">{escaped(page.title)}</a></li>' for page in pages)
    body = f'<nav epub:type="toc">\n<h2>{title}</h2>\n<ol>\n{entries}\n</ol>\n</nav>'
    return _document("contents", title, body, lang, properties="nav")


def _document(id: str, title: str, body: str, lang: str, properties: str = "") -> _File:
    text = f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html>
<html {_NAMESPACES} lang="{lang}" xml:lang="{lang}">
<head>
<title>{escaped(title)}</title>
<link rel="stylesheet" href="style.css"/>
</head>
<body>
{body}
</body>
</html>
"""
    return _File(id, f"{id}.xhtml", _XHTML, text, title, properties)


def _package(chapter: Chapter, files: Sequence[_File], pages: Sequence[_File], lang: str, modified: datetime) -> str:
    items = "\n".join(_item(file) for file in files)
    spine = "\n".join(f'<itemref idref="{page.id}"/>' for page in pages)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="book-id">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="book-id">urn:uuid:{_identity(chapter)}</dc:identifier>
<dc:title>{escaped(chapter.title)}</dc:title>
<dc:language>{lang}</dc:language>
<meta property="dcterms:modified">{modified.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}</meta>{_collection(chapter)}
</metadata>
<manifest>
{items}
</manifest>
<spine>
{spine}
</spine>
</package>
"""


def _collection(chapter: Chapter) -> str:
    if not chapter.series:
        return ""
    return f"""
<meta property="belongs-to-collection" id="series">{escaped(chapter.series)}</meta>
<meta refines="#series" property="collection-type">series</meta>"""


def _item(file: _File) -> str:
    properties = f' properties="{file.properties}"' if file.properties else ""
    return f'<item id="{file.id}" href="{file.path}" media-type="{file.media_type}"{properties}/>'


def _identity(chapter: Chapter) -> uuid.UUID:
    """The same for later editions of the same chapter, so that a reader's shelf replaces the old one."""
    scenario = chapter.log.scenario
    place = "\n".join((scenario.series, scenario.name, chapter.title))
    return uuid.uuid5(uuid.NAMESPACE_URL, place.encode("utf-8", "replace").decode())


def _zipped(package: str, files: Sequence[_File], modified: datetime) -> bytes:
    """`mimetype` comes first and is not compressed: readers know the format by a file's first bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as book:

        def write(path: str, content: str | bytes, compression: int = zipfile.ZIP_DEFLATED) -> None:
            entry = zipfile.ZipInfo(path, modified.astimezone(UTC).timetuple()[:6])
            entry.compress_type = compression
            entry.external_attr = 0o644 << 16
            book.writestr(entry, content)

        write("mimetype", MEDIA_TYPE, zipfile.ZIP_STORED)
        write("META-INF/container.xml", _CONTAINER)
        write("book/package.opf", package)
        for file in files:
            write(f"book/{file.path}", file.content)
    return out.getvalue()
