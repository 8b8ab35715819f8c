"""What the pages are made of, read as files: rules that no single page would show to be broken."""

from __future__ import annotations

import re
from pathlib import Path

# Syntax and methods that came after ES2018.
NEWER = (r"\?\.\w", r"\?\?", r"\|\|=", r"\bimport\b", r"\bexport\b", r"\bawait\b", r"\.at\(", r"replaceAll")
MARKUP = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function"
INLINE = r"<script>|<style|\sstyle=|\son\w+=|https?://|data:|@import"
STATIC = Path(__file__).parents[2] / "bot" / "web" / "static"


def test_the_overlay_is_one_plain_script_for_old_browsers() -> None:
    """OBS ships a browser that is years old: no modules, nothing newer than ES2018."""
    script = (STATIC / "overlay.js").read_text(encoding="utf-8")
    code = re.sub(r"//[^\n]*|/\*.*?\*/", "", script, flags=re.DOTALL)
    for newer in NEWER:
        assert not re.search(newer, code), newer
    assert 'type="module"' not in (STATIC / "overlay.html").read_text(encoding="utf-8")


def test_pages_bring_no_markup_from_outside_and_no_inline_code() -> None:
    """textContent only; nothing that the policy would refuse; nothing from another site."""
    for path in filter(Path.is_file, STATIC.rglob("*")):
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".js":
            assert not re.search(MARKUP, text), path
        if path.suffix in (".html", ".css") and path.name != "loader.html":
            assert not re.search(INLINE, text), path


def test_no_text_of_a_page_is_overwritten_by_another_part_of_it() -> None:
    """All parts of a page share one table of texts, the common ones included: a key belongs to one file."""
    defined = re.compile(r'^  "([\w.-]+)": \[', re.MULTILINE)
    common = [STATIC / "texts.js", STATIC / "page.js"]
    for folder in filter(Path.is_dir, STATIC.iterdir()):
        owners: dict[str, Path] = {}
        for path in [*common, *folder.rglob("*.js")]:
            for key in defined.findall(path.read_text(encoding="utf-8")):
                assert key not in owners, f"{key}: {owners[key].name}, {path.relative_to(STATIC)}"
                owners[key] = path


def test_every_text_that_a_page_names_is_there() -> None:
    """In both languages: a name without a text would stand on the page as it is."""
    written = {path: path.read_text(encoding="utf-8") for path in STATIC.rglob("*") if path.suffix in (".html", ".js")}
    both = r'^ +"([^"]+)": \[\s*"(?:[^"\\]|\\.)*",\s*"(?:[^"\\]|\\.)*",?\s*\]'
    known = {key for text in written.values() for key in re.findall(both, text, flags=re.MULTILINE)}
    for path, text in written.items():
        named = r'\bdata-t(?:-label|-title|-placeholder)?="([^"]+)"' if path.suffix == ".html" else r'\bt\("([^"]+)"'
        assert set(re.findall(named, text)) <= known, path
