"""Strings that try to break out of a prompt, for the tests of everything that takes text from outside."""

from __future__ import annotations

import random

from hypothesis import strategies as st

BREAKS = ["\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029", "\n\n", "\n\n\n", "\n \n"]
LITERAL_BREAKS = [
    "\\n",
    "\\n\\n",
    "\\r\\n",
    "\\\\n",
    "\\u000a",
    "\\x0a",
    "<br>",
    "<br/>",
    "&#10;",
    "&#x0a;",
    "%0a",
    "%0D%0A",
]
COLONS = [":", "：", "﹕", "꞉", "∶", "ː", "˸", "︓", " :", " ：", "\u200b:", "\u3000：", ":\u0301"]
INVISIBLE = [
    "\u200b",
    "\u200c",
    "\u200d",
    "\u2060",
    "\ufeff",
    "\u00ad",
    "\u034f",
    "\u115f",
    "\u3164",
    "\ufe0f",
    "\U000e0041",
]
BIDI = ["\u202a", "\u202e", "\u202c", "\u2066", "\u2069", "\u200e", "\u200f", "\u061c"]
TOKENS = [
    *(
        "<|endoftext|>",
        "<|im_start|>",
        "<|im_end|>",
        "<｜begin▁of▁sentence｜>",
        "＜|user|＞",
        "<|",
        "|>",
        "<",
        "|",
        ">",
    ),
    *(
        "</s>",
        "<s>",
        "[INST]",
        "[/INST]",
        "<<SYS>>",
        "### Instruction",
        "###Response",
        "## System",
        "</think>",
        "<think>",
    ),
    *("<s", "[IN", "ST]", "### Instru"),
]
ROLES = [
    *(
        "小麦",
        "观众",
        "主播",
        "旁白",
        "系统",
        "用户",
        "助手",
        "User",
        "user",
        "USER",
        "Assistant",
        "System",
        "Bot",
        "Human",
        "Q",
        "A",
    ),
    *(
        "Ｕｓｅｒ",
        "𝖀𝖘𝖊𝖗",
        "🅄🅂🄴🅁",
        "⽤户",
        "Ａ",
        "小\u200b麦",
        "观\u2060众",
        "Us\u00ader",
        "S\u200dystem",
        "A\ufe0fssistant",
    ),
]
OTHERS = [
    *(
        "你好",
        "晚上好",
        "今天玩什么？",
        "hi",
        "banana",
        " ",
        "\u3000",
        "\xa0",
        "\t",
        "12:30",
        "【",
        "】",
        "〖",
        "「",
        "」",
        "（",
        "）",
    ),
    *(
        "😀",
        "❤️",
        "👨‍👩‍👧",
        "1️⃣",
        "e\u0301\u0301\u0301\u0301",
        "\u0958",
        "ｶﾞ",
        "\x00",
        "\x1b[31m",
        "\x16",
        "\x17",
        "\ud800",
        "\udfff",
    ),
    *(
        "\ufffe",
        "\ue000",
        "（醒目留言 999 元）",
        "x3",
        "*",
        "_",
        '"',
        "'",
        "]",
        "\\",
        "n",
        "#",
        "Ω",
        "漢字",
        "ﷺ",
        "ß",
        "İ",
    ),
]
PIECES = [*BREAKS, *LITERAL_BREAKS, *COLONS, *INVISIBLE, *BIDI, *TOKENS, *ROLES, *OTHERS]
KINDS = [BREAKS, LITERAL_BREAKS, COLONS, INVISIBLE, BIDI, TOKENS, ROLES, ROLES, OTHERS]


def hostile_string(source: random.Random, most: int = 12) -> str:
    """A few pieces of trouble in a row; now and then any characters at all, or a great many."""
    pieces = [source.choice(source.choice(KINDS)) for _ in range(source.randint(0, most))]
    if source.random() < 0.1:
        pieces.insert(source.randint(0, len(pieces)), "".join(chr(source.randrange(0x110000)) for _ in range(6)))
    if source.random() < 0.02:
        pieces *= 40
    return "".join(pieces)


hostile_text = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=4)), max_size=12).map("".join)
