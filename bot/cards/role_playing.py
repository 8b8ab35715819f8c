"""Characters of RWKV_Role_Playing (https://github.com/shengxia/RWKV_Role_Playing, modules/role_info.py)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.cards import dialogue
from bot.cards.card import KEPT, SERIES
from bot.cards.fields import Fields
from bot.cards.found import Found, Kind, Wishes
from bot.cards.macros import Names
from bot.letters import BLANK_LINES
from bot.scenario import Character, Line, Scenario, canonical_name


def is_role(value: Mapping[str, Any]) -> bool:
    return "bot" in value and any(key in value for key in ("bot_persona", "greeting", "example_message"))


def read_role(value: Mapping[str, Any], file: str, wishes: Wishes) -> Found:
    """Raises ScenarioError with every mistake."""
    fields = Fields(value, file)
    bot = canonical_name(fields.text("bot"))
    user = canonical_name(fields.text("user")) or wishes.user
    if not bot or bot == user:
        fields.wrong(
            "bot", value.get("bot"), "应为角色的名字，和 user 不同 / must be the character's name, not the user's"
        )
    names = Names(bot, user)
    told = names.put_into(fields.text("bot_persona")).strip()
    spoken = dialogue.example(fields.text("example_message"), Names(bot, user))
    opening = _greeting(fields.text("greeting"), names)
    extra = {"PromptForm": "chat"} if fields.flag("use_qa") else {}
    fields.finish()
    cast = (Character(bot, "AI", {KEPT: {"role": dict(value)}}), Character(user, "User"))
    background = "\n\n".join(part for part in (told, spoken) if part)
    return Found(Kind.ROLE_PLAYING, Scenario(SERIES, bot, background, opening, cast, extra))


def _greeting(text: str, names: Names) -> tuple[Line, ...]:
    """Paragraphs take turns by who they name; whoever is not named is the character."""
    paragraphs = BLANK_LINES.split(names.put_into(text))
    return tuple(line for paragraph in paragraphs for line in dialogue.turns(paragraph, names, names.char))
