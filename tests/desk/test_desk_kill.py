"""SIGKILL while somebody writes at the desk, again and again: what was answered is there, and no order is half done.

The real program with its real store and web server is killed at random moments and started again on the same folder;
only the engine is a fake. The order under way when it died may have happened or not, and nothing in between.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.scenario import dump_scenario
from tests.desk.atelier import RAIN
from tests.ports import free_port
from tests.test_kill import BEARER, Down, nursery

LIVES = 25
STORY = ("title", "lines", "pending", "branch", "branches", "checkpoints", "cast", "note", "refresh")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="lives are forks")


def story(snapshot: Any) -> Any:
    return {key: snapshot[key] for key in STORY}


@dataclass
class Seen:
    """What the writer has seen on the screen, and the order on the way to the server."""

    snapshot: Any = None
    under_way: str = ""
    drafts: dict[str, str] = field(default_factory=dict)  # finished ones at the story's end, by id
    typed: int = 0  # the last number that was sent off from the text box
    kept: int = 0  # the last that was answered
    orders: set[str] = field(default_factory=set)
    proposed: int = 0  # starts after which drafts had come back

    @property
    def enough(self) -> bool:
        """Whether the test has tested something."""
        every_kind = self.orders >= {"add", "confirm", "edit", "undo", "redo", "rewind", "branch"}
        return every_kind and self.kept > 5 and self.proposed > 0


class Page:
    """One life, as its page sees it."""

    def __init__(self, http: aiohttp.ClientSession, port: int, scene: str, seen: Seen) -> None:
        self.http = http
        self.base = f"http://127.0.0.1:{port}"
        self.scene = scene
        self.seen = seen

    async def call(self, path: str, body: Any = None) -> tuple[int, Any]:
        address = f"{self.base}/api/desk{path}"
        method = "GET" if body is None else "POST"
        async with self.http.request(method, address, json=body, headers=BEARER) as answer:
            return answer.status, await answer.json()

    async def snapshot(self) -> Any:
        status, said = await self.call(f"/{self.scene}?tab=t")
        assert status == 200, said
        return said

    async def do(self, order: dict[str, Any]) -> None:
        self.seen.under_way = order["kind"]
        status, said = await self.call(
            f"/{self.scene}/do", {"revision": self.seen.snapshot["revision"], "order": order}
        )
        assert status in (200, 409), said
        if status == 200:
            self.seen.orders.add(order["kind"])
        await self.look()

    async def look(self) -> None:
        self.seen.snapshot = await self.snapshot()
        self.seen.under_way = ""
        self.seen.drafts = finished(self.seen.snapshot)

    async def type(self) -> None:
        self.seen.typed += 1
        text = f"写到第{self.seen.typed}句"
        status, _ = await self.call(f"/{self.scene}/scratch", {"tab": "t", "text": text, "cursor": len(text)})
        assert status == 200
        self.seen.kept = self.seen.typed

    async def ask(self) -> None:
        body = {"revision": self.seen.snapshot["revision"], "character": "阿岚", "count": 2}
        await self.call(f"/{self.scene}/drafts", body)
        await self.look()

    async def write(self, dice: random.Random) -> None:
        """As fast as answers come, until the program is gone."""
        with contextlib.suppress(*Down):
            while True:
                match dice.randrange(6):
                    case 0:
                        await self.type()
                    case 1:
                        await self.ask()
                    case _:
                        await self.do(self.some_order(dice))

    def some_order(self, dice: random.Random) -> dict[str, Any]:
        scene = self.seen.snapshot
        pending = [{"id": line["id"], "text": line["text"]} for line in scene["pending"]]
        anywhere = dice.choice(scene["lines"])["id"]
        drafts = [{"character": "阿岚", "text": text, "draft": id} for id, text in self.seen.drafts.items()]
        words = [{"character": dice.choice(["我", "老周", ""]), "text": f"第{dice.randrange(10**9)}句。"}]
        orders: list[dict[str, Any]] = [
            {"kind": "add", "lines": words},
            {"kind": "add", "lines": drafts or words},
            {"kind": "confirm", "lines": pending},
            {"kind": "edit", "line": dice.choice(scene["lines"] + scene["pending"])["id"], "text": words[0]["text"]},
            {"kind": "undo"},
            {"kind": "undo"},
            {"kind": "redo"},
            {"kind": "discard"},
            {"kind": "rewind", "line": anywhere},
            {"kind": "branch", "line": anywhere, "name": f"支线{dice.randrange(100)}"},
            {"kind": "switch", "branch": dice.choice(scene["branches"])["id"]},
            {"kind": "checkpoint", "name": f"点{dice.randrange(100)}", "line": anywhere},
            {"kind": "note", "text": words[0]["text"], "depth": 2},
        ]
        return dice.choice(orders)


def finished(snapshot: Any) -> dict[str, str]:
    return {draft["id"]: draft["text"] for ask in snapshot["asks"] for draft in ask["drafts"] if draft["done"]}


async def check(page: Page) -> None:
    """Right after a start: all that was answered, and of the order under way all or nothing."""
    seen, now = page.seen, await page.snapshot()
    scratch = now["scratch"]
    number = int(scratch["text"].removeprefix("写到第").removesuffix("句")) if scratch else 0
    assert seen.kept <= number <= seen.typed
    assert scratch is None or scratch["cursor"] == len(scratch["text"])
    if now["revision"] == seen.snapshot["revision"]:
        assert story(now) == story(seen.snapshot)
        assert (now["undo"], now["redo"]) == (seen.snapshot["undo"], seen.snapshot["redo"])
        assert seen.drafts.items() <= finished(now).items()
        seen.proposed += bool(seen.drafts)
        return
    assert seen.under_way, "only an order changes a story"
    back = "redo" if seen.under_way == "undo" else "undo"
    status, said = await page.call(f"/{page.scene}/do", {"revision": now["revision"], "order": {"kind": back}})
    assert status == 200, said
    before = await page.snapshot()
    assert story(before) == story(seen.snapshot)
    assert seen.drafts.items() <= finished(before).items()


async def test_a_desk_that_is_killed_has_lost_nothing(tmp_path: Path) -> None:
    """Pending lines, proposals, undo history and the text box are what the writer saw last."""
    dice, seen = random.Random(20261123), Seen()
    folder, port = tmp_path / "Save", free_port()
    (folder / "旧城" / "雨夜").mkdir(parents=True)
    (folder / "旧城" / "雨夜" / "场景剧本.json").write_text(dump_scenario(RAIN), encoding="utf-8")
    settings: dict[str, object] = {"save": str(folder), "scenario": "旧城/雨夜", "web.port": port, "log.level": "error"}
    scene = ""
    async with nursery() as lives, aiohttp.ClientSession() as http:
        for number in range(4 * LIVES):
            if number >= LIVES and seen.enough:  # on a busy machine less happens in a life
                break
            child = await lives.start(settings)
            page = Page(http, port, scene, seen)
            if not scene:
                scene = page.scene = (await page.call("/open", {"series": "旧城", "name": "雨夜"}))[1]["id"]
            else:
                await check(page)
            await page.look()
            writing = asyncio.create_task(page.write(dice))
            await asyncio.sleep(dice.uniform(0.02, 0.5))
            os.kill(child, signal.SIGKILL)
            await writing
            assert await lives.said() == "gone"
        await lives.start(settings)
        await check(Page(http, port, scene, seen))
    assert seen.enough, seen
