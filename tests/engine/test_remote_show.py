"""The whole program with its model elsewhere: chosen by the settings, drafting for a real panel, ending on a wrong key."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.app import build_engine, run
from bot.config import Config, load_config
from bot.engine.process import LocalEngine
from bot.engine.remote import RemoteEngine
from bot.errors import UserError
from bot.web.tokens import Tokens
from tests.fakes.openai_server import FakeServer, serving

TOKENS = Tokens(operator="operator-token", overlay="overlay-token", chat="chat-token")
BEARER = {"Authorization": "Bearer operator-token"}


def settings(folder: Path, *urls: str, **more: object) -> Config:
    ports = {"web.port": 0, "adapters.websocket.server.port": 0, "save": str(folder)}
    return load_config(None, {**ports, "engine.remote.urls": list(urls), **more})


async def test_settings_choose_where_the_model_is(tmp_path: Path) -> None:
    """Without a URL it is here."""
    assert isinstance(build_engine(settings(tmp_path), print), LocalEngine)
    assert isinstance(build_engine(settings(tmp_path, "http://127.0.0.1:1/v1"), print), RemoteEngine)


async def test_wrong_key_ends_the_program_with_one_line(tmp_path: Path) -> None:
    """Before a show begins; what to mend is said, the key is not."""
    async with serving(FakeServer(key="right")) as server:
        config = settings(tmp_path, server.url, **{"engine.remote.api_key": "wr0ng-key"})
        with pytest.raises(UserError, match="请检查 engine.remote.api_key") as caught:
            await asyncio.wait_for(run(config, TOKENS, print), 20)
        assert "wr0ng-key" not in str(caught.value)


async def test_card_gets_its_drafts_from_the_server(tmp_path: Path) -> None:
    """From recorded chat to five drafts at the panel, and the server's name in the state."""
    lines: asyncio.Queue[str] = asyncio.Queue()
    async with serving(FakeServer((" 晚上好呀。", " 来啦，坐。"))) as server, aiohttp.ClientSession() as http:
        config = settings(tmp_path, server.url, replay="demo", replay_speed=0)
        show = asyncio.create_task(run(config, TOKENS, lines.put_nowait))
        try:
            async with asyncio.timeout(30):
                while "http://" not in (line := await lines.get()):
                    pass
                url = line.split(": ", 1)[1].rstrip("/")
                async with http.ws_connect(f"{url}/api/feed", headers=BEARER) as panel:
                    card = await finished_card(panel)
                assert [draft["text"] for draft in card["drafts"]][:2] == ["晚上好呀。", "来啦，坐。"]
                async with http.get(f"{url}/api/state", headers=BEARER) as answer:
                    engine = (await answer.json())["status"]["engine"]
                assert (engine["state"], engine["model"]) == ("ready", "rwkv7-test")
                assert server.url in engine["detail"]
        finally:
            show.cancel()
            await asyncio.wait([show])


async def finished_card(panel: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    """The first card whose five drafts are all done."""
    while True:
        said = await panel.receive_json()
        items = said["items"] if said["event"] == "snapshot" else [said["item"]] if said["event"] == "item" else []
        for item in items:
            if len(item["drafts"]) == 5 and not item["drafting"] and all(draft["done"] for draft in item["drafts"]):
                return dict(item)
