"""What the log says: no secret at any level, no viewer's words above debug."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.web.auth import COOKIE
from bot.web.guard import Handler
from bot.web.server import serve
from tests.waiting import until
from tests.web.conftest import BEARER, OPERATOR_TOKEN, OVERLAY_TOKEN, VIEWER_WORDS, Client, Site


@pytest.fixture
async def stranger(site: Site) -> AsyncIterator[aiohttp.ClientSession]:
    """Listening as the program does: aiohttp's test server would write an access log of its own."""
    async with serve(site.app(), "127.0.0.1", 0) as port:
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", cookie_jar=jar) as session:
            yield session


async def everything(client: aiohttp.ClientSession) -> list[int]:
    """One request of each kind that carries a secret or a viewer's words, right and wrong."""
    body = {"revision": 1, "text": VIEWER_WORDS}
    requests: list[Any] = [
        client.post("/login", json={"token": OPERATOR_TOKEN, "label": "Anna"}),
        client.post("/login", json={"token": OPERATOR_TOKEN + "x"}),
        client.get(f"/overlay?token={OVERLAY_TOKEN}"),
        client.get(f"/overlay?token={OVERLAY_TOKEN}x"),
        client.get(f"/nowhere?token={OPERATOR_TOKEN}"),
        client.post("/api/items/a/approve", json=body, headers=BEARER),
        client.post("/api/items/a/approve", json=[body], headers=BEARER),
        client.post("/api/say", json={"text": VIEWER_WORDS}, headers=BEARER),
        client.get("/api/state", headers=BEARER),
    ]
    return [(await request).status for request in requests]


async def test_the_log_names_no_secret(
    stranger: aiohttp.ClientSession, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """Even at the lowest level, and even when the program fails."""
    caplog.set_level(logging.DEBUG)
    await everything(stranger)
    site.show.refusal = RuntimeError("a bug")
    assert 500 in await everything(stranger)
    cookies = [cookie.value for cookie in stranger.cookie_jar if cookie.key == COOKIE]
    assert cookies and cookies[0]
    for secret in (OPERATOR_TOKEN, OVERLAY_TOKEN, cookies[0]):
        assert secret not in caplog.text


@pytest.mark.parametrize("line", [b"GET %s HTTP/9.9", b"GET %s\xff HTTP/1.1", b"G\x01T %s HTTP/1.1", b"%s"])
async def test_a_malformed_request_is_not_quoted(site: Site, caplog: pytest.LogCaptureFixture, line: bytes) -> None:
    """It is answered 400, before any of our code; its address may hold a token all the same."""
    caplog.set_level(logging.DEBUG)
    async with serve(site.app(), "127.0.0.1", 0) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(line % f"/overlay?token={OVERLAY_TOKEN}".encode() + b"\r\nHost: 127.0.0.1\r\n\r\n")
        assert b" 40" in await reader.readline()
        writer.close()
    assert OVERLAY_TOKEN not in caplog.text
    assert "Error handling request from 127.0.0.1: " in caplog.text


async def test_a_failure_names_its_place_and_no_viewers_words(
    stranger: aiohttp.ClientSession, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """An exception's message may quote them, so it is for debug only."""
    caplog.set_level(logging.DEBUG)
    site.show.refusal = RuntimeError(f"cannot handle {VIEWER_WORDS}")
    await everything(stranger)
    aloud = "\n".join(record.getMessage() for record in caplog.records if record.levelno > logging.DEBUG)
    assert "POST /api/items/{id}/approve failed: RuntimeError at" in aloud
    assert "conftest.py:" in aloud
    assert VIEWER_WORDS not in aloud
    assert not [record for record in caplog.records if record.exc_info and record.levelno > logging.DEBUG]
    assert VIEWER_WORDS in caplog.text, "debug has it all"


async def test_a_failure_is_told_without_its_message(operator: Client, site: Site) -> None:
    """The answer says that it failed and where to look; the next request is served."""
    site.show.refusal = RuntimeError("/home/anna/secret path")
    answer = await operator.post("/api/stop")
    assert (answer.status, (await answer.json())["error"]) == (500, "failed")
    assert "secret path" not in await answer.text()
    site.show.refusal = None
    assert (await operator.post("/api/stop")).status == 200


@pytest.mark.parametrize(
    ("error", "said"),
    [(aiohttp.ClientConnectionResetError("Cannot write to closing transport"), 0), (RuntimeError("a bug"), 1)],
)
async def test_a_page_that_has_gone_is_no_failure(
    site: Site, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, error: Exception, said: int
) -> None:
    """A phone that leaves in the middle of a request is not worth a line; a fault of ours is, whoever has gone."""
    requests: list[web.Request] = []
    answered = asyncio.Event()

    @web.middleware
    async def watch(request: web.Request, handler: Handler) -> web.StreamResponse:
        requests.append(request)
        return await handler(request)

    async def check(text: str) -> dict[str, Any]:
        await answered.wait()
        raise error

    monkeypatch.setattr(site.show, "check", check)
    app = site.app()
    app.middlewares.append(watch)
    async with serve(app, "127.0.0.1", 0) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        head = f"POST /api/check HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: {BEARER['Authorization']}\r\n"
        writer.write(f'{head}Content-Type: application/json\r\nContent-Length: 13\r\n\r\n{{"text":"hi"}}'.encode())
        await until(lambda: requests)
        writer.transport.abort()
        await until(lambda: requests[0].transport is None)
        answered.set()
    assert [record.levelno for record in caplog.records].count(logging.ERROR) == said
