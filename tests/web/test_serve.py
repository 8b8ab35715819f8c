"""Listening, and going away quickly."""

from __future__ import annotations

import asyncio
import socket
import time

import aiohttp
import pytest

from bot.errors import UserError
from bot.web.server import serve
from tests.web.conftest import BEARER, OVERLAY_TOKEN, Site


async def test_it_answers_inside_the_block_only(site: Site) -> None:
    """At the port that it says."""
    async with serve(site.app(), "127.0.0.1", 0) as port, aiohttp.ClientSession() as session:
        assert port > 0
        async with session.get(f"http://127.0.0.1:{port}/health") as answer:
            assert answer.status == 200
    with pytest.raises(ConnectionError):
        socket.create_connection(("127.0.0.1", port), timeout=30)


async def test_a_taken_port_is_one_clear_line(site: Site) -> None:
    """With what to do, and nothing left behind."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(UserError, match=f"端口 {port} 已被占用.*--port") as error:
            async with serve(site.app(), "127.0.0.1", port):
                pass
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(("host", "port"), [("192.0.2.1", 0), ("no-such-host.invalid", 0), ("127.0.0.1", 99999)])
async def test_an_address_that_is_not_ours_is_one_clear_line(site: Site, host: str, port: int) -> None:
    """Whatever is wrong with it."""
    with pytest.raises(UserError, match=r"无法在 .* 上监听.*web\.host") as error:
        async with serve(site.app(), host, port):
            pass
    assert "\n" not in str(error.value)


async def test_a_forbidden_port_is_one_clear_line(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below 1024 the system may say no."""

    async def refuse(self: aiohttp.web.TCPSite) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(aiohttp.web.TCPSite, "start", refuse)
    with pytest.raises(UserError, match="没有权限使用端口 80"):
        async with serve(site.app(), "127.0.0.1", 80):
            pass


async def test_it_ends_quickly_whoever_is_connected(site: Site) -> None:
    """Pages that listen, a page that never answers our goodbye, and a request whose body never comes."""
    async with aiohttp.ClientSession() as session:
        async with serve(site.app(), "127.0.0.1", 0) as port:
            url = f"http://127.0.0.1:{port}"
            panel = await session.ws_connect(f"{url}/api/feed", headers=BEARER)
            await panel.receive_json()
            # This one is not read any more: it can neither take what we send nor answer.
            deaf = await session.ws_connect(f"{url}/overlay/feed?token={OVERLAY_TOKEN}", autoclose=False)
            assert deaf._response.connection and deaf._response.connection.transport
            transport: asyncio.Transport = deaf._response.connection.transport  # type: ignore[assignment]
            transport.pause_reading()
            site.overlay_feed.publish({"event": "show", "filler": "x" * 20_000_000})
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(
                f"POST /api/say HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {BEARER['Authorization']}\r\n"
                "Content-Length: 100\r\n\r\n{".encode()
            )
            await writer.drain()
            listening = asyncio.create_task(panel.receive())
            await asyncio.sleep(0.05)  # until all of them are in the middle of it
            started = time.monotonic()
        assert time.monotonic() - started < 20  # aiohttp by itself waits for a minute
        goodbye = await listening
        assert (goodbye.type, goodbye.data) == (aiohttp.WSMsgType.CLOSE, aiohttp.WSCloseCode.GOING_AWAY)
        assert site.show.operators[-1] == site.show.overlays[-1] == 0
        writer.close()
