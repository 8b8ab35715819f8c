"""The whole program with a Twitch channel in config.yaml: heard, drafted, approved at the panel's address, posted once."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

import bot.app
from adapters.twitch.chat import TwitchAdapter
from bot.config import Config, load_config
from bot.engine.scripted import ScriptedEngine
from bot.engine.types import EngineStatus
from bot.posting.twitch import TwitchPoster
from bot.web.tokens import Tokens
from tests.fakes.twitch import Chat, Helix
from tests.waiting import until

TOKENS = Tokens(operator="operator-token", overlay="v", chat="c")
BEARER = {"Authorization": "Bearer operator-token"}
HELLO = "@id=h-1;user-id=1;display-name=Minty :minty!minty@x PRIVMSG #demo_room :今天玩什么？"


class Engine(ScriptedEngine):
    """Says `说点什么。`, and is there."""

    async def run(self) -> None:
        self.on_status(self.status)
        await asyncio.Event().wait()

    def __init__(self, config: Config, on_status: Callable[[EngineStatus], None]) -> None:
        super().__init__(["说点什么。"])
        self.on_status = on_status


@asynccontextmanager
async def program(folder: Path) -> AsyncIterator[str]:
    """Its address."""
    (folder / "config.yaml").write_text(
        "save: Save\nweb: {port: 0}\noverlay: {min_seconds: 0.2, seconds_per_char: 0}\nadapters:\n"
        "  websocket: {server: {enabled: false}}\n"
        '  twitch: {channel: demo_room, post: true, token: "${COHOST_TWITCH_TOKEN}"}\n',
        encoding="utf-8",
    )
    config = load_config(folder / "config.yaml", environment={"COHOST_TWITCH_TOKEN": Helix.token})
    said: list[str] = []
    running = asyncio.create_task(bot.app.run(config, TOKENS, said.append, Engine))
    try:
        await until(lambda: said or running.done())
        (address,) = re.findall(r"http://127\.0\.0\.1:\d+", "\n".join(said))[:1]
        yield address
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_from_a_viewer_s_question_to_the_answer_in_the_chat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is posted before the click, the approved words once after it, and they are not taken for a viewer's."""
    async with Chat() as chat, Helix(chat) as helix:

        class Listener(TwitchAdapter):
            def __init__(self, channel: str, **more: Any) -> None:
                super().__init__(channel, **more, url=chat.url)

        def poster(*given: Any, **more: Any) -> TwitchPoster:
            return TwitchPoster(*given, **more, url=helix.url, identity=helix.identity)

        monkeypatch.setattr(bot.app, "TwitchAdapter", Listener)
        monkeypatch.setattr(bot.app, "TwitchPoster", poster)
        async with program(tmp_path) as address, aiohttp.ClientSession(headers=BEARER) as http:

            async def state() -> dict[str, Any]:
                async with http.get(f"{address}/api/state") as answer:
                    return dict(await answer.json())

            async with http.ws_connect(f"{address}/api/feed") as panel:
                await until(lambda: chat.in_the_room)
                await chat.say(HELLO)
                while not (cards := [one for one in (await state())["items"] if one["drafts"] and not one["drafting"]]):
                    await panel.receive(timeout=30)
                assert helix.posted == []
                click = {"revision": cards[0]["revision"], "text": "今天玩解谜！"}
                async with http.post(f"{address}/api/items/{cards[0]['id']}/approve", json=click) as answer:
                    assert answer.status == 200, await answer.text()
                await until(lambda: helix.posted)
                twitch = (await state())["status"]["adapters"]["twitch"]
                while twitch["echoes"] == 0:
                    await panel.receive(timeout=30)
                    twitch = (await state())["status"]["adapters"]["twitch"]
    assert helix.words == ["今天玩解谜！"]
    assert (twitch["received"], twitch["echoes"]) == (1, 1)
    assert [notice["text"] for notice in twitch["notices"]] == ["播出的话会以 cohost_bot 的名义发到 #demo_room"]
