"""The forms in which a chapter is taken away, and the name of its file."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from bot.chapter.chapter import Chapter, Choices, label
from bot.chapter.epub import MEDIA_TYPE, epub
from bot.chapter.markdown import markdown
from bot.chapter.page import page
from bot.chapter.plain import plain
from bot.scenario import dump_log

# What some system does not take in a file's name, or takes for a path; and names that Windows keeps for itself.
_NOT_IN_NAMES = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f]')
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
_LONGEST = 150  # bytes of UTF-8; systems allow 255 with the suffix


@dataclass(frozen=True, slots=True)
class Form:
    """`write(chapter, choices, now)` gives the file's bytes; `suffix` ends its name."""

    suffix: str
    content_type: str
    write: Callable[[Chapter, Choices, datetime], bytes]


FORMS: Mapping[str, Form] = MappingProxyType(
    {
        "md": Form(".md", "text/markdown; charset=utf-8", lambda c, how, now: markdown(c, how).encode()),
        "txt": Form(".txt", "text/plain; charset=utf-8", lambda c, how, now: plain(c, how).encode()),
        "html": Form(".html", "text/html; charset=utf-8", lambda c, how, now: page(c, how).encode()),
        "epub": Form(".epub", MEDIA_TYPE, lambda c, how, now: epub(c, how, now)),
        # Every line, notices too: it can be opened at the desk again, and a reader's choices are none of its business.
        "log": Form("_Log.json", "application/json; charset=utf-8", lambda c, how, now: dump_log(c.log).encode()),
    }
)


def file_name(title: str, suffix: str) -> str:
    """A name that every system takes and nothing takes for a path."""
    name = _NOT_IN_NAMES.sub("_", label(title)).strip(" .")
    while len(name.encode()) > _LONGEST:
        name = name[:-1]
    name = name.strip(" .")
    return f"_{name}{suffix}" if not name or _RESERVED.fullmatch(name) else f"{name}{suffix}"
