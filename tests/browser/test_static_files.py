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
