"""The websockets: the present first, then changes; the slow are told; presence is counted."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType

from bot.web import feeds
from tests.web.conftest import BEARER, OVERLAY_TOKEN, Client, Site

SHOW = {"event": "show", "reply": {"id": "a1", "text": "晚上好"}, "remaining": 3.5, "duration": 8.0}
OVERLAY = f"/overlay/feed?token={OVERLAY_TOKEN}"


async def hear(socket: ClientWebSocketResponse) -> Any:
    return await socket.receive_json(timeout=30)


async def until(condition: Any) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - the show that we watch is a plain list
            await asyncio.sleep(0)


async def test_a_panel_hears_the_present_and_then_changes(operator: Client, site: Site) -> None:
    """In order, whatever text they hold."""
    async with operator.ws_connect("/api/feed") as socket:
        assert await hear(socket) == {"event": "snapshot", **site.show.snapshot()}
        for text in ("你好", "lone \ud800", "\0 </script>"):
            site.feed.publish({"event": "draft", "text": text})
            assert await hear(socket) == {"event": "draft", "text": text}


async def test_presence_is_counted(operator: Client, site: Site) -> None:
    """Each panel as it opens and as it closes; the overlay apart."""
    async with operator.ws_connect("/api/feed"), operator.ws_connect("/api/feed"), operator.ws_connect(OVERLAY):
        await until(lambda: site.show.operators[-1:] == [2] and site.show.overlays == [1])
    await until(lambda: site.show.operators[-1:] == [0] and site.show.overlays[-1:] == [0])
    assert site.show.operators == [1, 2, 1, 0]


async def test_a_page_that_vanishes_is_counted_out(operator: Client, site: Site) -> None:
    """Without a goodbye: the connection is cut."""
    socket = await operator.ws_connect("/api/feed")
    await until(lambda: site.show.operators == [1])
    assert socket._response.connection and socket._response.connection.transport
    socket._response.connection.transport.abort()
    await until(lambda: site.show.operators == [1, 0])


async def test_the_slow_are_told_and_begin_again(operator: Client, site: Site) -> None:
    """More events at once than a reader holds: all of them give way to the word "dropped" and a fresh snapshot."""
    async with operator.ws_connect("/api/feed") as socket:
        assert (await hear(socket))["event"] == "snapshot"
        for number in range(9):
            site.feed.publish({"event": "item", "number": number})
        assert await hear(socket) == {"event": "dropped"}
        assert (await hear(socket))["event"] == "snapshot"
        site.feed.publish({"event": "item", "number": 10})
        assert await hear(socket) == {"event": "item", "number": 10}


async def test_an_overlay_that_connects_hears_what_is_on_the_air(stranger: Client, site: Site) -> None:
    """With the time it has left, or that there is nothing."""
    for now in (SHOW, {"event": "clear"}):
        site.now_showing = now
        async with stranger.ws_connect(OVERLAY) as socket:
            assert await hear(socket) == now


async def test_the_overlay_hears_only_its_own_feed(stranger: Client, site: Site) -> None:
    """Nothing that a person has not approved comes near it."""
    async with stranger.ws_connect(OVERLAY) as socket:
        await hear(socket)
        site.feed.publish({"event": "draft", "text": "noch nicht"})
        site.overlay_feed.publish(SHOW)
        assert await hear(socket) == SHOW


async def test_a_slow_overlay_begins_again_with_the_present(stranger: Client, site: Site) -> None:
    """Never with what it missed."""
    async with stranger.ws_connect(OVERLAY) as socket:
        await hear(socket)
        site.now_showing = SHOW
        for _ in range(9):
            site.overlay_feed.publish({"event": "hide", "id": "old"})
        assert [await hear(socket), await hear(socket)] == [{"event": "dropped"}, SHOW]


async def test_silence_is_broken(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page cannot see websocket pings; it hears that the line is alive."""
    monkeypatch.setattr(feeds, "SILENCE", 0.01)
    async with operator.ws_connect("/api/feed") as socket:
        await hear(socket)
        assert [await hear(socket), await hear(socket)] == [{"event": "ping"}] * 2


async def test_what_a_page_says_does_not_matter(operator: Client, site: Site) -> None:
    """Words are ignored; a flood ends the connection and nothing else."""
    async with operator.ws_connect("/api/feed") as socket:
        await hear(socket)
        await socket.send_str('{"event":"approve"}')
        site.feed.publish({"event": "status"})
        assert await hear(socket) == {"event": "status"}
        await socket.send_str("x" * 5000)
        assert (await socket.receive(timeout=30)).type is WSMsgType.CLOSE
    assert site.show.calls == []
    assert (await operator.get("/health")).status == 200


async def test_a_failure_closes_one_page(operator: Client, site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """And is in the log; the others stay, and it is counted out."""
    async with operator.ws_connect("/api/feed") as socket:
        await hear(socket)
        site.show.refusal = RuntimeError("nothing to show")
        for _ in range(9):
            site.feed.publish({"event": "item"})
        assert await hear(socket) == {"event": "dropped"}
        closed = await socket.receive(timeout=30)
        assert (closed.type, closed.data) == (WSMsgType.CLOSE, 1011)
    await until(lambda: site.show.operators == [1, 0])
    assert "GET /api/feed failed: RuntimeError" in caplog.text


async def test_feeds_are_bounded(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that opens without closing does not take the show down."""
    monkeypatch.setattr(feeds, "OPEN_PAGES", 1)
    async with operator.ws_connect("/api/feed") as socket:
        await hear(socket)
        answer = await operator.get("/api/feed")
        assert (answer.status, (await answer.json())["error"]) == (429, "too_many_pages")


async def test_a_plain_get_is_no_websocket(operator: Client, site: Site) -> None:
    """It is told so and changes nothing."""
    answer = await operator.get("/api/feed")
    assert answer.status == 400
    assert (await answer.json())["error"] == "bad_request"
    assert site.show.operators == []


async def test_a_websocket_opens_by_cookie(stranger: Client) -> None:
    """As a browser does it, with its origin."""
    await stranger.post("/login", json={"token": BEARER["Authorization"].split()[1]})
    async with stranger.ws_connect("/api/feed", origin=f"http://127.0.0.1:{stranger.port}") as socket:
        assert (await hear(socket))["event"] == "snapshot"
