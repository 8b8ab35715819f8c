"""Twitch and YouTube from config.yaml: what is built, and what is said where something is wrong or missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.twitch.chat import TwitchAdapter
from adapters.youtube.chat import YouTubeAdapter
from bot.app import build_adapters, build_outlets
from bot.config import ConfigError, load_config
from bot.posting.outlet import ChatOutlet
from bot.web.tokens import Tokens
from tests.test_show import House

TOKENS = Tokens(operator="o", overlay="v", chat="c")


def mistakes(tmp_path: Path, text: str, **environment: str) -> list[str]:
    """Each without the file's name."""
    file = tmp_path / "config.yaml"
    file.write_text("adapters:\n" + text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(file, environment=environment)
    return [line.removeprefix(f"{file}:") for line in str(caught.value).splitlines()]


def test_both_are_built_from_their_sections(tmp_path: Path) -> None:
    """The key comes from the environment; a channel may be written as its address."""
    file = tmp_path / "config.yaml"
    file.write_text(
        "adapters:\n  websocket: {server: {enabled: false}}\n"
        "  twitch: {channel: https://twitch.tv/Demo_Room, record: names}\n"
        '  youtube: {video: "https://youtu.be/abc-DEF_123", api_key: "${YT}"}\n',
        encoding="utf-8",
    )
    config = load_config(file, environment={"YT": "hidden"})
    twitch, youtube = build_adapters(config, TOKENS)
    assert isinstance(twitch, TwitchAdapter) and twitch.channel == "demo_room"
    assert isinstance(youtube, YouTubeAdapter)
    assert config.adapters.recorded() == {"twitch": "names"}
    assert "hidden" not in repr(config)


def test_neither_is_there_by_default() -> None:
    assert build_adapters(load_config(None, {"adapters.websocket.server.enabled": False}), TOKENS) == []


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("  twitch: {channel: 我的频道}", '2 adapters.twitch.channel：应为 Twitch 频道名或频道网址，现为 "我的频道"。'),
        ("  twitch: {channel: a, shared_chat: both}", "2 adapters.twitch.shared_chat：应为 mark, drop 之一"),
        ("  twitch: {channel: a, post: true}", "2 adapters.twitch.token：没有填，不能发言。"),
        ("  twitch: {post: true, token: x}", "2 adapters.twitch.channel：没有填，不知道发到哪里。"),
        (
            "  youtube: {video: 直播, api_key: k}",
            '2 adapters.youtube.video：应为直播的网址或 11 位视频号，现为 "直播"。',
        ),
        ("  youtube: {live_chat_id: x}", "2 adapters.youtube.api_key：没有填，不能读 YouTube。"),
        ("  youtube: {hours: 0}", "2 adapters.youtube.hours：应为大于 0 的数字，现为 0。"),
        ("  youtube: {daily_quota: -1}", "2 adapters.youtube.daily_quota：应为不小于 0 的整数，现为 -1。"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, section: str, said: str) -> None:
    """And what to write instead."""
    (line,) = mistakes(tmp_path, section)
    assert line.startswith(said)


def test_a_variable_that_is_not_set_is_said_once(tmp_path: Path) -> None:
    """Not again as a key that is missing; and no secret is shown where the type is wrong."""
    (line,) = mistakes(tmp_path, '  youtube: {video: abc-DEF_123, api_key: "${YT}"}')
    assert line.startswith("2 adapters.youtube.api_key：没有环境变量 YT。")
    (line,) = mistakes(tmp_path, "  youtube: {video: abc-DEF_123, api_key: 4711}")
    assert "4711" not in line


def test_posting_is_off_unless_it_is_switched_on(tmp_path: Path) -> None:
    """Off by default, a channel alone does not post; and then it is an outlet, which takes only approved words."""
    quiet = load_config(None, {"adapters.twitch.channel": "demo_room", "adapters.twitch.token": "t"})
    assert build_outlets(quiet, build_adapters(quiet, TOKENS), lambda text: "") == []
    loud = load_config(
        None, {"adapters.twitch.channel": "demo_room", "adapters.twitch.token": "t", "adapters.twitch.post": True}
    )
    (outlet,) = build_outlets(loud, build_adapters(loud, TOKENS), lambda text: "")
    assert isinstance(outlet, ChatOutlet) and outlet.name == "twitch"


def test_a_piece_of_a_reply_is_held_against_the_show_s_own_checks(tmp_path: Path) -> None:
    """The same that look at the whole when it is approved."""
    house = House(tmp_path)
    assert house.show.objection("今天玩解谜。") == ""
    assert "链接" in house.show.objection("看 https://example.com 吧") or "网址" in house.show.objection(
        "https://example.com"
    )
    house.save.close()
