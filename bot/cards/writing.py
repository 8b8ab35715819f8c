"""A scenario as a file for elsewhere."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from bot.cards import png
from bot.cards.archive import pack
from bot.cards.card_export import export_card, lead
from bot.letters import LONE_SURROGATE
from bot.scenario import Scenario, dump_scenario


def drama_file(scenario: Scenario) -> bytes:
    """场景剧本.json, which RWKV-Drama reads too."""
    return dump_scenario(scenario).encode()


def card_file(scenario: Scenario) -> bytes:
    """A version 3 card as JSON. Raises NobodyThere."""
    return _json(export_card(scenario), indent=2)


def card_picture(scenario: Scenario, avatars: Mapping[str, bytes]) -> bytes:
    """A version 3 card in the character's picture (a plain one, where there is none), and as version 2 beside it, for
    programs that know no other. Raises NobodyThere, BadPicture."""
    card = export_card(scenario)
    name = lead(scenario).name
    picture = png.clean(avatars[name]) if name in avatars else png.plain(400, 600, 0x40)
    older = {**card, "spec": "chara_card_v2", "spec_version": "2.0"}
    return png.with_texts(picture, {"chara": base64.b64encode(_json(older)), "ccv3": base64.b64encode(_json(card))})


def folder_file(series: str, name: str, files: Mapping[str, bytes]) -> bytes:
    """A zip of a scenario's folder."""
    return pack({f"{series}/{name}/{file}": content for file, content in files.items()})


def _json(card: dict[str, Any], indent: int | None = None) -> bytes:
    text = json.dumps(card, ensure_ascii=False, indent=indent)
    return LONE_SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", text).encode()
