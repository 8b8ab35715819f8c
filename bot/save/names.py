"""Names of folders and files under Save/. What a person typed becomes a name that every system takes; it is kept as
typed inside the file.

Forbidden are: what separates a path, what Windows reserves or cuts off, what hides a file, what nobody can see, and two
names that some system takes for one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from bot.errors import UserError
from bot.letters import CONTROL, INVISIBLE, LONE_SURROGATE

MOST_BYTES = 150  # of UTF-8; file systems take 255, some encrypted ones 143 characters, and ".png" comes on top

_WIDE = str.maketrans('<>:"/\\|?*', "＜＞：＂／＼｜？＊")
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?=\s*(?:\.|$))", re.IGNORECASE)


class NoName(UserError):
    """Nothing is left of a name."""


def safe_name(text: str) -> str:
    """The name of a folder or file for these words. Idempotent. Raises NoName."""
    text = INVISIBLE.sub("", CONTROL.sub("", LONE_SURROGATE.sub("\ufffd", unicodedata.normalize("NFC", text))))
    name = _ends(" ".join(text.split()).translate(_WIDE))
    if name.startswith("."):
        name = "．" + name[1:]
    name = _ends(_shortened(_DEVICE.sub(r"\1_", name, count=1) if _DEVICE.match(name) else name, MOST_BYTES))
    if not name:
        raise NoName(f"{text!r} 不能当名字：请写至少一个看得见的字。 A name needs at least one visible letter.")
    return name


def _ends(name: str) -> str:
    """Without what Windows cuts off at the end."""
    return name.lstrip(" ").rstrip(" .")


def _shortened(name: str, most: int) -> str:
    return name.encode()[:most].decode(errors="ignore")


def same(name: str) -> str:
    """Two names that are one to some system (case, composed letters) are equal here."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """`wanted`, or with a number after it when there is one already."""
    used = {same(name) for name in taken}
    name, number = wanted, 2
    while same(name) in used:
        tail = f" {number}"
        name, number = _ends(_shortened(wanted, MOST_BYTES - len(tail))) + tail, number + 1
    return name


def avatar_file(character: str) -> str:
    """The file of a character's picture. Raises NoName."""
    return f"{safe_name(character)}.png"
