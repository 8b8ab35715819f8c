"""docs/adapters.md tells the truth: its example runs, its frames are read, its refusal is the real one."""

import asyncio
import json
import re
import tomllib
from contextlib import aclosing
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from adapters import GROUP
from adapters.base import AdapterError, Phase
from adapters.wire import FrameError, message_from_frame, read_frame
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


async def test_the_example_hears_a_real_server(example: ModuleType):
    """Two good lines around a bad one: two messages, one counted as bad, and a clean end."""
    gone = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write("u1\t阿强\t晚上好\nnonsense\nu2\t小雨\t在玩什么？\n".encode())
        await reader.read()
        writer.close()
        gone.set()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        chat = example.LineChat(port=server.sockets[0].getsockname()[1])
        async with aclosing(chat.messages()) as messages:
            first, second = [await soon(anext(messages)) for _ in range(2)]
        await soon(gone.wait())
    assert (first.text, first.viewer.key, second.viewer.name) == ("晚上好", ("line_chat", "u1"), "小雨")
    assert first.id.startswith("line_chat:") and first.id != second.id
    assert (chat.state.state, chat.state.received, chat.state.bad) == (Phase.LIVE, 2, 1)


def test_the_example_is_short_and_says_what_to_correct(example: ModuleType):
    """Under sixty lines, and a setting that cannot work is refused at once."""
    assert len(block("python").splitlines()) < 60
    with pytest.raises(AdapterError, match=r"adapters\.line_chat\.port.*70000"):
        example.LineChat(port=70_000)


def test_every_frame_on_the_page_is_read():
    """One of each kind."""
    kinds = [message_from_frame(read_frame(line), "doc", 2e9).kind for line in block("json").splitlines()]
    assert sorted(kinds) == sorted(Kind)


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
