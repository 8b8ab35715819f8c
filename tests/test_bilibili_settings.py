"""Bilibili from config.yaml: what is built, and what is said where something is wrong or missing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from adapters.bilibili import BilibiliAdapter
from adapters.bilibili.open_live import OpenLive
from adapters.bilibili.web import Web
from bot.app import build_adapters, build_outlets
from bot.check import mistakes
from bot.config import Config, ConfigError, load_config
from bot.posting.outlet import ChatOutlet
from bot.web.tokens import Tokens

TOKENS = Tokens(operator="o", overlay="v", chat="c")
KEYS = 'open_live: {code: "${CODE}", app_id: 17, access_key_id: "${KEY}", access_key_secret: "${SECRET}"}'


def load(tmp_path: Path, section: str, **environment: str) -> Config:
    file = tmp_path / "config.yaml"
    file.write_text(
        f"adapters:\n  websocket: {{server: {{enabled: false}}}}\n  bilibili: {section}\n", encoding="utf-8"
    )
    return load_config(file, environment=environment)


def test_a_room_is_built(tmp_path: Path) -> None:
    """By its number; the account comes from the environment and is not shown."""
    section = '{room_id: 6, transport: builtin, sessdata: "${SESS}", user_agent: Mozilla/5.0, record: true}'
    config = load(tmp_path, section, SESS="hidden")
    (room,) = build_adapters(config, TOKENS)
    assert isinstance(room, BilibiliAdapter) and isinstance(room._transport, Web)
    access = room._transport._access
    assert (access.room_id, access.sessdata, access.user_agent) == (6, "hidden", "Mozilla/5.0")
    assert config.adapters.recorded() == {"bilibili": True}
    assert "hidden" not in repr(config) and "hidden" not in repr(access)


def test_open_live_goes_before_a_room(tmp_path: Path) -> None:
    """With all four; their values are nowhere to be read."""
    environment = {"CODE": "c0de", "KEY": "k3y", "SECRET": "s3cret"}
    config = load(tmp_path, f"{{room_id: 6, {KEYS}}}", **environment)
    (room,) = build_adapters(config, TOKENS)
    assert isinstance(room, BilibiliAdapter) and isinstance(room._transport, OpenLive)
    assert not any(value in repr(config) + repr(config.adapters.bilibili.keys()) for value in environment.values())


def test_nothing_is_built_by_default() -> None:
    """Nor with keys without a code."""
    config = load_config(None, {"adapters.websocket.server.enabled": False, "adapters.bilibili.open_live.app_id": 5})
    assert build_adapters(config, TOKENS) == []


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("{room_id: 0}", "adapters.bilibili.room_id"),
        ("{room_id: live.bilibili.com/6}", '应为整数，现为 "live.bilibili.com/6"。请填直播间网址末尾的数字。'),
        ("{transport: web}", "adapters.bilibili.transport：应为 auto, builtin, blivedm 之一"),
        ("{user_agent: 浏览器}", "adapters.bilibili.user_agent"),
        ("{sessdata: 5}", "COHOST_BILIBILI_SESSDATA"),
        ("{post: true, room_id: 6, sessdata: x}", "adapters.bilibili.bili_jct：没有填，不能往 B 站发弹幕"),
        ("{post: true, sessdata: x, bili_jct: y}", "adapters.bilibili.room_id：没有填"),
        ("{post_length: 1000}", "adapters.bilibili.post_length"),
        ("{open_live: {code: A}}", "adapters.bilibili.open_live.access_key_secret：没有填"),
        ("{open_live: {code: A, app_id: x}}", "adapters.bilibili.open_live.app_id：应为整数"),
        ('{sessdata: "${NOT_SET}"}', "NOT_SET"),
    ],
)
def test_mistakes_say_what_to_write(tmp_path: Path, section: str, said: str) -> None:
    """With the key, in the user's language."""
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, section)
    assert said in str(caught.value)


def test_posting_is_off_by_default(tmp_path: Path) -> None:
    """And is an outlet of its own where it is asked for, tied to the adapter that hears the room."""
    config = load(tmp_path, "{room_id: 6}")
    assert build_outlets(config, build_adapters(config, TOKENS), lambda text: "") == []
    section = '{room_id: 6, post: true, post_length: 30, sessdata: "${SESS}", bili_jct: "${JCT}"}'
    config = load(tmp_path, section, SESS="hidden", JCT="c5rf")
    (room,) = build_adapters(config, TOKENS)
    (outlet,) = build_outlets(config, [room], lambda text: "")
    assert isinstance(outlet, ChatOutlet) and isinstance(room, BilibiliAdapter)
    assert outlet._echoes is room.echoes and outlet._state is room.state and outlet._poster.limit == 30
    assert not any(value in repr(config) for value in ("hidden", "c5rf"))


def test_check_names_a_library_that_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`cohost check` says before the show what the start would say; with `auto` there is nothing to say."""
    monkeypatch.setitem(sys.modules, "blivedm", None)
    found = list(mistakes(load(tmp_path, "{room_id: 6, transport: blivedm}")))
    assert len(found) == 1 and "没有安装" in found[0] and "git+https://github.com/xfgryujk/blivedm" in found[0]
    assert list(mistakes(load(tmp_path, "{room_id: 6, transport: builtin}"))) == []


def test_half_of_the_keys_names_the_rest(tmp_path: Path) -> None:
    """One line for each that is missing, and none for one whose variable is not set: that is said already."""
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, '{open_live: {code: "${CODE}", access_key_id: "${KEY}"}}', CODE="c")
    lines = [line.partition("adapters.bilibili.open_live.")[2] for line in str(caught.value).splitlines()]
    assert [line.partition("：")[0] for line in lines] == ["access_key_id", "app_id", "access_key_secret"]
