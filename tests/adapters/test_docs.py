"""docs/adapters.md tells the truth: its example runs, its frames are read, its refusal is the real one."""

import asyncio
import contextlib
import json
import re
import textwrap
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from adapters import GROUP
from adapters.base import AdapterError, Phase
from adapters.bridges.mapping import Rules
from adapters.bridges.presets import PRESETS
from adapters.wire import FrameError, event_from_frame, message_from_frame, read_frame
from bot.config import load_config
from bot.messages import Kind
from tests.adapters.patience import soon

PAGE = (Path(__file__).parents[2] / "docs" / "adapters.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return found


@pytest.fixture
def example() -> ModuleType:
    module = ModuleType("line_chat")
    exec(compile(block("python"), "docs/adapters.md", "exec"), module.__dict__)
    return module


@contextlib.asynccontextmanager
async def server(*sayings: str) -> AsyncIterator[int]:
    """The port of a chat that says these lines to whoever comes, and stays until they go."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write("".join(f"{line}\n" for line in sayings).encode())
        await reader.read()
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as listening:
        yield listening.sockets[0].getsockname()[1]


async def test_the_example_hears_a_real_server(example: ModuleType):
    """Good lines around a bad one, one of them twice; one taken back; and a clean end."""
    lines = (
        "1\tu1\t阿强\t晚上好",
        "nonsense",
        "1\tu1\t阿强\t晚上好",
        "2\t\t观***\t在玩什么？",
        "ping",
        "gone\t1",
        "bye",
    )
    async with server(*lines) as port:
        chat = example.LineChat(port=port)
        first, second, gone = [event async for event in chat.messages()]
    assert (first.text, first.viewer.key, second.viewer.known) == ("晚上好", ("line_chat", "u1"), False)
    assert gone.covers(first) and not gone.covers(second)
    assert (chat.state.state, chat.state.detail) == (Phase.DONE, "直播结束")
    assert (chat.state.received, chat.state.bad, chat.state.duplicates) == (2, 1, 1)


async def test_the_example_passes_the_check_that_the_page_shows(example: ModuleType):
    async with server("1\tu1\t阿强\t晚上好", "2\tu2\t小雨\t在玩什么？") as port:
        code = "async def check():\n" + textwrap.indent(block("py"), "    ")
        namespace = {"LineChat": example.LineChat, "port": port}
        exec(compile(code, "docs/adapters.md", "exec"), namespace)
        await soon(namespace["check"]())


def test_the_example_is_short_and_says_what_to_correct(example: ModuleType):
    """Under sixty lines, and a setting that cannot work is refused at once."""
    assert len(block("python").splitlines()) < 60
    with pytest.raises(AdapterError, match=r"adapters\.line_chat\.port.*70000"):
        example.LineChat(port=70_000)


def test_every_frame_on_the_page_is_read():
    """One of each kind."""
    kinds = [message_from_frame(read_frame(line), "doc", 2e9).kind for line in block("json").splitlines()]
    assert sorted(kinds) == sorted(Kind)
    taken = [event_from_frame(read_frame(line), "doc", 2e9) for line in block("jsonc").splitlines()]
    assert [bool(one.messages) + 2 * bool(one.viewers) + 4 * one.everything for one in taken] == [1, 2, 4]


def test_the_mapping_on_the_page_is_one(tmp_path: Path):
    """A reader who copies it has a chat, gifts and all."""
    file = tmp_path / "config.yaml"
    file.write_text(block("yml"), encoding="utf-8")
    rules = Rules(load_config(file).adapters.websocket.client.mapping)
    user = {"id": 5, "nick": "小柚", "mod": 1}
    chat = {"kind": "chat", "data": {"seq": 7, "user": user, "words": "嗨"}}
    gift = {"kind": "gift", "data": {"user": user, "gift": "花", "coins": 50, "total": 4}}
    frames = [json.dumps(one) for one in (chat, gift)]
    found = [one for frame in frames for one in rules.read(frame, "mytv", 2e9)]
    assert [(one.viewer.id, one.text, one.price) for one in found] == [("5", "嗨", None), ("5", "花 x4", 2.0)]


def test_the_presets_on_the_page_are_those_that_exist():
    """With the platform that each one's viewers belong to."""
    rows = re.findall(r"^\| `(\w+)` \| .* \| `(\w+)`", PAGE, re.MULTILINE)
    assert dict(rows) == {name: preset.platform for name, preset in PRESETS.items()}


def test_the_refusal_on_the_page_is_the_real_one():
    """What the server would say to that frame, word for word."""
    sent, answer = (line[2:] for line in block("text").splitlines())
    with pytest.raises(FrameError) as caught:
        message_from_frame(read_frame(sent), "doc", 2e9)
    assert json.loads(answer) == {"type": "error", "error": caught.value.text()}


def test_the_declarations_name_the_example():
    """The entry point's group is ours; the section's keys are the arguments of the class."""
    declared = tomllib.loads(block("toml"))["project"]["entry-points"]
    assert declared == {GROUP: {"line_chat": "line_chat:LineChat"}}
    assert yaml.safe_load(block("yaml")) == {"adapters": {"line_chat": {"port": 9000}}}
