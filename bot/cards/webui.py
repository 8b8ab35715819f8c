"""Characters of text-generation-webui, YAML or JSON, and the older ones of Pygmalion that it reads too.

The facts: https://github.com/oobabooga/text-generation-webui, characters/ and its loading of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from bot.cards import dialogue
from bot.cards.card import KEPT, SERIES
from bot.cards.fields import Fields
from bot.cards.found import Found, Kind, Wishes
from bot.cards.macros import Names
from bot.scenario import Character, Scenario, ScenarioError, canonical_name

MOST_YAML = 256 * 2**10  # characters; the reader is slow
_OLD = {"char_name": "name", "char_greeting": "greeting", "char_persona": "context", "world_scenario": "scenario"}


def is_character(value: Mapping[str, Any]) -> bool:
    return "char_name" in value or ("name" in value and any(key in value for key in ("greeting", "context")))


def read_character(value: Mapping[str, Any], file: str, wishes: Wishes) -> Found:
    """Raises ScenarioError with every mistake."""
    fields = Fields({_OLD.get(key, key): inner for key, inner in value.items()}, file)
    char = canonical_name(fields.text("name"))
    if not char:
        fields.wrong("name", fields.raw.get("name"), "应为角色的名字 / must be the character's name")
    user = canonical_name(fields.text("your_name")) or wishes.user
    names = Names(char, user if user != char else f"{user}（用户）")
    told = [names.put_into(fields.text(key)).strip() for key in ("context", "scenario")]
    spoken = dialogue.example(fields.text("example_dialogue"), names)
    opening = dialogue.greeting(fields.text("greeting"), names)
    fields.finish()
    cast = (Character(char, "AI", {KEPT: {"webui": dict(value)}}), Character(names.user, "User"))
    background = "\n\n".join(part for part in (*told, spoken) if part)
    return Found(Kind.WEBUI, Scenario(SERIES, char, background, opening, cast))


def read_yaml(text: str, file: str) -> Any:
    """Every scalar as text. Raises ScenarioError; references are refused, since few of them can stand for gigabytes."""
    if len(text) > MOST_YAML:
        raise ScenarioError(file, "", f"YAML 超过 {MOST_YAML >> 10} KiB。请检查是不是选错了文件。 Too large.")
    try:
        return yaml.load(text, _Plain)  # a loader of texts only: no tags, no references
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"第 {mark.line + 1} 行第 {mark.column + 1} 列" if mark else ""
        raise ScenarioError(file, where, f"不是合法的 YAML（{error.problem}）。请检查缩进和引号。") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise ScenarioError(file, "", "不是合法的 YAML。请检查文件是否损坏。 Not valid YAML.") from error


class _Plain(yaml.BaseLoader):
    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "引用（*名字）不能用 / references are not taken", mark)
        return super().compose_node(parent, index)
