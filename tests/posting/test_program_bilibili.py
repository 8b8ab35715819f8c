"""The whole program with a Bilibili room in config.yaml: heard, drafted, approved at the panel's address, posted once."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

import bot.app
from bot.config import load_config
from tests.adapters.bilibili.listening import line
from tests.fakes.bilibili import ACCOUNT, JCT, ROOM, SESSDATA, fake_bilibili, frame
from tests.posting.test_program import BEARER, TOKENS, Engine
from tests.waiting import until


@asynccontextmanager
async def program(folder: Path) -> AsyncIterator[str]:
    """Its address."""
    (folder / "config.yaml").write_text(
        "save: Save\nweb: {port: 0}\noverlay: {min_seconds: 0.2, seconds_per_char: 0}\nadapters:\n"
        "  websocket: {server: {enabled: false}}\n"
        "  bilibili: {room_id: 6, transport: builtin, post: true,\n"
        '    sessdata: "${COHOST_BILIBILI_SESSDATA}", bili_jct: "${COHOST_BILIBILI_JCT}"}\n',
        encoding="utf-8",
    )
    secrets = {"COHOST_BILIBILI_SESSDATA": SESSDATA, "COHOST_BILIBILI_JCT": JCT}
    config = load_config(folder / "config.yaml", environment=secrets)
    said: list[str] = []
    running = asyncio.create_task(bot.app.run(config, TOKENS, said.append, Engine))
    try:
        await until(lambda: said or running.done())
        (address,) = re.findall(r"http://127\.0\.0\.1:\d+", "\n".join(said))[:1]
        yield address
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_from_a_viewer_s_question_to_the_answer_in_the_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is posted before the click, the approved words once after it, and they are not taken for a viewer's."""
    async with fake_bilibili() as fake:
        monkeypatch.setattr("adapters.bilibili.web.ClientSession", fake.session)
        monkeypatch.setattr("bot.posting.bilibili.ClientSession", fake.session)
        fake.says = [frame(line(1, "今天玩什么？"))]
        async with program(tmp_path) as address, aiohttp.ClientSession(headers=BEARER) as http:

            async def state() -> dict[str, Any]:
                async with http.get(f"{address}/api/state") as answer:
                    return dict(await answer.json())

            async with http.ws_connect(f"{address}/api/feed") as panel:
                while not (cards := [one for one in (await state())["items"] if one["drafts"] and not one["drafting"]]):
                    await panel.receive(timeout=30)
                assert fake.posted == []
                click = {"revision": cards[0]["revision"], "text": "今天玩解谜！"}
                async with http.post(f"{address}/api/items/{cards[0]['id']}/approve", json=click) as answer:
                    assert answer.status == 200, await answer.text()
                await until(lambda: fake.posted)
                room = (await state())["status"]["adapters"]["bilibili"]
                while room["echoes"] == 0:
                    await panel.receive(timeout=30)
                    room = (await state())["status"]["adapters"]["bilibili"]
    assert fake.posted == ["今天玩解谜！"]
    assert (room["received"], room["echoes"], room["bad"]) == (1, 1, 0)
    assert [notice["text"] for notice in room["notices"]] == [f"播出的话会以 UID {ACCOUNT} 的名义发到直播间 {ROOM}"]
