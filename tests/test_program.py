"""The real program, the real model, from the first line on the terminal to the last: `python -m bot run`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.fakes.moderation_service import Service, serving
from tests.waiting import until

ROOT = Path(__file__).parents[1]
TOKENS = {
    "COHOST_OPERATOR_TOKEN": "operator-token",
    "COHOST_OVERLAY_TOKEN": "overlay-token",
    "COHOST_CHAT_TOKEN": "chat-token",
}
BEARER = {"Authorization": "Bearer operator-token"}
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")


@dataclass
class Program:
    """One running `cohost run` with a panel open."""

    process: asyncio.subprocess.Process
    http: aiohttp.ClientSession
    url: str
    panel: aiohttp.ClientWebSocketResponse

    async def state(self) -> dict[str, Any]:
        async with self.http.get(f"{self.url}/api/state", headers=BEARER) as answer:
            return dict(await answer.json())

    async def post(self, path: str, **body: Any) -> int:
        async with self.http.post(f"{self.url}{path}", json=body, headers=BEARER) as answer:
            return answer.status

    async def event(self, kind: str) -> dict[str, Any]:
        """The next event of this kind on the panel's feed."""
        return await next_event(self.panel, kind)

    async def card(self) -> dict[str, Any]:
        """The first card whose drafts are all finished."""
        while True:
            cards = [item for item in (await self.state())["items"] if item["drafts"] and not item["drafting"]]
            if cards:
                return dict(cards[0])
            await self.event("item")

    async def lost(self) -> dict[str, Any]:
        """A card whose drafts have failed; that the engine is gone is told before."""
        while not (cards := [item for item in (await self.state())["items"] if item["error"]]):
            await self.panel.receive(timeout=60)
        return dict(cards[0])

    def memory_map(self) -> str:
        """Every file that the program has loaded code from."""
        return Path(f"/proc/{self.process.pid}/maps").read_text()

    def worker(self) -> int:
        """The process that holds the model."""
        (found,) = self.children()
        return int(found)

    def children(self) -> list[str]:
        return Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()


async def next_event(feed: aiohttp.ClientWebSocketResponse, *kinds: str) -> dict[str, Any]:
    """The next event of one of these kinds; a feed also sends pings and other news."""
    async with asyncio.timeout(60):
        while True:
            event = await feed.receive_json()
            if event["event"] in kinds:
                return dict(event)


def alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    return False


async def gone(pid: int) -> None:
    await until(lambda: not alive(pid), 60)


def settings(folder: Path, **more: Any) -> Path:
    text = "\n".join(["save: Save", *(f"{key}: {value}" for key, value in more.items())])
    text += "\nweb: {port: 0}\nadapters: {websocket: {server: {port: 0}}}\noverlay: {min_seconds: 0.2}\n"
    (folder / "config.yaml").write_text(text, encoding="utf-8")
    return folder / "config.yaml"


async def start(config: Path, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "run", "--config", str(config), *arguments,
        cwd=ROOT, env=os.environ | TOKENS | {"OMP_NUM_THREADS": "1"},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        preexec_fn=_heed_ctrl_c if os.name == "posix" else None,
    )  # fmt: skip


def _heed_ctrl_c() -> None:
    """A shell has its background jobs ignore Ctrl-C, and what they start inherits that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextlib.asynccontextmanager
async def running(config: Path, *arguments: str) -> AsyncIterator[Program]:
    process = await start(config, *arguments)
    assert process.stdout
    try:
        async with aiohttp.ClientSession() as http, asyncio.timeout(120):
            while not (found := re.search(rb"http://127\.0\.0\.1:\d+", line := await process.stdout.readline())):
                assert line, "the program ended before it said where the panel is"
            url = found[0].decode()
            async with http.ws_connect(f"{url}/api/feed", headers=BEARER) as panel:
                yield Program(process, http, url, panel)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_a_service_of_the_users_is_asked_about_messages_and_drafts(tmp_path: Path) -> None:
    """What it fails at is unchecked on the page; what it answers is not; and its connections end with the program."""
    service = Service()
    service.directions_down = {"out"}
    async with serving(service.answer) as url:
        config = settings(tmp_path, moderation=f'{{services: [{{name: own, url: "{url}"}}]}}')
        async with running(config, "--replay", "demo") as program:
            card = await program.card()
            assert not any(flag["category"] == "unchecked" for flag in card["findings"])
            for draft in card["drafts"]:
                assert "unanswered:own" in [flag["rule"] for flag in draft["flags"]]
            assert {asked["direction"] for asked in service.asked} == {"in", "out"}
            process = program.process
            process.send_signal(signal.SIGINT)
            await process.wait()
            assert process.returncode == 0
            assert process.stderr
            said = await process.stderr.read()
            assert said.count(b"provider own failed: it answered with status 500") == 1 and b"Unclosed" not in said


async def test_the_demo_show_runs_by_itself_and_ends_cleanly(tmp_path: Path) -> None:
    """Recorded chat, five drafts of the demo model, a person's yes, the overlay; then Ctrl-C leaves nothing behind."""
    async with running(settings(tmp_path), "--replay", "demo") as program:
        overlay_url = f"{program.url}/overlay/feed?token=overlay-token"
        async with program.http.ws_connect(overlay_url) as overlay:
            assert await next_event(overlay, "clear", "show") == {"event": "clear"}
            card = await program.card()
            assert len(card["drafts"]) == 5 and all(draft["text"] for draft in card["drafts"])
            words = card["drafts"][1]["text"]
            body = {"revision": card["revision"], "text": words}
            assert await program.post(f"/api/items/{card['id']}/approve", **body) == 200
            shown = await next_event(overlay, "clear", "hide", "show")
            assert (shown["event"], shown["reply"]["text"]) == ("show", words)
            assert shown["reply"]["question"] == card["quote"]["text"]
        process = program.process
        process.send_signal(signal.SIGINT)
        await process.wait()
        assert process.returncode == 0
        assert process.stderr
        assert b"Traceback" not in await process.stderr.read()


@LINUX
async def test_a_worker_killed_in_mid_draft_costs_that_answer_only(tmp_path: Path) -> None:
    """The panel says that the engine restarts; then the same message can be asked again."""
    async with running(
        settings(tmp_path, drafts="{max_tokens: 1000}", sampling="{min_tokens: 1000}"),
        "--replay",
        "demo",
        "--speed",
        "0",
    ) as program:
        await program.event("draft")
        os.kill(program.worker(), signal.SIGKILL)
        while (await program.event("status"))["status"]["engine"]["state"] != "restarting":
            pass
        lost = await program.lost()
        assert "模型进程" in lost["error"]
        while (await program.state())["status"]["engine"]["state"] != "ready":
            await program.panel.receive(timeout=60)
        lost = await program.lost()
        assert await program.post(f"/api/items/{lost['id']}/more", revision=lost["revision"], count=2) == 200
        while True:
            item = next(item for item in (await program.state())["items"] if item["id"] == lost["id"])
            if any(draft["done"] for draft in item["drafts"]):
                break
            await program.event("draft")


@LINUX
async def test_the_worker_dies_with_the_program_and_the_panel_holds_no_model(tmp_path: Path) -> None:
    """Killed without warning, the program leaves no process behind; the panel's process never loaded torch."""
    async with running(settings(tmp_path)) as program:
        await until(program.children)
        worker = program.worker()
        maps = program.memory_map()
        assert "python" in maps
        assert "torch" not in maps
        program.process.kill()
        await program.process.wait()
        await gone(worker)


async def ending(config: Path, *arguments: str) -> tuple[int | None, str]:
    process = await start(config, *arguments)
    async with asyncio.timeout(120):
        _, errors = await process.communicate()
    return process.returncode, errors.decode()


@pytest.mark.parametrize("content", [None, b"not a model"], ids=["missing", "broken"])
async def test_a_model_that_cannot_be_loaded_is_one_clear_line(tmp_path: Path, content: bytes | None) -> None:
    """Exit code 1, the file's name, no traceback."""
    if content is not None:
        (tmp_path / "my-model.pth").write_bytes(content)
    code, errors = await ending(settings(tmp_path, model="my-model.pth"))
    assert code == 1
    assert "my-model.pth" in errors and "Traceback" not in errors


@LINUX
async def test_a_full_disk_at_the_start_is_one_clear_line(tmp_path: Path) -> None:
    """No file may grow beyond nothing: the database cannot be made."""
    config = settings(tmp_path)
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", f"ulimit -f 0; exec {sys.executable} -m bot run --config {config}",
        cwd=ROOT, env=os.environ | TOKENS, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(60):
        _, errors = await process.communicate()
    assert process.returncode == 1
    assert "show.db" in errors.decode() and "Traceback" not in errors.decode()
