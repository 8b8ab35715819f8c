"""Preferences for those who tune models: what a person chose, and what they left of the same drafts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bot.figures.choices import Fate, card_choice
from bot.figures.scenes import ask_of
from bot.save import Place
from bot.save.ledger import CardRow, SceneRows
from bot.scenario import Origin

Json = dict[str, Any]


def card_pairs(cards: Iterable[CardRow]) -> Iterator[Json]:
    """Of cards whose words stand. `asked` are the viewer's words, without who it was."""
    for card in cards:
        fate = card_choice(card).fate
        if fate in (Fate.TAKEN, Fate.EDITED):
            yield from _pair(
                Place.SHOW, card.scenario, card.character, card.created, card.text or "", card.drafts, card.asked
            )  # fmt: skip


def scene_pairs(scene: SceneRows, asks: Mapping[str, tuple[str, ...]]) -> Iterator[Json]:
    """Of lines that were taken at the desk. `asks`: the drafts of each ask, by its id."""
    for at, step in scene.steps:
        if step["kind"] == "added":
            for line, draft in zip(step["lines"], step["drafts"], strict=False):
                drafts = asks.get(ask_of(draft), ())
                if draft and line["origin"] in (Origin.MODEL, Origin.EDITED):
                    yield from _pair(Place.DESK, scene.id, line["character"], at, line["text"], drafts, None)


def jsonl(pairs: Iterable[Json]) -> Iterator[str]:
    return (json.dumps(pair, ensure_ascii=False) + "\n" for pair in pairs)


def _pair(
    place: Place, subject: str, character: str, at: float, chosen: str, drafts: tuple[str, ...], asked: str | None
) -> Iterator[Json]:
    """None where nothing was left over: there is nothing to prefer."""
    rejected = [draft for draft in dict.fromkeys(drafts) if draft and draft != chosen]
    if rejected:
        yield {
            "place": place.value,
            "subject": subject,
            "character": character,
            "at": at,
            "asked": asked,
            "chosen": chosen,
            "edited": chosen not in drafts,
            "rejected": rejected,
        }
