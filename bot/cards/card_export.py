"""A scenario as a character card of version 3. What came from a card and was not changed goes out as it came in.

Our own scenario goes along under extensions, so that an export which nobody else has changed comes back whole: with all
its characters, notes and settings.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from bot.cards import lore
from bot.cards.card import KEPT, SPECS, V1_FIELDS, read_card
from bot.cards.found import DEFAULT_USER, Found, Wishes
from bot.errors import UserError
from bot.scenario import Character, Scenario, ScenarioError, dump_scenario, render, scenario_of

OURS = "rwkv_cohost"  # under a card's extensions
Json = dict[str, Any]


class NobodyThere(UserError):
    """A card is of a character, and the scenario has none."""


def export_card(scenario: Scenario) -> Json:
    """Raises NobodyThere."""
    card = _visible(scenario)
    ours = {"scenario": json.loads(dump_scenario(_without_card(scenario))), "card": _wishes(lead(scenario))}
    card["data"]["extensions"] = {**card["data"]["extensions"], OURS: ours}
    return card


def import_card(value: Mapping[str, Any], file: str, wishes: Wishes) -> Found:
    """Our own scenario where the card still says the same, else what the card says. Raises ScenarioError."""
    ours, rest = _split(value)
    found = read_card(rest, file, wishes)
    scenario = _still(ours, rest)
    return found if scenario is None else replace(found, scenario=scenario)


# -- out -------------------------------------------------------------------------------------------------------------


def _visible(scenario: Scenario) -> Json:
    """The card without our own part."""
    hero = lead(scenario)
    raw, before = _kept(hero)
    data: Json = _EMPTY | (
        dict(raw["data"]) if raw.get("spec") in SPECS else {k: raw[k] for k in V1_FIELDS if k in raw}
    )
    if before is None:
        data["name"] = hero.name
    if before is None or scenario.background != before.background:
        data |= dict.fromkeys(("system_prompt", "personality", "scenario", "mes_example"), "")
        data["description"] = scenario.background
    if before is None or scenario.opening != before.opening:
        data["first_mes"] = _greeting(scenario, hero.name)
    data |= _changed_extra(scenario, before, data)
    return _outside(raw, data) | {"spec": "chara_card_v3", "spec_version": "3.0", "data": data}


def _outside(raw: Json, data: Json) -> Json:
    """What stands beside `data`: version 1 wrote its fields there, and some programs write both."""
    beside = {key: value for key, value in raw.items() if key not in ("spec", "spec_version", "data")}
    return beside | {key: data[key] for key in V1_FIELDS if key in beside}


def _greeting(scenario: Scenario, name: str) -> str:
    lines = scenario.opening
    return lines[0].text if len(lines) == 1 and lines[0].character == name else render(lines)


def _changed_extra(scenario: Scenario, before: Scenario | None, data: Json) -> Json:
    """The author's note and the lorebook, where they are other than the card's."""
    now, then = scenario.extra, before.extra if before else {}
    changed: Json = {"extensions": dict(data.get("extensions") or {})}
    if now.get("AuthorsNote") != then.get("AuthorsNote"):
        note = now.get("AuthorsNote") or {}
        changed["post_history_instructions"] = "" if note.get("depth") else note.get("text", "")
        changed["extensions"].pop("depth_prompt", None)
        if note.get("depth"):
            changed["extensions"]["depth_prompt"] = {"prompt": note["text"], "depth": note["depth"], "role": "system"}
    if any(now.get(key) != then.get(key) for key in ("Lorebook", *_BOOK)):
        book = {"extensions": {}, **(data.get("character_book") or {})}
        numbers = {theirs: now[ours] for ours, theirs in _BOOK.items() if ours in now}
        changed["character_book"] = book | numbers | {"entries": lore.card_entries(now.get("Lorebook"))}
    return changed


_BOOK = {"LoreBudget": "token_budget", "LoreDepth": "scan_depth"}

_EMPTY: Json = {
    **dict.fromkeys(V1_FIELDS, ""),
    **dict.fromkeys(
        ("creator_notes", "system_prompt", "post_history_instructions", "creator", "character_version"), ""
    ),
    "alternate_greetings": [],
    "group_only_greetings": [],
    "tags": [],
    "extensions": {},
}


# -- the card that is kept -------------------------------------------------------------------------------------------


def lead(scenario: Scenario) -> Character:
    """Whose card it is: who came with one, or the first character that the model plays."""
    for character in (*(one for one in scenario.characters if KEPT in one.extra), *scenario.characters):
        return character
    raise NobodyThere("这个剧本没有角色，不能导出成角色卡。请先加一个角色。 A card needs a character.")


def _kept(hero: Character) -> tuple[Json, Scenario | None]:
    """The card that a character came with, and what a scenario it made. {} and None: there is none that can be read."""
    match hero.extra.get(KEPT):
        case {"user": str(user), "greeting": int(greeting), "card": dict(raw)}:
            try:
                before = read_card(raw, "", Wishes(user, greeting)).scenario
                if before.speaker == hero.name:
                    return raw, before
                renamed = _renamed(raw, hero.name)
                return renamed, read_card(renamed, "", Wishes(user, greeting)).scenario
            except ScenarioError:
                return {}, None
    return {}, None


def _renamed(raw: Json, name: str) -> Json:
    if raw.get("spec") not in SPECS:
        return {**raw, "name": name}
    return {**raw, "data": {**{key: value for key, value in raw["data"].items() if key != "nickname"}, "name": name}}


def _wishes(hero: Character) -> Json | None:
    """With what a card was read. None: there was none."""
    match hero.extra.get(KEPT):
        case {"user": str(user), "greeting": int(greeting)}:
            return {"user": user, "greeting": greeting}
    return None


_NEW: Json = {"user": DEFAULT_USER, "greeting": 0}


def _without_card(scenario: Scenario) -> Scenario:
    """Older words are not handed on by stealth."""
    cast = [replace(one, extra={k: v for k, v in one.extra.items() if k != KEPT}) for one in scenario.characters]
    return _with_lore(replace(scenario, characters=tuple(cast)), lore.forgotten)


# -- in --------------------------------------------------------------------------------------------------------------


def _split(value: Mapping[str, Any]) -> tuple[Json | None, Json]:
    """Our own part of a card, and the card without it."""
    match value:
        case {"data": {"extensions": {"rwkv_cohost": dict(ours)}}}:
            data = dict(value["data"])
            data["extensions"] = {key: other for key, other in data["extensions"].items() if key != OURS}
            return ours, {**value, "data": data}
    return None, dict(value)


def _still(ours: Json | None, card: Json) -> Scenario | None:
    """Our scenario, if it would still be exported as this card."""
    try:
        book = card["data"].get("character_book") or {}
        scenario = scenario_of(ours["scenario"], "") if ours else None
        if ours is None or scenario is None:
            return None
        scenario = _with_lore(scenario, lambda lorebook: lore.remembered(lorebook, book.get("entries")))
        with_card = _with_card(scenario, {**_NEW, **(ours["card"] or {}), "card": card})
        either = [with_card] if ours["card"] else [scenario, with_card]
        return next((one for one in either if _visible(one) == card), None)
    except (KeyError, AttributeError, TypeError, UserError):  # our part, as somebody else has mangled it
        return None


def _with_lore(scenario: Scenario, change: Callable[[object], object]) -> Scenario:
    if "Lorebook" not in scenario.extra:
        return scenario
    return replace(scenario, extra={**scenario.extra, "Lorebook": change(scenario.extra["Lorebook"])})


def _with_card(scenario: Scenario, kept: Json) -> Scenario:
    hero = lead(scenario)
    cast = [replace(one, extra={**one.extra, KEPT: kept}) if one is hero else one for one in scenario.characters]
    return replace(scenario, characters=tuple(cast))
