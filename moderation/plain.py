"""A text as the rules of this package read it: one letter for every way of writing it, nothing invisible between.

Digits of every script, Chinese numerals, circled and styled letters and the look-alikes of other alphabets become the
plain ASCII ones, traditional characters that the rules know the simplified ones. One letter stays one letter, so a
place is found again at once. What word lists need (width, pinyin, split letters) is in views/.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from bot.letters import INVISIBLE, PLAIN_LETTERS

# Written between letters to part them, or around a digit to decorate it.
_UNSEEN = re.compile(f"{INVISIBLE.pattern}|[\u200d\ufe0f\u20e3]|[\u0300-\u036f\u0483-\u0489\u20d0-\u20ff]")

_NUMERALS = ("〇零洞", "一壹弌幺ㄧ", "二贰貳弍", "三叁參叄弎", "四肆", "五伍", "六陆陸", "七柒", "八捌", "九玖")
_LOOK_ALIKE = {
    "a": "аɑα", "b": "Ьв", "c": "сϲ", "d": "ԁ", "e": "еёε", "g": "ɡ", "h": "һ", "i": "іıι", "j": "ј", "k": "к",
    "l": "ӏ", "m": "м", "n": "ո", "o": "оοօ", "p": "рρ", "s": "ѕ", "t": "тτ", "u": "υս", "v": "ν", "w": "ԝ",
    "x": "хχ", "y": "уγ",
    "忽": "昒惚唿", "略": "畧掠", "无": "無", "视": "視", "规": "規", "则": "則", "设": "設", "请": "請", "词": "詞",
    "记": "記", "令": "呤", "统": "統", "内": "內", "复": "複復", "读": "讀", "输": "輸", "开": "開", "发": "發",
    "务": "務", "说": "說説", "话": "話", "语": "語", "让": "讓", "这": "這", "装": "裝", "员": "員", "权": "權",
    "执": "執", "运": "運", "码": "碼", "关": "關", "条": "條", "从": "從", "现": "現", "们": "們", "后": "後",
    "个": "個", "绝": "絕", "遵": "蕁", "变": "變", "写": "寫", "问": "問", "题": "題", "须": "須",
    "加": "➕", "号": "號", "车": "車", "东": "東", "区": "區", "广": "廣", "楼": "樓", "栋": "棟", "单": "單",
}  # fmt: skip


def _table() -> dict[int, str]:
    """Every character that means one plain letter or digit. No digit lies beyond the second plane."""
    table = {code: letter.lower() for code, letter in PLAIN_LETTERS.items()}
    for code in range(0x80, 0x1FC00):
        value = unicodedata.digit(chr(code), None)
        if value is not None:
            table[code] = str(value)
    for digit, letters in enumerate(_NUMERALS):
        table |= {ord(letter): str(digit) for letter in letters}
    table |= {0x2488 + index: str(index + 1) for index in range(9)}  # ⒈ and its kin are no digits to Unicode
    table |= {0x3280 + index: str(index + 1) for index in range(9)}  # ㊀
    table |= {0x2776 + index: str(index + 1) for index in range(9)}  # ❶
    table |= {ord(other): letter for letter, others in _LOOK_ALIKE.items() for other in others}
    table |= {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F) if code not in table}
    table |= {ord(upper): upper.lower() for upper in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
    table |= {code: letter.lower() for code, letter in table.items()}
    return table


_TABLE = _table()


@dataclass(frozen=True, slots=True)
class Plain:
    """`text[i]` was made from the letter at `places[i]` of the original; None: from the one at `i`."""

    text: str
    places: tuple[int, ...] | None = None

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The place in the original of `text[start:end]`, which must not be empty."""
        if self.places is None:
            return start, end
        return self.places[start], self.places[end - 1] + 1


def plain(text: str) -> Plain:
    """Letter by letter, the invisible left out."""
    if text.isascii():
        return Plain(text.lower())
    if _UNSEEN.search(text) is None:
        return Plain(text.translate(_TABLE))
    unseen = {place for match in _UNSEEN.finditer(text) for place in range(*match.span())}
    places = tuple(place for place in range(len(text)) if place not in unseen)
    return Plain("".join(text[place] for place in places).translate(_TABLE), places)
