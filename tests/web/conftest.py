"""The real application on a free port, with a show that only writes down what it is asked to do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from adapters.base import AdapterState, Phase
from bot.approval import Operator, Refused
from bot.desk.desk import Desk
from bot.engine.scripted import ScriptedEngine
from bot.feed import Feed
from bot.messages import Event, Viewer
from bot.save import Save
from bot.scenario import Character, Log, Scenario, dump_log
from bot.view import adapter_json
from bot.voices import Voices
from bot.web import pages
from bot.web.server import create_app
from bot.web.stories import Stories

OPERATOR_TOKEN = "operator-token-for-tests"
OVERLAY_TOKEN = "overlay-token-for-tests"
BEARER = {"Authorization": f"Bearer {OPERATOR_TOKEN}"}
VIEWER_WORDS = "这是观众说的话"

Client = TestClient[web.Request, web.Application]


class Replaying:
    """An adapter that has heard something."""

    name = "replay"
    state = AdapterState(Phase.LIVE, last_message=99.5, received=7, bad=1, dropped=2, duplicates=3, reconnects=4)

    def messages(self) -> AsyncIterator[Event]:
        raise NotImplementedError


class FakeShow:
    """Stands for bot.show.Show at the web layer's seam: keeps `calls`, and refuses when told to."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.refusal: Exception | None = None
        self.operators: list[int] = []
        self.overlays: list[int] = []
        self.state: dict[str, Any] = {
            "engine": {"state": "ready", "model": "demo", "detail": "", "figures": {"tokens_per_second": 41.5}},
            "adapters": {"replay": adapter_json(Replaying(), 100.0)},
            "operators": 0,
            "overlays": 0,
            "pause": "run",
            "intake": {"waiting": 3},
            "pending": 2,
            "oldest": 4.5,
            "now": 100.0,
            "version": "0.1.0",
            "save": {"state": "ok", "detail": ""},
        }

    def _did(self, *call: Any) -> str:
        if self.refusal:
            raise self.refusal
        self.calls.append(call)
        return "new-item"

    def approve(self, item_id: str, revision: int, text: str, by: Operator, override: str = "") -> None:
        self._did("approve", item_id, revision, text, by.name, *([override] if override else []))

    def reject(self, item_id: str, revision: int, by: Operator, mute: bool = False) -> None:
        self._did("reject", item_id, revision, by.name, mute)

    def undo(self, item_id: str, revision: int, by: Operator) -> None:
        self._did("undo", item_id, revision, by.name)

    def recall(self, item_id: str, revision: int, by: Operator) -> None:
        self._did("recall", item_id, revision, by.name)

    def more(
        self,
        item_id: str,
        revision: int,
        by: Operator,
        count: int | None = None,
        start_with: str = "",
        min_length: int = 0,
        hint: str = "",
    ) -> None:
        self._did("more", item_id, revision, by.name, count, start_with, min_length, hint)

    def say(self, character: str, text: str, by: Operator) -> str:
        return self._did("say", character, text, by.name)

    def generate(
        self, by: Operator, character: str = "", start_with: str = "", min_length: int = 0, count: int | None = None
    ) -> str:
        return self._did("generate", by.name, character, start_with, min_length, count)

    def answer(self, message_id: str, by: Operator) -> str:
        return self._did("answer", message_id, by.name)

    def release(self, message_id: str, by: Operator) -> None:
        self._did("release", message_id, by.name)

    def dismiss(self, message_id: str, by: Operator) -> None:
        self._did("dismiss", message_id, by.name)

    def mute(self, viewer: Viewer, by: Operator) -> None:
        self._did("mute", *viewer.key, viewer.name, by.name)

    def unmute(self, viewer: Viewer, by: Operator) -> None:
        self._did("unmute", *viewer.key, viewer.name, by.name)

    async def list_word(self, word: str, rule: str, by: Operator, category: str = "custom", severity: int = 3) -> None:
        self._did("list_word", word, rule, by.name, category, severity)

    async def check(self, text: str) -> dict[str, Any]:
        self._did("check", text)
        return {"action": "clean", "flags": []}

    def pause(self, mode: str, by: Operator) -> None:
        self._did("pause", mode, by.name)

    def change_scenario(self, series: str, name: str, by: Operator) -> None:
        self._did("change_scenario", series, name, by.name)

    def check_quiet(self) -> None:
        if self.refusal:
            raise self.refusal

    def stop(self, by: Operator) -> None:
        self._did("stop", by.name)

    def snapshot(self) -> dict[str, Any]:
        if self.refusal and not isinstance(self.refusal, Refused):
            raise self.refusal
        return {"revision": 5, "items": [], "on_air": None, "status": self.status()}

    def status(self) -> dict[str, Any]:
        return self.state

    def operators_changed(self, count: int) -> None:
        self.operators.append(count)

    def overlays_changed(self, count: int) -> None:
        self.overlays.append(count)


class Site:
    """One running application and the parts that a test looks at."""

    def __init__(self, static: Path) -> None:
        self.show = FakeShow()
        self.feed = Feed(bound=8)
        self.overlay_feed = Feed(bound=8)
        self.now_showing: dict[str, Any] = {"event": "clear"}
        self.static = static
        self.save = Save(static.parent / "Save")
        self.library = self.save.library
        self.desk = Desk(self.save, ScriptedEngine(), voices=Voices(), clock=lambda: 1000.0, new_id=lambda: "scene-1")

    def app(self, **settings: Any) -> web.Application:
        settings = {
            "desk": self.desk,
            "ledger": self.save.ledger,
            "library": self.library,
            "stories": Stories(self.save),
            "operator_token": OPERATOR_TOKEN,
            "overlay_token": OVERLAY_TOKEN,
            "static": self.static,
            "avatars": {"小铃": self.static.parent / "bell.png"},
        } | settings
        show: Any = self.show
        return create_app(show, self.feed, self.overlay_feed, lambda: self.now_showing, **settings)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    static = tmp_path / "static"
    (static / "parts").mkdir(parents=True)
    for page in pages.STATIC.rglob("*.html"):
        here = static / page.relative_to(pages.STATIC)
        here.parent.mkdir(exist_ok=True)
        here.write_text(f"<!doctype html><title>{page.stem}</title>", encoding="utf-8")
    (static / "app.js").write_text("export const greeting = '晚上好';", encoding="utf-8")
    (static / "parts" / "card.css").write_text("p { margin: 0 }", encoding="utf-8")
    (static / "notes.txt").write_text("not for the web", encoding="utf-8")
    (tmp_path / "bell.png").write_bytes(b"a picture")
    (tmp_path / "secret.js").write_text("outside", encoding="utf-8")
    site = Site(static)
    scene = Scenario("雾岛", "初见", characters=(Character("小铃"), Character("我", "User")))
    log = dump_log(Log(scene, ())).encode()
    site.library.create(scene, avatars={"小铃": b"a picture"}, logs={"20230801-2100_Log.json": log})
    site.desk.open("雾岛", "初见", Operator("op"))
    yield site
    site.save.close()


@pytest.fixture
async def open_client(site: Site) -> AsyncIterator[Callable[..., Awaitable[Client]]]:
    """Starts the application with other settings, or with headers that every request brings."""
    clients: list[Client] = []

    async def start(headers: dict[str, str] | None = None, **settings: Any) -> Client:
        client: Client = TestClient(TestServer(site.app(**settings)), headers=headers or {})
        clients.append(client)
        await client.start_server()
        return client

    yield start
    for client in clients:
        await client.close()


@pytest.fixture
async def stranger(open_client: Callable[..., Awaitable[Client]]) -> Client:
    """Brings no token and no cookie."""
    return await open_client()


@pytest.fixture
async def operator(open_client: Callable[..., Awaitable[Client]]) -> Client:
    """A program that brings the operator's token with each request."""
    return await open_client(headers=BEARER)
