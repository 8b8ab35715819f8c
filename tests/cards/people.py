"""Cards of invented people, as other programs write them."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from typing import Any

from bot.cards import png

Json = dict[str, Any]

BOOK: Json = {
    "name": "雾岛志",
    "scan_depth": 6,
    "token_budget": 300,
    "recursive_scanning": False,
    "extensions": {"colour": "grey"},
    "entries": [
        {
            "keys": ["灯塔", "/塔顶|灯室/i", "{{char}}的灯"],
            "secondary_keys": ["夜"],
            "selective": True,
            "content": "@@depth 4\n灯塔有一百零八级台阶，{{char}}每天数一遍。",
            "extensions": {"position": 0, "probability": 100},
            "enabled": True,
            "insertion_order": 10,
            "case_sensitive": None,
            "use_regex": True,
            "constant": False,
            "name": "灯塔",
            "id": 3,
            "position": "before_char",
        },
        {
            "keys": ["船"],
            "secondary_keys": ["不算数"],
            "content": "三年没有船来过。",
            "extensions": {},
            "enabled": False,
            "insertion_order": 5,
            "priority": 90,
            "comment": "船",
        },
    ],
}

V2: Json = {
    "spec": "chara_card_v2",
    "spec_version": "2.0",
    "data": {
        "name": "林守",
        "description": "{{char}}是雾岛的守灯人，今年四十岁。\n\n他不相信<USER>。{{// 写给自己看 }}",
        "personality": "寡言，固执",
        "scenario": "{{user}}的船在雾里触了礁。",
        "first_mes": "*{{char}}放下提灯*\n\n醒了？先喝口水。",
        "alternate_greetings": ["{{char}}: 别动。\n{{user}}: 这是哪儿？", "塔里很静。"],
        "mes_example": "<START>\n{{user}}: 现在几点？\n{{char}}: 12: 30。\n这里的钟停了。\n<START>\n{{char}}: 数台阶。",
        "system_prompt": "写出{{char}}的下一句话。{{original}}",
        "post_history_instructions": "只写{{char}}的话。",
        "creator_notes": "试作",
        "creator": "某人",
        "character_version": "1.2",
        "tags": ["海岛"],
        "extensions": {"talkativeness": 0.5, "depth_prompt": {"prompt": "雾还没有散。", "depth": 4, "role": "system"}},
        "character_book": BOOK,
        "unheard_of": {"deep": [1, None]},
    },
    "create_date": "2024-1-1",
}

V3: Json = {
    **V2,
    "spec": "chara_card_v3",
    "spec_version": "3.0",
    "data": {
        **V2["data"],
        "nickname": "老林",
        "group_only_greetings": ["人都到齐了？"],
        "assets": [
            {"type": "icon", "uri": "embeded://assets/icon/image/2.png", "name": "smile", "ext": "png"},
            {"type": "icon", "uri": "embeded://assets/icon/image/1.png", "name": "main", "ext": "png"},
        ],
    },
}

V1: Json = {
    "name": "Anna",
    "description": "Anna keeps the archive of the island.",
    "personality": "curious, quick",
    "scenario": "The harbour at dawn.",
    "first_mes": "Hello, {{user}}.",
    "mes_example": "",
    "avatar": "none",
    "create_date": "2023-3-3",
}

ROLE: Json = {
    "user": "洛",
    "bot": "小禾",
    "greeting": "（{{char}}撞上了{{user}}。）\n哎呀！\n\n{{user}}: 没事吧？\n\n没、没事。",
    "bot_persona": "请你扮演{{char}}，我来扮演{{user}}。\n{{char}}在书店打工。",
    "example_message": "{{user}}: 请介绍一下自己。\n\n{{char}}: （有些紧张）\n我叫{{char}}。\n\n{{user}}: 12: 30 见。",
    "use_qa": False,
}

WEBUI_YAML = """\
name: Mira
greeting: |-
  *{{char}} waves*

  Hi, {{user}}!
context: |-
  {{char}}'s Persona: Mira repairs radios.
  <START>
turn_template: ''
"""

PYGMALION: Json = {
    "char_name": "Mira",
    "char_persona": "Mira repairs radios.",
    "char_greeting": "Hi, {{user}}!",
    "world_scenario": "A workshop.",
    "example_dialogue": "{{user}}: Hello\n{{char}}: Hey",
}


def picture(width: int = 3, height: int = 2, *, extra: list[tuple[bytes, bytes]] | None = None) -> bytes:
    """A small picture in colour, with metadata."""
    rows = b"".join(b"\0" + bytes(range(width * 4)) for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    marks = [(b"tEXt", b"Comment\0taken at home"), (b"eXIf", b"where it was"), *(extra or [])]
    return png.write([(b"IHDR", header), *marks, (b"IDAT", zlib.compress(rows))])


def text(keyword: str, card: Json) -> tuple[bytes, bytes]:
    return b"tEXt", keyword.encode() + b"\0" + base64.b64encode(json.dumps(card).encode())


def as_bytes(card: Json) -> bytes:
    return json.dumps(card, ensure_ascii=False).encode()
