"""What a file from elsewhere holds, in our own form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bot.scenario import Scenario


class Kind(StrEnum):
    SCENARIO = "scenario"  # RWKV-Drama's 场景剧本.json, and ours
    LOG = "log"
    FOLDER = "folder"  # a scenario with its logs and pictures, in a zip
    ROLE_PLAYING = "role_playing"  # RWKV_Role_Playing
    CARD_V1 = "card_v1"
    CARD_V2 = "card_v2"
    CARD_V3 = "card_v3"
    WEBUI = "webui"  # text-generation-webui


DEFAULT_USER = "我"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the person chose: who the card's {{user}} is, and which greeting begins (0 is the first message)."""

    user: str = DEFAULT_USER
    greeting: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """One scenario, ready to be kept. `avatars`: PNG without metadata, by character. `logs`: their JSON by file name.

    `greetings`: those that a card offers, the chosen one among them. `notes`: what was left out or read otherwise, for
    people. `place`: the series and folder that it lay in. None: it came alone.
    """

    kind: Kind
    scenario: Scenario
    avatars: Mapping[str, bytes] = field(default_factory=dict)
    logs: Mapping[str, bytes] = field(default_factory=dict)
    greetings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    place: tuple[str, str] | None = None
