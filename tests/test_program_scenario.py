"""The whole program when the co-host gets another scenario: pictures, status, the next start, and config.yaml's last word."""

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
from bot.save import Save
from bot.scenario import Character, Line, Scenario
from tests.posting.test_program import BEARER, TOKENS, Engine
from tests.waiting import until

INN = Scenario(
    "夜谈", "客栈", "雨夜。", (Line("掌柜", "客官里边请。"),), (Character("掌柜"), Character("客人", "User"))
)
QUAY = Scenario("夜谈", "码头", "清晨。", (Line("船夫", "走了。"),), (Character("船夫"), Character("客人", "User")))


@asynccontextmanager
async def program(folder: Path, scenario: str = "") -> AsyncIterator[aiohttp.ClientSession]:
    """An operator's session with it, addresses being below its own."""
    (folder / "config.yaml").write_text(
        f'save: Save\nscenario: "{scenario}"\nweb: {{port: 0}}\nadapters: {{websocket: {{server: {{enabled: false}}}}}}\n',
        encoding="utf-8",
    )
    said: list[str] = []
    running = asyncio.create_task(bot.app.run(load_config(folder / "config.yaml"), TOKENS, said.append, Engine))
    try:
        await until(lambda: said or running.done())
        (address,) = re.findall(r"http://127\.0\.0\.1:\d+", "\n".join(said))[:1]
        async with aiohttp.ClientSession(address, headers=BEARER) as http:
            yield http
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def playing(http: aiohttp.ClientSession) -> str:
    async with http.get("/api/state") as answer:
        return str((await answer.json())["status"]["scenario"])


async def change(http: aiohttp.ClientSession, **place: Any) -> tuple[int, dict[str, Any]]:
    async with http.post("/api/show/scenario", json=place) as answer:
        return answer.status, await answer.json()


async def picture(http: aiohttp.ClientSession, name: str) -> int:
    async with http.get(f"/avatar/{name}?token={TOKENS.overlay}", headers={"Authorization": ""}) as answer:
        return answer.status


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save = Save(tmp_path / "Save")
    save.library.create(INN, avatars={"掌柜": b"a picture"})
    save.library.create(QUAY, avatars={"船夫": b"a picture"})
    save.close()
    return tmp_path


async def test_a_change_is_whole_and_lasts_until_the_settings_change(folder: Path) -> None:
    """From the demo's scenario to one of the library, over a restart; then config.yaml names another, and has it."""
    async with program(folder) as http:
        demo = await playing(http)
        assert await picture(http, "掌柜") == 404
        assert (await change(http, series="夜谈", name="客栈"))[0] == 200
        assert await playing(http) == "夜谈/客栈" and await picture(http, "掌柜") == 200
        assert (await change(http, series="夜谈", name="船"))[0] == 404
        assert (await change(http, series="夜谈", name="码头"))[0] == 200
        assert [await picture(http, name) for name in ("掌柜", "船夫")] == [404, 200]
        assert (await change(http, series="夜谈", name="客栈"))[0] == 200
    async with program(folder) as http:
        assert await playing(http) == "夜谈/客栈" and await picture(http, "掌柜") == 200
    async with program(folder, "夜谈/码头") as http:
        assert await playing(http) == "夜谈/码头"
    async with program(folder) as http:
        assert await playing(http) == demo


async def test_a_scene_of_the_desk_is_played(folder: Path) -> None:
    """Its confirmed lines are what was said before, and the old scenario stays as it was."""
    async with program(folder, "夜谈/码头") as http:
        async with http.post("/api/desk/open", json={"series": "夜谈", "name": "客栈"}) as answer:
            scene = (await answer.json())["id"]

        async def do(order: dict[str, Any]) -> None:
            async with http.get(f"/api/desk/{scene}") as answer:
                revision = (await answer.json())["revision"]
            async with http.post(f"/api/desk/{scene}/do", json={"revision": revision, "order": order}) as answer:
                assert answer.status == 200, await answer.text()

        await do({"kind": "add", "lines": [{"character": "客人", "text": "来壶茶。"}]})
        async with http.get(f"/api/desk/{scene}") as answer:
            pending = (await answer.json())["pending"]
        await do({"kind": "confirm", "lines": [{"id": line["id"], "text": line["text"]} for line in pending]})
        await do({"kind": "add", "lines": [{"character": "掌柜", "text": "还没有认可。"}]})
        async with http.post(f"/api/desk/{scene}/as-scenario", json={"series": "夜谈", "name": "客栈之后"}) as answer:
            assert await answer.json() == {"ok": True, "series": "夜谈", "name": "客栈之后"}
        assert await playing(http) == "夜谈/客栈之后" and await picture(http, "掌柜") == 200
    save = Save(folder / "Save")
    opening = [line.text for line in save.library.read("夜谈", "客栈之后").scenario.opening]
    assert opening == ["客官里边请。", "来壶茶。"]
    assert save.library.read("夜谈", "客栈").scenario == INN
    save.close()
