"""Twitch's dialect of IRC: bytes into lines, a line into its parts. Pure; knows nothing of chats.

https://modern.ircdocs.horse/ (messages), https://ircv3.net/specs/extensions/message-tags (tags and their escapes).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

# Spaces only: a name in a tag may hold any other white space. A command is a word or three digits.
_LINE = re.compile(r"(?:@([^ ]*) +)?(?::([^ ]*) +)?([A-Za-z]+|[0-9]{3})(?: +(.*))?", re.DOTALL)
_CHANNEL = re.compile(r"(?:https?://)?(?:(?:www\.|m\.)?twitch\.tv/)?#?([A-Za-z0-9_]{1,25})/?")
_ESCAPE = re.compile(r"\\(.?)", re.DOTALL)
_ESCAPED = {"s": " ", ":": ";", "r": "\r", "n": "\n"}  # any other character stands for itself


@dataclass(frozen=True, slots=True)
class Line:
    """`@tags :source COMMAND params`. Without its tags a line still has an empty dict."""

    command: str
    params: tuple[str, ...] = ()
    source: str = ""
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def channel(self) -> str:
        """`#name`; "" where the line is for nobody."""
        return self.params[0] if self.params else ""

    @property
    def words(self) -> str:
        """What was written; "" where nothing was."""
        return self.params[1] if len(self.params) > 1 else ""

    @property
    def login(self) -> str:
        """The account's name in `login!login@login.tmi.twitch.tv`."""
        return self.source.partition("!")[0] if "!" in self.source else ""


def lines(frame: str | bytes) -> list[str]:
    """The lines of a websocket frame, which may hold several. Bytes that are no UTF-8 become U+FFFD."""
    text = frame if isinstance(frame, str) else frame.decode(errors="replace")
    return [line for part in text.split("\n") if (line := part.rstrip("\r"))]


def parse(line: str) -> Line | None:
    """None where there is no command to be found."""
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    tags, source, command, rest = found.groups()
    return Line(command.upper(), _params(rest or ""), source or "", _tags(tags or ""))


def channel_name(channel: str) -> str | None:
    """The channel's login name, from a name or the address of its page; None where it is neither."""
    found = _CHANNEL.fullmatch(channel.strip())
    return found[1].lower() if found else None


def _params(rest: str) -> tuple[str, ...]:
    """The last one may hold spaces, behind a colon."""
    if rest.startswith(":"):
        return (rest[1:],)
    middle, colon, last = rest.partition(" :")
    words = tuple(word for word in middle.split(" ") if word)
    return (*words, last) if colon else words


def _tags(text: str) -> dict[str, str]:
    pairs = (tag.partition("=") for tag in text.split(";") if tag)
    return {name: _unescaped(value) if "\\" in value else value for name, _, value in pairs}


def _unescaped(value: str) -> str:
    return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), value)
