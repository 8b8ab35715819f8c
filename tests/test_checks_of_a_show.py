"""What config.yaml and the scenario say reaches the checks."""

from __future__ import annotations

import pytest

from bot.backstage import build_checks, show_rules
from bot.config import Config
from bot.scenario import Character, Scenario
from moderation import Action
from moderation.lists import load_lists

SCENARIO = Scenario("直播", "晚间档", "小麦住在城南的旧书店楼上，最怕打雷。暗号 K7QUAIL9。", (), (Character("小麦"),))


def rules(text: str, **moderation: object) -> list[str]:
    """What stops this reply."""
    config = Config.model_validate({"moderation": moderation})
    verdict = build_checks(config, SCENARIO, load_lists(())).screen_reply(text)
    return [one.rule for one in verdict.findings if one.stops]


@pytest.mark.parametrize(
    ("text", "setting", "without", "with_it"),
    [
        ("进QQ群 123456789 吧", {"allow": ["QQ群 123456789"]}, ["qq"], []),
        ("看 example.com 吧", {"allow": ["example.com"]}, ["link"], []),
        ("请拨 010-12345678。", {"help_line": "援助热线 010-12345678"}, ["landline"], []),
        ("口令是k7 quail9。", {"secrets": ["K7QUAIL9"]}, [], ["secret"]),
        ("我住在城南的旧书店楼上，最怕打雷。", {}, ["leak"], ["leak"]),
    ],
)
def test_settings_reach_the_checks(
    text: str, setting: dict[str, object], without: list[str], with_it: list[str]
) -> None:
    """What may be said, what never may, and the scenario's background."""
    assert rules(text) == without
    assert rules(text, **setting) == with_it


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_words_for_somebody_in_danger_can_be_said(lang: str) -> None:
    """The checks leave them alone, with any number in them."""
    config = Config.model_validate({"lang": lang, "moderation": {"help_line": "热线 400-123-4567"}})
    care = show_rules(config, SCENARIO).care
    assert "400-123-4567" in care
    verdict = build_checks(config, SCENARIO, load_lists(())).screen_reply(care)
    assert verdict.action in (Action.CLEAN, Action.FLAG)
    assert not any(one.stops for one in verdict.findings)
