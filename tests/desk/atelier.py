"""A desk to write at: a real Save folder, a scripted engine and the real application, which can be stopped and started
again; and a writer who plays a page.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from aiohttp import ClientWebSocketResponse
from aiohttp.test_utils import TestClient, TestServer

from bot.desk.desk import Desk
from bot.engine.scripted import ScriptedEngine
from bot.engine.types import Sampling
from bot.save import Save
from bot.scenario import Character, Line, Origin, Scenario
from bot.voices import Voices
from tests.web.conftest import BEARER, Client, Site

RAIN = Scenario(
    "旧城",
    "雨夜",
    "雨下了一夜，茶馆里只点着一盏灯。",
    (Line("阿岚", "你来晚了。", Origin.OPENING), Line("", "雨声更大了。", Origin.OPENING)),
    (Character("阿岚"), Character("老周", extra={"Sampling": "drama", "Note": "茶馆掌柜"}), Character("我", "User")),
)


class Atelier:
    """One life of the desk. `now` is what its clock says."""

    def __init__(self, folder: Path, site: Site, texts: Sequence[str], *, stepped: bool = False) -> None:
        self.folder = folder
        self.site = site
        self.texts, self.stepped = texts, stepped
        self.now = 1_700_000_000.0

    @contextlib.asynccontextmanager
    async def life(self) -> AsyncIterator[Writer]:
        self.engine = ScriptedEngine(self.texts, stepped=self.stepped)
        self.save = Save(self.folder)
        self.desk = Desk(self.save, self.engine, voices=Voices(Sampling(max_tokens=60)), clock=lambda: self.now)
        running = asyncio.create_task(self.desk.run())
        app = self.site.app(desk=self.desk, library=self.save.library)
        try:
            async with TestClient(TestServer(app), headers=BEARER) as client:
                yield Writer(client)
        finally:
            running.cancel()
            await asyncio.wait([running])
            self.save.close()


class Writer:
    """Somebody at a page. `scene` is the one that was opened last."""

    def __init__(self, client: Client, scene: str = "") -> None:
        self.client = client
        self.scene = scene

    async def open(self, **what: Any) -> str:
        self.scene = (await self.post("/api/desk/open", **({"series": "旧城", "name": "雨夜"} | what)))["id"]
        return self.scene

    async def post(self, path: str, *, status: int = 200, **body: Any) -> Any:
        """`path` without a slash at its beginning is the scene's."""
        answer = await self.client.post(self._address(path), json=body)
        said = await answer.json()
        assert answer.status == status, (answer.status, said)
        return said

    async def get(self, path: str = "", *, status: int = 200, **query: str) -> Any:
        answer = await self.client.get(self._address(path), params=query)
        said = await answer.json()
        assert answer.status == status, (answer.status, said)
        return said

    async def do(self, kind: str, *, revision: int | None = None, status: int = 200, **order: Any) -> Any:
        """One order, by the newest revision if no other is given."""
        seen = (await self.get())["revision"] if revision is None else revision
        return await self.post("do", status=status, revision=seen, order={"kind": kind, **order})

    async def say(self, *words: str, character: str = "我") -> None:
        await self.do("add", lines=[{"character": character, "text": text} for text in words])

    async def confirm(self) -> None:
        """Exactly what is on the screen."""
        pending = (await self.get())["pending"]
        await self.do("confirm", lines=[{"id": line["id"], "text": line["text"]} for line in pending])

    async def ask(self, character: str = "阿岚", *, status: int = 200, **wanted: Any) -> Any:
        revision = (await self.get())["revision"]
        body = {"revision": revision, "character": character, **wanted}
        return (await self.post("drafts", status=status, **body)).get("ask")

    async def drafts(self, ask: str) -> Any:
        """An ask that has ended."""
        async with asyncio.timeout(30):
            while True:
                found = next(one for one in (await self.get())["asks"] if one["ask"] == ask)
                if not found["running"]:
                    return found

    async def words(self) -> list[str]:
        """Confirmed, then pending."""
        present = await self.get()
        return [line["text"] for line in (*present["lines"], *present["pending"])]

    def follow(self, tab: str = "") -> Any:
        return self.client.ws_connect(self._address("feed") + (f"?tab={tab}" if tab else ""))

    def _address(self, path: str) -> str:
        return path if path.startswith("/") else f"/api/desk/{self.scene}/{path}".rstrip("/")


async def hear(socket: ClientWebSocketResponse, event: str) -> Any:
    """The next event of this kind."""
    async with asyncio.timeout(30):
        while (heard := await socket.receive_json())["event"] != event:
            pass
        return heard
