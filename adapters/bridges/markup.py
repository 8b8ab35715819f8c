"""HTML to the words in it. The result is plain text, not safe HTML: it may well contain a `<` that a viewer typed."""

from __future__ import annotations

import re
from html import unescape

LENGTH = 8000  # of HTML that is looked at; more is cut first

_NAME = re.compile(r"/?[a-zA-Z][a-zA-Z0-9-]*")
_REST = re.compile(r"""(?:[^>"']|"[^"]*"|'[^']*')*+>""")  # of a tag; a `>` in quotes does not end it
_ALT = re.compile(r"""\balt\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_HIDDEN = {tag: re.compile(f"</{tag}", re.IGNORECASE) for tag in ("script", "style", "template", "svg")}
_BREAKS = {"br", "p", "/p", "div", "/div", "li", "/li"}


def plain(html: str) -> str:
    """The text without tags, entities resolved once, a picture as its `alt` (that is how emotes come)."""
    if "<" not in html:
        return unescape(html[:LENGTH])
    return unescape("".join(_pieces(html[:LENGTH]))).strip()


def _pieces(html: str) -> list[str]:
    """One pass from left to right."""
    pieces: list[str] = []
    place = 0
    while (start := html.find("<", place)) >= 0:
        pieces.append(html[place:start])
        if html.startswith("<!", start):
            place = _after(html, "-->" if html.startswith("<!--", start) else ">", start)
        elif (name := _NAME.match(html, start + 1)) is None:
            pieces.append("<")  # somebody's arrow or heart
            place = start + 1
        else:
            tag = name[0].lower()
            rest = _REST.match(html, start + 1)
            place = rest.end() if rest else _after(html, ">", start)
            pieces.append(_shown(tag, html[start:place]))
            if tag in _HIDDEN:
                end = _HIDDEN[tag].search(html, place)  # what such a tag holds is not for readers
                place = _after(html, ">", end.end()) if end else len(html)
    pieces.append(html[place:])
    return pieces


def _after(html: str, end: str, start: int) -> int:
    """The place behind `end`; the end of all where it never comes."""
    found = html.find(end, start)
    return len(html) if found < 0 else found + len(end)


def _shown(tag: str, whole: str) -> str:
    if tag == "img":
        alt = _ALT.search(whole)
        return (alt[1] or alt[2] or "") if alt else ""
    return " " if tag in _BREAKS else ""
