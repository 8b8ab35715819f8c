"""Character cards, versions 1 to 3, as scenarios.

The specifications: https://github.com/malfoyslastname/character-card-spec-v2 and
https://github.com/kwaroran/character-card-spec-v3. The card as it came is kept with the character, under "Card", so that
an export gives back everything that was not changed here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.cards import dialogue, lore
from bot.cards.fields import Fields
from bot.cards.found import DEFAULT_USER, Found, Kind, Wishes
from bot.cards.macros import Names, left_over
from bot.scenario import Character, Scenario, canonical_name

SERIES = "角色卡"
KEPT = "Card"  # of a character: {"user", "greeting", "card"}
SPECS = {"chara_card_v2": Kind.CARD_V2, "chara_card_v3": Kind.CARD_V3}
V1_FIELDS = ("name", "description", "personality", "scenario", "first_mes", "mes_example")


@dataclass(frozen=True, slots=True)
class Card:
    """What of a card counts for a scenario, its placeholders in place yet."""

    kind: Kind
    fields: Fields
    names: Names
    greetings: tuple[str, ...]


def is_card(value: Mapping[str, Any]) -> bool:
    return value.get("spec") in SPECS or ("name" in value and any(key in value for key in V1_FIELDS[1:]))


def read_card(value: Mapping[str, Any], file: str, wishes: Wishes) -> Found:
    """The card as a scenario. Raises ScenarioError with every mistake."""
    card = _card(value, file, wishes)
    found = _scenario(card, value, wishes)
    card.fields.finish()
    return found


def _card(value: Mapping[str, Any], file: str, wishes: Wishes) -> Card:
    kind = SPECS.get(str(value.get("spec")), Kind.CARD_V1)
    fields = Fields(value, file)
    if kind is not Kind.CARD_V1:
        fields = fields.inner("data") or Fields(None, file, "data", fields.mistakes)
    name = canonical_name(fields.text("nickname")) or canonical_name(fields.text("name"))
    if not name:
        fields.wrong("name", fields.raw.get("name"), "应为角色的名字 / must be the character's name")
    user = canonical_name(wishes.user) or DEFAULT_USER
    greetings = (fields.text("first_mes"), *fields.texts("alternate_greetings"))
    return Card(kind, fields, Names(name, user if user != name else f"{user}（用户）"), greetings)


def _scenario(card: Card, value: Mapping[str, Any], wishes: Wishes) -> Found:
    fields, names = card.fields, card.names
    chosen = wishes.greeting if 0 <= wishes.greeting < len(card.greetings) else 0
    opening = dialogue.greeting(card.greetings[chosen], names)
    book = fields.inner("character_book") if fields.raw.get("character_book") != [] else None  # [] is written for none
    kept = {KEPT: {"user": names.user, "greeting": chosen, "card": dict(value)}}
    cast = (Character(names.char, "AI", kept), Character(names.user, "User")) if names.char else ()
    extra = _extra(fields, names, book)
    title = names.char
    scenario = Scenario(SERIES, title, _background(fields, names), opening, cast, extra)
    shown = tuple(names.put_into(text).strip() for text in card.greetings)
    notes = (*(lore.notes(book) if book else ()), *_notes(scenario))
    return Found(card.kind, scenario, greetings=shown, notes=notes)


def _background(fields: Fields, names: Names) -> str:
    """What a chat program puts before the conversation, in the same order."""
    told = {key: names.put_into(fields.text(key)).strip() for key in ("system_prompt", *V1_FIELDS[1:4])}
    if told["personality"]:
        told["personality"] = _labelled(told["personality"], names.char)
    spoken = dialogue.example(fields.text("mes_example"), names)
    return "\n\n".join(part for part in (*told.values(), spoken) if part)


def _labelled(personality: str, name: str) -> str:
    """A row of qualities alone says nobody's."""
    if name in personality or "\n" in personality:
        return personality
    return (
        f"{name}的性格：{personality}" if re.search("[一-鿿]", personality) else f"{name}'s personality: {personality}"
    )


def _extra(fields: Fields, names: Names, book: Fields | None) -> dict[str, Any]:
    note = _authors_note(fields, names)
    entries = lore.entries(book, names) if book else []
    budget, depth = (book.number(key) if book else None for key in ("token_budget", "scan_depth"))
    return {
        **({"AuthorsNote": note} if note else {}),
        **({"Lorebook": entries} if entries else {}),
        **({"LoreBudget": budget} if budget and budget > 0 else {}),
        **({"LoreDepth": depth} if depth and depth > 0 else {}),
    }


def _authors_note(fields: Fields, names: Names) -> dict[str, Any]:
    """What is told again and again while the story goes on: after everything, or so many lines before the end."""
    after = names.put_into(fields.text("post_history_instructions")).strip()
    within, depth = "", 0
    extensions = fields.inner("extensions")
    prompt = extensions.inner("depth_prompt") if extensions else None
    if prompt:
        within, depth = names.put_into(prompt.text("prompt")).strip(), prompt.number("depth", 4) or 0
    text = "\n".join(part for part in (within, after) if part)
    return {"text": text, "depth": max(depth, 0) if within else 0} if text else {}


def _notes(scenario: Scenario) -> list[str]:
    left = left_over(scenario.background + "".join(line.text for line in scenario.opening))
    told = f"这些占位符没有替换，请自己改：{'、'.join(left[:8])}。 Placeholders that were left as they are."
    return [told] if left else []
