"""An adapter of somebody else's, installed as a package: from its section in config.yaml to the room and the recording."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.base import AdapterError
from adapters.replay import Replay
from bot.app import build_adapters, listen
from bot.config import Config, ConfigError, load_config
from bot.messages import Message
from bot.web.tokens import Tokens
from tests.test_show import House
from tests.waiting import until

PAGE = Path(__file__).parents[1] / "docs" / "adapters.md"
TOKENS = Tokens(operator="o", overlay="v", chat="c")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of installed packages that holds the example of docs/adapters.md."""
    site = tmp_path / "site"
    install(site, "line-chat", "line_chat")
    (source,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (site / "line_chat.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(site)
    yield site
    sys.modules.pop("line_chat", None)


def install(site: Path, package: str, module: str) -> None:
    info = site / f"{package.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[cohost.adapters]\nline_chat = {module}:LineChat\n")


def settings(folder: Path, *lines: str) -> Config:
    file = folder / "config.yaml"
    text = "".join(f"    {line}\n" for line in lines)
    file.write_text(
        f"adapters:\n  websocket:\n    server:\n      enabled: false\n  line_chat:\n{text}", encoding="utf-8"
    )
    return load_config(file, environment={})


async def test_it_is_heard_and_recorded(site: Path, tmp_path: Path) -> None:
    """Its keys are its arguments, `record` is the program's; what was recorded plays again and names nobody."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write("1\tu1\t阿强\t今天玩什么？\n2\tu2\t小雨\t几点下播？\nbye\n".encode())
        await writer.drain()
        writer.close()

    house = House(tmp_path / "Save")
    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        config = settings(tmp_path, f"port: {server.sockets[0].getsockname()[1]}", "record: true")
        (platform,) = build_adapters(config, TOKENS)
        async with house.running(operators=0):
            await listen(house.show, platform, house.save, config)
            await until(lambda: len(house.show.snapshot()["waiting"]) == 2)
    (file,) = (tmp_path / "Save" / "recordings" / "line_chat").iterdir()
    again = [event async for event in Replay(file, speed=0).messages()]
    assert [event.text for event in again if isinstance(event, Message)] == ["今天玩什么？", "几点下播？"]
    assert "阿强" not in file.read_text(encoding="utf-8")


def test_without_its_section_it_is_not_loaded(site: Path) -> None:
    assert build_adapters(load_config(None, {"adapters.websocket.server.enabled": False}), TOKENS) == []
    assert "line_chat" not in sys.modules


def test_two_of_one_name_are_named_both(site: Path, tmp_path: Path) -> None:
    """With the packages that bring them."""
    install(site, "other-chat", "other_chat")
    with pytest.raises(AdapterError, match=r"line_chat:LineChat \(line-chat 1\.0\)") as caught:
        build_adapters(settings(tmp_path, "port: 9000"), TOKENS)
    assert "other_chat:LineChat (other-chat 1.0)" in str(caught.value)


def test_its_mistakes_are_one_line(site: Path, tmp_path: Path) -> None:
    """A value that it refuses, a key that it does not have, and a `record` that is none."""
    with pytest.raises(AdapterError, match=r"adapters\.line_chat\.port.*70000"):
        build_adapters(settings(tmp_path, "port: 70000"), TOKENS)
    with pytest.raises(AdapterError, match=r"adapters\.line_chat.*'room'"):
        build_adapters(settings(tmp_path, "room: 5"), TOKENS)
    with pytest.raises(AdapterError, match=r"adapters\.line_chat：.*not supported between"):
        build_adapters(settings(tmp_path, "port: abc"), TOKENS)
    with pytest.raises(ConfigError, match=r"config\.yaml:6 adapters\.line_chat\.record.*false, true, names.*5"):
        settings(tmp_path, "record: 5")
