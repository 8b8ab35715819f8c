"""The whole story over HTTP, with the real show, queue, store and overlay: only the engine is scripted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse
from aiohttp.test_utils import TestClient, TestServer

from bot.engine.scripted import ScriptedEngine
from bot.feed import Feed
from bot.intake import Intake
from bot.messages import Kind, Message, MessageId, Viewer
from bot.outlets import Overlay
from bot.rules import Rules
from bot.save import Save
from bot.scenario import Character, Line, Origin, Scenario
from bot.show import Show
from bot.web.server import create_app
from bot.web.stories import Stories
from moderation import build_chain
from tests.waiting import until
from tests.web.conftest import OPERATOR_TOKEN, OVERLAY_TOKEN, Client, Site

SCENE = Scenario(
    series="演示",
    name="直播间",
    background="这里是直播间。",
    opening=(Line("小芽", "大家好！", Origin.OPENING),),
    characters=(Character("小芽", "AI"), Character("观众", "User")),
)


class Studio:
    """A show with its two feeds and its overlay."""

    def __init__(self, folder: Path) -> None:
        self.now = 1000.0
        self.save = Save(folder)
        self.feed, self.overlay_feed = Feed(), Feed()
        self.overlay = Overlay(self.overlay_feed, "AI 生成", lambda: self.now)
        self.engine = ScriptedEngine(["晚上好！", "来啦来啦。"])
        self.show = Show(
            scenario=SCENE,
            engine=self.engine,
            intake=Intake(cooldown=0.0, names=("小芽",)),
            checks=build_chain(speakers=SCENE.speakers),
            save=self.save,
            outlets=(self.overlay,),
            feed=self.feed,
            rules=Rules(drafts=2),
            clock=lambda: self.now,
        )

    def hear(self, text: str, number: int = 1) -> None:
        viewer = Viewer("test", str(number), f"阿强{number}")
        self.show.hear(Message(MessageId(f"m{number}"), Kind.DANMAKU, viewer, text, time=self.now))


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    studio = Studio(tmp_path / "Studio")
    running = asyncio.create_task(studio.show.run())
    yield studio
    running.cancel()
    await asyncio.wait([running])
    studio.save.close()


@pytest.fixture
async def client(studio: Studio, site: Site) -> AsyncIterator[Client]:
    """A browser that has signed in as Anna."""
    app = create_app(
        studio.show,
        studio.feed,
        studio.overlay_feed,
        studio.overlay.now_showing,
        desk=site.desk,
        ledger=studio.save.ledger,
        library=studio.save.library,
        stories=Stories(studio.save, SCENE),
        operator_token=OPERATOR_TOKEN,
        overlay_token=OVERLAY_TOKEN,
        static=site.static,
    )
    async with TestClient(TestServer(app)) as client:
        await client.post("/login", json={"token": OPERATOR_TOKEN, "label": "Anna"})
        yield client


async def hear(socket: ClientWebSocketResponse, event: str) -> Any:
    """The next event of this kind."""
    async with asyncio.timeout(30):
        while True:
            heard = await socket.receive_json()
            if heard["event"] == event:
                return heard


async def card(client: Client, number: int = 0) -> Any:
    """An open card with all its drafts."""
    items: list[Any] = []

    async def look() -> bool:
        items[:] = (await (await client.get("/api/state")).json())["items"]
        return len(items) > number and not items[number]["drafting"]

    async with asyncio.timeout(30):
        while not await look():
            pass
    return items[number]


async def test_words_reach_the_overlay_when_a_person_has_approved_them(client: Client, studio: Studio) -> None:
    """Message, drafts, edit, approval, overlay, recall: with the person's words and nothing else on the air."""
    async with (
        client.ws_connect("/api/feed") as panel,
        client.ws_connect(f"/overlay/feed?token={OVERLAY_TOKEN}") as overlay,
    ):
        assert (await hear(panel, "snapshot"))["items"] == []
        assert await overlay.receive_json() == {"event": "clear"}
        studio.hear("主播晚上好呀？")
        item = await card(client)
        assert [draft["text"] for draft in item["drafts"]] == ["晚上好！", "来啦来啦。"]

        click = {"revision": item["revision"], "text": "晚上好，阿强！"}
        answer = await client.post(f"/api/items/{item['id']}/approve", json=click)
        assert answer.status == 200
        shown = await overlay.receive_json(timeout=30)
        assert (shown["event"], shown["reply"]["text"]) == ("show", "晚上好，阿强！")
        on_air = (await hear(panel, "on_air"))["item"]
        assert (on_air["text"], on_air["by"], on_air["edited"]) == ("晚上好，阿强！", "Anna", True)

        again = await client.post(f"/api/items/{item['id']}/approve", json=click)
        assert (again.status, (await again.json())["error"]) == (409, "stale_revision")

        late = await client.ws_connect(f"/overlay/feed?token={OVERLAY_TOKEN}")
        studio.now += 1
        assert (await late.receive_json())["reply"] == shown["reply"]
        await client.post(f"/api/items/{item['id']}/recall", json={"revision": on_air["revision"]})
        assert await overlay.receive_json(timeout=30) == {"event": "hide", "id": item["id"]}
        await late.close()


async def test_nothing_is_drafted_while_nobody_is_at_the_panel(client: Client, studio: Studio) -> None:
    """An open feed is what counts as presence; a program that only asks for the state does not."""
    with studio.feed.subscribe() as reader:
        studio.hear("主播晚上好呀？")
        await client.get("/api/state")
        async with asyncio.timeout(30):
            while (await anext(reader))["event"] != "intake":  # told at the end of a turn, after choosing
                pass
    assert studio.engine.asked == []
    async with client.ws_connect("/api/feed"):
        await until(lambda: studio.engine.asked)


async def test_the_emergency_stop_clears_the_overlay(client: Client, studio: Studio) -> None:
    """At once, and approving is refused until somebody resumes."""
    async with (
        client.ws_connect("/api/feed"),
        client.ws_connect(f"/overlay/feed?token={OVERLAY_TOKEN}") as overlay,
    ):
        await overlay.receive_json()
        said = await client.post("/api/say", json={"character": "小芽", "text": "欢迎大家！"})
        assert said.status == 200
        assert (await overlay.receive_json(timeout=30))["reply"]["text"] == "欢迎大家！"
        assert (await client.post("/api/stop")).status == 200
        assert await overlay.receive_json(timeout=30) == {"event": "clear"}
        refused = await client.post("/api/say", json={"character": "小芽", "text": "还有"})
        assert (refused.status, (await refused.json())["error"]) == (409, "paused")
        assert (await client.post("/api/pause", json={"mode": "run"})).status == 200
        assert (await client.post("/api/say", json={"character": "小芽", "text": "还有"})).status == 200


async def test_the_rest_of_the_actions_work_on_the_real_show(client: Client, studio: Studio) -> None:
    """More drafts, reject and mute, undo, drafts of one's own, and a message that is gone."""
    async with client.ws_connect("/api/feed"):
        studio.hear("主播晚上好呀？")
        item = await card(client)
        path = f"/api/items/{item['id']}"
        seen = {"revision": item["revision"]}
        assert (await client.post(f"{path}/more", json={**seen, "count": 1, "start_with": "其实"})).status == 200
        item = await card(client)
        assert item["drafts"][-1]["text"].startswith("其实")
        assert (await client.post(f"{path}/reject", json={**seen, "mute": True})).status == 200
        assert (await client.post(f"{path}/undo", json={"revision": item["revision"] + 1})).status == 200
        assert (await client.post("/api/generate", json={"count": 1})).status == 200
        assert len((await card(client, 1))["drafts"]) == 1
        gone = await client.post("/api/answer", json={"message": "nobody"})
        assert (gone.status, (await gone.json())["error"]) == (404, "not_found")


async def test_figures_and_health_are_the_real_shows(client: Client) -> None:
    """The status has every key that they read."""
    assert (await (await client.get("/health")).json())["engine"] == "ready"
    assert 'cohost_engine_state{state="ready"} 1.0' in await (await client.get("/metrics")).text()
