"""Facts about characters: which are invisible, which break a line, which look like a colon or a plain letter.

Shared by the prompt and by moderation, so that both see one text the same way. It decides nothing and knows no roles.
"""

from __future__ import annotations

import re
import unicodedata

# Everything that some program shows as a new line, CRLF first so that it counts once.
LINE_BREAK = re.compile("\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
# Control characters that are neither line breaks nor the tab.
CONTROL = re.compile("[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f]")
# Half of a surrogate pair: legal in a Python string, not in UTF-8, so neither a tokenizer nor a file can take it.
LONE_SURROGATE = re.compile("[\ud800-\udfff]")
BLANK_LINES = re.compile(r"\n\s*\n")
BLANK_EDGES = re.compile(r"\A\s*\n|\n\s*\Z")

# Left-to-right marks and their kin: they change the order in which a text is shown.
BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"

_EMOJI = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u25fe\u2600-\u27bf\u2934\u2935"
    "\u2b05-\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
# Default-ignorable characters, fillers that draw nothing, private use, surrogates and noncharacters. The joiner (200D)
# and the emoji selector (FE0F) are left out: between emoji they have a meaning.
_UNSEEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\u2800"
    "\u3164\ud800-\udfff\ue000-\uf8ff\ufdd0-\ufdef\ufe00-\ufe0e\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff\U000f0000-\U0010ffff"
)
INVISIBLE = re.compile(f"[{_UNSEEN}]|(?<![{_EMOJI}])\ufe0f|(?<![{_EMOJI}\ufe0f])\u200d|\u200d(?![{_EMOJI}])")

# How the control tokens of common models are written, in any width.
CONTROL_TOKEN = re.compile(
    r"[<＜]\s*[|｜]\s*[\w▁./ -]{1,60}[|｜]\s*[>＞]"
    r"|</?(?:s|think|bos|eos|pad|unk|start_of_turn|end_of_turn|system|user|assistant|tool_call)>"
    r"|<</?sys>>|\[/?(?:inst|sys|system|system_prompt)\]"
    r"|#{2,}\s*(?:instruction|response|system|input|human|assistant|user)",
    re.IGNORECASE,
)

COLONS = ":：﹕꞉∶ː˸︓︰⁚։׃፡፥᠄⁝᛬"


def _plain_letters() -> dict[int, str]:
    """Full-width, mathematical, circled and squared letters and digits to ASCII, Kangxi radicals to the character."""
    styled = [*range(0xFF10, 0xFF5B), *range(0x1D400, 0x1D800), *range(0x2100, 0x2150), *range(0x24B6, 0x24EA)]
    plain = {code: unicodedata.normalize("NFKC", chr(code)) for code in (*styled, *range(0x2F00, 0x2FD6))}
    table = {code: letter for code, letter in plain.items() if re.fullmatch("[0-9A-Za-z一-龥]", letter)}
    for block in (0x1F130, 0x1F150, 0x1F170):  # squared, negative circled, negative squared: NFKC leaves two of them be
        table.update({block + index: chr(ord("A") + index) for index in range(26)})
    return table


PLAIN_LETTERS = _plain_letters()


def one_newline(text: str) -> str:
    """Every kind of line break as "\\n"."""
    return LINE_BREAK.sub("\n", text)


def visible(text: str) -> bool:
    """Whether anybody could see something of it."""
    return bool(INVISIBLE.sub("", CONTROL.sub("", text)).strip())


def few_marks(text: str, most: int = 2) -> str:
    """At most `most` combining marks on one letter; the towers of marks beyond that are cut off."""
    kept: list[str] = []
    marks = 0
    for letter in text:
        marks = marks + 1 if unicodedata.combining(letter) or unicodedata.category(letter) == "Me" else 0
        if marks <= most:
            kept.append(letter)
    return "".join(kept)
