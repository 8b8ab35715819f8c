"""A card's character_book as our Lorebook, entry by entry, and back.

What an entry says that ours have no place for is kept under "extra" as it was, so that the way back gives the same entry.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from bot.cards.fields import Fields
from bot.cards.macros import Names

Entry = dict[str, Any]

_DECORATOR = "@@"
_PATTERN = re.compile(r"/(.+)/[a-z]*")
_MAGIC = re.compile(r"[\\^$.*+?()\[\]{}]")


def entries(book: Fields, names: Names) -> list[Entry]:
    """Our entries for a character_book's."""
    return [_entry(fields, names) for fields in book.each("entries")]


def card_entries(lorebook: object) -> list[Entry]:
    """A character_book's entries for ours."""
    return [_card_entry(entry) for entry in lorebook if isinstance(entry, dict)] if isinstance(lorebook, list) else []


def notes(book: Fields) -> list[str]:
    """What of the entries works otherwise here."""
    keys = [key.strip() for fields in book.each("entries") for key in fields.texts("keys")]
    left = [key for key in keys if _PATTERN.fullmatch(key) and _words(key) is None]
    told = f"这些关键词是正则表达式，这里按原文找：{'、'.join(left[:8])}。 Patterns are looked for as they stand."
    return [told] if left else []


def forgotten(lorebook: object) -> object:
    """The same without the entries as they came; `remembered` is the way back."""
    if not isinstance(lorebook, list):
        return lorebook
    return [
        {**ours, "extra": {"names": [names.char, names.user]}} if (names := _names(ours)) is not None else ours
        for ours in lorebook
    ]


def remembered(lorebook: object, came: object) -> object:
    """Our entries with the card's beside them, as `entries` gives them."""
    if not isinstance(lorebook, list) or not isinstance(came, list) or len(came) != len(lorebook):
        return lorebook
    return [
        {**ours, "extra": {"names": [names.char, names.user], "entry": entry}} if (names := _names(ours)) else ours
        for ours, entry in zip(lorebook, came, strict=True)
    ]


def _entry(fields: Fields, names: Names) -> Entry:
    """Where an entry has no priority of its own, a later place in the prompt counts as one, as chat programs do it."""
    content, selective = fields.text("content"), fields.flag("selective")
    order = fields.number("insertion_order", 0)
    ours: Entry = {
        "name": fields.text("name") or fields.text("comment"),
        "keys": _keys(fields.texts("keys"), names),
        "secondary": _keys(fields.texts("secondary_keys"), names) if selective else [],
        "text": _undecorated(names.put_into(content)),
        "priority": fields.number("priority", order),
        "enabled": fields.flag("enabled", True),
        "constant": fields.flag("constant"),
        "case": fields.flag("case_sensitive"),
    }
    return ours | {"extra": {"names": [names.char, names.user], "entry": fields.raw}}


def _keys(keys: Sequence[str], names: Names) -> list[str]:
    plain = [word for key in keys for word in _words(key.strip()) or [key]]
    return [word for key in plain if (word := names.put_into(key).strip())]


def _words(key: str) -> list[str] | None:
    """The words of a pattern that is only a choice of words (/cat|dog/). None: it is a word itself, or a real pattern."""
    pattern = _PATTERN.fullmatch(key)
    return None if pattern is None or _MAGIC.search(pattern[1]) else pattern[1].split("|")


def _undecorated(content: str) -> str:
    """Without the lines at the top that tell a chat program where to put the rest (`@@depth 4`)."""
    rows = content.split("\n")
    while rows and rows[0].startswith(_DECORATOR):
        rows.pop(0)
    return "\n".join(rows).strip()


def _card_entry(ours: Entry) -> Entry:
    """The entry as it came, with what has been changed since."""
    kept, names = _kept(ours)
    before = _entry(Fields(kept, ""), names) if kept else {}
    changed = {key for key in _FIELDS if ours.get(key) != before.get(key)}
    entry = {"extensions": {}, "use_regex": False, "insertion_order": ours.get("priority", 0), **kept}
    for key in changed:
        entry[_FIELDS[key]] = ours.get(key)
    if "secondary" in changed:
        entry["selective"] = bool(ours.get("secondary"))
    if "keys" in changed:
        entry["use_regex"] = False
    return entry


def _kept(ours: Entry) -> tuple[dict[str, Any], Names]:
    names = _names(ours)
    match ours.get("extra"):
        case {"entry": dict(entry)} if names is not None:
            return entry, names
    return {}, Names("", "")


def _names(ours: object) -> Names | None:
    """Whose names were put into an entry that came from a card."""
    match ours:
        case {"extra": {"names": [str(char), str(user)]}}:
            return Names(char, user)
    return None


_FIELDS = {
    "name": "name",
    "keys": "keys",
    "secondary": "secondary_keys",
    "text": "content",
    "priority": "priority",
    "enabled": "enabled",
    "constant": "constant",
    "case": "case_sensitive",
}
