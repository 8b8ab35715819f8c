"""`cohost check --sample`: what each line of a file of frames becomes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.__main__ import main

CHAT = {"id": "1", "method": "WebcastChatMessage", "user": {"id": "u", "name": "荔枝"}, "content": "你好"}


def told(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()[1:]


def test_each_line_is_a_message_or_a_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Numbered as in the file; a list has several, an empty line none; what the bridge would be told is shown."""
    file = tmp_path / "frames.jsonl"
    rows = [json.dumps([CHAT, {"method": "WebcastRoomStatsMessage"}]), "", "{}", "nonsense"]
    file.write_text("\n".join(rows), encoding="utf-8")
    assert main(["check", "--sample", str(file), "--preset", "dycast"]) == 0
    lines = told(capsys)
    assert [line.partition(":")[0] for line in lines] == ["1", "1", "3", "4"]
    assert json.loads(lines[0][3:])["text"] == "你好"
    assert lines[1:] == [
        "1: 没有消息：与弹幕无关，不理会",
        "3: 没有消息：没有适用的规则",
        "4: 读不懂：不是 JSON。请每帧只发一个 UTF-8 编码的 JSON 对象。",
    ]


def test_without_a_preset_the_settings_decide(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A mapping of the user's own; and our own frames where there is neither."""
    file, config = tmp_path / "frames.jsonl", tmp_path / "config.yaml"
    file.write_text('{"who": "荔枝", "says": "嗨"}\n', encoding="utf-8")
    rules = "rules: [{type: danmaku, user: {name: who}, text: says}]"
    config.write_text(f"adapters: {{websocket: {{client: {{mapping: {{{rules}}}}}}}}}", encoding="utf-8")
    assert main(["check", "--config", str(config), "--sample", str(file)]) == 0
    assert json.loads(told(capsys)[0][3:])["text"] == "嗨"
    config.write_text("", encoding="utf-8")
    assert main(["check", "--config", str(config), "--sample", str(file), "--lang", "en"]) == 0
    assert told(capsys)[0].startswith("1: not understood: Field type is null")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--sample", "/no/such/file"], "读不到 /no/such/file"),
        (["--sample", "x", "--preset", "dy"], "没有名为 dy 的 preset"),
    ],
)
def test_a_mistake_is_one_line(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", *arguments]) == 1
    assert says in capsys.readouterr().err
